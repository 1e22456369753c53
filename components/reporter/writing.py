"""The one function that writes the page of a run from what there is of it, whatever stage it came to."""

import hashlib
import importlib
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.reporter import sections as common
from components.reporter import verdict
from components.reporter.material import Absent, Material
from components.tasks.reports import by_name as of_tasks
from configs import by_name
from configs.errors import HubelError, first_line, log_traceback
from reports import charts
from reports.run import page, thumbnail
from reports.run.blocks import Command, Missing, Section

PACKAGE = common.__name__


@dataclass(frozen=True)
class Page:
    """text: of the page of a run, which needs nothing beside it. thumbnail: a WebP of what it shows; None where it shows none."""

    text: str
    thumbnail: bytes | None


def of(material: Material) -> Page:
    """The page of a run."""
    placed = _placed(material)
    shown = [section for _, section in placed]
    text = page.html(
        material.name or "A run",
        verdict.of(material),
        shown,
        verdict.tiles(material),
        verdict.about(material),
        verdict.noted(material),
    )
    own = [section for place, section in placed if place == common.TASK]
    return Page(text, thumbnail.of(own) or thumbnail.of(shown))


def html(material: Material) -> str:
    """The text alone."""
    return of(material).text


def templates() -> str:
    """A digest of the templates, which `fingerprint` does not see."""
    folder = charts.HERE
    files = sorted([folder / "charts.html.j2", *(folder / "run").glob("*.j2")])
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def modules_of(task: str | None) -> list[str]:
    """Dotted paths of the modules whose sections a page has, for source digests."""
    return [*(f"{PACKAGE}.{name}" for name in names()), *(of_tasks.modules_of(task) if task else [])]


def names() -> list[str]:
    """Of the sections that every task has."""
    return by_name.names(common.__path__, ["section"])


def sections(material: Material) -> list[Section]:
    """All that a page has, in its order. One that cannot be made, or shown, says so."""
    return [section for _, section in _placed(material)]


def _placed(material: Material) -> list[tuple[int, Section]]:
    """With the places of what makes them."""
    made, taken = [], set()
    for (place, *_), section in sorted(_all(material), key=lambda placed: placed[0]):
        keys = page.keys(section)
        if taken.intersection(keys) or len({*keys}) < len(keys):
            section = _missing(f"{section.key}-{len(made)}", f"Another thing of the page has one of its keys: {', '.join(keys)}.")
        taken.update(page.keys(section))
        made.append((place, section))
    return made


def _all(material: Material) -> Iterator[tuple[tuple[int, str, int], Section]]:
    left = []
    for name in names():
        module = importlib.import_module(f"{PACKAGE}.{name}")
        if material.judged and not getattr(module, common.OF_EVALUATIONS, False):
            left.append(name.replace("_", " "))
            continue
        for section in _guarded(name, lambda module=module: [module.section(material)]):
            yield (module.ORDER, name, 0), section
    if material.card is not None and (report := of_tasks.report_of(material.card.task)):
        for place, section in enumerate(_guarded("task", lambda: report.sections(material))):
            yield (common.TASK, "", place), section
    if left:
        yield (common.LAST, "", 0), _elsewhere(left, material)


def _guarded(name: str, make: Callable[[], Iterable[Section | Callable[[], Section | None] | None]]) -> Iterator[Section]:
    """What is made, and where that raises a section that says so; the log has the whole story."""
    try:
        for place, section in enumerate(make(), 1):
            if callable(section):
                called = section.__name__.strip("_<>")
                yield from _guarded(f"{name}-{called if called != 'lambda' else place}", lambda asked=section: [asked()])
            elif section is not None:
                page.check(section)
                yield section
    except Absent as absent:
        yield _missing(name, str(absent))
    except Exception as error:
        log_traceback()
        yield _missing(name, str(error) if isinstance(error, HubelError) else f"{type(error).__name__}: {first_line(error)}")


def _elsewhere(left: list[str], material: Material) -> Section:
    """What an evaluation has no way to."""
    where = "The page of that run has it" if material.run else "No run of this workspace is on record that trained it"
    about = f"Of the training and the network, not of answers about this data: {', '.join(sorted(left))}. {where}."
    line = f"hubel report {shlex.quote(material.run)}{material.told.get('workspace') or ''}" if material.run else ""
    return Section("elsewhere", "Not on this page", about, [Command(line)] if line else [])


def _missing(name: str, why: str) -> Section:
    called = name.replace("_", " ").replace("-", " ")
    return Section(f"{name.replace('_', '-')}-missing", called.capitalize(), "", [Missing(called, why)])
