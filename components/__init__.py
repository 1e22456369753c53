"""The TFX stages. Importing this package makes the missing modules of the pinned stack importable (see compat)."""

from components import compat

compat.install()
