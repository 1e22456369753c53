"""One run of a config, from a located source to the record of what came out. Runs in the worker process."""

import dataclasses
import errno
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from components import inputs, keys, progress
from components.example_gen import classes, digest, listing, sources, summary
from components.inputs import checks
from components.trainer.origin import Origin
from configs import load
from configs.errors import FULL, HubelError, UsageError, first_line, last_line
from configs.schema.run import RunConfig
from pipelines.orchestration import training
from pipelines.workspace import origins
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import artifact, artifacts, trained

BEFORE_THE_GATE = ("Transform", "AugmentedCopies", "Tuner", "Trainer")  # what executes one of them has a new model to validate


def run(config: str, tree: dict, workspace: str, run_id: str) -> dict:
    """Run a config to its end.

    Args:
        config: what messages call it.
        tree: of configs.load.written. Its file is not read again: it may have been edited since.

    Returns:
        The value of the JSON contract's `run` (exit code 0 if `blessed`, else 3), and model_uri, the Model artifact's folder,
        data_digest, of what the source holds, and notes, what was said before the first stage.

    Raises:
        HubelError: with what failed in plain words.
    """
    start = time.monotonic()
    result = _run(load.validate(tree, config), Workspace.at(workspace), run_id)
    return {**result, "seconds": round(time.monotonic() - start, 2)}


def plan(config: str, assignments: list[str], workspace: str) -> dict:
    """What `run` would do: {config, components: [{name, cached}], fetches: {file, url, folder} of weights that are not there, or
    None}, and `first`, the same of each config that is run before it.

    It holds no lock, so it writes nothing.
    """
    from components.trainer import transfer
    from pipelines.orchestration import local

    cfg, place = load.load(config, assignments), Workspace.at(workspace)
    planned = []
    for one in [*(earlier for _, earlier in origins.before(cfg)), cfg]:
        is_there = not planned or all(component["cached"] for component in planned[-1]["components"])
        with digest.unremembered():
            origin = origins.locate(one, place) if is_there else origins.awaited(one, place)
        prove(one, origin)
        built = _pipeline(one, place, origin, _located(one, place, origin, sources.planned))
        absent = transfer.missing(origin, _shape(one)) if origin and origin.is_published else None
        planned.append(
            {
                "config": one.name,
                "components": local.plan(built, place.metadata),
                "fetches": dataclasses.asdict(absent) if absent else None,
            }
        )
    *first, last = planned
    return last | ({"first": first} if first else {})


def _run(cfg: RunConfig, place: Workspace, run_id: str) -> dict:
    import keras_models

    origin = origins.locate(cfg, place)
    architecture = origin.architecture if origin else keras_models.check(cfg.model.name).name
    reads = keras_models.check(cfg.model.name).reads if origin is None else inputs.DEFAULT
    located = _ready(cfg, place, origin)
    starts_from = list(_starts_from(cfg, place, origin).values())
    results = launched(cfg, place, located=located)
    examples = results["ExampleGen"]
    folder = examples.outputs["examples"][0][0]
    verdict, infra = results["Evaluator"], results["InfraValidator"]
    pushed = results.get("Pusher")
    is_pushed = bool(pushed and pushed.property("pushed_model", "pushed") == 1)
    version = pushed.property("pushed_model", "pushed_version") if is_pushed else None
    return {
        "run": run_id,
        "config": cfg.name,
        "model": cfg.name,
        "architecture": architecture,
        "starts_from": starts_from,
        "reads": reads,
        "noun": inputs.storage_of(reads).noun,
        "given_as": inputs.storage_of(reads).given_as,
        "version": int(version) if version else None,
        "blessed": verdict.property("blessing", "blessed") == 1 and infra.property("blessing", "blessed") == 1,
        "parity": infra.property("blessing", "blessed") == 1,
        "missed": _json(verdict.property("blessing", keys.MISSED), []),
        "training": training.summary(cfg, *(Path(results["Trainer"].outputs[key][0][0]) for key in ("model_run", "model"))),
        "reason": verdict.property("blessing", keys.REASON) or infra.property("blessing", keys.REASON) or "",
        "comparison": verdict.property("evaluation", keys.COMPARISON) or "",
        "metrics": _json(verdict.property("evaluation", keys.METRICS), {}),
        "intervals": _json(verdict.property("evaluation", keys.INTERVALS), {}),
        "differences": _json(verdict.property("evaluation", keys.DIFFERENCES), []),
        "slices": _json(verdict.property("evaluation", keys.SLICES), []),
        "images": _json(examples.property("examples", keys.COUNTS), {}),
        "classes": _json(examples.property("examples", keys.CLASSES), {}),
        "measures": summary.measures(Path(folder), _json(examples.property("examples", keys.CLASS_NAMES), [])),
        "changes": _json(examples.property("examples", keys.CHANGES), {}),
        "duplicates": examples.property("examples", keys.DUPLICATES, 0),
        "leakage": summary.leakage(Path(folder)),
        "drift": _json(results["ExampleValidator"].property("anomalies", keys.DRIFT), {}),
        "skew": _json(results["ExampleValidator"].property("anomalies", keys.SKEW), {}),
        "passed_over": dict(located.passed_over),
        "unlabelled": _json(examples.property("examples", keys.UNLABELLED), {}),
        "quarantined": _json(examples.property("examples", keys.QUARANTINED), {}),
        "examples": folder,
        "model_dir": pushed.property("pushed_model", "pushed_destination") if is_pushed else None,
        "data_digest": located.digest,
        "notes": _notes(cfg, place, origin, located),
        "model_uri": results["Trainer"].outputs["model"][0][0],
        "report": None,
        "components": [{"name": r.name, "cached": r.cached, "seconds": round(r.seconds, 2)} for r in results.values()],
    }


