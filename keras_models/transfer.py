"""A trained network under a new head: its features at a layer, frozen (Donahue et al. 2014, "DeCAF", ICML) or trained further from
some layer on (Yosinski et al. 2014, NIPS, section 2).

A layer is named by its path in the model, "net/block2/conv1", or by the end of it that no other layer's path has, "block2/conv1".
"""

import difflib
import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from keras_models import compat
from keras_models.layers.extractor import Extractor

FEATURES = "features"
HEAD = "logits"
PATCHES = "distances"  # the head of a detector by patches
LISTED = 12  # layers in a message


def paths(model: keras.Model) -> list[str]:
    """Every layer's path, in the order of computation, a sub-model before its own layers."""
    return [path for path, _ in _layers(model)]


def extractor(model: keras.Model, layer: str | None = None) -> Extractor:
    """The part of a model from its input to a layer's output. Layers and weights are shared, not copied; nothing is trainable.

    Args:
        model: functional, or Sequential and built, with one input.
        layer: None for the one before the last: what the last layer with weights is given, of an autoencoder the code.

    Raises:
        ValueError: for a model that is not functional or has several inputs, or a layer that it does not have.
    """
    graph = compat.graph_of(model)
    if graph is None:
        raise ValueError("it is not functional (keras.Model(inputs, outputs)), so its layers cannot be told apart")
    if len(graph.inputs) != 1:
        raise ValueError(f"it has {len(graph.inputs)} inputs; one is needed")
    names = paths(model)
    if layer is not None:
        path, before = find(layer, names), False
    elif encoders := [name for name in names if name.rpartition("/")[2] == "encoder"]:
        path, before = encoders[0], False
    elif weighty := [name for name, candidate in _layers(model) if candidate.weights and compat.graph_of(candidate) is None]:
        path, before = weighty[-1], True
    else:
        raise ValueError("none of its layers has weights")
    cut = Extractor(graph.inputs[0], _output(graph, path.split("/"), before), name=FEATURES)
    cut.trainable = False
    return cut


def find(layer: str, names: list[str]) -> str:
    """The one path that `layer` stands for. Raises ValueError where there is none or there are several."""
    if layer in names:
        return layer
    ends = [name for name in names if name.endswith(f"/{layer}")]
    if len(ends) > 1:
        raise ValueError(f"{layer!r} may be {' or '.join(ends[:LISTED])}")
    if ends:
        return ends[0]
    nearest = difflib.get_close_matches(layer, dict.fromkeys(name.rpartition("/")[2] for name in names), 3)
    listed = f"its last ones are {', '.join(names[-LISTED:])}" if len(names) > LISTED else f"its layers are {', '.join(names)}"
    meant = f"did you mean {' or '.join(map(repr, nearest))}? " if nearest else ""
    raise ValueError(f"it has no layer {layer!r}; {meant}{listed}")


def with_head(features: keras.Model, input_shape, head: layers.Layer, maps: str = "average") -> keras.Model:
    """image -> features -> head, uncompiled.

    Args:
        features: of `extractor`; a sub-model of that name in the result.
        input_shape: (height px, width px, channels) of the image. Grey images are given to a source of three channels three times.
        head: float (batch, length) -> float32 (batch, classes).
        maps: what values with places (batch, height, width, channels) become: "average", their means over all places, or "flatten".

    Raises:
        ValueError: for an image that the source cannot take; says what it takes.
    """
    image, x = given(features, input_shape)
    x = features(x)
    if maps == "average" and len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D(name="average")(x)
    elif len(x.shape) > 2:
        x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, head(x), name="transfer")


def with_patches(features: keras.Model, input_shape, head: layers.Layer) -> keras.Model:
    """image -> maps of `map_extractor` -> a head of keras_models.layers.patches, uncompiled. Raises ValueError as `with_head`."""
    image, x = given(features, input_shape)
    return keras.Model(image, head(features(x)), name="transfer")


def given(features: keras.Model, input_shape) -> tuple:
    """The input "image" of a model around an extractor, and what the extractor is given of it. Raises ValueError as `with_head`."""
    x = image = keras.Input(input_shape, name="image")
    wanted = tuple(features.inputs[0].shape[1:])
    if len(wanted) == 3 and wanted[2] == 3 and input_shape[2] == 1:
        x = layers.Concatenate(name="three_channels")([x] * 3)
    if len(wanted) != 3 or any(side not in (None, own) for side, own in zip(wanted, x.shape[1:], strict=True)):
        raise ValueError(f"it takes {volume(wanted)}, and the images are {volume(input_shape)}")
    return image, x


