"""The page of a run: a frame around sections of plain data. One file that needs nothing beside it and asks nothing of a network."""

import base64
import io
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path

from reports import charts
from reports.run.blocks import Block, Cell, Picture, Section, Table, Tile, Verdict

SMALL = 64  # px; a picture whose longer side has no more is shown with its pixels as squares
NUMBER = re.compile(r"[-+−]?[\d,]*\.?\d+(e[-+]?\d+)?( ?(%|s|ms|B|KB|MB|GB|px))?", re.IGNORECASE)
WORD, SHORT = 18, 12  # letters of a word, and of a text, that a table does not break
KINDS = {  # class of a block -> macro of the template
    "Prose": "prose", "Chart": "chart", "Table": "table", "Picture": "picture", "Pictures": "pictures", "Command": "command",
    "Listing": "listing", "Missing": "missing",
}  # fmt: skip


def html(
    title: str, verdict: Verdict, sections: Sequence[Section], tiles: Sequence[Tile] = (), about: str = "", noted: str = ""
) -> str:
    """The page's text.

    Args:
        title: of the page, such as "digits_lenet5".
        verdict: what stands first.
        sections: in the order of the page; no two have one key.
        tiles: figures below the verdict.
        about: a line under the title, such as which run it is.
        noted: a line at the foot.

    Raises:
        ValueError: where two sections, charts or galleries have one key.
    """
    _check_keys(sections)
    there = any(isinstance(block, charts.Chart) for section in sections for block in section.blocks)
    return (
        charts.environment(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            title=title,
            verdict=verdict,
            sections=sections,
            tiles=tiles,
            about=about,
            noted=noted,
            kind=kind,
            together=together,
            address=address,
            size=size,
            small=SMALL,
            is_number=numeric_columns,
            room=room,
            cell=cell,
            libraries=charts.libraries() if there else "",
            themes=charts.THEMES,
        )
        .encode("utf-8", "replace")  # names of files may hold bytes that are no text
        .decode()
    )


def kind(block: Block) -> str:
    """Macro of the template that shows it."""
    return KINDS[type(block).__name__]


def together(blocks: Sequence[Block]) -> list[tuple[str, list[Block]]]:
    """The blocks in their order, parted into what stands side by side where the window is wide: charts that follow each other, and
    what is folded; ("charts" | "folded" | "", blocks) each."""
    return [(beside, list(run)) for beside, run in itertools.groupby(blocks, _beside)]


def _beside(block: Block) -> str:
    return "charts" if isinstance(block, charts.Chart) else "folded" if getattr(block, "folded", False) else ""


def address(picture: Picture) -> str:
    """The image itself, as an address."""
    return f"data:image/{picture.kind};base64,{base64.b64encode(picture.data).decode()}"


def size(picture: Picture) -> tuple[int, int]:
    """Width and height, px."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.data)) as opened:
        return opened.size


def cell(value: str | Cell) -> Cell:
    """One of a table, as a Cell."""
    return value if isinstance(value, Cell) else Cell(str(value))


def numeric_columns(table: Table) -> list[bool]:
    """Of each column whether it holds numbers, and nothing else."""
    columns = [[cell(row[place]).text.strip() for row in table.rows] for place in range(len(table.columns))]
    return [any(texts) and all(not text or NUMBER.fullmatch(text) for text in texts) for texts in columns]


def room(table: Table) -> list[int]:
    """Letters that each column has room for on the smallest screen: its longest word, as far as that is not longer than WORD, which
    is broken; what is short stays on a line."""
    columns = [[cell(row[place]).text for row in table.rows] for place in range(len(table.columns))]
    words = [[part for text in texts for part in ([text] if len(text) <= SHORT else text.split())] for texts in columns]
    return [min(WORD, max(map(len, parts), default=0)) + 1 for parts in words]


def keys(section: Section) -> list[str]:
    """Its own and those of its blocks, which no other thing on the page may have."""
    return [section.key, *(key for block in section.blocks if (key := getattr(block, "key", "")))]


def check(section: Section) -> None:
    """Whether a section can be shown.

    Raises:
        ValueError: for what is no block, a table whose rows are not as long as its head, and a chart that is no JSON.
        OSError: for a picture that cannot be read.
    """
    for block in section.blocks:
        if type(block).__name__ not in KINDS:
            raise ValueError(f"{type(block).__name__} is no block of a page")
        if isinstance(block, Table) and any(len(row) != len(block.columns) for row in block.rows):
            raise ValueError(f"a row of {block.caption!r} has not the {len(block.columns)} cells of its head")
        if isinstance(block, charts.Chart):
            json.dumps([block.spec, block.narrow], allow_nan=False)
        for picture in getattr(block, "pictures", [block] if isinstance(block, Picture) else []):
            size(picture)


def _check_keys(sections: Sequence[Section]) -> None:
    seen: set[str] = set()
    for section in sections:
        for key in keys(section):
            if key in seen:
                raise ValueError(f"{key} is the key of two things on one page")
            seen.add(key)
