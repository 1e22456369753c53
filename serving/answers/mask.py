"""The class of each pixel: whole numbers [height, width] or [height, width, 1], places in the card's class names, 255 at most.

In JSON it is a PNG whose values are the classes, {"b64": ...} as TF Serving's REST has bytes, and the share of each class.
"""

import base64
from typing import Any

from serving import formats
from serving.answers.base import Kind

MOST = 256  # classes that a grey PNG of 8 bits tells apart


class Answer(Kind):
    ending = ".png"

    def json(self, value, about):
        import numpy as np

        classes, counts = np.unique(value, return_counts=True)
        shares = {_name(number, about): count / value.size for number, count in zip(classes.tolist(), counts.tolist(), strict=True)}
        return {"b64": base64.b64encode(self.file(value, about)).decode(), "shares": shares}

    def line(self, told, about):
        ranked = sorted(told["shares"].items(), key=lambda item: -item[1])
        return ", ".join(f"{name} {share:.0%}" for name, share in ranked[: about.top])

    def file(self, value, about):
        """Raises ValueError for a class that a grey PNG cannot hold."""
        import numpy as np

        if value.min() < 0 or value.max() >= MOST:
            raise ValueError(f"a mask's classes lie in 0..{MOST - 1}; got {value.min()}..{value.max()}")
        return formats.png(np.asarray(value, np.uint8).reshape(*value.shape[:2], 1))


def _name(number: int, about: Any) -> str:
    return about.class_names[number] if number < len(about.class_names) else str(number)
