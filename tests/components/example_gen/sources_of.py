"""Some data of each source, of four images: a function named as the scheme makes it and returns what follows `SCHEME:`."""

import io

from PIL import Image

from components.example_gen import records

COLOURS = (10, 90, 170, 250)


def png(colour: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), colour).save(buffer, "PNG")
    return buffer.getvalue()


def put(folder):
    """PNGs of four colours in two classes; their paths below the folder."""
    paths = [f"{'ab'[colour > 100]}/{colour}.png" for colour in COLOURS]
    for path, colour in zip(paths, COLOURS, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(png(colour))
    return paths


def folder(tmp_path, datasets):
    put(tmp_path / "images")
    return tmp_path / "images"


def csv(tmp_path, datasets):
    paths = put(tmp_path)
    (tmp_path / "table.csv").write_text("image,label\n" + "".join(f"{path},{path[0]}\n" for path in paths))
    return tmp_path / "table.csv"


def tfrecord(tmp_path, datasets):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "some.tfrecord")) as file:
        for colour in COLOURS:
            file.write(records.example(png(colour), str(colour).encode(), int(colour > 100)))
    return tmp_path / "some.tfrecord"


def tfds(tmp_path, datasets):
    return "digits"


def scenes(tmp_path, datasets):
    return "digits"
