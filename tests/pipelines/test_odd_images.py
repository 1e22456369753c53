"""What `hubel init` says and ExampleGen records of images and tables as people really have them; see tests/odd_images.py."""

import functools
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.metrics import jaccard_score
from tfx.types.standard_artifacts import Examples

from components import keys
from components.example_gen import sources
from components.trainer.card import Card
from components.transform import pixels
from configs import load
from configs.errors import UsageError
from pipelines.data_sets import survey
from pipelines.init import proposal
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from tests import odd_images
from tests.components.example_gen.test_component import generated
from tests.pipelines.conftest import in_process


@dataclass(frozen=True)
class Expected:
    """Of one variant: images by class in all splits together ("" without labels), what was done to them, what `init` says."""

    classes: dict[str, int]
    changes: dict[str, int] = field(default_factory=dict)
    passed_over: dict[str, int] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    unlabelled: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    read: dict = field(default_factory=dict)  # further keys of data
    path: str | None = None  # where it is not called as it is drawn


DRAWINGS = dict.fromkeys(odd_images.KINDS, 12)
IN_ALPHA = Expected(DRAWINGS, {"over_ground": 36, "picture_in_alpha": 36}, says=("seen over white (data.ground)",))
NO_TEST, NO_VALIDATION = "The data has no test split: a run sets", "The data has no validation split: a run sets"
VARIANTS = {
    **dict.fromkeys(("alpha/rgba", "alpha/la", "alpha/palette", "alpha/gif", "alpha/webp"), IN_ALPHA),
    "alpha/seen": Expected(DRAWINGS),
    "endings": Expected(dict.fromkeys(odd_images.KINDS, 20), passed_over={".txt": 3}, says=("passed over: 3 .txt",)),
    **dict.fromkeys(
        ("layouts/sets", "layouts/seg", "layouts/capitals"), Expected({"circle": 40, "cross": 40}, says=(NO_VALIDATION,))
    ),
    "layouts/dev": Expected({"circle": 40, "cross": 40}, says=(NO_TEST,)),
    "layouts/valid": Expected({"circle": 50, "cross": 50}),
    **dict.fromkeys(("numbers/folders", "numbers/same.csv"), Expected({str(label): 12 for label in range(1, 13)})),
    "tables/pandas.csv": Expected(
        {"-1": 10, "0": 10, "1": 10}, unlabelled={"empty": 10, "nan": 10, "NA": 10}, says=("30 images without a label",)
    ),
    "tables/mixed.csv": Expected({"1": 40, "2": 20}),
    "tables/floats.csv": Expected({str(label): 5 for label in range(12)}),
    "tables/breed.csv": Expected({"beagle": 30, "pug": 30}, read={"features": {"label": "breed"}, "images": "images"}),
    "tables/signs.csv": Expected({"0": 20, "1": 20, "2": 20}, read={"features": {"label": "ClassId"}}),
    "tables/one_hot.csv": Expected({"MEL": 20, "NV": 20, "BCC": 20}, read={"features": {"label": ["MEL", "NV", "BCC"]}}),
    "tables/missing.csv": Expected({"circle": 24, "cross": 24}, unlabelled={"empty": 12}, says=("12 images without a label",)),
    **dict.fromkeys(("tables/windows.csv", "tables/other_case.csv"), Expected({"0": 30, "1": 30})),
    "tables/elsewhere.csv": Expected({"0": 30, "1": 30}, read={"images": "images"}),
    "many_classes/hundred": Expected({f"class{label:03d}": 4 for label in range(100)}),
    "many_classes/thirty": Expected({f"class{label:03d}": 2 for label in range(30)}),
    "turned/photos": Expected({"lying": 40, "standing": 40}, {"turned": 70}, says=("70 turned as their EXIF tags say",)),
    "deep/twelve_in_sixteen": Expected({"": 20}, {"16_bits": 20}, says=("data.white: 4095", "white: 4095")),
    "deep/eight": Expected({"": 20}),
    **{f"paths/{name}": Expected({"circle": 8, "cross": 8}) for name in odd_images.PATHS},
    "masks/images": Expected({"": 60}),
    "masks": Expected(
        {"": 58},
        passed_over={"beside folders of images": 60},
        quarantined={"mask is no image": 1, "mask is not of its image's size": 1},
        says=(
            'features: {mask: "grey/{name}.png"}',
            'Others would do too: "palette/{name}.png" (60 images)',
            "2 masks of the sample cannot be used (",
            "mask_classes: {0: background, 1: value_1, 2: value_2, 3: value_3}",
            "max_quarantined: 0.05",
        ),
    ),
    "masks/palette": Expected(
        {"": 60},
        passed_over={"beside folders of images": 60},
        says=("The masks' values are places of a palette", "mask_classes: {0: background, 1: value_1, 2: value_2, 3: value_3}"),
        read={"features": {"mask": "palette/{name}.png"}},
        path="masks",
    ),
}
# What is refused with a line that helps; most of these are read above once that line is taken.
REFUSED = {
    "layouts/wrapped": "data.source=folder:{path}/flower_photos",
    "tables/breed.csv": "data.features: {{label: breed}}",
    "tables/signs.csv": "data.features: {{label: ClassId}}",
    "tables/one_hot.csv": "data.features: {{label: [MEL, NV, BCC]}}",
    "tables/elsewhere.csv": "data.images: images",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Folder of a part of odd_images, drawn when it is first asked for."""
    root, there = tmp_path_factory.mktemp("odd"), set()

    def part(name: str) -> Path:
        if name not in there:
            (root / name).mkdir()
            getattr(odd_images, name)(root / name, **({"each": 8} if name == "paths" else {}))
            there.add(name)
        return root

    return part


def taken(path: Path, read: dict) -> dict:
    """The further keys of data, with the folder of the images below the table's."""
    return {**read, **({"images": str(path.parent / read["images"])} if "images" in read else {})}


@dataclass(frozen=True)
class Read:
    """What `init` and ExampleGen made of a variant."""

    seen: dict
    text: str
    passed_over: dict[str, int]
    rows: dict[str, list]
    artifact: Examples


@pytest.fixture(scope="module")
def reading(drawn, tmp_path_factory):
    """Reads a variant as a person would have it read, once."""

    @functools.cache
    def read_variant(variant: str) -> Read:
        path = drawn(variant.partition("/")[0]) / (VARIANTS[variant].path or variant)
        folder = tmp_path_factory.mktemp("read")
        read, source = taken(path, VARIANTS[variant].read), proposal.source_of(str(path))
        seen = survey.look(source, str(folder / "datasets"), **read)
        text = proposal.propose("odd", source, seen, "odd.yaml", read).text
        (folder / "odd.yaml").write_text(text, encoding="utf-8")
        cfg = load.load(str(folder / "odd.yaml"))
        located = sources.locate(cfg.data, folder / "datasets")
        return Read(seen, text, dict(located.passed_over), *generated(located, folder, **cfg.data.model_dump()))

    return read_variant


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_there_is_read_or_said(variant, reading):
    expected, made = VARIANTS[variant], reading(variant)
    seen, rows, artifact = made.seen, made.rows, made.artifact
    for words in expected.says:
        assert words in made.text
    assert seen["changes"] == expected.changes
    assert seen["passed_over"] == expected.passed_over
    names = json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES))
    counts: dict[str, int] = {}
    for row in (row for of_split in rows.values() for row in of_split):
        label = row[keys.LABEL].int64_list.value if keys.LABEL in row else ()
        counts[names[label[0]] if label else ""] = counts.get(names[label[0]] if label else "", 0) + 1
    without = sum(expected.unlabelled.values())
    assert counts == expected.classes | ({"": without} if without else {})
    assert all(rows.values()), {split: len(of_split) for split, of_split in rows.items()}
    for name, wanted in ((keys.CHANGES, expected.changes), (keys.QUARANTINED, expected.quarantined)):
        assert json.loads(artifact.get_string_custom_property(name)) == wanted
    assert made.passed_over == expected.passed_over


