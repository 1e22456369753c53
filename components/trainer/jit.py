"""Whether XLA compiles the training step (train.jit), and the step that it compiles.

XLA makes one loop of what TensorFlow does operation by operation between a step's products: activations, biases, the loss, the
gradients' sums, Adam. It compiles for one shape of a batch, so it gets whole batches; an epoch's last, smaller one goes through
TensorFlow's own operations, as do validation and all that is served.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Literal

import keras
import tensorflow as tf

from configs.errors import UsageError
from configs.schema.train import TrainConfig

_UNKNOWN = re.compile(r"No registered '(\w+)'|Op type not registered '(\w+)'|\((\w+)\) ")


@contextlib.contextmanager
def step(model: keras.Model, train: TrainConfig, whole: bool = False) -> Iterator[None]:
    """While a compiled model is fitted, give it the training step that the config asks for.

    Args:
        whole: whether all batches of an epoch have the same size.

    Raises:
        UsageError: by `fit`, for `train.jit: true` and a step that XLA cannot compile.
    """
    model.jit_compile = False  # Keras's own compiles for each shape of a batch, validation too
    if not is_wanted(train.jit):
        yield
        return
    model.train_step = Step(model, train.batch_size, whole, insists=train.jit is True)
    try:
        yield
    finally:
        del model.train_step


def has_gpu() -> bool:
    """Whether TensorFlow computes on one."""
    return bool(tf.config.list_physical_devices("GPU"))


def is_wanted(asked: bool | Literal["auto"]) -> bool:
    """Whether XLA is to be tried. `auto`: on a GPU. On a CPU, oneDNN's operations take less time than XLA's (docs/results.md)."""
    return has_gpu() if asked == "auto" else asked


def is_used(model: keras.Model) -> bool:
    """Whether XLA compiled the training step of a model that is being fitted."""
    return isinstance(getattr(model, "train_step", None), Step) and bool(model.train_step.compiled)


class Step:
    """A model's training step, as Keras calls it: (inputs, targets) of a batch -> its logs.

    The first trace decides: a step of which XLA cannot compile an operation is refused where the config asks for XLA (`insists`),
    and left to TensorFlow where it does not. `compiled` says what became of it, None before that.
    """

    def __init__(self, model: keras.Model, batch_size: int, whole: bool, insists: bool):
        self._plain, self._size, self._whole, self._insists = model.train_step, batch_size, whole, insists
        self._xla = tf.function(self._plain, jit_compile=True, autograph=False)
        self.compiled: bool | None = None

    def __call__(self, data):
        if self.compiled is None:
            why = self._refusal(data)
            if why and self._insists:
                raise UsageError(f"train.jit: true, and XLA cannot compile a step of this training: {why}.", "Set train.jit: auto.")
            self.compiled = not why
        if not self.compiled:
            return self._plain(data)
        if self._whole:
            return self._xla(self._sized(data))
        rows = tf.shape(tf.nest.flatten(data)[0])[0]
        return tf.cond(rows == self._size, lambda: self._xla(self._sized(data)), lambda: self._plain(data))

    def _sized(self, data):
        def sized(tensor):  # not tf.ensure_shape: what a branch checks, TensorFlow may check before it
            tensor = tf.identity(tensor)
            tensor.set_shape([self._size, *tensor.shape[1:]])
            return tensor

        return tf.nest.map_structure(sized, data)

    def _refusal(self, data) -> str | None:
        """What XLA says against the step, if anything."""
        with tf.init_scope():
            example = tf.nest.map_structure(lambda tensor: tf.zeros([self._size, *tensor.shape[1:]], tensor.dtype), data)
            try:
                self._xla.experimental_get_compiler_ir(example)(stage="hlo")
            except (tf.errors.OpError, ValueError, NotImplementedError) as error:
                return str(error)
        return None
