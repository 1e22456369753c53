"""The class of each pixel: whole numbers [height, width] or [height, width, 1], places in the card's class names.

In JSON it is a PNG whose values are the classes, {"b64": ...} as TF Serving's REST has bytes, and the share of each class. With
About.frame it is told in the frame of the image that was asked about: without bars, in its own size, and what `unseen` gives where
`crop` kept the model from seeing it. The PNG is of 8 bits, or of 16 where these do not hold its classes.
"""

import base64
from typing import Any

from configs.errors import HubelError
from serving import formats
from serving.answers import frame
from serving.answers.base import Kind

UNSEEN = 255  # of no class, as in masks to learn from; the largest value of 8 bits
UNSEEN_OF_MANY = 65_535  # the same, and the largest of 16, where 255 is a class


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
        """Raises HubelError for a class that no grey PNG holds."""
        import numpy as np

        value = _own(value, about)
        low, high = value.min(), value.max()
        if low < 0 or high > UNSEEN_OF_MANY:
            raise HubelError(
                f"A mask's classes lie in 0..{UNSEEN_OF_MANY:,}, and the model answered {low:,}..{high:,}.",
                "Have its signature give places in its class names.",
            )
        return formats.png(value.astype(np.uint8 if high <= UNSEEN else np.uint16).reshape(*value.shape[:2], 1))


def unseen(value, about: Any) -> int:
    """What stands where the model did not see: no class of the card, nor of the mask."""
    return UNSEEN_OF_MANY if max(len(about.class_names) - 1, value.max()) >= UNSEEN else UNSEEN


def _own(value, about: Any):
    import numpy as np

    value = np.asarray(value).astype(np.int64)  # holds each value of `unseen`
    return value if about.frame is None else frame.own(value, about.frame, unseen(value, about))


def _name(number: int, about: Any) -> str:
    if number < len(about.class_names):
        return about.class_names[number]
    return "not seen" if about.frame is not None and number in (UNSEEN, UNSEEN_OF_MANY) else str(number)
