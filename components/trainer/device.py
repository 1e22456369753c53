"""What training runs on, as far as the person who waits should know."""

import tensorflow as tf

from components import progress


def tell() -> None:
    """Say that there is no GPU, where there is none: hours become days, and nothing else would say why."""
    if not tf.config.list_physical_devices("GPU"):
        progress.emit("note", text="no GPU: training on the CPU")
