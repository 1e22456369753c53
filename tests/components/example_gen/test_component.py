"""ExampleGen's executor on real and spoilt images: splits, limits, quarantine and what it refuses."""

import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as library
from PIL import Image
from tfx.types import standard_artifacts

from components import keys, spec
from components.example_gen import alike, component, records, sources, summary, tfds, write
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig

REAL = 1797


def generated(located, tmp_path, least_classes=0, **data):
    """Run the executor. Returns (examples by split, the artifact)."""
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    made = component.ImageExampleGen(DataConfig(**data), located, least_classes=least_classes)
    properties = {name: value for name, value in made.exec_properties.items() if value is not None}
    component.Executor().Do({}, {"examples": [examples]}, properties)
    by_split = {}
    for split in keys.SPLITS:
        files = sorted(map(str, (tmp_path / "examples" / f"Split-{split}").iterdir()))
        rows = tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()
        by_split[split] = [tf.train.Example.FromString(row).features.feature for row in rows]
    return by_split, examples


def ids(rows) -> list[bytes]:
    return [row[keys.EXAMPLE_ID].bytes_list.value[0] for row in rows]


def labels(rows) -> list[int]:
    return [row[keys.LABEL].int64_list.value[0] for row in rows]


@pytest.fixture(scope="module")
def digits(datasets):
    return tfds.locate("digits", datasets, {})


@pytest.fixture(scope="module")
def everything(digits, tmp_path_factory):
    return generated(digits, tmp_path_factory.mktemp("everything"))


def test_every_image_is_read_once_under_the_id_that_its_shard_gives_it(everything, digits):
    by_split, _ = everything
    every = [(*ids([row]), *labels([row])) for rows in by_split.values() for row in rows]
    assert sorted(every) == sorted((raw.example_id, raw.label) for raw in tfds.images(digits.address, ("train", 0)))
    assert len({image_id for image_id, _ in every}) == REAL
    encoded = by_split["train"][0][keys.IMAGE_ENCODED].bytes_list.value[0]
    assert tf.io.decode_image(encoded).shape == (8, 8, 1)


def test_the_artifact_says_how_many_images_each_split_has(everything):
    by_split, artifact = everything
    counts = {split: len(rows) for split, rows in by_split.items()}
    assert json.loads(artifact.get_string_custom_property(keys.COUNTS)) == counts
    classes = json.loads(artifact.get_string_custom_property(keys.CLASSES))
    names = json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES))
    assert classes == {split: {name: labels(rows).count(i) for i, name in enumerate(names)} for split, rows in by_split.items()}
    for name in names:  # stratified: as exact as whole images allow
        images = sum(classes[split][name] for split in keys.SPLITS)
        assert classes["validation"][name] == round(0.1 * images)
        assert classes["test"][name] == round(0.2 * images)
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES))[9] == "nine"
    assert json.loads(artifact.get_string_custom_property(keys.QUARANTINED)) == {}
    assert json.loads(artifact.split_names) == list(keys.SPLITS)
    assert not list((Path(artifact.uri) / summary.QUARANTINE).glob("*.jsonl"))


def test_what_images_look_like_stands_in_each_record_and_in_the_summary(everything):
    by_split, artifact = everything
    encoded = [row[keys.IMAGE_ENCODED].bytes_list.value[0] for rows in by_split.values() for row in rows]
    brightness = [float(tf.io.decode_image(image).numpy().mean()) for image in encoded]
    stored = [row[keys.IMAGE_BRIGHTNESS].float_list.value[0] for rows in by_split.values() for row in rows]
    np.testing.assert_allclose(stored, brightness, rtol=1e-6)
    for name, value in ((keys.IMAGE_HEIGHT, 8), (keys.IMAGE_WIDTH, 8), (keys.IMAGE_CHANNELS, 1)):
        assert {row[name].int64_list.value[0] for rows in by_split.values() for row in rows} == {value}
    measures = json.loads((Path(artifact.uri) / summary.FILE).read_text())["measures"]
    assert sorted(measures, key=int) == [str(label) for label in range(10)]
    assert {tuple(measured["aspect"].values()) for measured in measures.values()} == {(1.0, 1.0, 1.0)}
    assert min(m["brightness"]["min"] for m in measures.values()) == pytest.approx(min(brightness))


