"""The networks of keras.applications with ImageNet's weights, their own preprocessing in front."""

import contextlib
import difflib
import functools
import importlib
import re
from dataclasses import dataclass
from pathlib import Path

from configs.errors import UsageError
from keras_models import compat, raised

PREFIX = "keras.applications:"


@functools.cache
def modules() -> dict[str, str]:
    """Name of each network -> the module that also preprocesses for it; read from Keras's source, so nothing is imported."""
    return {name: f"keras.applications.{module}" for name, module in compat.applications().items()}


def check(source: str) -> str:
    """The network's name. Raises UsageError for one that keras.applications does not have."""
    name = source.removeprefix(PREFIX)
    if name not in modules():
        nearest = difflib.get_close_matches(name, modules(), 3)
        raise UsageError(
            f"keras.applications has no network {name!r}" + (f"; did you mean {' or '.join(nearest)}?" if nearest else "."),
            f"It has: {', '.join(sorted(modules()))}.",
        )
    return name


@dataclass(frozen=True)
class Weights:
    """A file of ImageNet's weights."""

    file: str
    url: str
    folder: str  # where Keras looks for it first


def missing(source: str, height: int, width: int) -> Weights | None:
    """The file that `model` would fetch; None where it is there. Fetches and writes nothing.

    Raises:
        UsageError: for an unknown name or a size that the network cannot take.
    """
    wanted = []

    def asked(fname: str, origin: str, cache_subdir: str, **_) -> str:
        wanted.append(Weights(fname, origin, str(compat.home() / cache_subdir)))
        raise _Asked

    with compat.fetching(asked), contextlib.suppress(_Asked):
        _net(check(source), source, height, width, "imagenet")
    return None if (Path(wanted[0].folder) / wanted[0].file).is_file() else wanted[0]


class _Asked(Exception):
    """Keras wants a file."""


def model(source: str, height: int, width: int, weights: str | None = "imagenet"):
    """A network without its classifier, fetched on first use.

    Args:
        weights: None for random ones.

    Returns:
        Functional model: "pixels", float32 (batch, height, width, 3) in 0..255, RGB -> features (batch, length), means over all
        places. Its last layer "net" is the network.

    Raises:
        UsageError: for an unknown name, a size that the network cannot take, or weights that cannot be fetched.
    """
    import keras

    name = check(source)
    module = importlib.import_module(modules()[name])
    try:
        net = _net(name, source, height, width, weights)
    except UsageError:
        raise
    except Exception as error:  # keras.utils.get_file raises no class of its own
        url = next(iter(re.findall(r"https?://\S+?(?=:? |$)", str(error))), None)
        kept = compat.home() / "models"
        raise UsageError(
            f"The weights of {source} cannot be fetched: {raised.said(error)}.",
            f"Put {url.rpartition('/')[2] if url else 'their file'} into {kept}" + (f"; it is at {url}." if url else "."),
        ) from None
    pixels = keras.Input((height, width, 3), name="pixels")
    prepared = module.preprocess_input(pixels)
    return keras.Model(pixels, keras.Model(net.inputs[0], net.outputs[0], name="net")(prepared), name=name.lower())


def _net(name: str, source: str, height: int, width: int, weights: str | None):
    """Keras's own model, without its classifier. Raises UsageError for a size that it cannot take, and whatever a fetch raises."""
    import keras

    try:
        return getattr(keras.applications, name)(include_top=False, weights=weights, input_shape=(height, width, 3), pooling="avg")
    except ValueError as error:
        raise UsageError(
            f"{source}: {raised.said(error)}.",
            "Change transform.height and transform.width; most of these networks learned 224 x 224 px.",
        ) from None
