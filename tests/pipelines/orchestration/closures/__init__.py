"""What each stage of a pipeline is made of, as hubel says itself when it puts one together; the lists beside say what it may be."""

import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from components import fingerprint
from components.example_gen.sources import Located
from components.trainer.origin import Origin
from configs import load
from configs.packages import PACKAGES
from pipelines.orchestration import pipeline, settled
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start

FOLDER = Path(__file__).parent
ACCEPT = ".venv/bin/python -m tests.pipelines.orchestration.closures"
COPIES = "augment=[{rotate: {degrees: 5}}, {copies: 2}]"
VARIANTS = "export.variants=[int8]"
PIPELINES = {  # shipped config, and what is set in it; between them they have every stage, source, and kind of task
    "classification": ("digits_lenet5", ["tune={enabled: true, space: {train.batch_size: {choices: [32, 64]}}}", COPIES, VARIANTS]),
    "reconstruction": ("digits_conv_autoencoder", ["data.source=folder:images", VARIANTS]),
    "denoising": ("digits_denoising_autoencoder", ["data.source=csv:images.csv"]),
    "variational": ("digits_vae", ["data.source=tfrecord:images"]),
    "anomaly": ("digits_anomalies", []),
    "pretrained": ("digits_deep_autoencoder", []),
    "transferred": ("digits_fine_tuned", ["transfer.shots=5"]),
}
REPORTER = "components.reporter.component"  # looks at whatever the others made, and nothing rests on it: an edit costs its page
PUBLISHED = Origin("keras.applications:MobileNetV2", "keras.applications:MobileNetV2", None, "digest", normalizes=True)

Stages = dict[str, tuple[str, ...]]  # name of a stage, or STAGE.PIPELINE -> the modules that its digest starts from


def stages() -> Stages:
    """Each stage, and what a source, network, task and judge add to it in one of PIPELINES."""
    starts: Stages = {}
    for name, asked in PIPELINES.items():
        for entry, *more in _digested(*asked):
            if entry == REPORTER:
                continue
            stage = _name(entry)
            starts[stage] = (entry,)
            if more and (entry, *more) not in starts.values():
                starts[f"{stage}.{name}"] = (entry, *more)
    return starts


def _digested(config: str, assignments: list[str]) -> Iterator[tuple[str, ...]]:
    """The modules of every digest that a pipeline asks for."""
    digested = []

    def recorded(*modules):
        digested.append(modules)
        return "digest"

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(fingerprint, "of", recorded)
        cfg = load.load(config, assignments)
        start = Start("image") if cfg.transfer is None else Start("image", PUBLISHED)
        pipeline.build(settled.of(cfg, Workspace.at(folder), start, Located({}, "digest")))
    return iter(digested)


def _name(entry: str) -> str:
    """Of a stage, such as `transform.copies` of components.transform.copies and `trainer` of components.trainer.component."""
    return entry.removeprefix("components.").removesuffix(".component")


def modules(stage: str, of: Stages) -> set[str]:
    """All that a stage is made of; of STAGE.PIPELINE what that adds to the stage by itself."""
    every = _closure(of[stage])
    return every - _closure(of[stage][:1]) if len(of[stage]) > 1 else every


def _closure(entries: tuple[str, ...]) -> set[str]:
    return fingerprint._closure(entries, set(PACKAGES))


def chain(module: str, entries: tuple[str, ...]) -> str:
    """The shortest way of imports that leads to a module."""
    before: dict[str, str | None] = dict.fromkeys(entries)
    waiting = deque(entries)
    while module not in before:
        name = waiting.popleft()
        for imported in itertools.chain([name.rpartition(".")[0]], fingerprint._imports(name, set(PACKAGES))):
            if imported not in before and fingerprint._is_module(imported):
                before[imported] = name
                waiting.append(imported)
    way = [module]
    while (name := before[way[-1]]) is not None:
        way.append(name)
    return " < ".join(way)


def written(stage: str) -> list[str]:
    """What the list of a stage says."""
    path = FOLDER / f"{stage}.txt"
    return path.read_text().split() if path.is_file() else []


def accept(of: Mapping[str, tuple[str, ...]]) -> None:
    """Write what is so now."""
    lists = {f"{stage}.txt": "".join(f"{module}\n" for module in sorted(modules(stage, of))) for stage in of}
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for name, text in lists.items():
        (FOLDER / name).write_text(text)