def map_extractor(model: keras.Model, names: Sequence[str]) -> Extractor:
    """As `extractor`, to the maps that several layers make, in their order; what they share is computed once.

    Raises:
        ValueError: as `extractor`, for a layer that makes no map, (batch, height, width, channels), and for one named twice.
    """
    graph = compat.graph_of(model)
    if graph is None or len(graph.inputs) != 1:
        raise ValueError("it is not functional with one input (keras.Model(image, outputs)), so its layers cannot be told apart")
    there = paths(model)
    chosen = [find(name, there) for name in names]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{', '.join(names)} name a layer twice")
    made = _outputs(graph, [path.split("/") for path in chosen])
    for path, tensor in zip(chosen, made, strict=True):
        if len(tensor.shape) != 4 or None in tensor.shape[1:]:
            raise ValueError(f"{path} makes {volume(tensor.shape[1:])}, and no maps of a known size")
    cut = Extractor(graph.inputs[0], made, name=FEATURES)
    cut.trainable = False
    return cut


def unfreeze(features: keras.Model, layer: str) -> int:
    """Let the layers of an extractor be trained from one on, in the order of computation; those before it stay frozen.

    Returns:
        How many weights can be trained now.

    Raises:
        ValueError: for a layer that it does not have, or one from which on there is nothing to train.
    """
    names = paths(features)
    first = find(layer, names)
    features.trainable = True
    for _, part in _layers(features)[: names.index(first)]:
        if compat.graph_of(part) is None:
            part.trainable = False
    count = sum(math.prod(variable.shape) for variable in features.trainable_variables)
    if not count:
        features.trainable = False
        raise ValueError(f"nothing can be trained from {first} on; layers with weights stand before it")
    return count


def take_over(net: keras.Model, earlier: keras.Model) -> tuple[list[layers.Layer], list[str]]:
    """Give the layers of a net the weights of an earlier one's layers of the same paths, where these are as many: those of a dense
    layer become a convolution's that finds one place in the maps it was given (Long, Shelhamer & Darrell 2015, CVPR, section 3.1).
    Only the last layer is another one's where the two do not answer in the same form.

    Returns:
        The layers that took weights over, and the paths of the others that have any.
    """
    sources = dict(_layers(earlier))
    last = HEAD if len(net.output_shape) != len(earlier.output_shape) else None
    taken, left = [], []
    for path, layer in _layers(net):
        if not layer.weights or compat.graph_of(layer) is not None:
            continue
        source = sources.get(path) if path != last else None
        if source is None or not _fits(source, layer):
            left.append(path)
            continue
        layer.set_weights(
            [np.reshape(value, weight.shape) for value, weight in zip(source.get_weights(), layer.weights, strict=True)]
        )
        taken.append(layer)
    return taken, left


def _fits(source, layer):
    """Whether weights are of equal shapes, or of a dense layer and of as many inputs and outputs of a convolution."""
    given, wanted = ([tuple(weight.shape) for weight in of.weights] for of in (source, layer))
    if isinstance(source, layers.Dense) and isinstance(layer, layers.Conv2D):
        wanted = [(math.prod(shape[:-1]), shape[-1]) if len(shape) == 4 else shape for shape in wanted]
    return given == wanted


def volume(shape) -> str:
    """Sides of an image as text."""
    return "x".join("?" if side is None else str(side) for side in shape)


def _layers(model, prefix="") -> list[tuple[str, layers.Layer]]:
    pairs = []
    for layer in compat.graph_of(model).layers:
        pairs.append((f"{prefix}{layer.name}", layer))
        if compat.graph_of(layer) is not None:
            pairs += [pair for pair in _layers(layer, f"{prefix}{layer.name}/") if not isinstance(pair[1], layers.InputLayer)]
    return pairs


def _output(graph, parts, before):
    """The tensor that a layer makes, or is given, where it is called first; of a layer in a sub-model as if it stood outside."""
    name, *inner = parts
    node = next(node for node in compat.nodes_of(graph) if node.operation.name == name)
    tensors = node.input_tensors if inner or before else node.output_tensors
    if len(tensors) != 1:
        raise ValueError(f"{name} has {len(tensors)} {'inputs' if inner or before else 'outputs'}; name a layer with one")
    if not inner:
        return tensors[0]
    sub = compat.graph_of(node.operation)
    return keras.Model(sub.inputs[0], _output(sub, inner, before), name=name)(tensors[0])


def _outputs(graph, parts: Sequence[Sequence[str]]) -> list:
    """As `_output`, of several layers."""
    made = {}
    for name in dict.fromkeys(name for name, *_ in parts):
        inner = [rest for first, *rest in parts if first == name]
        node = next(node for node in compat.nodes_of(graph) if node.operation.name == name)
        if not all(inner):
            if len(node.output_tensors) != 1 or any(inner):
                raise ValueError(
                    f"{name} has {len(node.output_tensors)} outputs, or is named beside its own layers; name one of these"
                )
            made[name,] = node.output_tensors[0]
            continue
        sub = compat.graph_of(node.operation)
        told = keras.Model(sub.inputs[0], _outputs(sub, inner), name=name)(node.input_tensors[0])
        made |= {(name, *rest): tensor for rest, tensor in zip(inner, told, strict=True)}
    return [made[tuple(part)] for part in parts]
