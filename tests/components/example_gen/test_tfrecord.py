"""TFRecord files: encoded images and lists of numbers, labels, splits, compression, damage."""

import gzip
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.example_gen import pictures, sources, tfrecord
from components.example_gen.splits import Plan
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig
from tests.components.digits import images
from tests.components.example_gen.at_once import assert_checked_at_once
from tests.components.example_gen.test_component import generated, ids, labels


def example(**features) -> bytes:
    """A serialized tf.Example; `__` in a name stands for a slash."""
    made = tf.train.Example()
    for name, value in features.items():
        feature = made.features.feature[name.replace("__", "/")]
        values = list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
        if not values:
            continue
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], float | np.floating):
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    return made.SerializeToString()


def write(path: Path, records: list[bytes], compression: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return path


def png(number: int) -> bytes:
    return tf.io.encode_png(images()[0][number]).numpy()


def located(rest: Path | str, tmp_path: Path, **features) -> sources.Located:
    source = f"tfrecord:{rest}"
    sources.check(source, tmp_path / "datasets")
    return sources.locate(DataConfig(source=source, features=features), tmp_path / "datasets")


def read(rest: Path | str, tmp_path: Path, **features) -> tuple[list[str], dict[str, list[sources.Raw]]]:
    """(class names, split -> images)."""
    address = json.loads(json.dumps(dict(located(rest, tmp_path, **features).address)))
    held = tfrecord.contents(address)
    shards = json.loads(json.dumps(held.shards))
    by_split = {split: [raw for shard in of for raw in tfrecord.images(address, shard)] for split, of in shards.items()}
    assert {split: len(rows) for split, rows in by_split.items()} == held.counts
    return list(held.class_names), by_split


def pixels(raw: sources.Raw) -> np.ndarray:
    return tf.io.decode_image(pictures.read(raw.encoded()).encoded).numpy()


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_encoded_images_come_as_they_are(tmp_path, compression):
    write(tmp_path / "x y" / "dïgits.bin", [example(image__encoded=png(i), label=i % 3) for i in range(9)], compression)
    names, by_split = read(tmp_path / "x y" / "*", tmp_path)
    assert names == ["0", "1", "2"]
    assert [(raw.encoded(), raw.example_id, raw.label) for raw in by_split["all"]] == [
        (png(i), f"dïgits.bin#{i}".encode(), i % 3) for i in range(9)
    ]


@pytest.mark.parametrize(
    "scaled",
    [
        lambda image: (image / np.float32(255)).tolist(),
        lambda image: (image / np.float32(255) - 0.5).tolist(),
        lambda image: (image / np.float32(127.5) - 1).tolist(),
        lambda image: image.astype(np.float32).tolist(),
        lambda image: [int(value) for value in image],
    ],
    ids=["0 to 1", "-0.5 to 0.5", "-1 to 1", "0 to 255", "whole numbers"],
)
def test_lists_of_numbers_become_the_pixels_that_they_were(tmp_path, scaled):
    write(tmp_path / "digits", [example(image_floats=scaled(images()[0][i].ravel()), image_class=3) for i in range(5)])
    _, by_split = read(tmp_path / "digits", tmp_path)
    for number, raw in enumerate(by_split["all"]):
        np.testing.assert_array_equal(pixels(raw), images()[0][number])


def test_black_and_white_are_those_of_all_files_not_of_one_image(tmp_path):
    dark = [0] * 15 + [1]
    write(tmp_path / "a", [example(image=dark)])
    write(tmp_path / "b", [example(image=[200] * 16)])
    _, by_split = read(tmp_path / "[ab]", tmp_path)
    assert pixels(by_split["all"][0]).max() == 1
    (tmp_path / "b").unlink()
    assert pixels(read(tmp_path / "[ab]", tmp_path)[1]["all"][0]).max() == 255


def test_three_channels_are_known_by_the_length(tmp_path):
    colour = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    write(tmp_path / "a", [example(image=[int(v) for v in colour.ravel()])])
    np.testing.assert_array_equal(pixels(read(tmp_path / "a", tmp_path)[1]["all"][0]), colour)


def test_what_cannot_be_an_image_is_set_aside_by_its_reason(tmp_path):
    bad = [[0.5] * 10, [0.5, 0.5, 0.5, float("nan")], [0.1, float("inf"), 0.1, 0.1], []]
    write(tmp_path / "a", [example(image=[0.5] * 16), *(example(image=values, label=1) for values in bad)])
    reasons = []
    for raw in read(tmp_path / "a", tmp_path)[1]["all"][1:]:
        with pytest.raises(pictures.Damaged) as caught:
            pictures.read(raw.encoded())
        reasons.append(str(caught.value))
    assert reasons == ["not a square image", "damaged", "damaged", "empty"]


@pytest.mark.parametrize(
    ("given", "names", "known"),
    [
        ([b"dog", b"cat", "dög".encode()], ["cat", "dog", "dög"], [1, 0, 2]),
        ([10, 2, 2], ["2", "10"], [1, 0, 0]),
        ([1.0, 0.0, 1.0], ["0", "1"], [1, 0, 1]),
        ([1, -1, []], ["-1", "1"], [1, 0, None]),
        ([-1, -2, -1], ["-2", "-1"], [1, 0, 1]),
        ([1.0, float("nan"), 0.1], ["1", "0.1"], [0, None, 1]),
        ([b"1.0", b"1", b"nan"], ["1"], [0, 0, None]),
        ([b"TRUE", b"true", b"false"], ["False", "True"], [1, 1, 0]),
        (["B\u00e4r".encode(), "Ba\u0308r".encode(), b"bear"], ["B\u00e4r", "bear"], [0, 0, 1]),
        ([b"cat", b"None", b" NA "], ["cat"], [0, None, None]),
        ([b"a", b"", []], ["a"], [0, None, None]),
        ([[], [], []], [], [None, None, None]),
    ],
)
def test_labels_are_numbers_or_text_and_may_be_missing(tmp_path, given, names, known):
    write(tmp_path / "a", [example(image=png(i), label=label) for i, label in enumerate(given)])
    class_names, by_split = read(tmp_path / "a", tmp_path)
    assert class_names == names
    assert [raw.label for raw in by_split["all"]] == known


def test_what_stands_for_no_label_can_be_said(tmp_path):
    write(tmp_path / "a", [example(image=png(i), label=label) for i, label in enumerate([3, -1, 3])])
    data = DataConfig(source=f"tfrecord:{tmp_path / 'a'}", missing_markers=["-1"])
    address = sources.locate(data, tmp_path / "datasets").address
    held = tfrecord.contents(address)
    assert held.class_names == ["3"]
    raws = [raw for shard in held.shards["all"] for raw in tfrecord.images(address, shard)]
    assert [(raw.label, raw.why) for raw in raws] == [(0, None), (None, "-1"), (0, None)]
    with pytest.raises(UsageError, match=r"data\.features\.label is a list, and .* is no table"):
        located(tmp_path / "a", tmp_path, label=["a", "b"])


def test_a_label_of_several_values_is_refused(tmp_path):
    write(tmp_path / "a", [example(image=png(0), label=[0, 0, 1])])
    with pytest.raises(UsageError, match="3 values of label"):
        read(tmp_path / "a", tmp_path)


def test_features_are_named_where_they_are_not_known(tmp_path):
    write(tmp_path / "a", [example(picture=png(i), kind=i, key=f"k{i}".encode(), number=i) for i in range(3)])
    for given, said in (
        ({}, "None of the features of"),
        ({"image": "picture", "label": "sort"}, "have no feature sort"),
        ({"image": "a", "id": "b"}, "have no feature a, b"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            located(tmp_path / "a", tmp_path, **given)
        assert "there are: key, kind, number, picture" in caught.value.hint
    names, by_split = read(tmp_path / "a", tmp_path, image="picture", label="kind", id="key")
    assert names == ["0", "1", "2"]
    assert [(raw.example_id, raw.label) for raw in by_split["all"]] == [(b"k0", 0), (b"k1", 1), (b"k2", 2)]
    assert [raw.example_id for raw in read(tmp_path / "a", tmp_path, image="picture", id="number")[1]["all"]] == [b"0", b"1", b"2"]


TEST, VALIDATION = (0, 4, 10), (2, 6)  # of the images image-0 to image-11, with the default shares; the others are for training


@pytest.mark.parametrize("name", ["example__id", "image__id"])
def test_an_id_is_known_by_its_former_name_too_and_splits_stay_where_they_were(tmp_path, name):
    write(tmp_path / "a", [example(image=png(i), **{name: f"image-{i}".encode()}) for i in range(12)])
    raws = read(tmp_path / "a", tmp_path)[1]["all"]
    assert [raw.example_id for raw in raws] == [f"image-{i}".encode() for i in range(12)]
    plan, data = Plan({"all": keys.TRAIN}), DataConfig(validation=0.1, test=0.2)
    splits = [plan.split_of("all", raw, data) for raw in raws]
    assert tuple(place for place, split in enumerate(splits) if split == keys.TEST) == TEST
    assert tuple(place for place, split in enumerate(splits) if split == keys.VALIDATION) == VALIDATION


def test_what_has_another_id_beside_hubel_s_own_is_split_by_that_as_before(tmp_path):
    write(tmp_path / "a", [example(image=png(0), example__id=b"new", image_id=b"known")])
    assert read(tmp_path / "a", tmp_path)[1]["all"][0].example_id == b"known"


def test_a_label_that_the_first_record_lacks_is_found(tmp_path):
    write(tmp_path / "a", [example(image=png(0)), example(image=png(1), label=7)])
    assert [raw.label for raw in read(tmp_path / "a", tmp_path)[1]["all"]] == [None, 0]


def test_numbers_of_an_unknown_range_are_refused(tmp_path):
    write(tmp_path / "a", [example(image=[-2.5, 0.0, 1.0, 2.0])])
    with pytest.raises(UsageError, match=r"reach from -2\.5 to 2") as caught:
        read(tmp_path / "a", tmp_path)
    assert "-0.5 to 0.5" in caught.value.hint


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["mnist-train.tfrecord", "mnist-test.tfrecord"], ["train", "test"]),
        (["x_train-00000-of-00002", "x_train-00001-of-00002", "x_VAL.gz"], ["train", "train", "validation"]),
        (["train/a", "eval/a", "testing/b"], ["train", "validation", "test"]),
        (["train/test-a", "train/train-b"], ["test", "train"]),
        (["mnist-train.tfrecord", "more.tfrecord"], ["all", "all"]),
        (["contest", "training"], ["all", "all"]),
        (["train-test"], ["all"]),
    ],
)
def test_splits_come_from_the_names_of_files(names, splits):
    assert tfrecord._splits(names) == splits


