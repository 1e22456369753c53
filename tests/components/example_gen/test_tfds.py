"""Finding and reading what TFDS prepared, and saying what is wrong with it."""

import json
import shutil

import numpy as np
import pytest
from sklearn.datasets import load_digits

from components.example_gen import sources, tfds
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig
from tests.components.example_gen.at_once import assert_checked_at_once


@pytest.fixture(autouse=True)
def nothing_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "none"))


@pytest.fixture
def copy(datasets, tmp_path):
    """The prepared digits in a folder that a test may spoil."""
    shutil.copytree(datasets / "digits", tmp_path / "datasets" / "digits")
    return tmp_path / "datasets"


def locate(rest: str, datasets):
    return tfds.locate(rest, datasets, {})


@pytest.mark.parametrize("rest", ["", "Digits", "digits/", "digits:1", "digits:1.0.0.0", "../digits", "digits:latest", "a b"])
def test_a_malformed_name_is_refused(rest, tmp_path):
    with pytest.raises(UsageError, match="NAME"):
        tfds.check(rest, tmp_path)


@pytest.mark.parametrize("rest", ["no_such_set", "digits:2.0.0", "digits/config", "mnist/config:1.2.3"])
def test_data_that_is_not_there_is_refused_with_the_command_that_prepares_it(rest, tmp_path):
    for find in (tfds.check, locate):
        with pytest.raises(UsageError) as caught:
            find(rest, tmp_path)
        assert str(tmp_path) in caught.value.message
        assert f"hubel datasets prepare {rest} --from DIR" in caught.value.hint


def test_unknown_data_is_refused_at_once_and_without_tensorflow(tmp_path):
    assert_checked_at_once("tfds:no_such_set", tmp_path, "UsageError")


def test_an_unknown_scheme_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="Unknown data source") as caught:
        sources.module_of("tdfs:digits")
    assert "tfds:" in caught.value.hint
    assert "tfds" in sources.schemes()


def test_the_highest_version_is_found_and_an_older_one_where_it_is_asked_for(copy):
    for version in ("1.0.10", "1.0.9"):
        shutil.copytree(copy / "digits" / "1.0.0", copy / "digits" / version)
    assert locate("digits", copy).address["folder"].endswith("1.0.10")
    assert locate("digits:1.0.9", copy).address["folder"].endswith("1.0.9")


def test_data_prepared_elsewhere_is_found_too(datasets, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(datasets))
    prepared = locate("digits", tmp_path / "own")
    assert prepared.address["folder"] == str(datasets / "digits" / "1.0.0")


def test_its_digest_is_of_the_contents(datasets, copy):
    before = locate("digits", datasets).digest
    assert locate("digits", copy).digest == before
    [shard] = (copy / "digits" / "1.0.0").glob("*tfrecord*")
    shard.write_bytes(shard.read_bytes() + b"\0")
    assert locate("digits", copy).digest != before


def spoil(copy, how: str) -> None:
    folder = copy / "digits" / "1.0.0"
    [shard] = folder.glob("*tfrecord*")
    info = folder / "dataset_info.json"
    match how:
        case "a missing shard":
            shard.unlink()
        case "an empty shard":
            shard.write_bytes(b"")
        case "an info file that is cut":
            info.write_text(info.read_text()[:100])
        case "an info file without splits":
            info.write_text("{}")
        case "an info file of something else":
            info.write_text("[1, 2]")
        case "an info file of bytes":
            info.write_bytes(b"\xff\xfe")
        case "a split without shards":
            info.write_text(json.dumps({"splits": [{"name": "train"}]}))


@pytest.mark.parametrize(
    "how",
    [
        "a missing shard",
        "an empty shard",
        "an info file that is cut",
        "an info file without splits",
        "an info file of something else",
        "an info file of bytes",
        "a split without shards",
    ],
)
def test_damage_is_said_before_anything_runs(copy, how):
    spoil(copy, how)
    for find in (tfds.check, locate):
        with pytest.raises(HubelError, match="is damaged") as caught:
            find("digits", copy)
        assert str(copy / "digits" / "1.0.0") in caught.value.hint


@pytest.mark.parametrize("text", ["{", "[]", None])
def test_features_that_cannot_be_read_are_damage(copy, text):
    file = copy / "digits" / "1.0.0" / "features.json"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(HubelError, match="is damaged"):
        locate("digits", copy)


def test_a_folder_that_a_killed_preparation_left_is_no_data_set(copy):
    (copy / "digits" / "1.0.0" / "dataset_info.json").unlink()
    for find in (tfds.check, locate):
        with pytest.raises(HubelError, match=r"dataset_info\.json is missing") as caught:
            find("digits", copy)
        assert str(copy / "digits" / "1.0.0") in caught.value.hint


def test_a_shard_cut_in_the_middle_is_damage_in_words(copy):
    [shard] = (copy / "digits" / "1.0.0").glob("*tfrecord*")
    shard.write_bytes(shard.read_bytes()[:-100])
    located = locate("digits", copy)
    with pytest.raises(HubelError, match="is damaged"):
        list(tfds.images(located.address, ("train", 0)))


