"""A functional model taken apart: every layer's values of an image, also of the layers of models within, and how they hang
together.

Keras computes a model inside a model as one step and shows nothing of it. Here its graph is walked operation by operation, so that
each value can be read, differentiated, or computed by another rule on the way back.
"""

import contextlib
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from configs.errors import UsageError
from keras_models import arithmetic, compat, connections
from keras_models.explain.base import Unsuited
from keras_models.receptive import Sees

Rule = Callable[[Any, list, dict], Any]  # (operation, args, kwargs) -> what the operation makes of them
BATCH = 64  # images at one go
LISTED = 40  # names that a sentence lists
BACKGROUND = "the median colour of its border, its background"


@dataclass(frozen=True)
class Part:
    """A layer, or an operation of keras.ops, at its place. shape: of what it gives, without the batch."""

    operation: Any
    shape: tuple[int | None, ...]

    @property
    def has_maps(self) -> bool:
        """Whether it gives values in a grid of more than one place."""
        return len(self.shape) == 3 and None not in self.shape and self.shape[0] * self.shape[1] > 1

    @property
    def units(self) -> int | None:
        """Maps, or values where there is no grid."""
        return self.shape[-1] if self.shape else None


class Network:
    """Of a functional model with one input, float (batch, height px, width px, channels); as hubel's models have it, pixels of
    0..255.

    Raises:
        Unsuited: for a model that is not functional, or that looks at something else than images of a fixed size.
    """

    def __init__(self, model: keras.Model):
        graph = compat.graph_of(model)
        if graph is None:
            raise Unsuited("The model is not functional, so its layers are not known.", "Build it as keras.Model(inputs, outputs).")
        shapes = [tuple(tensor.shape[1:]) for tensor in graph.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 3 or None in shapes[0] or not keras.backend.is_float_dtype(graph.inputs[0].dtype):
            raise Unsuited(
                f"{model.name} does not look at images of one size: its input is {', '.join(map(str, shapes))}.",
                "What is shown here is of images.",
            )
        self.model, self.shape, self._graph = model, shapes[0], graph
        self.parts: dict[str, Part] = {}
        _parts(graph, "", self.parts)
        self.output = next(reversed(self.parts))

    @property
    def is_classifier(self) -> bool:
        """Whether it ends in a row of values, such as a logit for each class."""
        return len(self.parts[self.output].shape) == 1

    def short(self, path: str) -> str:
        """What a layer is called where that is clear: without the net that all stand in."""
        return path.removeprefix("net/")

    def find(self, name: str) -> str:
        """The path of a layer by it, or by its end where no other ends so. Raises UsageError that lists the layers."""
        ends = [path for path in self.parts if path == name or path.endswith(f"/{name}")]
        if name in self.parts or len(ends) == 1:
            return name if name in self.parts else ends[0]
        known = [self.short(path) for path in self.parts]
        near = difflib.get_close_matches(name, ends or known, 1)
        guess = f"; did you mean {self.short(near[0])!r}?" if near else "."
        more = f" and {len(known) - LISTED} more (`hubel show` lists all)" if len(known) > LISTED else ""
        what = f"{len(ends)} layers of {self.model.name} end in {name!r}" if ends else f"{self.model.name} has no layer {name!r}"
        listed = [self.short(path) for path in ends] if ends else known
        raise UsageError(f"{what}{guess}", f"There are {', '.join(listed[:LISTED])}{more}.")

    def check_unit(self, path: str, unit: int) -> int:
        """The unit. Raises UsageError for one that a layer has not."""
        units = self.parts[path].units
        if not units or not 0 <= unit < units:
            last = f"{self.short(path)} has units 0 to {units - 1}" if units else f"{self.short(path)} has no units"
            raise UsageError(f"There is no unit {unit}: {last}.", "Give another --unit, or another --layer.")
        return unit

    def maps(self, before: str | None = None) -> str:
        """The layer whose maps are the last ones before a layer, by default the output: that of the last convolution, with what is
        done to it place by place, normalisation, activation and sums.

        Raises:
            Unsuited: where there is none.
        """
        paths = list(self.parts)
        paths = paths[: paths.index(before)] if before else paths[:-1]
        convolutions = [place for place, path in enumerate(paths) if self.is_convolution(path) and self.parts[path].has_maps]
        if not convolutions:
            below = f" before {self.short(before)}" if before and before != self.output else ""
            raise Unsuited(
                f"{self.model.name} has no convolution{below}, so there are no maps of it.",
                "Saliency, integrated gradients, SmoothGrad and occlusion need none.",
            )
        last = convolutions[-1]
        for place in range(last + 1, len(paths)):
            part = self.parts[paths[place]]
            seen = connections.sees(part.operation, [part.shape], [part.shape])
            if part.shape != self.parts[paths[last]].shape or seen is not Sees.PLACE:
                break
            last = place
        return paths[last]

    def worth_a_search(self) -> str:
        """The last maps; without convolutions the last row of values before the output, or the narrowest of what is no classifier;
        else the output."""
        with contextlib.suppress(Unsuited):
            return self.maps()
        if not self.is_classifier:
            return self.narrowest() or self.output
        before = list(self.parts.items())[:-1]
        rows = [path for path, part in before if len(part.shape) == 1 and hasattr(part.operation, "kernel")]
        return rows[-1] if rows else self.output

    def narrowest(self) -> str | None:
        """The layer that gives the fewest values in a row, such as an autoencoder's code; None where all give maps."""
        rows = [path for path, part in self.parts.items() if len(part.shape) == 1 and part.units]
        return min(rows, key=lambda path: self.parts[path].units) if rows else None

    def is_convolution(self, path: str) -> bool:
        """Whether a layer multiplies windows of an image by weights."""
        operation = self.parts[path].operation
        kinds = (*connections.CONVOLUTIONS, *connections.DEPTHWISE, *connections.SEPARABLE, *connections.TRANSPOSED)
        kernel = getattr(operation, "kernel", None)
        return isinstance(operation, kinds) or (kernel is not None and len(kernel.shape) in (3, 4) and self.parts[path].has_maps)

    def weighted(self, until: str | None = None) -> list[tuple[str, keras.layers.Layer]]:
        """(path, layer) of the layers with weights of their own that are or were learned, each once, up to one in the order of
        computation."""
        known, layers = set(), []
        for path, part in self.parts.items():
            own = compat.own_trainable_variables(part.operation) if isinstance(part.operation, keras.layers.Layer) else ()
            if own and id(part.operation) not in known:
                known.add(id(part.operation))
                layers.append((path, part.operation))
            if path == until:
                break
        return layers

    def run(self, images: tf.Tensor, rule: Rule | None = None) -> dict[str, tf.Tensor]:
        """What every layer gives, by its path, as in inference; of a layer that occurs twice what it gave first.

        Args:
            images: float32 [N, height, width, channels], 0..255.
            rule: computes an operation; None: it is called.
        """
        values: dict[str, tf.Tensor] = {}
        _through(self._graph, [tf.convert_to_tensor(images)], "", rule or _call, values)
        return values

    def values(self, images: np.ndarray, paths: Sequence[str]) -> dict[str, np.ndarray]:
        """Of some layers, as arrays, BATCH images at a time."""
        parts: dict[str, list] = {path: [] for path in paths}
        for first in range(0, len(images), BATCH):
            given = self.run(tf.constant(images[first : first + BATCH], tf.float32))
            for path in paths:
                parts[path].append(given[path].numpy())
        return {path: np.concatenate(part) for path, part in parts.items()}


def _parts(graph, prefix, parts):
    names = arithmetic.names_of(graph)
    for node in compat.nodes_of(graph):
        path = prefix + names[id(node.operation)]
        if inner := compat.graph_of(node.operation):
            _parts(inner, f"{path}/", parts)
        elif not (node.is_input and prefix):
            parts.setdefault(path, Part(node.operation, tuple(node.output_tensors[0].shape[1:])))


def _call(operation, args, kwargs):
    return operation(*args, **kwargs)


def _through(graph, given, prefix, rule, values):
    names = arithmetic.names_of(graph)
    known = dict(zip(map(id, graph.inputs), given, strict=True))
    for node in compat.nodes_of(graph):
        path = prefix + names[id(node.operation)]
        if node.is_input:
            if not prefix:
                values[path] = known[id(node.output_tensors[0])]
            continue
        if inner := compat.graph_of(node.operation):
            made = _through(inner, [known[id(tensor)] for tensor in node.input_tensors], f"{path}/", rule, values)
        else:
            args, kwargs = node.arguments.fill_in(known)
            made = keras.tree.flatten(rule(node.operation, args, kwargs))
            values.setdefault(path, made[0])
        known.update(zip(map(id, node.output_tensors), made, strict=True))
    return [known[id(tensor)] for tensor in graph.outputs]


@dataclass(frozen=True)
class Target:
    """The unit that is asked about, for each image of a batch.

    path: its layer. units: int [N]. how: where in its map: "largest", where it is largest, or "centre".
    """

    path: str
    units: np.ndarray
    how: str = "largest"

    def of(self, values: dict[str, tf.Tensor]) -> tf.Tensor:
        """Its value for each image, float32 [N]."""
        given = tf.cast(values[self.path], tf.float32)
        if self.how == "centre":
            given = given[(slice(None), *(slice(side // 2, side // 2 + 1) for side in given.shape[1:-1]))]
        picked = tf.reshape(tf.one_hot(self.units, given.shape[-1]), [-1, *[1] * (given.shape.rank - 2), given.shape[-1]])
        unit = tf.reduce_sum(given * picked, -1)
        return tf.reduce_max(tf.reshape(unit, [tf.shape(unit)[0], -1]), 1)

    def part(self, places) -> "Target":
        """Of some of the images."""
        return Target(self.path, self.units[places], self.how)

    def repeated(self, times: int) -> "Target":
        """Of each image so many times in a row."""
        return Target(self.path, np.repeat(self.units, times), self.how)


def scores(network: Network, images: np.ndarray, target: Target) -> np.ndarray:
    """The target's value of each image, float32 [N]."""
    parts = []
    for first in range(0, len(images), BATCH):
        some = slice(first, first + BATCH)
        parts.append(target.part(some).of(network.run(tf.constant(images[some], tf.float32))).numpy())
    return np.concatenate(parts)


def gradients(network: Network, images: np.ndarray, target: Target, rule: Rule | None = None, seed=None) -> np.ndarray:
    """Of the target by the pixels, float32 [N, height, width, channels].

    Args:
        rule: as of Network.run; what it computes is differentiated.
        seed: value float32 [N] -> by what the gradient begins, float32 [N]; None: by 1.

    Raises:
        Unsuited: where nothing is passed back to the image.
    """
    parts = []
    for first in range(0, len(images), BATCH):
        some = slice(first, first + BATCH)
        x = tf.constant(images[some], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = target.part(some).of(network.run(x, rule))
        gradient = tape.gradient(value, x, output_gradients=None if seed is None else seed(value))
        if gradient is None:
            raise Unsuited(
                f"No gradient passes from {network.short(target.path)} of {network.model.name} back to the image.",
                "Occlusion needs none.",
            )
        parts.append(gradient.numpy())
    return np.concatenate(parts)


def background(images: np.ndarray) -> np.ndarray:
    """The median colour of each image's border: float32 [N, 1, 1, channels]."""
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return np.median(border, axis=1).astype("float32")[:, None, None]
