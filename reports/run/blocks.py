"""What a page is made of, as plain data. Whoever makes a block knows nothing of HTML; the frame escapes every text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.charts import Chart


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table that is more than its text.

    Args:
        shade: how strongly it is coloured, 0 to 1: a table of numbers read at a glance. None: not at all.
        to: key of the Pictures, Table or Section that it leads to, such as the images that it counts; "" for none.
        about: what is said of it where the pointer rests, and to who does not see the table around it.
    """

    text: str
    shade: float | None = None
    to: str = ""
    about: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of texts; the first column names the row. A column of numbers alone stands to the right.

    Args:
        caption: what it shows, which its region is called by.
        more: rows that a cap left out, which the page counts.
        key: its id in the page, where something leads to it.
        folded: it is opened by whoever wants it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str
    more: int = 0
    key: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """An encoded image.

    Args:
        data: of the file.
        alt: what it shows, for whoever does not see it.
        caption: the line below it.
        mark: whether it stands out: "good", "bad" or "".
    """

    data: bytes
    kind: Literal["webp", "png"]
    alt: str
    caption: str
    mark: Literal["", "good", "bad"] = ""


@dataclass(frozen=True)
class Pictures:
    """A gallery.

    Args:
        more: pictures that a cap left out, which the page counts.
        key: its id in the page, where something leads to it.
        folded: it is opened by whoever wants it, or comes from a cell that leads to it.
    """

    pictures: Sequence[Picture]
    caption: str
    more: int = 0
    key: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Command:
    """A line for a terminal."""

    line: str


@dataclass(frozen=True)
class Listing:
    """Lines that keep their form, such as a config.

    Args:
        caption: what it is.
        folded: it is opened by whoever wants it.
    """

    text: str
    caption: str
    folded: bool = True


@dataclass(frozen=True)
class Missing:
    """What is not there, such as "the training curves", and why, a sentence."""

    what: str
    why: str


Block = Prose | Chart | Table | Picture | Pictures | Command | Listing | Missing


@dataclass(frozen=True)
class Section:
    """A part of a page under a heading of its own.

    Args:
        key: its id in the page: small letters, digits and hyphens.
        about: a sentence or two on what is seen here and how to read it.
    """

    key: str
    title: str
    about: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Tile:
    """A figure at the top of the page, with what it is called and a note below, such as its interval."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of a run, in a sentence.

    Args:
        kind: "good" where the model was blessed, "bad" where it was not or the run failed, "open" where nothing was judged.
        sentence: the verdict.
        why: sentences, what it rests on.
    """

    kind: Literal["good", "bad", "open"]
    sentence: str
    why: Sequence[str] = ()
