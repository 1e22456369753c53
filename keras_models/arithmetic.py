"""What a model is made of, layer by layer, as plain data: volumes, parameters, multiply-adds, receptive fields, memory.

Parameters are trainable ones, as papers count them: moving statistics and fixed centres are not among them. Multiply-adds are those
of convolutions and dense layers (`connections` says what counts), fields are those of Araujo et al. 2019 (`receptive`).
"""

import math
from dataclasses import dataclass

import keras

from keras_models import compat, connections
from keras_models.parameters import count
from keras_models.receptive import Field, together

BYTES = 4  # of a float32
SUMS = ("multiply_adds", "unshared_weights", "dense_weights", "activation_bytes")


def layer_table(model: keras.Model) -> list[dict]:
    """Layers in the order of computation, those of sub-models in their place; JSON-able.

    Args:
        model: functional, or Sequential and built; with or without values.

    Returns:
        For each layer, and each operation of keras.ops in the graph ("ops.add"); all counts are for one image:

        - name (sub-models' names before it, "encoder/code"), type (its class);
        - output: shape without the batch, a list of shapes where there are several outputs;
        - params: trainable; a layer that occurs twice counts where it is first, so that they sum to `total_params`;
        - multiply_adds: of all calls of the layer;
        - unshared_weights: what it would have if no two connections shared a weight (locally connected); without biases;
        - dense_weights: what a dense layer from its input to its output would have; without biases. 0 where nothing is multiplied,
          or by no weights;
        - receptive_field, stride, offset, a number for each axis of the image: how many pixels a value sees (the most, where values
          differ), how far the next one's field is from it, and the first pixel that the first one sees, negative where the field
          starts in the padding. The stride is a fraction after enlarging, 0 where all values see the same;
        - activation_bytes: of its outputs as float32.

        None is what is not known: of a layer of unknown kind, fields of everything after it, stride where values stand in no grid,
        and all that depends on a side which is not fixed. Output, field, stride and offset are those of the layer's first call.

    Raises:
        ValueError: for a model that is not functional.
    """
    calls, seen = {}, set()
    graph = compat.graph_of(model)
    if graph is None:
        raise ValueError("the model must be functional, or Sequential and built, so that its layers are known without data")
    fields = [Field.of_image(tensor.name, connections.grid(None, tuple(tensor.shape[1:]))) for tensor in graph.inputs]
    _walk(graph, fields, "", calls)
    return [_row(path, layer, calls[path], seen) for path, layer in _operations(graph, "") if path in calls]


def totals(rows: list[dict]) -> dict:
    """Sums over a layer table: multiply_adds, unshared_weights, dense_weights, activation_bytes, of what is known; and uncounted,
    the names of the layers whose multiply-adds are not."""
    sums = {what: sum(row[what] or 0 for row in rows) for what in SUMS}
    return {**sums, "uncounted": [row["name"] for row in rows if row["multiply_adds"] is None]}


@dataclass(frozen=True)
class _Call:
    """A layer at one place of the graph; shapes without the batch."""

    given: list[tuple]
    made: list[tuple]
    field: Field | None


def _operations(graph, prefix):
    """(path, layer) of everything in a graph, in the order of computation. A sub-model's input is the layer before it."""
    names = names_of(graph)
    for operation in graph.operations:
        path = prefix + names[id(operation)]
        if inner := compat.graph_of(operation):
            yield from _operations(inner, f"{path}/")
        elif not (prefix and isinstance(operation, keras.layers.InputLayer)):
            yield path, operation


def names_of(graph) -> dict[int, str]:
    """id of each operation in a graph of `compat.graph_of` -> its name. Layers have names of their own; those of bare
    operations would count on from model to model."""
    kinds, names = {}, {}
    for operation in graph.operations:
        if isinstance(operation, keras.layers.Layer):
            names[id(operation)] = operation.name
        else:
            kind = f"ops.{type(operation).__name__.lower()}"
            number = kinds[kind] = kinds.get(kind, 0) + 1
            names[id(operation)] = kind if number == 1 else f"{kind}_{number}"
    return names


def _walk(graph, fields, prefix, calls):
    """Add every call in a graph to calls[path]; returns the fields of its outputs."""
    names = names_of(graph)
    known = {id(tensor): field for tensor, field in zip(graph.inputs, fields, strict=True)}
    for node in compat.nodes_of(graph):
        layer, path = node.operation, prefix + names[id(node.operation)]
        before = [known.get(id(tensor)) for tensor in node.input_tensors]
        if inner := compat.graph_of(layer):
            after = _walk(inner, before, f"{path}/", calls)
        else:
            given, made = (_shapes(tensors) for tensors in (node.input_tensors, node.output_tensors))
            field = known.get(id(node.output_tensors[0])) if node.is_input else _field(layer, before, given, made)
            calls.setdefault(path, []).append(_Call(given, made, field))
            after = [field] * len(made)
        known.update(zip(map(id, node.output_tensors), after, strict=True))
    return [known.get(id(tensor)) for tensor in graph.outputs]


def _field(layer, before, given, made):
    merged = together(before)
    return merged and merged.then(connections.sees(layer, given, made), connections.grid(layer, made[0]))


def _row(path, layer, calls, seen):
    new = [v for v in getattr(layer, "trainable_variables", ()) if id(v) not in seen]
    seen.update(map(id, new))
    first = calls[0]
    multiplied = _sum(connections.multiply_adds(layer, call.given, call.made) for call in calls)
    weighed = multiplied if connections.weighs(layer) else _times(0, multiplied)
    dense = weighed and _sum(_values(call.given) * _values(call.made) for call in calls)
    outputs = [list(shape) for shape in first.made]
    return {
        "name": path,
        "type": type(layer).__name__,
        "output": outputs[0] if len(outputs) == 1 else outputs,
        "params": count(new),
        "multiply_adds": multiplied,
        "unshared_weights": weighed,  # each weight is used in one multiply-add then
        "dense_weights": dense,
        **_geometry(first.field, first.made[0]),
        "activation_bytes": _sum(_times(BYTES, _values(call.made)) for call in calls),
    }


def _geometry(field, shape):
    if field is None:
        return {"receptive_field": None, "stride": None, "offset": None}
    placed = field.grid or not field.moves
    return {
        "receptive_field": [reach.size for reach in field.axes],
        "stride": [_number(reach.stride) for reach in field.axes] if field.grid and len(shape) > 1 else None,
        "offset": [reach.offset for reach in field.axes] if placed else None,
    }


def _shapes(tensors):
    return [tuple(tensor.shape[1:]) for tensor in tensors]


def _values(shapes):
    """Numbers in all of them together; None where a side is not fixed."""
    return None if any(None in shape for shape in shapes) else sum(map(math.prod, shapes))


def _times(factor, other):
    return None if other is None else factor * other


def _sum(counts):
    counts = list(counts)
    return None if None in counts else sum(counts)


def _number(fraction):
    return int(fraction) if fraction.denominator == 1 else float(fraction)
