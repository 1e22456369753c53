"""Two models on the same examples."""

import csv
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from components import keys
from configs.errors import UsageError
from pipelines.command_line import comparison_view, judging_commands
from pipelines.verbs import alike, compare
from pipelines.workspace.layout import Workspace
from serving import answers
from tests.components import digits
from tests.components.conftest import classifier  # noqa: F401
from tests.pipelines.conftest import hubel, in_process
from tests.serving.test_promotions import appear, lay


class Shifted(tf.Module):
    """The classifier, with the class after the most probable one for every image whose digit is below five."""

    def __init__(self, saved):
        super().__init__()
        self.saved = saved

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def answer(self, examples):
        told = self.saved.signatures["serving_default"](examples=examples)
        probabilities = told["probabilities"]
        moved = tf.where(tf.argmax(probabilities, 1)[:, None] < 5, tf.roll(probabilities, 1, 1), probabilities)
        scores, order = tf.math.top_k(moved, 3)
        return {"probabilities": moved, "classes": tf.gather(tf.constant(digits.NAMES), order), "scores": scores}


@pytest.fixture(scope="module")
def workspace(classifier, tmp_path_factory):  # noqa: F811
    """Two versions of a classifier, the second of which errs where the first says a digit below five; and a folder of images."""
    folder = tmp_path_factory.mktemp("two")
    place = Workspace.at(folder / "workspace")
    for version in (1, 2):
        appear(place.models, version)
    shutil.rmtree(place.models / "digits")
    shutil.copytree(classifier / "Format-Serving", place.models / "digits/1")
    module = Shifted(tf.saved_model.load(str(classifier / "Format-Serving")))
    tf.saved_model.save(module, str(place.models / "digits/2"), signatures={"serving_default": module.answer})
    shutil.copytree(classifier / "Format-Serving/assets.extra", place.models / "digits/2/assets.extra", dirs_exist_ok=True)
    pixels, labels = digits.images()
    for place_ in list(digits.rows(keys.TEST))[:40]:
        (folder / "scans" / digits.NAMES[labels[place_]]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[place_, ..., 0]).save(folder / f"scans/{digits.NAMES[labels[place_]]}/{place_}.png")
    return place, folder / "scans"


@pytest.fixture(scope="module")
def compared(workspace, tmp_path_factory):
    place, scans = workspace
    out = tmp_path_factory.mktemp("out")
    said = in_process(
        *("compare", "digits", "stable", "canary", "--data", f"folder:{scans}", "--out", out, "--json", "--workspace", place.root)
    )
    assert said.code == 0, said.err + said.out
    return said.json, out


@pytest.fixture(scope="module")
def answered(workspace):
    """What each decides, by id, and the labels."""
    place, scans = workspace
    files = sorted(scans.rglob("*.png"))
    asked = tf.saved_model.load(str(place.models / "digits/1")).signatures["image_bytes"]
    first = asked(image_bytes=tf.constant([file.read_bytes() for file in files]))["probabilities"].numpy().argmax(1)
    second = np.where(first < 5, first + 1, first)
    labels = np.array([digits.NAMES.index(file.parent.name) for file in files])
    return [str(file.relative_to(scans)) for file in files], first, second, labels


def test_who_agrees_is_counted_and_who_does_not_is_named(compared, answered):
    value, out = compared
    ids, first, second, labels = answered
    same = int((first == second).sum())
    assert value["agreement"]["same"] == same < value["agreement"]["of"] == 40
    ends = stats.binomtest(same, 40).proportion_ci(0.95, method="wilson")
    assert value["agreement"]["interval"] == pytest.approx([ends.low, ends.high])
    expected = {
        ids[at]: (digits.NAMES[labels[at]], digits.NAMES[first[at]], digits.NAMES[second[at]])
        for at in np.flatnonzero(first != second)
    }
    assert {row["id"]: (row["label"], row["a"], row["b"]) for row in value["disagreements"]} == expected
    with (out / "disagreements.csv").open() as table:
        assert [row["id"] for row in csv.DictReader(table)] == [row["id"] for row in value["disagreements"]]
    with Image.open(value["sheet"]) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 4 * 96


