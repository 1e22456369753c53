"""How raw bytes of a kind are checked and kept: what ExampleGen asks of a kind. Nothing heavy is imported before it is asked.

`data` is always the config's DataConfig; this file does not import it, because stages that do not read it depend on this file.
"""

import abc
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple


class Damaged(Exception):
    """Bytes that cannot be used; its text is the reason, one of a few."""


class Stored(NamedTuple):
    """What is sound, as it is kept.

    encoded: the raw feature's bytes, which the graph reads. numbers: what is measured of it and stands beside them in the raw
    schema, for statistics alone, by feature. measures: what a person is told of it, by name; the same names for each. `content`
    names what it shows, whatever the bytes: two of one content are duplicates. `changes` says what was done to it, by names of the
    kind; `peak` is the largest colour of a 16-bit image, -1 of all else. size: height and width in px of an image as a person sees
    it, in which targets have places; orientation: how it was stored, 1 to 8 as EXIF has it.
    """

    encoded: bytes
    numbers: Mapping[str, int | float]
    measures: Mapping[str, float]
    content: bytes
    changes: tuple[str, ...] = ()
    peak: int = -1
    size: tuple[int, int] = (0, 0)
    orientation: int = 1


class Storage(abc.ABC):
    """Subclass as `Storage`; see components.inputs."""

    noun: ClassVar[str]  # what a person calls one of them
    alike: ClassVar[str]  # what duplicates do with another one
    feature: ClassVar[str]  # of the raw schema: the bytes
    numbers: ClassVar[Sequence[str]]  # features of the raw schema: what is measured of them
    endings: ClassVar[frozenset[str]] = frozenset()  # of files that hold one each, in small letters with the dot
    taken: ClassVar[Sequence[str]]  # keys of DataConfig that this kind reads and others do not

    @property
    def given_as(self) -> str:
        """How `hubel predict` is given it, as a line of help has it."""
        return f"{self.noun.upper()}..."

    @abc.abstractmethod
    def store(self, raw: bytes, data) -> Stored:
        """Check what a source has, and bring it into the form that is kept.

        Raises:
            Damaged: where it cannot be used.
        """

    def doubts(self, changes: Mapping[str, int], peak: int, data) -> list[str]:
        """What a person should know of examples that were stored so, a sentence each; mostly nothing.

        Args:
            changes: examples by what was done to them. peak: the largest of all.
        """
        return []
