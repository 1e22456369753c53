"""A squared error for each pixel, of values in [0, 1]: float [height, width] or [height, width, 1]. In JSON the numbers."""

from serving import formats
from serving.answers.base import Kind, plain
from serving.answers.image import uint8


class Answer(Kind):
    ending = ".png"
    is_picture = True

    def json(self, value, about):
        return plain(value)

    def line(self, told, about):
        return f"map of {len(told)}x{len(told[0])} px"

    def file(self, value, about):
        return formats.png(colours(value))


def colours(errors):
    """Black over red and yellow to white: uint8 [height, width, 3].

    The root is shown, on the same scale for all images: white is an error of a whole 1.
    """
    import numpy as np

    share = np.sqrt(np.clip(errors.reshape(*errors.shape[:2], 1), 0, 1))
    return uint8(255 * np.clip(3 * share - np.array([0, 1, 2]), 0, 1))
