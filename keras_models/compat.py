"""What Keras keeps to itself and hubel needs: every private name of it, once, so that an upgrade has one file to look at.

tests/components/compat/test_private_names.py says which of them are gone. Keras is imported where it is asked for: a listing reads
the names of its networks without it.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

UNINITIALIZED = "uninitialized_variables"  # what Keras still has to draw the values of
LOADED = "shared_objects/id_to_obj_map"  # what Keras has made so far of the file that it is loading
_APPLICATION = re.compile(r"^from keras\.src\.applications\.(\w+) import \(?\s*([A-Z]\w*) as ", re.MULTILINE)


def graph_of(model):
    """The functional graph inside a model or layer, Keras's Functional; None where there is none."""
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_of(graph) -> Iterator:
    """Every call of an operation in a graph of `graph_of`, in the order of computation: nodes with `operation`, `input_tensors`,
    `output_tensors` and `is_input`."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from graph._nodes_by_depth[depth]


def layers_of(layer, itself: bool = True, deep: bool = True) -> list:
    """A layer and the layers that it is made of, those in lists of attributes too.

    Args:
        itself: whether it is among them.
        deep: whether theirs are.
    """
    return layer._flatten_layers(include_self=itself, recursive=deep)


def own_trainable_variables(layer) -> list:
    """Variables that a layer itself holds and would train, whether it is frozen or not; not those of its layers."""
    return layer._trainable_variables


@contextlib.contextmanager
def uninitialized_as_before() -> Iterator[None]:
    """What is made in here is not among the variables that Keras's next scope draws values for."""
    from keras.src.backend.common import global_state

    waiting = list(global_state.get_global_attribute(UNINITIALIZED, []))
    try:
        yield
    finally:
        global_state.set_global_attribute(UNINITIALIZED, waiting)


@contextlib.contextmanager
def exported_by_endpoints_alone() -> Iterator[None]:
    """A model that is exported in here is traced for its endpoints. TensorFlow, which looks for tables in all that a model holds,
    would find at it, and at each model inside, a function besides, and trace it, to write nothing of it."""
    from keras.src.backend.tensorflow.layer import TFLayer

    before = TFLayer._default_save_signature
    TFLayer._default_save_signature = None
    try:
        yield
    finally:
        TFLayer._default_save_signature = before


def loaded_so_far() -> dict:
    """What Keras has made of the file that it is loading; a new dict where it loads none."""
    from keras.src.backend.common import global_state

    objects = global_state.get_global_attribute(LOADED)
    return {} if objects is None else objects


def logits_of(activation):
    """What Keras notes for its own losses on an eager tensor that an activation returned: what that was made of, or None."""
    return getattr(activation, "_keras_logits", None)


def compiled_loss(model) -> Callable:
    """The loss of a compiled model: (y, y_pred, sample_weight) -> scalar, without what layers add."""
    return model._compile_loss


def decays(optimizer, variable) -> bool:
    """Whether weight decay of an optimizer is for a variable; see exclude_from_weight_decay."""
    return optimizer._use_weight_decay(variable)


def without_own_decay(optimizer) -> None:
    """Let an optimizer keep its weight_decay, and not shrink the weights by it: whoever asks for this does that in the gradient."""
    optimizer._apply_weight_decay = lambda variables: None


def applications() -> dict[str, str]:
    """Name of each network of keras.applications -> the file there that it stands in; read from the source, nothing is imported."""
    text = (Path(find_spec("keras").origin).parent / "applications/__init__.py").read_text(encoding="utf-8")
    return {name: module for module, name in _APPLICATION.findall(text)}


def home() -> Path:
    """Where keras.utils.get_file keeps what it fetches: by its rule, of which it tells nobody."""
    from keras.src.backend.config import keras_home

    folder = os.path.expanduser(keras_home())
    return Path(folder if os.access(folder, os.W_OK) else "/tmp/.keras")  # noqa: S108 Keras's own choice


@contextlib.contextmanager
def fetching(instead: Callable[..., str]) -> Iterator[None]:
    """Within it Keras's networks call `instead` where they would call keras.utils.get_file, with (fname, origin, cache_subdir=...,
    file_hash=...)."""
    from keras.src.utils import file_utils

    get_file, file_utils.get_file = file_utils.get_file, instead
    try:
        yield
    finally:
        file_utils.get_file = get_file