def test_ids_stay_when_the_files_move(tmp_path):
    write(tmp_path / "one" / "s" / "a", [example(image=png(0))])
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first, second = (read(tmp_path / name / "*" / "*", tmp_path)[1]["all"][0].example_id for name in ("one", "two"))
    assert first == second == b"s/a#0"


def test_names_that_are_patterns_or_no_utf_8_work(tmp_path):
    write(tmp_path / "a[1]", [example(image=png(0))])
    assert read(tmp_path / "a[1]", tmp_path)[1]["all"][0].example_id == b"a[1]#0"
    os.rename(tmp_path / "a[1]", os.fsencode(tmp_path) + b"/caf\xe9\n")
    assert read(tmp_path / "caf*", tmp_path)[1]["all"][0].example_id == b"caf\xe9\n#0"


def test_what_is_not_there_is_refused(tmp_path):
    for rest, said in (
        (tmp_path / "*.none", f"There is no file {tmp_path / '*.none'}."),
        (tmp_path, f"{tmp_path} is a folder."),
    ):
        with pytest.raises(UsageError) as caught:
            sources.check(f"tfrecord:{rest}", tmp_path)
        assert caught.value.message == said
        assert "tfrecord:" in caught.value.hint
    write(tmp_path / "empty", [])
    with pytest.raises(UsageError, match="There is no record in"):
        located(tmp_path / "empty", tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"no records", b"x" * 500, b"\x1f\x8b\x08", b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"x" * 50, gzip.compress(b"y" * 99), b"\0" * 16],
    ids=["text", "long text", "gzip magic", "gzip header", "gzip", "zeros"],
)
def test_other_files_are_refused_at_once(tmp_path, content):
    write(tmp_path / "a.rec", [example(image=png(0))])
    (tmp_path / "b.rec").write_bytes(content)
    with pytest.raises(HubelError, match=r"b\.rec is no TFRecord file") as caught:
        sources.check(f"tfrecord:{tmp_path / '*.rec'}", tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_a_file_that_is_cut_or_changed_is_named(tmp_path, compression):
    path = write(tmp_path / "a.rec", [example(image=png(i), label=i) for i in range(200)], compression)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for damaged in (*(whole[: len(whole) - cut] for cut in (4, 20, 500, 1000)), bytes(flipped)):
        path.write_bytes(damaged)
        with pytest.raises(HubelError, match=r"a\.rec is damaged: only \d+ of its records can be read"):
            read(path, tmp_path)


def test_files_of_several_packed_parts_are_read_whole(tmp_path):
    parts = [write(tmp_path / name, [example(image=png(i), label=i)], "GZIP").read_bytes() for i, name in enumerate("ab")]
    (tmp_path / "both").write_bytes(b"".join(parts))
    assert len(read(tmp_path / "both", tmp_path)[1]["all"]) == 2


def test_records_of_another_kind_are_refused(tmp_path):
    write(tmp_path / "a", [b"\xff\xff\xff"])
    with pytest.raises(HubelError, match=r"a: record 0 is no tf\.train\.Example"):
        located(tmp_path / "a", tmp_path)


def test_a_length_that_looks_like_gzip_is_none(tmp_path):
    write(tmp_path / "a", [b"\0" * 0x088B1F])
    assert (tmp_path / "a").read_bytes()[:8] == b"\x1f\x8b\x08\0\0\0\0\0"
    assert tfrecord._compression(str(tmp_path / "a")) == ""


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    write(tmp_path / "a", [example(image=png(0))])

    def denied(path, *rest):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(UsageError, match=r"/a cannot be read: Permission denied\."):
        sources.check(f"tfrecord:{tmp_path / 'a'}", tmp_path)


def test_checking_imports_no_tensorflow_and_the_digest_is_of_the_contents(tmp_path):
    path = write(tmp_path / "a", [example(image=png(0))])
    assert_checked_at_once(f"tfrecord:{path}", tmp_path)
    before = located(path, tmp_path).digest
    os.utime(path, (1, 1))
    assert located(path, tmp_path).digest == before
    write(path, [example(image=png(1))])
    assert located(path, tmp_path).digest != before


def test_it_goes_through_example_gen(tmp_path):
    known = images()[1]
    records = [example(image__encoded=png(i), label=int(known[i]), image__id=f"{i}".encode()) for i in range(300)]
    write(tmp_path / "d-train-0.gz", records[:150], "GZIP")
    write(tmp_path / "d-train-1", records[150:250])
    write(tmp_path / "d-test", [*records[250:], example(image__encoded=b"", label=1)])
    rest = tmp_path / "d-*"
    by_split, artifact = generated(located(rest, tmp_path), tmp_path, source=f"tfrecord:{rest}", max_quarantined=0.01)
    assert json.loads(artifact.get_string_custom_property(keys.QUARANTINED)) == {"empty": 1}
    assert {int(image_id) for image_id in ids(by_split["test"])} == set(range(250, 300))
    assert sum(map(len, by_split.values())) == 300
    for rows in by_split.values():
        assert labels(rows) == [known[int(image_id)] for image_id in ids(rows)]


@pytest.mark.shared_data
def test_the_example_file_of_tfx_works_as_it_is(shared_data, tmp_path):
    names, by_split = read(shared_data / "raw" / "tfx_mnist" / "mnist.tfrecord", tmp_path)
    assert names == [str(i) for i in range(10)]
    counted = Counter(raw.label for raw in by_split["all"])
    assert [counted[i] for i in range(10)] == [87, 137, 87, 90, 118, 79, 78, 107, 120, 97]
    read_back = np.stack([pixels(raw) for raw in by_split["all"]])
    assert read_back.shape == (1000, 28, 28, 1)
    assert (read_back.min(), read_back.max()) == (0, 255)
    with gzip.open(shared_data / "archives" / "mnist" / "train-images-idx3-ubyte.gz") as file:
        mnist = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 28 * 28)
    assert {image.tobytes() for image in read_back} <= {image.tobytes() for image in mnist}


