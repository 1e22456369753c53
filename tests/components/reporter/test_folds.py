"""Every image is answered once, by a model that has seen neither it nor one like it, and labels that were spoiled are found so."""

import types

import numpy as np
import pytest

from components import keys
from components.example_gen import records
from components.examples import ids_of
from components.reporter import folds, wrong_labels
from configs.errors import HubelError, UsageError
from tests.cheaper import eagerly
from tests.components import digits

pytestmark = pytest.mark.usefixtures("eager")


def training(of: types.SimpleNamespace, model, examples=None, tree=digits.MLP, **changes) -> folds.Training:
    custom = {"slice": digits.trainer_slice(tree, **changes).model_dump_json(), "source": "test", "materialized": True}
    return folds.Training(custom, examples or of.examples, of.transform, of.schema, model)


def written(folder, labels, images=None):
    """An Examples artifact of the digits with these labels (None: without one), a fifth of them to test with."""
    import tensorflow as tf

    pixels = digits.images()[0] if images is None else images
    size = {keys.IMAGE_HEIGHT: 8, keys.IMAGE_WIDTH: 8}
    for number, split in enumerate((keys.TRAIN, keys.TEST)):
        place = folder / f"Split-{split}"
        place.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(place / "data.gz"), "GZIP") as writer:
            for at, label in enumerate(labels):
                if (at % 5 == 4) == bool(number):
                    encoded = tf.io.encode_png(pixels[at]).numpy()
                    writer.write(records.example(encoded, f"digit-{at}".encode(), label, measures=size))
    return folder


@pytest.fixture
def dealt(monkeypatch):
    """What each fold was trained and validated with: [(ids, ids), ...]."""
    seen, deal = [], folds._deal

    def deals(*asked):
        files = deal(*asked)
        seen.append(tuple(set(ids_of(of)) for of in files))
        return files

    monkeypatch.setattr(folds, "_deal", deals)
    return seen


def test_each_image_is_answered_by_a_model_that_has_not_seen_it_and_what_was_done_is_not_done_again(
    artifacts, classifier, tmp_path, dealt, monkeypatch
):
    def killed(*_):
        raise KeyboardInterrupt

    answers, asked = folds._answers, training(artifacts, classifier)
    monkeypatch.setattr(folds, "_answers", lambda *of: answers(*of) if of[-1] == 0 else killed())
    with pytest.raises(KeyboardInterrupt):
        folds.out_of_sample(asked, 2, tmp_path)
    assert len(dealt) == 2
    monkeypatch.setattr(folds, "_answers", answers)
    of = folds.out_of_sample(asked, 2, tmp_path)
    assert len(dealt) == 3, "the first fold was there"
    assert [*of.ids] == [f"digit-{place}" for split in keys.SPLITS for place in digits.rows(split)]
    assert [*of.splits] == [split for split in keys.SPLITS for _ in digits.rows(split)]
    np.testing.assert_array_equal(of.targets, digits.images()[1][:360])
    np.testing.assert_allclose(of.probabilities.sum(1), 1, atol=1e-5)
    every = {name.encode() for name in of.ids}
    first, second = [every - train - validation for train, validation in (dealt[0], dealt[2])]
    assert first | second == every
    assert (not first & second, len(first), dealt[1] == dealt[2]) == (True, 180, True)
    assert all(not train & validation and validation and train for train, validation in dealt)
    assert (of.left_out, of.together, of.untaught) == (0, 0, [])
    assert not [*tmp_path.glob("*/files-*")]
    again = folds.out_of_sample(asked, 2, tmp_path)
    assert len(dealt) == 3
    np.testing.assert_array_equal(again.probabilities, of.probabilities)


def test_another_training_is_another_answer():
    rows = of_rows([0, 1], [b"a", b"b"], [0, 1])
    assert folds._digest("asked", 2, rows) == folds._digest("asked", 2, rows)
    others = [folds._digest("asked otherwise", 2, rows), folds._digest("asked", 3, rows)]
    others.append(folds._digest("asked", 2, of_rows([0, 0], [b"a", b"b"], [0, 1])))
    assert len({*others, folds._digest("asked", 2, rows)}) == 4


