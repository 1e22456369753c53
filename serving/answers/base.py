"""What each kind of output knows. Subclass `Kind` as `Answer` in a file of this folder; its name is the kind's."""

import abc
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class About:
    """What an answer is told with: the card's class names, how many of the best a person wants to see, None for all, and of a
    picture where it lies in the image that was asked about, as an output of the kind frame says; None: told as it is."""

    class_names: Sequence[str] = ()
    top: int | None = None
    frame: Sequence[float] | None = None


class Kind(abc.ABC):
    """One kind of output; a value is that of one example, without the batch's axis."""

    ending: ClassVar[str]  # of a file of it
    said_by: ClassVar[frozenset[str]] = frozenset()  # kinds beside which it says nothing new
    is_picture: ClassVar[bool] = False  # whether a person looks at it as a file
    alone: ClassVar[bool] = True  # whether it says something to whoever has numbers and nothing beside them

    def least(self, value) -> int:
        """How many of the best a person is shown at least, whatever About.top says."""
        return 0

    def decision(self, value) -> Hashable:
        """What is decided of an example, so that two models can be held against each other; None where nothing is."""
        return None

    @abc.abstractmethod
    def json(self, value, about: About) -> Any:
        """As JSON has it."""

    @abc.abstractmethod
    def line(self, told: Any, about: About) -> str:
        """What `json` gave, for a line of a terminal or a cell of a table. No NumPy."""

    @abc.abstractmethod
    def file(self, value, about: About) -> bytes:
        """The content of a file of `ending`."""


class Best(Kind):
    """One value for each of the best, in their order: [k]."""

    def json(self, value, about):
        return plain(value)[: about.top]

    def line(self, told, about):
        return cell(told)


def plain(value) -> Any:
    """Numbers and strings as JSON has them; TensorFlow's strings are bytes, of any encoding."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if getattr(getattr(value, "dtype", None), "kind", None) == "O":
        return [plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def cell(value: Any) -> str:
    """Numbers to four digits, lists side by side."""
    if isinstance(value, list):
        return " ".join(map(cell, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)
