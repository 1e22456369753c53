"""What trainings leave in a process's memory, given back."""

import contextlib
import ctypes
import gc
import weakref
from typing import Any

import keras
import tensorflow as tf


class Variables(contextlib.AbstractContextManager):
    """Notes the variables that are made while the block lasts, so that those of a training give back what they hold.

    TensorFlow counts who has a variable's handle and frees its value with the last one. Inner graphs of Keras's step functions have
    handles, and TensorFlow never frees these graphs; to destroy a variable that is counted does nothing. But it can be given a
    value without elements: else a training of a network with 11 million weights by Adam leaves 150 to 170 MB.
    """

    def __init__(self):
        self._made: list[tuple[weakref.ref, Any, tf.DType]] = []

    def __enter__(self):
        self._noting = tf.variable_creator_scope(self._note)
        self._noting.__enter__()
        return self

    def __exit__(self, *raised):
        return self._noting.__exit__(*raised)

    def release(self) -> None:
        """Let go of all that is not in use, and empty the variables that nothing in Python has any more."""
        release()
        for variable, handle, dtype in self._made:
            if variable() is None:
                tf.raw_ops.AssignVariableOp(resource=handle, value=tf.zeros([0], dtype), validate_shape=False)
        self._made = [noted for noted in self._made if noted[0]() is not None]

    def _note(self, make, **given):
        variable = make(**given)
        self._made.append((weakref.ref(variable), variable.handle, variable.dtype))
        return variable


def settle() -> None:
    """Have collections look no more at what is there by now, once what nobody uses of it has gone: a million objects of the
    libraries, for as long as the process lives, which `release` would look through four times a trial, a second of a core each."""
    gc.collect()
    gc.freeze()


def release() -> None:
    """Have Keras, Python and the C library let go of what is not in use: names, graphs and their cycles, freed memory.

    Graphs hold what ends them, so it takes a second collection to free what the first one ended. What stays are inner graphs of
    Keras's step functions, 3 to 6 MB a training, for which a worker is renewed.
    """
    keras.backend.clear_session()  # collects too
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
