"""Finding what `transfer.source` names. Imports nothing heavy, so that what is wrong is said in milliseconds."""

import difflib
import json
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from components import inputs, keys
from components.example_gen import digest
from components.trainer.origin import RANDOM, Origin
from configs import load
from configs.errors import UsageError
from configs.schema.run import RunConfig
from configs.schema.transfer import TransferConfig
from configs.schema.transform import TransformConfig
from keras_models import published
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

CONFIG = "config:"
SPELLINGS = (
    "NAME[/VERSION] of a pushed model, NAME@candidate or a run, config:NAME, a path that ends in .keras, or keras.applications:NAME"
)


def before(name: str, transfer: TransferConfig | None) -> list[tuple[str, RunConfig]]:
    """What `transfer.source` wants to have been run before, first to last: how it is called there, and the config.

    Args:
        name: of the config that is asked for.

    Raises:
        UsageError: for a config that is not there, pushes nothing, or has the name of one that follows it.
    """
    earlier, names = [], {name}
    while transfer is not None and transfer.source.startswith(CONFIG):
        source = transfer.source
        config = load.load(source.removeprefix(CONFIG))
        if config.name in names:
            raise UsageError(
                f"transfer.source {source}: {config.name} is also the name of a config that follows it.",
                "Give each a name of its own; none can come before itself.",
            )
        if not config.push.enabled:
            raise UsageError(f"transfer.source {source} pushes nothing to take features from.", "Set push.enabled: true there.")
        names.add(config.name)
        earlier.insert(0, (source.removeprefix(CONFIG), config))
        transfer = config.transfer
    return earlier


def check(source: str, transform: TransformConfig, place: Workspace) -> None:
    """Raise UsageError where a source is not there, or cannot take the images that `transform` makes."""
    _opened(source, transform, place)


def locate(source: str, transform: TransformConfig, place: Workspace, weights: str | None = None) -> Origin:
    """A source, digested. weights: of a network of keras.applications, see Origin. Raises as `check`, and UsageError for a file of
    weights that is not there."""
    named, layers = _opened(source, transform, place)
    if named.file is None:
        of = f"keras {version('keras')}"
        if weights in (None, RANDOM):
            return Origin(source, source, None, f"{of} {weights}" if weights else of, True, weights=weights)
        file = Path(weights).expanduser().resolve()
        if not file.is_file():
            raise UsageError(
                f"transfer.weights: there is no file {file}.", f"It may be the path of a file of weights, or {RANDOM}."
            )
        held = digest.of_files([file], file.parent, place.datasets / ".digests.json")
        return Origin(source, source, None, f"{of} {held}", True, weights=str(file))
    file, held = str(named.file), digest.of_files([named.file], named.file.parent, place.datasets / ".digests.json")
    if named.artifact is None:
        return Origin(file, file, file, held, _normalizes(layers))
    architecture = json.loads((named.artifact / keys.CARD_FILE).read_text())["architecture"]
    return Origin(named.name, architecture, file, held, True, str(named.artifact))


def awaited(source: str, architecture: str, first: str, place: Workspace) -> Origin:
    """A source as a plan takes it while the config that pushes it, of the name `first`, has yet to be run: like nothing that was
    there before."""
    return Origin(source, architecture, None, "", True, str(place.pipeline(first)))


class Named(NamedTuple):
    """What a source is: its full name, the .keras file, and the folder of the Model artifact that it is in; None for what there is
    not."""

    name: str
    file: Path | None = None
    artifact: Path | None = None


def _opened(source: str, transform: TransformConfig, place: Workspace) -> tuple[Named, list[dict]]:
    """What it is, and its layers as Keras keeps them, none of a network of keras.applications. Raises as `check`."""
    named = _named(source, place)
    if named.artifact is not None:
        _reads_images(named.artifact, source)
    layers = _layers(named.file, source) if named.file else []
    shape = layers[0].get("config", {}).get("batch_shape") if layers else None
    if isinstance(shape, list) and len(shape) == 4:  # otherwise Trainer finds out
        check_takes(source, transform, *shape[1:])
    return named, layers


def _named(source: str, place: Workspace) -> Named:
    if source.startswith(published.PREFIX):
        published.check(source)
        return Named(source)
    if source.endswith(keys.KERAS_ENDING):
        file = Path(source).expanduser().resolve()
        if not file.is_file():
            raise UsageError(f"transfer.source: there is no file {file}.", f"It may be {SPELLINGS}.")
        return Named(str(file), file)
    if source.startswith(CONFIG):
        source = load.load(source.removeprefix(CONFIG)).name
    if not runs.is_candidate(source):
        name = source.partition("/")[0]
        known = sorted({record.config for record in runs.records(place) if record.version is not None})
        if name not in known:
            raise _unknown(name, known, place)
    model = runs.trained(place, source)
    return Named(model.name, model.artifact / keys.KERAS_FILE, model.artifact)


def _unknown(name: str, known: list[str], place: Workspace) -> UsageError:
    """No model of that name was pushed: one may be called nearly so, or a shipped config make it."""
    message = f"transfer.source: there is no trained model {name!r} in {place.root}"
    nearest = difflib.get_close_matches(name, known, 3)
    if nearest:
        return UsageError(f"{message}; did you mean {' or '.join(map(repr, nearest))}?", f"It may be {SPELLINGS}.")
    listed = f" (there: {', '.join(known)})" if known else ""
    shipped = {config: config for config in load.names()} | {f"{config}_tiny": f"{config}.tiny" for config in load.names()}
    makers = difflib.get_close_matches(name, shipped, 1)
    if name in shipped:
        hint = f"`hubel run {shipped[name]}` makes it; use the same --workspace."
    else:
        hint = f"`hubel run {shipped[makers[0]]}` would make {makers[0]!r}." if makers else f"It may be {SPELLINGS}."
    return UsageError(f"{message}{listed}.", hint)


def _layers(file: Path, source: str) -> list[dict]:
    """What Keras keeps in the file of the model's own layers, first to last; empty for one that is not functional."""
    try:
        with zipfile.ZipFile(file) as archive:
            tree = json.loads(archive.read("config.json"))
        return [layer for layer in tree["config"].get("layers", []) if isinstance(layer, dict)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        raise UsageError(f"transfer.source: {source} is no .keras file.", "Keras 3 writes them with model.save(PATH).") from None


def _normalizes(layers: list[dict]) -> bool:
    """Whether it starts as hubel's models do: pixels, then their normalisation."""
    return [layer.get("config", {}).get("name") for layer in layers[:2]] == ["pixels", "normalize"]


def _reads_images(artifact: Path, source: str) -> None:
    reads = json.loads((artifact / keys.CARD_FILE).read_text()).get("reads", inputs.DEFAULT)
    if reads != "image":
        raise UsageError(f"transfer.source {source} reads {reads}, and features are of images.", "Name a model that reads images.")


def check_takes(source: str, transform: TransformConfig, height: int | None, width: int | None, channels: int | None) -> None:
    """Raise UsageError unless a source of this input, px, suits the images that `transform` makes. None: of any size. Grey images
    suit three channels too."""
    asked = transform
    if (height or asked.height) == asked.height and (width or asked.width) == asked.width and channels in (asked.channels, 3, None):
        return
    takes = "x".join("?" if side is None else str(side) for side in (height, width, channels))
    raise UsageError(
        f"transfer.source {source} takes images of {takes}, and transform makes {asked.height}x{asked.width}x{asked.channels}.",
        f"Set transform.height: {height or asked.height}, transform.width: {width or asked.width}, transform.channels: {channels}.",
    )
