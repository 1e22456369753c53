"""The TFX stages. Importing this package makes the missing modules of the pinned stack importable (see compat.tfdv), and has
TensorFlow, which is imported after it, make use of the processor (see cpu)."""

from components import cpu
from components.compat import tfdv

tfdv.install()
cpu.use_onednn()