@pytest.mark.parametrize(
    ("values", "data", "has"),
    [
        ([7], {}, "images of one class, '7',"),
        ([1, 2], {"inliers": ["1"]}, "images of one class, '1',"),
        ([], {}, "images without labels"),
    ],
)
def test_fewer_classes_than_are_told_apart_are_refused_before_anything_is_written(tmp_path, values, data, has):
    """Only reading the records tells which there are, so it is the first stage that says so."""
    labelled = [{"label": values[i % len(values)]} if values else {} for i in range(20)]
    path = write(tmp_path / "one.tfrecord", [example(image=png(i), **labelled[i]) for i in range(20)])
    asked = {"source": f"tfrecord:{path}", **data}
    with pytest.raises(HubelError) as caught:
        generated(located(path, tmp_path), tmp_path, least_classes=2, **asked)
    assert caught.value.message == f"tfrecord:{path} gives {has} to train on, and this model tells at least 2 classes apart."
    assert not list((tmp_path / "examples").rglob("*.gz"))
    if values:
        generated(located(path, tmp_path), tmp_path, **asked)  # an autoencoder does not mind


def test_masks_and_what_is_said_of_an_image_are_read_where_they_are_named(tmp_path):
    mask = tf.io.encode_png(np.zeros((8, 8, 1), np.uint8)).numpy()
    records = [example(image=png(i), label=1, truth=mask, said=[f"a {i}".encode(), b"a digit"]) for i in range(2)]
    records += [example(image=png(2), label=1), example(image=png(3), label=1, truth=7, said=3)]
    records += [example(image=png(4), label=1, truth=[mask, mask])]
    path = write(tmp_path / "r", records)
    address = located(path, tmp_path, mask="truth", text="said").address
    assert tfrecord.contents(address).targets == {keys.MASK: [], keys.CAPTIONS: []}
    first, second, bare, odd, several = read(path, tmp_path, mask="truth", text="said")[1]["all"]
    assert [raw.targets[keys.CAPTIONS]() for raw in (first, second)] == [[b"a 0", b"a digit"], [b"a 1", b"a digit"]]
    assert first.targets[keys.MASK]() == mask
    assert bare.targets == {}
    with pytest.raises(pictures.Damaged, match="mask is no image"):
        odd.targets[keys.MASK]()
    assert [(part.read(), part.of) for part in several.targets[keys.MASK]()] == [(mask, ""), (mask, "")]  # an instance each
    assert not read(path, tmp_path)[1]["all"][0].targets, "only data.features names them"
    with pytest.raises(UsageError, match=r"data\.features\.text is a list"):
        located(path, tmp_path, text=["said", "label"])
    with pytest.raises(UsageError, match=r"data\.features names objects"):
        located(path, tmp_path, objects="said")
