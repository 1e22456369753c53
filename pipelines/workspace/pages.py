"""The pages of runs: a file for each with a small picture beside it, and latest.html, a copy of the newest one's. And those of
evaluations. Light."""

import datetime
import html
import re
import shutil
from pathlib import Path

from configs import atomic
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

LATEST = "latest.html"
NAME = re.compile(r"(?P<run>\d{8}-\d{6}(-\d+)?)(\.full)?\.(html|webp)")  # of a run's page, or of its picture
REPEATED = '<p class="soft" id="repeated">'
_PLACE = "<!-- repeated -->"  # where a page has room for the sentence
_REPEATED = f"{re.escape(REPEATED)}.*?</p>|{re.escape(_PLACE)}"
_FORCED = '<p class="missing" id="forced">'


def keep(place: Workspace, name: str, run: str, page: Path, of: str | None) -> Path:
    """Copy a page to where people look for it, in one step. Returns where that is.

    Args:
        name: of the config. run: id of the run that it is kept for.
        page: a file; the picture beside it, which differs in the ending, comes along.
        of: id of the run whose page it is; where that is another one, this one found everything as it was then, and the copy says
            so.
    """
    if of in (run, None):
        return write(place, name, run, page)
    text = page.read_text(encoding="utf-8")
    said = f"Run {run} found everything as run {of} had left it, so that this page is of both."
    said = f"{REPEATED}{html.escape(said)}</p>"
    kept = re.sub(_REPEATED, lambda _: said, text, count=1)
    for record in runs.records(place, name):
        if record.run == of and record.forced:
            kept = _with_forced(kept, record.version, record.forced)
    target = _ready(place, name, run)
    _picture(page, target)
    atomic.write_text(target, kept)
    _latest(target)
    return target


def write(place: Workspace, name: str, run: str, page: Path) -> Path:
    """The same of a page as it is."""
    target = _ready(place, name, run)
    _picture(page, target)
    with atomic.replacing(target) as stage:
        shutil.copyfile(page, stage)
    _latest(target)
    return target


def write_text(place: Workspace, name: str, run: str, text: str, full: bool = False, thumbnail: bytes | None = None) -> Path:
    """The same of its text. full: see Workspace.report; such a page is not the latest. thumbnail: a WebP."""
    target = _ready(place, name, run, full)
    if thumbnail:
        atomic.write_bytes(place.thumbnail(name, run), thumbnail)
    atomic.write_text(target, text)
    if not full:
        _latest(target)
    return target


def forced(place: Workspace, name: str, run: str, version: int, reason: str) -> None:
    """Have the pages of a run say that what it trained was pushed by force after they were written; those that are not there, or
    have no room for it, do not."""
    for page in (place.report(name, run), place.report(name, run, full=True)):
        if page.is_file():
            atomic.write_text(page, _with_forced(page.read_text(encoding="utf-8"), version, reason))
            _latest(page)


def _with_forced(text: str, version: int | None, reason: str) -> str:
    said = html.escape(f"Pushed since by a person, as version {version}: {reason}")
    without = re.sub(f"{re.escape(_FORCED)}.*?</p>", "", text)
    return re.sub(_REPEATED, lambda place: f"{place[0]}{_FORCED}{said}</p>", without, count=1)


def of_evaluation(place: Workspace, name: str) -> Path:
    """Where the page of an evaluation that is done now goes: a name that sorts by time and is not taken."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    number, page = 1, place.evaluation(name, now)
    while page.exists():
        number += 1
        page = place.evaluation(name, f"{now}-{number}")
    return page


def evaluations(place: Workspace) -> dict[str, list[Path]]:
    """The pages of evaluations that are where they go by themselves, by the name of what was judged, the oldest first."""
    told = {}
    for folder in sorted(place.root.glob("reports/*/evaluations")):
        there = [
            path for path in sorted(folder.glob("*.html")) if (known := NAME.fullmatch(path.name)) and path.stem == known["run"]
        ]
        told |= {folder.parent.name: sorted(there, key=lambda path: begun(path.stem))} if there else {}
    return told


def of_gone(place: Workspace, name: str, kept: set[str]) -> list[Path]:
    """Pages and pictures of runs that are none of those, and of none at all what is latest."""
    folder = place.reports(name)
    pages = [path for path in sorted(folder.glob("[!.]*")) if (known := NAME.fullmatch(path.name)) and known["run"] not in kept]
    left = [path for path in sorted(folder.glob("[!.]*.html")) if path not in pages and path.name != LATEST]
    return [*pages, *([folder / LATEST] if not left and (folder / LATEST).exists() else [])]


def _ready(place: Workspace, name: str, run: str, full: bool = False) -> Path:
    target = place.report(name, run, full)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _picture(page: Path, target: Path) -> None:
    if (picture := page.with_suffix(".webp")).is_file():
        with atomic.replacing(target.with_suffix(".webp")) as stage:
            shutil.copyfile(picture, stage)


def _latest(target: Path) -> None:
    """latest.html is the newest run's, whichever was written last; where none but full pages are left there is none to be it."""
    pages = [path for path in sorted(target.parent.glob("*.html")) if NAME.fullmatch(path.name) and ".full" not in path.name]
    if not pages:
        return
    newest = max(pages, key=lambda path: begun(path.stem))
    with atomic.replacing(target.parent / LATEST) as stage:
        shutil.copyfile(newest, stage)


def begun(run: str) -> tuple[str, int]:
    """Orders runs: the second in which one began, and its number among those of that second."""
    day, time, *number = run.split("-")
    return f"{day}-{time}", int(*number)