def launched(cfg: RunConfig, place: Workspace, served: bool = True, located: sources.Located | None = None) -> dict:
    """Run every component of a config's pipeline; see pipeline.build. Returns local.NodeResult by name.

    Args:
        located: the data source, where the network was tried and it was found before.

    Raises:
        HubelError: with what failed in plain words.
    """
    from components.compat import beam
    from components.infra_validator import parity
    from components.pusher import publish
    from pipelines.orchestration import local

    beam.install()
    place.root.mkdir(parents=True, exist_ok=True)
    publish.clear_stages(place.served(cfg.name, cfg.push.destination))
    origin = origins.locate(cfg, place)
    located = located or _ready(cfg, place, origin)
    built = _pipeline(cfg, place, origin, located, served)
    if located.passed_over:
        print(f"Passed over: {json.dumps(located.passed_over)}", file=sys.stderr)  # into the log
    for text in _notes(cfg, place, origin, located):
        progress.emit("note", text=text)
    progress.emit("nodes", names=[node.id for node in built.components])
    running = []

    def before(node: str) -> None:
        running[:] = [node]
        progress.emit("node", name=node)

    def after(result: local.NodeResult) -> None:
        progress.emit("node_done", name=result.name, cached=result.cached, seconds=result.seconds)

    def executes(node: str) -> None:
        if served and node in BEFORE_THE_GATE:
            parity.begin()

    try:
        return local.run(built, before, after, executes)
    except Exception as error:
        raise plain(error, running[0] if running else None, place) from error


def _notes(cfg: RunConfig, place: Workspace, origin: Origin | None, located: sources.Located) -> list[str]:
    """What is said before the first stage, each time."""
    passed_over = f"passed over in {cfg.data.source}: {listing.words(located.passed_over)}"
    unread = f"which classes {cfg.data.source} has is known once its records are read, in the first stage"
    return [
        *([passed_over] if located.passed_over else []),
        *(f"{asked} is {name}" for asked, name in _starts_from(cfg, place, origin).items() if name != asked),
        *([unread] if located.class_names is None else []),
    ]


def prove(cfg: RunConfig, origin: Origin | None) -> None:
    """Try a config's network before any data is read; a source that is still to be trained cannot be, and one of keras.applications
    has random weights. Fetches nothing.

    Raises UsageError with what is wrong with it; see contract.prove and transfer.prove.
    """
    import keras_models
    from components.trainer import transfer
    from keras_models import contract

    if origin is not None and (origin.file is not None or origin.is_published):
        transfer.prove(origin, cfg.transfer, _shape(cfg))
    elif origin is None and not cfg.model.members:  # those were proved when they were trained
        entry = keras_models.get(cfg.model.name)
        checks.check(cfg, entry.reads)
        tried = inputs.input_of(entry.reads).stand_in(cfg.transform, contract.EXAMPLES)
        contract.prove(entry, tried.facts, cfg.model.options, tried.batch)