def test_a_limit_takes_the_same_images_always_and_inliers_are_what_is_trained_on(digits, tmp_path):
    whole, _ = generated(digits, tmp_path / "whole", stratify=False)
    known = [(records.share(image_id, b"limit"), image_id) for rows in whole.values() for image_id in ids(rows)]
    few = {image_id for _, image_id in sorted(known)[:300]}
    by_split, _ = generated(digits, tmp_path / "few", limit=300, inliers=[3, 5], stratify=False)
    for split, rows in whole.items():
        kept = {i for i, label in zip(ids(rows), labels(rows), strict=True) if i in few and (split == "test" or label in (3, 5))}
        assert set(ids(by_split[split])) == kept
    assert 30 < len(by_split["test"]) < 90  # of 300: the limit favours no split


def test_classes_can_be_chosen_and_are_counted_anew(digits, everything, tmp_path):
    whole, _ = everything
    by_split, artifact = generated(digits, tmp_path, classes=[7, 3])
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES)) == ["seven", "three"]
    for split, rows in whole.items():  # stratified by class, so that the same images are where they were
        kept = {(i, [7, 3].index(label)) for i, label in zip(ids(rows), labels(rows), strict=True) if label in (7, 3)}
        assert set(zip(ids(by_split[split]), labels(by_split[split]), strict=True)) == kept


def test_a_class_that_the_source_does_not_have_is_refused(digits):
    with pytest.raises(UsageError, match="names class 10 of tfds:digits; it has 10, counted from 0"):
        sources.opened(DataConfig(classes=[0, 10]), digits.address)


def test_a_split_without_an_image_is_refused():
    with pytest.raises(HubelError, match="The test split has no image") as caught:
        component._check({"train": 3, "validation": 1, "test": 0}, {}, [], DataConfig())
    assert "data.test" in caught.value.hint
    with pytest.raises(HubelError, match="The train split has no image"):
        component._check({"train": 0, "validation": 0, "test": 0}, {}, [], DataConfig())


def test_a_class_without_a_training_image_is_refused():
    counts, classes = {"train": 2, "validation": 1, "test": 1}, {"train": {"cat": 2, "dog": 0, "owl": 0}}
    with pytest.raises(HubelError, match="No training image has the class 'dog', 'owl'"):
        component._check(counts, classes, [], DataConfig())
    component._check(counts, classes, [], DataConfig(inliers=[0]))


