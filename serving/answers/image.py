"""An image: float [height, width, 1 or 3] in 0..255. In JSON it is a PNG, as TF Serving's REST has bytes: {"b64": ...}."""

import base64

from serving import formats
from serving.answers.base import Kind


class Answer(Kind):
    ending = ".png"
    is_picture = True

    def json(self, value, about):
        return {"b64": base64.b64encode(self.file(value, about)).decode()}

    def line(self, told, about):
        height, width = size(base64.b64decode(told["b64"]))
        return f"image of {height}x{width} px"

    def file(self, value, about):
        return formats.png(uint8(value))


def uint8(image):
    """Pixels of 0..255 as they are stored."""
    import numpy as np

    return np.rint(np.clip(image, 0, 255)).astype(np.uint8)


def size(png: bytes) -> tuple[int, int]:
    """Height and width, px, of a PNG's header."""
    width, height = (int.from_bytes(png[place : place + 4], "big") for place in (16, 20))
    return height, width
