"""Finding what `transfer.source` names. Imports nothing heavy, so that what is wrong is said in milliseconds."""

import difflib
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

from components import keys
from components.example_gen import digest
from components.trainer.origin import Origin
from configs import load
from configs.errors import UsageError
from configs.schema import ModelConfig, RunConfig
from keras_models import published
from pipelines import runs
from pipelines.workspace import Workspace

SPELLINGS = "NAME[/VERSION] of a pushed model, a path that ends in .keras, or keras.applications:NAME"


def check(cfg: RunConfig, place: Workspace) -> None:
    """Raise UsageError where the source is not there or cannot take the config's images."""
    file, _, _ = _found(cfg.transfer.source, place)
    if file is not None:
        _fits(cfg, _layers(file, cfg.transfer.source))


def locate(cfg: RunConfig, place: Workspace) -> Origin | None:
    """The source of a transfer, digested; None where nothing is transferred. Raises as `check`."""
    if cfg.transfer is None:
        return None
    source = cfg.transfer.source
    file, artifact, pushed = _found(source, place)
    if file is None:
        return Origin(source, source, None, f"keras {version('keras')}", True)
    layers = _layers(file, source)
    _fits(cfg, layers)
    held = digest.of_files([file], file.parent, place.datasets / ".digests.json")
    if artifact is None:
        return Origin(str(file), str(file), str(file), held, _normalizes(layers))
    architecture = json.loads((artifact / keys.CARD_FILE).read_text())["architecture"]
    return Origin(pushed, architecture, str(file), held, True, str(artifact))


def settled(cfg: RunConfig, origin: Origin) -> RunConfig:
    """The config as the components get it: the source by its full name, and nothing of what its network decides."""
    transfer = cfg.transfer.model_copy(update={"source": origin.source})
    transform = cfg.transform.model_copy(update={"normalize": "none"} if origin.normalizes else {})
    return cfg.model_copy(update={"transfer": transfer, "transform": transform, "model": ModelConfig()})


def _found(source: str, place: Workspace) -> tuple[Path | None, Path | None, str]:
    """The .keras file, the folder of the Model artifact that it is in, and the source's full name; None for what there is not."""
    if source.startswith(published.PREFIX):
        published.check(source)
        return None, None, source
    if source.endswith(keys.KERAS_ENDING):
        file = Path(source).expanduser().resolve()
        if not file.is_file():
            raise UsageError(f"transfer.source: there is no file {file}.", f"It may be {SPELLINGS}.")
        return file, None, str(file)
    name, _, number = source.partition("/")
    known = sorted({record.config for record in runs.records(place) if record.version is not None})
    if name not in known:
        raise _unknown(name, known, place)
    artifact, newest = runs.pushed(place, source)
    return artifact / keys.KERAS_FILE, artifact, f"{name}/{number or newest}"


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


def _fits(cfg: RunConfig, layers: list[dict]) -> None:
    """Raise UsageError for a source with an input of another size; sides that it leaves open, and grey for RGB, are no other."""
    shape = layers[0].get("config", {}).get("batch_shape") if layers else None
    if not isinstance(shape, list) or len(shape) != 4:
        return  # Trainer finds out
    asked = cfg.transform
    height, width, channels = shape[1:]
    if (height or asked.height) == asked.height and (width or asked.width) == asked.width and channels in (asked.channels, 3, None):
        return
    takes = "x".join("?" if side is None else str(side) for side in shape[1:])
    raise UsageError(
        f"transfer.source {cfg.transfer.source} takes images of {takes}, and transform makes "
        f"{asked.height}x{asked.width}x{asked.channels}.",
        f"Set transform.height: {height or asked.height}, transform.width: {width or asked.width}, transform.channels: {channels}.",
    )