def test_images_that_look_the_same_are_in_one_fold_and_those_without_a_label_in_none(artifacts, classifier, tmp_path, dealt):
    pixels, labels = digits.images()[0][:100].copy(), digits.images()[1][:50].tolist() * 2
    pixels[50:] = pixels[:50]
    labels = [None if place % 50 < 5 else label for place, label in enumerate(labels)]
    of = folds.out_of_sample(training(artifacts, classifier, written(tmp_path / "examples", labels, pixels)), 2, tmp_path / "state")
    assert (of.together, of.left_out, len(of.ids)) == (45, 10, 90)
    for split in (split for pair in dealt for split in pair):
        there = [{f"digit-{at}".encode() in split for at in (place, place + 50)} for place in range(50)]
        assert there[:5] == [{False}] * 5
        assert all(len(both) == 1 for both in there)
        assert {True} in there


def of_rows(targets, names, fold) -> folds._Rows:
    return folds._Rows(np.arange(len(names)), [], [], np.array(targets), names, np.array(fold), 0, 0)


def test_a_tenth_of_the_groups_is_validated_with_whole_and_never_the_fold_itself():
    names = [b"%d" % (place // 2) for place in range(100)]
    rows = of_rows([0] * 100, names, [place // 20 for place in range(100)])
    for fold in range(5):
        validated = rows.validated(fold)
        assert validated.sum() == 8
        assert not (validated & (rows.fold == fold)).any()
        np.testing.assert_array_equal(validated[::2], validated[1::2])
    assert of_rows([0] * 3, [b"a", b"b", b"c"], [0, 1, 2]).validated(0).sum() == 1


def test_a_class_that_nothing_was_left_of_to_train_with_is_named(monkeypatch):
    monkeypatch.setattr(folds._Rows, "validated", lambda self, _: np.array([False, False, False, True, False]))
    names, fold = [b"a", b"b", b"c", b"d", b"e"], [0, 0, 1, 1, 1]
    assert of_rows([0, 1, 0, 1, 2], names, fold).untaught(3) == [(0, 1), (1, 2)]
    assert of_rows([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], names, fold).untaught(2) == [(0, 1)]


def test_groups_are_joined_by_id_and_by_content():
    ids = [b"a", b"b", b"c", b"d", b"b", b"e"]
    contents = [b"1", b"1", b"2", b"3", b"2", b"4"]
    assert folds.groups(ids, contents) == [b"a", b"a", b"a", b"d", b"a", b"e"]


@pytest.mark.parametrize("many", [-1, 0, 1, 21])
def test_a_number_of_folds_that_cannot_be_is_refused(many):
    with pytest.raises(UsageError, match="--folds must be between 2 and 20"):
        folds.check(many)


def test_too_few_images_are_refused_in_words(artifacts, classifier, tmp_path):
    examples = written(tmp_path / "examples", digits.images()[1][:6].tolist())
    with pytest.raises(HubelError, match="make no 20 folds"):
        folds.out_of_sample(training(artifacts, classifier, examples), 20, tmp_path / "state")


def test_an_ensemble_cannot_be_trained_on_folds(artifacts, tmp_path):
    (tmp_path / keys.CARD_FILE).write_text(digits.card(members={"a/1": digits.card().model_dump(mode="json")}).model_dump_json())
    with pytest.raises(UsageError, match="ensemble"):
        folds.out_of_sample(training(artifacts, tmp_path), 5, tmp_path / "state")


@pytest.mark.whole
def test_labels_that_were_spoiled_are_found(artifacts, classifier, tmp_path):
    """2 % of the digits' 1,797 labels, five trainings: precision is 0.8 at least where recall is."""
    labels = digits.images()[1].copy()
    generator = np.random.default_rng(0)
    wrong = generator.choice(len(labels), round(0.02 * len(labels)), replace=False)
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    examples = written(tmp_path / "examples", labels.tolist())
    tree = {
        **digits.MLP,
        "model": {"name": "mlp", "options": {"hidden": [128]}},
        "train": {"epochs": 30, "batch_size": 64, "optimizer": {"learning_rate": 3e-3}},
    }
    with eagerly(False):
        of = folds.out_of_sample(training(artifacts, classifier, examples, tree), 5, tmp_path / "state")
    order = np.argsort(wrong_labels.doubts(of.targets, of.probabilities).margins)
    is_planted = np.isin([of.ids[place] for place in order], [f"digit-{place}" for place in wrong])
    recall, precision = np.cumsum(is_planted) / len(wrong), np.cumsum(is_planted) / np.arange(1, len(order) + 1)
    assert precision[np.argmax(recall >= 0.8)] >= 0.8
