"""Whether XLA compiles the training step (train.jit), and the step that it compiles.

XLA makes one loop of what TensorFlow does operation by operation between a step's products: activations, biases, the loss, the
gradients' sums, Adam. It compiles for one shape of a batch, so it gets whole batches; an epoch's last, smaller one goes through
TensorFlow's own operations, as do validation and all that is served.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Literal

import keras
import tensorflow as tf

from configs.errors import UsageError, first_line
from configs.schema.train import TrainConfig

_LACKS = re.compile(r"(?:No registered '|[Oo]p type not registered '|Op:|node \S+ \()(\w+)")


@contextlib.contextmanager
def step(model: keras.Model, train: TrainConfig, batches: tf.data.Dataset, whole: bool = False) -> Iterator[None]:
    """While a compiled model is fitted, give it the training step that the config asks for.

    Args:
        batches: what it is fitted with.
        whole: whether all of them have the same size.

    Raises:
        UsageError: for `train.jit: true` and a step that XLA cannot compile.
    """
    model.jit_compile = False  # Keras's own compiles for each shape of a batch, validation too
    insists = train.jit is True
    why = _doubt(model, batches.element_spec, train.batch_size, insists) if is_wanted(train.jit) else "not asked for"
    if why and insists:
        raise _refused(why)
    if why:
        yield
        return
    model.train_step = Step(model.train_step, train.batch_size, whole)
    try:
        yield
    except tf.errors.OpError as error:
        if "XLA" not in str(error):
            raise
        raise _refused(_said(error)) from error
    finally:
        del model.train_step


def has_gpu() -> bool:
    """Whether TensorFlow computes on one."""
    return bool(tf.config.list_physical_devices("GPU"))


def is_wanted(asked: bool | Literal["auto"]) -> bool:
    """Whether XLA is to be tried. `auto`: on a GPU. On a CPU, oneDNN's operations take less time than XLA's (docs/results.md)."""
    return has_gpu() if asked == "auto" else asked


def is_used(model: keras.Model) -> bool:
    """Whether XLA compiles the training step of a model that is being fitted."""
    return isinstance(getattr(model, "train_step", None), Step)


class Step:
    """A model's training step, as Keras calls it: what `fit` reads of a batch -> its logs.

    Args:
        plain: Keras's.
        size: of a whole batch.
        whole: whether there are no others.
    """

    def __init__(self, plain: Callable, size: int, whole: bool):
        self._plain, self._size, self._all_are_whole = plain, size, whole
        self._compiled = tf.function(plain, jit_compile=True, autograph=False)

    def __call__(self, data):
        if self._all_are_whole:
            return self._compiled(self._whole(data))
        rows = tf.shape(tf.nest.flatten(data)[0])[0]
        return tf.cond(rows == self._size, lambda: self._compiled(self._whole(data)), lambda: self._plain(data))

    def _whole(self, data):
        def sized(tensor):  # not tf.ensure_shape: what a branch checks, TensorFlow may check before it
            tensor = tf.identity(tensor)
            tensor.set_shape([self._size, *tensor.shape[1:]])
            return tensor

        return tf.nest.map_structure(sized, data)


def _doubt(model: keras.Model, spec: tuple, size: int, insists: bool) -> str | None:
    """What speaks against compiling a model's step; None for nothing.

    XLA is asked to translate the loss of a batch and its gradients, not to compile or run them. A step of the model's own, of which
    these say nothing, is compiled only where the config `insists`; so is one that draws at random, as dropout does: XLA draws other
    numbers from the same seed.
    """
    if type(model).train_step is not keras.Model.train_step:
        return None if insists else "it has a step of its own"
    if not insists and any("seed_generator" in variable.path for variable in model.variables):
        return "it draws at random"

    def gradients(batch):
        x, y, *weights = batch
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), *weights, training=True)
        return tape.gradient(loss, model.trainable_variables)

    if not all(tensor.shape.rank and tensor.shape[1:].is_fully_defined() for tensor in tf.nest.flatten(spec)):
        return "its batches have no fixed shape"
    batch = tf.nest.map_structure(lambda tensor: tf.zeros([size, *tensor.shape[1:]], tensor.dtype), spec)
    try:
        tf.function(gradients, jit_compile=True, autograph=False).experimental_get_compiler_ir(batch)(stage="hlo")
    except (tf.errors.OpError, ValueError, NotImplementedError) as error:
        return _said(error)
    return None


def _said(error: Exception) -> str:
    """What XLA says, in few words."""
    lacks = list(dict.fromkeys(_LACKS.findall(str(error))))
    return f"it has no {', '.join(lacks)}" if lacks else first_line(error).rstrip(".")


def _refused(why: str) -> UsageError:
    return UsageError(f"train.jit: true, and XLA cannot compile a step of this training: {why}.", "Set train.jit: auto.")
