"""What a task shows of its models on the page of a run. Reporter asks; it never names a task."""

import abc
from collections.abc import Callable, Iterable
from typing import ClassVar

from components.reporter.material import Material
from reports.run.blocks import Section


class Report(abc.ABC):
    """Subclass as `Report` in a file of this folder. It lays out; what is computed are functions of plain arrays in files of their
    own."""

    is_around: ClassVar[bool] = False  # whether it is one around another; its `__init__` takes that, or None where it has no file

    @abc.abstractmethod
    def sections(self, material: Material) -> Iterable[Section | Callable[[], Section | None]]:
        """In the order of the page. What makes one may stand for it: where that raises, it alone is on the page as Missing; where
        this itself raises, it is all that comes after."""
