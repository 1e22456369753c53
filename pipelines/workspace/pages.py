"""The pages of runs: a file for each, and latest.html, a copy of the newest one's. Light."""

import html
import re
import shutil
from pathlib import Path

from configs import atomic
from pipelines.workspace.layout import Workspace

LATEST = "latest.html"
NAME = re.compile(r"(?P<run>\d{8}-\d{6}(-\d+)?)(\.full)?\.html")  # of a run's page
REPEATED = '<p class="soft" id="repeated">'
_PLACE = "<!-- repeated -->"  # where a page has room for the sentence


def keep(place: Workspace, name: str, run: str, page: Path, of: str | None) -> Path:
    """Copy a page to where people look for it, in one step. Returns where that is.

    Args:
        name: of the config. run: id of the run that it is kept for.
        page: a file. of: id of the run whose page it is; where that is another one, this one found everything as it was then, and
            the copy says so.
    """
    if of in (run, None):
        return write(place, name, run, page)
    text = page.read_text(encoding="utf-8")
    said = f"Run {run} found everything as run {of} had left it, so that this page is of both."
    said = f"{REPEATED}{html.escape(said)}</p>"
    kept = re.sub(f"{re.escape(REPEATED)}.*?</p>|{re.escape(_PLACE)}", lambda _: said, text, count=1)
    target = _ready(place, name, run)
    atomic.write_text(target, kept)
    _latest(target)
    return target


def write(place: Workspace, name: str, run: str, page: Path) -> Path:
    """The same of a page as it is."""
    target = _ready(place, name, run)
    with atomic.replacing(target) as stage:
        shutil.copyfile(page, stage)
    _latest(target)
    return target


def write_text(place: Workspace, name: str, run: str, text: str, full: bool = False) -> Path:
    """The same of its text. full: see Workspace.report; such a page is not the latest."""
    target = _ready(place, name, run, full)
    atomic.write_text(target, text)
    if not full:
        _latest(target)
    return target


def of_gone(place: Workspace, name: str, runs: set[str]) -> list[Path]:
    """Pages of runs that are none of those, and of none at all what is latest."""
    folder = place.reports(name)
    pages = [
        path for path in sorted(folder.glob("[!.]*.html")) if (known := NAME.fullmatch(path.name)) and known["run"] not in runs
    ]
    left = [path for path in sorted(folder.glob("[!.]*.html")) if path not in pages and path.name != LATEST]
    return [*pages, *([folder / LATEST] if not left and (folder / LATEST).exists() else [])]


def _ready(place: Workspace, name: str, run: str, full: bool = False) -> Path:
    target = place.report(name, run, full)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _latest(target: Path) -> None:
    """latest.html is the newest run's, whichever was written last."""
    pages = [path for path in sorted(target.parent.glob("*.html")) if NAME.fullmatch(path.name) and ".full" not in path.name]
    newest = max(pages, key=lambda path: _begun(path.stem))
    with atomic.replacing(target.parent / LATEST) as stage:
        shutil.copyfile(newest, stage)


def _begun(run: str) -> tuple[str, int]:
    """Orders runs: the second in which one began, and its number among those of that second."""
    day, time, *number = run.split("-")
    return f"{day}-{time}", int(*number)