@pytest.mark.parametrize(("damaged", "refused"), [(0, False), (1, False), (2, True), (99, True)])
def test_the_share_of_damaged_images_is_of_all_images(damaged, refused):
    counts, data = {"train": 97 - damaged, "validation": 1, "test": 2}, DataConfig(max_quarantined=0.01)
    aside = [{"id": f"{number}.png", "reason": "empty"} for number in range(damaged)]
    if refused:
        with pytest.raises(HubelError, match=f"{damaged} of 100 images are damaged") as caught:
            component._check(counts, {}, aside, data)
        assert caught.value.details == {"quarantined": {"empty": damaged}}
        assert caught.value.message.count("(empty)") == min(damaged, 5)
        assert ("and 94 more" in caught.value.message) == (damaged == 99)
    else:
        component._check(counts, {}, aside, data)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A TFDS data set of 80 digits in two splits of its own, 4 of them spoilt, without labels."""
    from tests.components.digits import images

    def encoded(index: int) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(images()[0][70 if index == 30 else index][..., 0]).save(buffer, "PNG")  # 30 and 70 are twins
        return {0: b"", 1: b"text", 2: buffer.getvalue()[:-20], 60: buffer.getvalue()[:9]}.get(index, buffer.getvalue())

    class Spoilt(library.core.GeneratorBasedBuilder):
        VERSION = library.core.Version("1.0.0")

        def _info(self):
            return self.dataset_info_from_configs(
                features=library.features.FeaturesDict({"picture": library.features.Image(shape=(None, None, 1))})
            )

        def _split_generators(self, manager):
            return {"train": self._generate_examples(range(60)), "test": self._generate_examples(range(60, 80))}

        def _generate_examples(self, indices):
            for index in indices:
                yield index, {"picture": io.BytesIO(encoded(index))}

    folder = tmp_path_factory.mktemp("spoilt")
    Spoilt(data_dir=str(folder)).download_and_prepare()
    return tfds.locate("spoilt", folder, {})


def test_damaged_images_are_set_aside_with_their_reason_and_labels_may_be_missing(spoilt, tmp_path, capfd):
    by_split, artifact = generated(spoilt, tmp_path, max_quarantined=0.1)
    assert json.loads(artifact.get_string_custom_property(keys.QUARANTINED)) == {"empty": 1, "not an image": 2, "damaged": 1}
    files = sorted((tmp_path / "examples" / "quarantine").glob("*.jsonl"))
    lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert lines
    assert Counter(line["reason"] for line in lines) == {"empty": 1, "not an image": 2, "damaged": 1}
    assert len({line["id"] for line in lines}) == 4
    assert not {line["id"].encode() for line in lines} & {image_id for rows in by_split.values() for image_id in ids(rows)}
    assert len(by_split["test"]) == 19
    assert len(by_split["train"]) + len(by_split["validation"]) == 57
    assert keys.LABEL not in by_split["train"][0]
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES)) == []
    counts = json.loads(artifact.get_string_custom_property(keys.COUNTS))
    with pytest.raises(HubelError) as caught:
        component._check(counts, {}, summary.lines(tmp_path / "examples" / summary.QUARANTINE), DataConfig(max_quarantined=0.04))
    assert "4 of 80 images are damaged (1 damaged, 1 empty, 2 not an image)" in caught.value.message
    assert all(f"{line['id']} ({line['reason']})" in caught.value.message for line in lines)
    assert "data.max_quarantined" in caught.value.hint
    said = capfd.readouterr().err.splitlines()
    assert all(f"Set aside: {json.dumps(line)}" in said for line in lines)


def test_what_all_images_look_like_is_weighed_by_their_number():
    def measured(*brightness):
        names = ("height", "width", "aspect", "channels", "brightness")
        return {name: dict(zip(("mean", "min", "max"), brightness, strict=True)) for name in names}

    summed = {
        "classes": {"train": {"0": 2, "1": 1}, "test": {"0": 1}},
        "measures": {"0": measured(10, 0, 20), "1": measured(50, 5, 90)},
    }
    assert summary.overall(summed)["brightness"] == {"mean": 20.0, "min": 0, "max": 90}
    assert summary.overall({"classes": {}, "measures": {}}) == {}


def test_images_of_one_id_stay_together_and_stratifying_them_is_refused_in_words(tmp_path):
    lines = ["path,label,patient"]
    for number in range(60):
        Image.new("L", (4, 4), 4 * number).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{number % 2},{number // 5}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    data = {"source": f"csv:{tmp_path / 'table.csv'}", "features": {"id": "patient"}, "validation": 0.3, "test": 0.3}
    located = sources.locate(DataConfig(**data), tmp_path / "datasets")
    by_split, _ = generated(located, tmp_path, **data)
    patients = [set(ids(rows)) for rows in by_split.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 12
    with pytest.raises(HubelError, match="12 of the ids have images of several classes"):
        generated(located, tmp_path / "refused", **data, stratify=True)


def test_the_frequent_classes_are_thinned_in_training_alone(digits, everything, tmp_path):
    whole, _ = everything
    by_split, artifact = generated(digits, tmp_path, downsample=1.0)
    classes = json.loads(artifact.get_string_custom_property(keys.CLASSES))
    rarest = min(Counter(labels(whole["train"])).values())
    assert all(abs(count - rarest) < 15 for count in classes["train"].values())
    assert set(ids(by_split["train"])) < set(ids(whole["train"]))
    for split in ("validation", "test"):
        assert set(ids(by_split[split])) == set(ids(whole[split]))


def test_the_same_pixels_in_two_splits_are_reported(everything, spoilt, tmp_path):
    _, artifact = everything
    assert artifact.get_int_custom_property(keys.DUPLICATES) == len(summary.lines(Path(artifact.uri) / alike.DUPLICATES))
    _, twins = generated(spoilt, tmp_path, max_quarantined=0.1)
    [line] = summary.lines(Path(twins.uri) / alike.DUPLICATES)
    assert twins.get_int_custom_property(keys.DUPLICATES) == 1
    assert {image["split"] for image in line["images"]} in ({"train", "test"}, {"validation", "test"})
    folder = str(Path(twins.uri) / alike.DUPLICATES)
    leaked = summary.leakage(Path(twins.uri))
    assert (leaked["images"], leaked["folder"]) == (2, folder)
    assert sorted(leaked["first"], key=str) == sorted(line["images"], key=str)
    damaged, leak = summary.warnings(Path(twins.uri))
    assert damaged.startswith("4 images are damaged and set aside: ")
    assert damaged.endswith(str(Path(twins.uri) / summary.QUARANTINE))
    for word in ("leakage: 2 images", folder, *(f"{image['id']} in {image['split']}" for image in line["images"])):
        assert word in leak


def test_data_without_damage_or_leakage_is_not_warned_about(tmp_path):
    assert summary.leakage(tmp_path) is None
    assert summary.warnings(tmp_path) == []


def test_of_several_leaks_all_images_count_and_a_pair_of_two_splits_is_named(tmp_path):
    (tmp_path / alike.DUPLICATES).mkdir()
    groups = [[("train", "b"), ("train", "c"), ("validation", "d")], [("test", "a\n"), ("train", "x")]]
    lines = [json.dumps({"images": [{"split": split, "id": name} for split, name in group]}) for group in groups]
    (tmp_path / alike.DUPLICATES / "images-0.jsonl").write_text("\n".join(lines))
    leaked = summary.leakage(tmp_path)
    assert leaked["images"] == 5
    assert {image["split"] for image in leaked["first"]} == {"test", "train"}
    [text] = summary.warnings(tmp_path)
    assert "a? in test and x in train" in text


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """30 photos, 10 of them with tags that turn them; 30 drawings in their alpha; 30 images of 12 bits in 16."""
    folder, rng = tmp_path_factory.mktemp("odd") / "images", np.random.default_rng(0)
    for name in ("photos", "drawings", "deep"):
        (folder / name).mkdir(parents=True)
    for number in range(30):
        exif = Image.Exif()
        exif[0x0112] = 6 if number < 10 else 1
        Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8)).save(folder / "photos" / f"{number}.jpg", exif=exif)
        drawing = np.zeros((8, 8, 4), np.uint8)
        drawing[..., 3] = rng.integers(0, 2, (8, 8)) * 255
        Image.fromarray(drawing).save(folder / "drawings" / f"{number}.png")
        Image.fromarray(rng.integers(0, 4096, (8, 8)).astype(np.uint16)).save(folder / "deep" / f"{number}.png")
    Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(folder / "deep" / "white.png")
    return f"folder:{folder}"


ALPHA = "30 images have their picture in the transparency"


@pytest.mark.parametrize(
    ("reading", "counted", "warned"),
    [
        (
            {},
            {},
            [f"{ALPHA} alone; it is seen over white (data.ground)", "no value of the 31 16-bit images is above 4095 of"],
        ),
        (
            {"ground": "black", "white": 4095},
            {"blank_over_ground": 30},
            [f"{ALPHA}, in the colour", "leakage: 30 images"],
        ),
        ({"ground": [255, 255, 255], "white": 2047}, {}, [f"{ALPHA} alone", "values of 16-bit images reach 4095; all above"]),
    ],
)
def test_what_was_done_to_images_is_counted_and_warned_of(odd, reading, counted, warned, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(component.progress, "emit", lambda event, **values: told.append((event, values)))
    data = {"source": odd, "validation": 0.3, "test": 0.3, **reading}
    by_split, artifact = generated(sources.locate(DataConfig(**data), tmp_path / "datasets"), tmp_path, **data)
    rows = [row for split in by_split.values() for row in split]
    changes = json.loads(artifact.get_string_custom_property(keys.CHANGES))
    assert changes == {"16_bits": 31, "over_ground": 30, "picture_in_alpha": 30, "turned": 10, **counted}
    [event] = [values for name, values in told if name == "images"]
    assert event["changes"] == changes
    for text, begin in zip(event["warnings"], warned, strict=True):
        assert text.startswith(begin)
    drawings = [row for row in rows if ids([row])[0].startswith(b"drawings")]
    seen = {row[keys.IMAGE_BRIGHTNESS].float_list.value[0] > 0 for row in drawings}
    assert seen == {reading.get("ground") != "black"}, "what is measured is what is seen"
    sizes = Counter((row[keys.IMAGE_HEIGHT].int64_list.value[0], row[keys.IMAGE_WIDTH].int64_list.value[0]) for row in rows)
    assert sizes == {(6, 4): 10, (4, 6): 20, (8, 8): 61}, "of what is upright"


def test_nothing_of_a_shard_is_left_where_reading_it_fails(tmp_path):
    files = write._Files({"train": str(tmp_path / "Split-train")}, "a.gz")
    files.write("train", b"record")
    files.__exit__(OSError, OSError("torn"), None)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_allowing_anomalies_does_not_read_the_images_again(digits):
    properties = [component.ImageExampleGen(DataConfig(allow_anomalies=allow), digits).exec_properties for allow in (True, False)]
    assert properties[0][spec.SLICE] == properties[1][spec.SLICE]
    moved = sources.Located(digits.address, "another digest")
    assert component.ImageExampleGen(DataConfig(), moved).exec_properties[component.DIGEST] == "another digest"
