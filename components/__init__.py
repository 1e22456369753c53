"""The TFX stages. Importing this package makes the missing modules of the pinned stack importable (see compat.tfdv)."""

from components.compat import tfdv

tfdv.install()
