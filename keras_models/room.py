"""Whether an image is large enough for a network: each window that slides over it must find at least one place.

Sides follow Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", sections 2 and 3.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Window(NamedTuple):
    """A square that slides over an image: the kernel of a convolution, the region of a pooling."""

    name: str  # of the layer
    size: int  # px
    stride: int = 1  # px
    padding: str | int = "valid"  # "valid", "same", or zeros on each side, px

    def places(self, side: int) -> int:
        """How many places it finds along a side of so many px, 0 where it finds none: the side of its output."""
        if self.padding == "same":
            return -(-side // self.stride)
        return max(0, (side + self._added() - self.size) // self.stride + 1)

    def least(self, places: int) -> int:
        """The smallest side, px, along which it finds so many places."""
        if self.padding == "same":
            return (places - 1) * self.stride + 1
        return max(1, (places - 1) * self.stride + self.size - self._added())

    def _added(self) -> int:
        return 0 if self.padding == "valid" else 2 * self.padding


def least_side(windows: Sequence[Window]) -> int:
    """The smallest side, px, of which something is left after all windows, first to last."""
    side = 1
    for window in reversed(windows):
        side = window.least(side)
    return side


def need_room(input_shape: Sequence[int], windows: Sequence[Window], hint: str = "") -> None:
    """Raise ValueError for an image too small for a chain of layers: says which one leaves nothing of it, what would be enough, and
    `hint`, another way out.

    Args:
        input_shape: (height px, width px, ...).
        windows: of every layer on the way that shrinks its input, first to last.
    """
    sides = height, width = tuple(input_shape[:2])
    for window in windows:
        sides = tuple(map(window.places, sides))
        if min(sides) < 1:
            least = least_side(windows)
            raise ValueError(
                f"an image of {height} x {width} px is too small: {window.name} leaves nothing of it; "
                f"the smallest that works is {least} x {least} px" + (f", and {hint}" if hint else "")
            )
