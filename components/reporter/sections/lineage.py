"""Where the run comes from: what repeats it, config, versions, seeds, times, artifacts, and digests of code and data."""

import contextlib
import datetime
import platform
import shlex
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import yaml

from components import fingerprint
from components.reporter import verdict
from components.reporter.material import MAKERS, Material
from reports.run.blocks import Block, Command, Listing, Section, Table
from reports.run.figures import seconds

ORDER = 90
OF_EVALUATIONS = True
MADE_WITH = "made_with"  # in Material.told, of a run that is over: what `made_with` was then
SOFTWARE = ("hubel", "tensorflow", "keras", "tfx", "tensorflow-model-analysis", "numpy", "altair")


def section(material: Material) -> Section:
    """There always is one."""
    if material.judged:
        return Section("lineage", "Lineage", "What judges it again, and with what it was judged.", [*_of_judged(material)])
    about = "What it takes to make this run again, and to tell whether it is the same."
    return Section("lineage", "Lineage", about, [*_blocks(material)])


def _blocks(material: Material) -> Iterator[Block]:
    if (runs := material.told.get("runs")) and material.run:
        yield Command(f"hubel run {shlex.quote(f'{runs}/{material.run}/config.yaml')}{material.told.get('workspace') or ''}")
    rows = [[name, value] for name, value in _known(material) if value]
    yield Table(("what", "value"), rows, "Versions, seeds and digests")
    if ran := verdict.stages(material):
        told = [[stage, seconds(took), _when(ended)] for stage, took, ended in ran]
        yield Table(("stage", "time", "ended"), told, "Stages, when their artifacts were made")
    if material.artifacts:
        known = ((name, material.artifacts[name]) for name in MAKERS if name in material.artifacts)
        held = [[name.replace("_", " "), _id(artifact.id), str(artifact.uri)] for name, artifact in known]
        yield Table(("artifact", "id", "folder"), held, "Artifacts in ML Metadata")
    if material.config:
        yield Listing(
            yaml.safe_dump(_without_nothing(dict(material.config)), sort_keys=False, allow_unicode=True), "The config, resolved"
        )


def _of_judged(material: Material) -> Iterator[Block]:
    judged = material.judged
    yield Command(judged.command)
    known = {
        "model": judged.model,
        "version": "" if judged.version is None else str(judged.version),
        "run": material.run or "",
        "folder": str(judged.served),
        "data": judged.source,
        "split": judged.split or "",
        **made_with(),
    }
    yield Table(("what", "value"), [[name, value] for name, value in known.items() if value], "Model, data and versions")


def _known(material: Material) -> Iterator[tuple[str, str]]:
    yield "run", material.run or ""
    yield "config", material.name
    yield "starts from", ", ".join(material.told.get("starts_from") or ())
    yield "seed", str(material.config.get("seed", ""))
    yield "data", str((material.config.get("data") or {}).get("source", ""))
    yield "data digest", material.told.get("data_digest") or ""
    yield from (material.told.get(MADE_WITH) or made_with()).items()


def made_with() -> dict[str, str]:
    """Code, versions and machine of this process: of a run, while it lasts."""
    versions = {}
    for name in SOFTWARE:
        with contextlib.suppress(metadata.PackageNotFoundError):  # such as hubel's, run from a folder of its sources
            versions[name] = metadata.version(name)
    return {
        "code digest": fingerprint.of_all_sources(),
        "git revision": fingerprint.git_revision() or "",
        "python": platform.python_version(),
        **versions,
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
    }


def _when(seconds_since: float) -> str:
    return datetime.datetime.fromtimestamp(seconds_since).astimezone().isoformat(sep=" ", timespec="seconds")


def _id(number: int | None) -> str:
    return "" if number is None else str(number)


def _without_nothing(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: kept for name, value in tree.items() if (kept := _without_nothing(value)) not in (None, {}, [])}
    return [_without_nothing(value) for value in tree] if isinstance(tree, list) else tree