@pytest.mark.parametrize("variant", REFUSED)
def test_what_cannot_be_guessed_is_refused_with_the_line_to_use(variant, drawn, tmp_path):
    path = drawn(variant.partition("/")[0]) / variant
    with pytest.raises(UsageError) as refused:
        survey.look(proposal.source_of(str(path)), str(tmp_path))
    assert REFUSED[variant].format(path=path) in f"{refused.value.message} {refused.value.hint}"


def test_a_drawing_in_alpha_is_what_a_viewer_shows_of_it(reading):
    """To the pixel, in every format; and each drawing is another one."""
    seen: dict[str, dict[str, bytes]] = {}
    asked = load.load("digits_lenet5").transform  # outside of what is traced, or AutoGraph converts the reading of YAML
    decode = tf.function(lambda encoded: pixels.from_bytes(encoded, asked))
    for form in ("seen", "rgba", "la", "palette", "gif", "webp"):
        every = [row for of_split in reading(f"alpha/{form}").rows.values() for row in of_split]
        names = [Path(row[keys.EXAMPLE_ID].bytes_list.value[0].decode()).with_suffix("").as_posix() for row in every]
        images = decode(tf.constant([row[keys.IMAGE_ENCODED].bytes_list.value[0] for row in every])).numpy()
        seen[form] = {name: image.tobytes() for name, image in zip(names, images, strict=True)}
    assert all(images == seen["seen"] for images in seen.values())
    assert len(set(seen["seen"].values())) == 36


