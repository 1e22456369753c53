"""The class of each pixel: whole numbers [height, width] or [height, width, 1], places in the card's class names, 255 at most.

In JSON it is a PNG whose values are the classes, {"b64": ...} as TF Serving's REST has bytes, and the share of each class. With
About.frame it is told in the frame of the image that was asked about: without bars, in its own size, and UNSEEN where `crop` kept
the model from seeing it.
"""

import base64
from typing import Any

from serving import formats
from serving.answers import frame
from serving.answers.base import Kind

MOST = 256  # classes that a grey PNG of 8 bits tells apart
UNSEEN = 255  # as in masks to learn from: of no class


class Answer(Kind):
    ending = ".png"
    is_picture = True

    def json(self, value, about):
        import numpy as np

        classes, counts = np.unique(_own(value, about), return_counts=True)
        shares = {
            _name(number, about): count / counts.sum() for number, count in zip(classes.tolist(), counts.tolist(), strict=True)
        }
        return {"b64": base64.b64encode(self.file(value, about)).decode(), "shares": shares}

    def line(self, told, about):
        ranked = sorted(told["shares"].items(), key=lambda item: -item[1])
        return ", ".join(f"{name} {share:.0%}" for name, share in ranked[: about.top])

    def file(self, value, about):
        """Raises ValueError for a class that a grey PNG cannot hold."""
        import numpy as np

        value = _own(value, about)
        if value.min() < 0 or value.max() >= MOST:
            raise ValueError(f"a mask's classes lie in 0..{MOST - 1}; got {value.min()}..{value.max()}")
        return formats.png(np.asarray(value, np.uint8).reshape(*value.shape[:2], 1))


def _own(value, about: Any):
    return value if about.frame is None else frame.own(value, about.frame, UNSEEN)


def _name(number: int, about: Any) -> str:
    if number < len(about.class_names):
        return about.class_names[number]
    return "not seen" if about.frame is not None and number == UNSEEN else str(number)
