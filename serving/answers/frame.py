"""Where an image lies in the model's input: float32 [6], its height and width in px, and along each axis by what a place in it is
multiplied and what is then added. Beside a mask it says nothing new: that is told in the image's own frame.
"""

from collections.abc import Sequence

from serving.answers import number


class Answer(number.Answer):
    said_by = frozenset({"mask"})
    alone = False


def own(value, frame: Sequence[float], outside):
    """A picture in the model's input as one of the image itself, [height, width, ...], of the nearest values; `outside` where the
    model did not see the image."""
    import numpy as np

    height, width, *scales = (float(part) for part in frame)
    factors, shifts = scales[:2], scales[2:]
    places = [
        np.floor((np.arange(round(size)) + 0.5) * factor + shift).astype(int)
        for size, factor, shift in zip((height, width), factors, shifts, strict=True)
    ]
    rows, columns = (np.clip(line, 0, size - 1) for line, size in zip(places, value.shape[:2], strict=True))
    made = value[rows][:, columns]
    for axis, (line, kept) in enumerate(zip(places, (rows, columns), strict=True)):
        made[(slice(None),) * axis + (line != kept,)] = outside
    return made