@pytest.mark.whole
def test_masks_go_the_whole_way_from_init_to_answers_in_the_image_s_own_size(drawn, tmp_path):
    """What cannot be used is named on the way, and what is learned is what the masks say."""
    root, out, place = drawn("masks") / "masks", tmp_path / "masks.yaml", tmp_path / "workspace"
    made = in_process("init", root, "--out", out, "--json", "--workspace", place)
    assert made.code == 0, made.err
    assert made.json["passed_over"] == {"beside folders of images": 60}
    small = (
        "model.options={padding: same, filters: [8, 16], dropout: 0}",
        "train.epochs=30",
        "train.batch_size=4",
        "export.warmup=0",
    )
    sets = [argument for assignment in small for argument in ("--set", assignment)]
    done = in_process("run", out, *sets, "--json", "--workspace", place)
    assert done.code == 0, done.err
    value = done.json
    assert (value["blessed"], value["quarantined"]) == (True, VARIANTS["masks"].quarantined)
    assert value["passed_over"] == {"beside folders of images": 60}
    assert set(value["pixels"]["mask"]["test"]) == {"background", "value_1", "value_2", "value_3"}
    answers = in_process("predict", "masks", root / "images", "--out", tmp_path / "answers", "--json", "--workspace", place)
    assert answers.code == 0, answers.err
    truth, told = [], []
    for row in answers.json:
        name = Path(row["file"]).name
        if name not in ("57.png", "58.png"):
            truth.append(np.asarray(Image.open(root / "palette" / name)))
            told.append(np.asarray(Image.open(row["written"]["masks"])))
    assert {mask.shape for mask in told} == {(32, 32)}
    assert jaccard_score(np.ravel(truth), np.ravel(told), average="macro") > 0.5


@pytest.mark.whole
def test_turned_photos_go_the_whole_way_and_new_ones_are_answered_right(drawn, tmp_path):
    """From `init` to `predict` of a folder: turned in training and when served, and answered with the names of the folders."""
    root, out, place = drawn("turned") / "turned", tmp_path / "photos.yaml", tmp_path / "workspace"
    names = {"lying": "eine, die liegt", "standing": "стоя"}
    for kind, name in names.items():
        shutil.copytree(root / "photos" / kind, tmp_path / "photos" / name)
    (tmp_path / "photos" / names["standing"] / "notes.txt").write_text("no image")
    made = in_process("init", tmp_path / "photos", "--out", out, "--workspace", place)
    assert made.code == 0, made.err
    small = ("transform.height=32", "transform.width=32", "model={name: lenet5}", "train.epochs=30", "train.schedule=null")
    sets = [argument for assignment in small for argument in ("--set", assignment)]
    command = ("run", out, *sets, "--set", "train.optimizer={learning_rate: 0.002}", "--workspace", place)
    done = in_process(*command)
    assert done.code == 0, done.err
    assert f"passed over in folder:{tmp_path / 'photos'}: 1 .txt" in done.err
    [log] = (place / "logs/photos").glob("*.log")
    assert 'Passed over: {".txt": 1}' in log.read_text()
    value = in_process(*command, "--json").json
    assert all(component["cached"] for component in value["components"])
    assert (value["blessed"], value["changes"], value["passed_over"]) == (True, {"turned": 70}, {".txt": 1})
    card = Card.read(runs.artifact(Workspace.at(str(place)), "photos"))
    assert (card.turns, card.turned) == (True, 70)
    answers = in_process("predict", "photos", root / "new", "--json", "--workspace", place)
    assert answers.code == 0, answers.err
    assert {answer for row in answers.json for answer in row["classes"]} == set(names.values())
    right = [names[Path(row["file"]).name.partition("_")[0]] == row["classes"][0] for row in answers.json]
    assert len(right) == 16
    assert sum(right) >= 15