def fetch(cfg: RunConfig, origin: Origin | None) -> None:
    """Have the weights that a config's network starts from here, before any data is read. Raises as transfer.fetch."""
    from components.trainer import transfer

    if origin is not None and origin.is_published:
        transfer.fetch(origin, _shape(cfg))


def _shape(cfg: RunConfig) -> tuple[int, int, int]:
    """(height px, width px, channels) of the images that a network gets."""
    return cfg.transform.height, cfg.transform.width, cfg.transform.channels


def _ready(cfg: RunConfig, place: Workspace, origin: Origin | None) -> sources.Located:
    """The data source, once the network was tried and the weights that it starts from are here."""
    prove(cfg, origin)
    fetch(cfg, origin)
    return _located(cfg, place, origin, sources.locate)


def _located(cfg: RunConfig, place: Workspace, origin: Origin | None, locate: Callable) -> sources.Located:
    """The data source. Raises UsageError where it has fewer classes than are to be told apart."""
    from components import targets
    from components.tasks.by_name import task_of
    from pipelines.orchestration import pipeline

    located = locate(cfg.data, place.datasets, pipeline.reads_of(cfg, origin))
    task, _ = pipeline.learned(cfg, origin)
    needed = [name for name in task_of(task).targets if targets.is_further(name)]
    if needed and located.address:  # of data that is still to be prepared nothing is known
        _, contents = sources.opened(cfg.data, located.address)
        for name in needed:
            if name not in contents.targets:
                raise UsageError(
                    f"A model for {task} learns from {name}, and {cfg.data.source} gives none.",
                    f"Name what has them: data.features: {{{name}: ...}} (docs/data.md).",
                )
    if located.class_names is None:
        return located
    data, names = classes.resolved(cfg.data, located.class_names), located.class_names
    kept = [names[label] for label in data.classes] if data.classes is not None else names
    classes.check_told_apart(cfg.data.source, kept, data, task_of(task).classes, f"a model for {task}")
    return located


def _starts_from(cfg: RunConfig, place: Workspace, origin: Origin | None) -> dict[str, str]:
    """Of each model that a config names, as it does, the full name: NAME/VERSION, NAME@RUN, or that of a source of its own."""
    named = [*([cfg.model.initial] if cfg.model.initial else []), *(cfg.model.members or [])]
    of_transfer = {cfg.transfer.source: origin.source} if origin else {}
    return of_transfer | {name: trained(place, name).name for name in named}


def _pipeline(cfg: RunConfig, place: Workspace, origin: Origin | None, located: sources.Located, served: bool = True):
    from pipelines.orchestration import pipeline

    initial = artifact(place, cfg.model.initial) if cfg.model.initial else origin and origin.artifact
    members = artifacts(place, cfg.model.members or ())
    settled = origins.settled(cfg, origin) if origin else cfg
    return pipeline.build(settled, place, located, initial, origin, members, served)


def plain(error: Exception, node: str | None, place: Workspace) -> HubelError:
    """Any exception of a component as one sentence."""
    chain, seen = error, set()
    while chain is not None and id(chain) not in seen:
        if isinstance(chain, HubelError):
            return chain
        seen.add(id(chain))
        text = str(chain)
        if getattr(chain, "errno", None) in FULL or "No space left on device" in text or "disk is full" in text:
            return HubelError(
                f"The disk is full; {node} could not write in {place.root}.", "Free some space (`hubel gc`) and run again."
            )
        if getattr(chain, "errno", None) in (errno.EACCES, errno.EROFS, errno.EPERM):
            return HubelError(f"{node} may not write {getattr(chain, 'filename', None) or place.root}.", "Check its permissions.")
        if isinstance(chain, MemoryError):
            return HubelError(
                f"{node} ran out of memory.", "Use smaller images, or smaller transform.batch_size and train.batch_size."
            )
        chain = chain.__cause__ or chain.__context__
    line = first_line(error)
    line = last_line(error) if line == "in user code:" else line  # TensorFlow puts the message after its traceback
    return HubelError(f"{node or 'The pipeline'} failed: {type(error).__name__}: {line}", "The log has the whole story.")


def _json(text: str | None, default):
    return json.loads(text) if text else default
