"""What trainings leave in a process's memory, given back."""

import ctypes
import gc

import keras


def release() -> None:
    """Have Keras, Python and the C library let go of what is not in use: names, graphs and their cycles, freed memory.

    Graphs hold what ends them, so it takes a second collection to free what the first one ended. What stays are inner graphs of
    Keras's step functions, which TensorFlow does not free, for which a worker is renewed: about 4 MB a small training, and 150 to
    200 MB of a network with 12 million weights, also where its variables are destroyed.
    """
    keras.backend.clear_session()  # collects too
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
