"""Finding what `transfer.source` names. Imports nothing heavy, so that what is wrong is said in milliseconds."""

import difflib
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

from components import inputs, keys
from components.example_gen import digest
from components.trainer.origin import Origin
from configs import load
from configs.errors import UsageError
from configs.schema.model import ModelConfig
from configs.schema.run import RunConfig
from keras_models import published
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

CONFIG = "config:"
SPELLINGS = (
    "NAME[/VERSION] of a pushed model, NAME@candidate or a run, config:NAME, a path that ends in .keras, or keras.applications:NAME"
)


def before(cfg: RunConfig) -> list[tuple[str, RunConfig]]:
    """What `transfer.source` wants to have been run before, first to last: how it is called there, and the config.

    Raises:
        UsageError: for a config that is not there, pushes nothing, or has the name of one that follows it.
    """
    found, names = [], {cfg.name}
    while cfg.transfer is not None and cfg.transfer.source.startswith(CONFIG):
        source = cfg.transfer.source
        cfg = load.load(source.removeprefix(CONFIG))
        if cfg.name in names:
            raise UsageError(
                f"transfer.source {source}: {cfg.name} is also the name of a config that follows it.",
                "Give each a name of its own; none can come before itself.",
            )
        if not cfg.push.enabled:
            raise UsageError(f"transfer.source {source} pushes nothing to take features from.", "Set push.enabled: true there.")
        names.add(cfg.name)
        found.insert(0, (source.removeprefix(CONFIG), cfg))
    return found


def from_version(cfg: RunConfig, model: str, version: int) -> RunConfig:
    """The config once what `before` names was run: its source is the version that this pushed."""
    tree = load.written(cfg)
    return load.validate(tree | {"transfer": tree["transfer"] | {"source": f"{model}/{version}"}}, cfg.name)


def check(cfg: RunConfig, place: Workspace) -> None:
    """Raise UsageError where the source is not there, or cannot be made, or cannot take the config's images."""
    if earlier := before(cfg):
        made = earlier[-1][1].transform
        _takes(cfg, made.height, made.width, made.channels)
        return
    file, artifact, _ = _found(cfg.transfer.source, place)
    if artifact is not None:
        _reads_images(artifact, cfg.transfer.source)
    if file is not None:
        _fits(cfg, _layers(file, cfg.transfer.source))


def locate(cfg: RunConfig, place: Workspace) -> Origin | None:
    """The source of a transfer, digested; None where nothing is transferred. Raises as `check`."""
    if cfg.transfer is None:
        return None
    source = cfg.transfer.source
    file, artifact, pushed = _found(source, place)
    if artifact is not None:
        _reads_images(artifact, source)
    if file is None:
        return Origin(source, source, None, f"keras {version('keras')}", True)
    layers = _layers(file, source)
    _fits(cfg, layers)
    held = digest.of_files([file], file.parent, place.datasets / ".digests.json")
    if artifact is None:
        return Origin(str(file), str(file), str(file), held, _normalizes(layers))
    architecture = json.loads((artifact / keys.CARD_FILE).read_text())["architecture"]
    return Origin(pushed, architecture, str(file), held, True, str(artifact))


def awaited(cfg: RunConfig, place: Workspace) -> Origin:
    """The source of a transfer as a plan takes it while its config has yet to be run: like nothing that was there before."""
    _, first = before(cfg)[-1]
    return Origin(cfg.transfer.source, first.model.name, None, "", True, str(place.pipeline(first.name)))


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
    if source.startswith(CONFIG):
        source = load.load(source.removeprefix(CONFIG)).name
    if runs.is_candidate(source):
        found = runs.trained(place, source)
        return found.artifact / keys.KERAS_FILE, found.artifact, found.name
    name = source.partition("/")[0]
    known = sorted({record.config for record in runs.records(place) if record.version is not None})
    if name not in known:
        raise _unknown(name, known, place)
    found = runs.trained(place, source)
    return found.artifact / keys.KERAS_FILE, found.artifact, found.name


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


def _fits(cfg: RunConfig, layers: list[dict]) -> None:
    """Raise UsageError for a source with an input of another size; sides that it leaves open, and grey for RGB, are no other."""
    shape = layers[0].get("config", {}).get("batch_shape") if layers else None
    if isinstance(shape, list) and len(shape) == 4:  # otherwise Trainer finds out
        _takes(cfg, *shape[1:])


def _takes(cfg: RunConfig, height: int | None, width: int | None, channels: int | None) -> None:
    """Raise UsageError unless a source of this input suits the config's images."""
    asked = cfg.transform
    if (height or asked.height) == asked.height and (width or asked.width) == asked.width and channels in (asked.channels, 3, None):
        return
    takes = "x".join("?" if side is None else str(side) for side in (height, width, channels))
    raise UsageError(
        f"transfer.source {cfg.transfer.source} takes images of {takes}, and transform makes "
        f"{asked.height}x{asked.width}x{asked.channels}.",
        f"Set transform.height: {height or asked.height}, transform.width: {width or asked.width}, transform.channels: {channels}.",
    )
