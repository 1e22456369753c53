"""Arrays and tables as files in memory. NumPy and Pillow alone."""

import csv
import io
from collections.abc import Iterable, Sequence


def png(image) -> bytes:
    """Of a Pillow image, or of uint8 [height, width, 1 or 3]."""
    buffer = io.BytesIO()
    (image if hasattr(image, "save") else pillow(image)).save(buffer, "PNG")
    return buffer.getvalue()


def pillow(image):
    """A Pillow image of uint8 [height, width, 1 or 3]."""
    from PIL import Image

    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def npy(values) -> bytes:
    """Of numbers."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def table(columns: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """CSV; None is an empty cell. Bytes of names that are no UTF-8 stay as they are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode(errors="surrogateescape")
