"""What every source promises of the images that it gives."""

import io
import itertools
import pickle

import pytest
from PIL import Image

from components.example_gen import records, sources
from components.example_gen.sources import Raw

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


SOME = {"folder": folder, "csv": csv, "tfrecord": tfrecord, "tfds": tfds}  # scheme -> makes what it reads; returns what follows it


def test_each_scheme_is_tried_here():
    assert sorted(SOME) == sources.schemes()


def drawn(module, address):
    for shards in module.contents(address).shards.values():
        for shard in shards:
            yield from itertools.islice(module.images(address, shard), 20)


def read(raw: Raw):
    return raw.example_id, raw.label, raw.encoded(), pickle.dumps({name: target() for name, target in raw.targets.items()})


def stay_good(images) -> bool:
    """Whether images that are read after all were drawn, last to first and twice, are those that are read one by one."""
    at_once = [read(raw) for raw in images()]
    raws = list(images())
    later = [read(raw) for raw in reversed(raws)][::-1]
    assert len({image for _, _, image, _ in at_once}) > 3, "images alike show nothing"
    return at_once == later == [read(raw) for raw in raws]


@pytest.mark.parametrize("scheme", sorted(SOME))
def test_an_image_may_be_read_when_all_were_drawn(scheme, tmp_path, datasets):
    rest = str(SOME[scheme](tmp_path, datasets))
    module = sources.module_of(f"{scheme}:")
    located = module.locate(rest, datasets, {})
    assert stay_good(lambda: drawn(module, located.address))


def test_a_source_that_reads_what_its_loop_is_at_does_not_keep_the_rule():
    def images():
        for colour in COLOURS:
            yield Raw(lambda: png(colour), str(colour).encode(), 0)  # noqa: B023 the fault that is meant

    assert not stay_good(images)