def test_a_difference_is_told_from_noise_by_the_same_images(compared, answered):
    value, _ = compared
    _, first, second, labels = answered
    wins, losses = int(np.sum((second == labels) & (first != labels))), int(np.sum((first == labels) & (second != labels)))
    accuracy = next(row for row in value["differences"] if row["metric"] == "accuracy")
    assert accuracy["test"] == "McNemar's test"
    assert accuracy["difference"] == pytest.approx((wins - losses) / 40)
    assert accuracy["p"] == pytest.approx(stats.binomtest(wins, wins + losses).pvalue)
    assert {row["metric"] for row in value["differences"]} == {"accuracy", "cross_entropy", "macro_f1"}
    for name, told in (("a", first), ("b", second)):
        assert value[name]["metrics"]["accuracy"] == pytest.approx((told == labels).mean())
        assert value[name]["intervals"].keys() == {"accuracy", "cross_entropy", "macro_f1"}
        took = value[name]["latency"]
        assert 0 < took["single_ms"] <= took["single_p95_ms"]
        assert took["batch_of"] == 32
    assert (value["a"]["version"], value["b"]["version"]) == (1, 2)


def test_it_is_shown_to_a_person(compared, capsys):
    value, _ = compared
    comparison_view.terminal(value)
    said = capsys.readouterr().out
    assert f"They agree about {value['agreement']['same']} of 40 images" in said
    assert "a takes" in said
    assert value["sheet"] in said
    assert next(row["words"] for row in value["differences"]) in said


@pytest.fixture
def judge_and_rows():
    from components.evaluator.statistic import ID
    from components.tasks.judges.by_name import judge_of

    told = [{"id": name, "label": None} for name in "abc"]
    from components.evaluator import per_image

    ids = np.array([per_image.digest(row["id"].encode()) for row in told], np.uint64)
    ours = {ID: ids, keys.LABEL: np.full(3, -1), "mse": np.array([0.1, 0.2, 0.3], np.float32)}
    theirs = {ID: ids[::-1], keys.LABEL: np.full(3, -1), "mse": np.array([0.3, 0.9, 0.15], np.float32)}
    return judge_of("reconstruction"), [ours, theirs], told


def test_what_decides_nothing_is_ranked_by_its_first_figure(judge_and_rows):
    rows, by = compare._by_figure(*judge_and_rows)
    assert by == "mse"
    assert [row["id"] for row in rows] == ["b", "a", "c"]
    assert [row["apart"] for row in rows] == pytest.approx([0.7, 0.05, 0.0])


@pytest.mark.parametrize(
    ("outputs", "gives", "decided"),
    [
        ({"classes": np.array([b"three", b"two"], object)}, {"classes": "names"}, (("names", "three"),)),
        ({"a": np.array(True), "b": np.float32(0.3)}, {"a": "is_anomaly", "b": "anomaly_score"}, (("is_anomaly", True),)),
        (
            {"c": np.array([b"x"], object), "d": np.array([True, False])},
            {"c": "names", "d": "decisions"},
            (("decisions", (True, False)),),
        ),
        ({"mse": np.float32(1)}, {"mse": "number"}, None),
    ],
)
def test_what_outputs_decide_follows_from_their_kinds(outputs, gives, decided):
    assert answers.decided(outputs, gives) == decided


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "reconstruction"}, "answer different questions"),
        ({"reads": "text"}, "answer different questions"),
        ({"class_names": digits.NAMES[::-1]}, "know different classes"),
    ],
)
def test_models_of_different_questions_are_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        alike.check(digits.card(), digits.card(**changes))


def test_versions_are_called_by_number_label_or_candidate(tmp_path):
    place = Workspace.at(tmp_path)
    lay(place.models, 4)
    assert judging_commands.called("digits", "stable", place) == "digits/4"
    assert judging_commands.called("digits", "4", place) == "digits/4"
    assert judging_commands.called("digits", "candidate", place) == "digits@candidate"
    assert judging_commands.called("digits", "20261130-010203", place) == "digits@20261130-010203"
    with pytest.raises(UsageError, match="No version of digits is its canary"):
        judging_commands.called("digits", "canary", place)


def test_the_help_needs_no_tensorflow(without_tensorflow):
    assert hubel("compare", "--help", **without_tensorflow).code == 0