def test_the_builder_has_every_image_of_scikit_learn_scaled_to_bytes(datasets):
    import tensorflow_datasets as library

    builder = library.builder_from_directory(locate("digits", datasets).address["folder"])
    assert "Alpaydin" in builder.info.citation
    assert builder.info.splits["train"].num_examples == 1797
    ours = {}
    for row in library.as_numpy(builder.as_dataset(split="train", read_config=library.ReadConfig(add_tfds_id=True))):
        ours.setdefault((int(row["label"]), row["image"].tobytes()), []).append(row["tfds_id"])
    theirs = load_digits()
    scaled = np.round(theirs.images * 255 / 16).astype(np.uint8)
    assert (scaled.min(), scaled.max()) == (0, 255)
    assert sorted(ours) == sorted({(int(label), image.tobytes()) for label, image in zip(theirs.target, scaled, strict=True)})
    assert sum(map(len, ours.values())) == 1797


def test_features_may_be_named_and_unknown_ones_are_refused(datasets):
    named = tfds.locate("digits", datasets, {"image": "image", "label": "label"})
    assert tfds.contents(named.address).class_names[3] == "three"
    assert named.class_names == tfds.contents(named.address).class_names
    with pytest.raises(UsageError, match="no feature colour") as caught:
        tfds.locate("digits", datasets, {"label": "colour"})
    assert "image, label" in caught.value.hint


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """12 pictures of 4 patients, with features of several kinds."""
    import tensorflow_datasets as library

    features = library.features

    class Visits(library.core.GeneratorBasedBuilder):
        VERSION = library.core.Version("1.0.0")

        def _info(self):
            kinds = {"eye": features.Image(shape=(4, 4, 1)), "patient": features.Text(), "grade": np.int64, "age": np.float32}
            return self.dataset_info_from_configs(features=features.FeaturesDict({**kinds, "box": features.BBoxFeature()}))

        def _split_generators(self, manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number in range(12):
                row = {"eye": np.full((4, 4, 1), number, np.uint8), "patient": f"p{number % 4}", "grade": (7, 3, -1)[number % 3]}
                yield number, {**row, "age": 1.5, "box": features.BBox(0.0, 0.0, 1.0, 1.0)}

    folder = tmp_path_factory.mktemp("visits")
    Visits(data_dir=str(folder)).download_and_prepare()
    return folder


def test_whole_numbers_are_labels_and_texts_ids_where_they_are_named(visits):
    bare = tfds.locate("visits", visits, {})
    assert (bare.class_names, tfds.contents(bare.address).class_names) == ([], [])
    located = tfds.locate("visits", visits, {"label": "grade", "id": "patient"})
    contents = tfds.contents(located.address)
    assert located.class_names is None
    assert contents.class_names == ["3", "7"]
    raws = [raw for shard in contents.shards["train"] for raw in tfds.images(located.address, shard)]
    grades = [(contents.class_names[raw.label] if raw.label is not None else None) for raw in raws]
    assert sorted(zip([raw.example_id for raw in raws], grades, strict=True), key=str) == sorted(
        ((f"p{number % 4}".encode(), ("7", "3", None)[number % 3]) for number in range(12)), key=str
    )


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({"image": "grade"}, ("image: grade does not fit", "Those that fit: eye.")),
        ({"label": "eye"}, ("label: eye does not fit", "is Image", "Those that fit: grade.")),
        ({"label": "age"}, ("label: age does not fit",)),
        ({"label": "box"}, ("label: box does not fit", "BBoxFeature")),
        ({"label": "patient"}, ("label: patient does not fit", "is Text")),
        ({"id": "age"}, ("id: age does not fit", "Those that fit: grade, patient.")),
    ],
    ids=str,
)
def test_features_of_another_kind_are_refused_before_anything_starts(visits, features, words):
    with pytest.raises(UsageError) as caught:
        tfds.locate("visits", visits, features)
    assert all(word in caught.value.message + caught.value.hint for word in words), caught.value.message + caught.value.hint


def test_classes_that_are_not_there_are_refused_before_anything_starts(datasets, visits):
    with pytest.raises(UsageError, match="names class 10 of tfds:digits; it has 10, counted from 0"):
        sources.locate(DataConfig(source="tfds:digits", classes=[0, 10]), datasets)
    with pytest.raises(UsageError, match="and tfds:visits has no labels"):
        sources.locate(DataConfig(source="tfds:visits", classes=[0, 1]), visits)
    sources.locate(DataConfig(source="tfds:visits", features={"label": "grade"}, classes=[0, 9]), visits)  # only reading tells


def test_its_terms_are_those_that_tfds_writes_down(tmp_path):
    from google.protobuf import json_format
    from tensorflow_datasets.core.proto import dataset_info_generated_pb2

    info = dataset_info_generated_pb2.DatasetInfo(name="signs", version="1.0.0", citation=" @misc{signs} ")
    info.redistribution_info.license = "CC BY 4.0"
    file = tmp_path / "signs/1.0.0/dataset_info.json"
    file.parent.mkdir(parents=True)
    file.write_text(json_format.MessageToJson(info))
    assert sources.terms("tfds:signs", tmp_path) == {"licence": "CC BY 4.0", "citation": "@misc{signs}"}
    file.write_text(json_format.MessageToJson(dataset_info_generated_pb2.DatasetInfo(name="signs", version="1.0.0")))
    assert sources.terms("tfds:signs", tmp_path) == {}
    file.write_text("{")
    assert sources.terms("tfds:signs", tmp_path) == {}
    assert sources.terms("tfds:others", tmp_path) == {}
    assert sources.terms(f"folder:{tmp_path}", tmp_path) == {}
