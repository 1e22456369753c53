"""Texts in the rows of a table and in TFRecords: found, labelled, split and set aside as images are."""

import json

import pytest

from components import inputs, keys
from components.example_gen import csv, folder, sources, tfrecord
from components.inputs.storing import Damaged
from components.inputs.storing.text import MAX_BYTES
from configs.errors import UsageError
from configs.schema.data import DataConfig
from tests.components.example_gen.test_tfrecord import example, write

TABLE = """sentence,topic,key,split
"Rain, and wind",weather,a,train
Bread,food,b,test
"Bread",food,c,train
,weather,d,train
Snow,,e,train
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "texts.csv").write_text(TABLE, encoding="utf-8")
    return f"csv:{tmp_path / 'texts.csv'}"


def located(source, tmp_path, reads="text", **features):
    return sources.locate(DataConfig(source=source, features=features), tmp_path / "datasets", reads)


def raws(module, source):
    address = json.loads(json.dumps(dict(source.address)))
    held = module.contents(address)
    return held, {split: [raw for shard in of for raw in module.images(address, shard)] for split, of in held.shards.items()}


def test_a_column_of_texts_is_read(table, tmp_path, monkeypatch):
    monkeypatch.setattr(csv, "TEXTS", 2)
    source = located(table, tmp_path, label="topic")
    held, by_split = raws(csv, source)
    assert list(held.class_names) == list(source.class_names) == ["food", "weather"]
    assert dict(source.unlabelled) == {"empty": 1}
    assert held.counts == {"train": 4, "test": 1}
    assert [len(of) for of in held.shards.values()] == [2, 1]
    read = {raw.example_id: (raw.encoded(), raw.label) for of in by_split.values() for raw in of}
    assert read == {
        b"texts.csv#2": (b"Rain, and wind", 1),
        b"texts.csv#3": (b"Bread", 0),
        b"texts.csv#4": (b"Bread", 0),
        b"texts.csv#5": (b"", 1),
        b"texts.csv#6": (b"Snow", None),
    }
    assert csv.columns(source.address)["text"] == "sentence"
    named = raws(csv, located(table, tmp_path, text="key", label="topic", id="key"))[1]
    assert {raw.example_id for of in named.values() for raw in of} == {b"a", b"b", b"c", b"d", b"e"}
    assert [raw.encoded() for raw in named["test"]] == [b"b"]


def test_a_cell_may_be_as_long_as_a_text_and_a_longer_one_is_set_aside(tmp_path, monkeypatch):
    path = tmp_path / "long.csv"
    path.write_text(f"text,label\n{'rain ' * 40_000},a\n{'x' * MAX_BYTES},b\n")
    kept = raws(csv, located(f"csv:{path}", tmp_path))[1]["all"]
    assert [len(raw.encoded()) for raw in kept] == [200_000, MAX_BYTES]
    path.write_text(f"text,label\nrain,a\n{'x' * (MAX_BYTES + 1)},b\n")
    short, long = raws(csv, located(f"csv:{path}", tmp_path))[1]["all"]
    storage = inputs.storage_of("text")
    assert storage.store(short.encoded(), None).encoded == b"rain"
    with pytest.raises(Damaged, match="too large"):
        storage.store(long.encoded(), None)
    monkeypatch.setattr(csv, "MAX_CELL", MAX_BYTES)
    with pytest.raises(UsageError, match=r"line 3 has a cell of more than 1,048,576 characters") as refused:
        located(f"csv:{path}", tmp_path)
    assert "double quote" in refused.value.hint


def test_a_digest_is_of_the_table(table, tmp_path):
    before = located(table, tmp_path, label="topic").digest
    (tmp_path / "texts.csv").write_text(TABLE.replace("Snow", "Hail"), encoding="utf-8")
    assert located(table, tmp_path, label="topic").digest != before


def test_what_a_source_has_not_is_said(table, tmp_path, monkeypatch):
    for source, reads, features, words in (
        (table, "image", {"text": "sentence"}, "has no column of images, such as path"),
        (table, "text", {"text": ["sentence", "key"]}, "names 2 columns, and a model of texts reads one"),
        (table, "text", {"image": "sentence", "label": "topic"}, "data.features.image is set, and the model reads texts"),
        (table, "text", {"text": "other"}, "no column 'other', which data.features.text names"),
        (table, "text", {}, "no column of labels that hubel knows"),
        (table, "text", {"label": "topic", "mask": "key"}, "data.features.mask is of images, and the model reads texts"),
        (f"folder:{tmp_path}", "text", {}, rf"There is no text in {tmp_path} \(1 \.csv\)"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            located(source, tmp_path, reads, **features)
        assert caught.value.hint
    assert caught.value.hint == "hubel reads .txt."
    monkeypatch.delattr(folder, "READS")
    with pytest.raises(UsageError, match="holds images, and the model reads texts") as caught:
        located(f"folder:{tmp_path}", tmp_path)
    assert caught.value.hint == "Sources of texts are: csv:, tfds:, tfrecord:."
    (tmp_path / "texts.csv").write_text("a,label\nx,y\n")
    with pytest.raises(UsageError, match="no column of texts, such as text, sentence or review; it has: a, label"):
        located(table, tmp_path)


def test_records_of_texts_are_read(tmp_path):
    write(tmp_path / "r", [example(sentence=f"Bread {i}".encode(), label=i % 2) for i in range(4)] + [example(sentence=3, label=0)])
    by_split = raws(tfrecord, located(f"tfrecord:{tmp_path / 'r'}", tmp_path))[1]
    assert [(raw.encoded(), raw.label) for raw in by_split["all"][:4]] == [(f"Bread {i}".encode(), i % 2) for i in range(4)]
    with pytest.raises(tfrecord.pictures.Damaged, match="not one text"):
        by_split["all"][4].encoded()
    write(tmp_path / "own", [example(**{keys.TEXT.replace("/", "__"): b"x", "label": 1})])
    assert raws(tfrecord, located(f"tfrecord:{tmp_path / 'own'}", tmp_path))[1]["all"][0].encoded() == b"x"
    write(tmp_path / "none", [example(picture=b"x", label=1)])
    with pytest.raises(UsageError, match=r"None of the features of .* is known as a text"):
        located(f"tfrecord:{tmp_path / 'none'}", tmp_path)


def files_of_texts(root):
    """Two splits of two classes; beside the texts a picture, a table and a hidden file."""
    for path, text in (
        ("train/neg/1.txt", b"Dull, and long\n"),
        ("train/neg/2.TXT", b"\xef\xbb\xbfBad"),
        ("train/pos/1.txt", b"Fine"),
        ("train/pos/deep/er.txt", b"Better"),
        ("test/neg/1.txt", b""),
        ("test/pos/1.txt", b"caf\xe9"),
        ("train/pos/still.png", b"no text"),
        ("train/urls.csv", b"a,b"),
        ("train/neg/.hidden.txt", b"x"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text)
    return root


def test_a_folder_of_texts_has_splits_and_classes_as_one_of_images_has(tmp_path):
    root = files_of_texts(tmp_path / "reviews")
    (root / "train/pos/still.png").rename(root / "train/pos/still.doc")
    sources.check(f"folder:{root}", tmp_path)
    location = located(f"folder:{root}", tmp_path)
    assert dict(location.passed_over) == {".doc": 1, ".csv": 1, "hidden": 1}
    held, by_split = raws(folder, location)
    assert held.class_names == ["neg", "pos"]
    read = {raw.example_id.decode(): (raw.encoded(), raw.label) for of in by_split.values() for raw in of}
    assert read == {
        "train/neg/1.txt": (b"Dull, and long\n", 0),
        "train/neg/2.TXT": (b"Bad", 0),
        "train/pos/1.txt": (b"Fine", 1),
        "train/pos/deep/er.txt": (b"Better", 1),
        "test/neg/1.txt": (b"", 0),
        "test/pos/1.txt": (b"caf\xe9", 1),
    }
    assert folder.holds(str(root)) == "text"
    before = location.digest
    (root / "train/pos/1.txt").write_bytes(b"Good")
    assert located(f"folder:{root}", tmp_path).digest != before


def test_a_folder_is_of_texts_where_it_has_no_image_and_texts_have_classes(tmp_path):
    root = files_of_texts(tmp_path / "reviews")
    assert folder.holds(str(root)) == "image", "an image lies among them"
    with pytest.raises(UsageError, match=r"There is no image in .*reviews/test \(2 \.txt\)"):
        sources.check(f"folder:{root}", tmp_path)
    assert len(raws(folder, located(f"folder:{root}", tmp_path))[1]["train"]) == 4, "a model that reads texts was named"
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/README.txt").write_text("no data")
    assert folder.holds(str(tmp_path / "notes")) == "image"
    with pytest.raises(UsageError, match=r"There is no image in .*notes \(1 \.txt\)"):
        sources.check(f"folder:{tmp_path / 'notes'}", tmp_path)
    (root / "train/pos/still.png").unlink()
    with pytest.raises(UsageError, match=r"There is no image in .*reviews"):
        located(f"folder:{root}", tmp_path, "image")
    with pytest.raises(UsageError, match=r"data\.masks is of images"):
        folder.locate(str(root), tmp_path, {}, "pictures", "text")
