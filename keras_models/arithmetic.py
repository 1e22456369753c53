"""What a model is made of, layer by layer, as plain data.

Parameters are trainable ones, as papers count them: moving statistics and fixed centres are not among them.
"""

import math

import keras


def total_params(model: keras.Model) -> int:
    """Trainable parameters, each shared one once."""
    return _count(model.trainable_variables)


def layer_table(model: keras.Model) -> list[dict]:
    """Layers in the order of computation, those of sub-models in their place; JSON-able.

    Returns:
        For each: name (sub-models' names before it, "encoder/code"), type (its class), output (shape without the batch, a list of
        shapes where there are several outputs), params (trainable; a layer that occurs twice counts where it is first).
        The sum of params is `total_params`.
    """
    return list(_rows(model, "", set()))


def _rows(model, prefix, seen):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _rows(layer, f"{prefix}{layer.name}/", seen)
        elif not (prefix and isinstance(layer, keras.layers.InputLayer)):  # a sub-model's input is the layer before
            new = [v for v in layer.trainable_variables if id(v) not in seen]
            seen.update(map(id, new))
            yield {"name": prefix + layer.name, "type": type(layer).__name__, "output": _shape(layer), "params": _count(new)}


def _shape(layer):
    # of its first call; `layer.output` refuses a layer that is called more than once
    shapes = [list(tensor.shape[1:]) for tensor in layer._inbound_nodes[0].output_tensors]
    return shapes[0] if len(shapes) == 1 else shapes


def _count(variables) -> int:
    return sum(math.prod(v.shape) for v in variables)
