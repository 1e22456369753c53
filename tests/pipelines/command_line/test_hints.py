"""What is said to try where a model was not blessed, by the facts of its run; whatever is to be set is valid."""

import re
import shlex

import pytest

from configs import load
from pipelines.command_line import hints

FALLING = [1.0 - 0.02 * epoch for epoch in range(20)]
FLAT = [0.5] * 20
BY_HEART = [1.0, 0.5, 0.4, *(0.4 + 0.01 * epoch for epoch in range(17))]


def miss(metric="accuracy", value=0.7586, bound=0.95, of="threshold", slice_=""):
    return {"metric": metric, "of": of, "value": value, "bound": bound, "slice": slice_}


def told(config="digits_lenet5", assignments=(), missed=None, training=None, **value) -> list[str]:
    cfg = load.load(config, ["train.epochs=20", *assignments])
    known = {"epochs": 20, "asked": 20, "loss": FALLING, "val_loss": FLAT, "train_images": 5000, "classes": 10, "code_size": None}
    of_run = {"blessed": False, "parity": True, "missed": [miss()] if missed is None else missed, "images": {"test": 58}}
    of_run |= {"metrics": {"accuracy": 0.7586}, "slices": [], "training": known | (training or {})}
    said = hints.of(cfg, of_run | value)
    for sentence in said:
        for assigned in re.findall(r"--set (\S+)", sentence):
            load.load(config, ["train.epochs=20", *assignments, *shlex.split(assigned)])
    return said


def test_a_blessed_model_needs_no_hint():
    assert told(blessed=True) == []


def test_more_epochs_while_the_loss_still_falls_and_only_then():
    [epochs, _] = told(training={"val_loss": FALLING})
    assert epochs == (
        "val_loss still fell when the training ended, from 0.7200 to 0.6200 in the last 5 epochs of 20: train longer, "
        "such as --set train.epochs=40"
    )
    [two, _] = told(training={"epochs": 2, "asked": 2, "loss": [2, 1], "val_loss": [1.0, 0.5]})
    assert "in the last epoch of 2" in two
    for other in ({"val_loss": FLAT}, {"val_loss": FALLING, "asked": 40}, {"val_loss": [*FALLING[:-1], None]}):
        assert not any("train.epochs" in sentence for sentence in told(training=other))
    assert not any("val_loss" in sentence for sentence in told(training={"epochs": 1, "loss": [1], "val_loss": [1]}))


def test_of_a_fine_tuning_it_is_the_epochs_of_that():
    tuned = ["transfer={source: a, fine_tune: {from: c3, epochs: 7}}"]
    assert "--set transfer.fine_tune.epochs=14" in told(assignments=tuned, training={"val_loss": FALLING})[0]


def test_what_was_learned_by_heart_is_not_trained_longer():
    [by_heart, _] = told(training={"val_loss": BY_HEART})
    assert by_heart.startswith("val_loss was lowest in epoch 3 of 20 and rose after it while loss went on falling")
    rising = told(training={"val_loss": BY_HEART, "loss": [*reversed(FALLING)]})
    assert not any("by heart" in sentence for sentence in rising)


def test_few_images_are_pointed_to_transfer():
    few = {"train_images": 999}
    [transfer, _] = told(training=few)
    assert transfer.startswith("999 training images of 10 classes are few for a network that starts from nothing; ")
    assert transfer.endswith("--set transfer.source=keras.applications:MobileNetV2")
    [without, _] = told(assignments=["transform.height=28"], training=few)
    assert "docs/transfer.md" in without
    assert "MobileNet" not in without
    assert len(told(training={"train_images": 1000})) == 1
    assert len(told(assignments=["transfer.source=letters"], training=few)) == 1
    shots = told(assignments=["transfer={source: letters, shots: 1}"], training={"train_images": 10})[0]
    assert shots.startswith("transfer.shots: 1 takes 10 images of the training split")
    assert shots.endswith("--set transfer.shots=2")


def test_an_autoencoder_is_told_of_its_code():
    missed = [miss("mse", 0.03, 0.02, "comparison")]
    code = {"code_size": 8, "train_images": 100}
    [said] = told("digits_conv_autoencoder", missed=missed, training=code, metrics={"mse": 0.03})
    assert said == (
        "The code has 8 numbers; a larger one keeps more of an image (what it is compared with gets as many): "
        "--set model.options.code_size=16"
    )
    threshold = told("digits_conv_autoencoder", missed=[miss("mse", 0.03, 0.02)], training=code, metrics={"mse": 0.03})
    assert "compared" not in threshold[0]
    assert threshold[1].endswith("--set evaluate.thresholds.mse.max=0.03")


@pytest.mark.parametrize(
    ("missing", "end"),
    [
        (miss(), "accuracy.min=0.75"),
        (miss("cross_entropy", 0.0123456, 0.01), "cross_entropy.max=0.013"),
        (miss("cross_entropy", 1.234, 1.0), "cross_entropy.max=1.24"),
        (miss("accuracy", 0.0, 0.5), "accuracy.min=0.0"),
    ],
)
def test_the_bound_that_was_missed_and_by_how_much(missing, end):
    [said] = told(missed=[missing])
    assert (
        f"{abs(missing['value'] - missing['bound']):.4f} {'below' if missing['value'] < missing['bound'] else 'above'} its bound"
        in said
    )
    assert "on 58 test images" in said
    assert said.endswith(end)
    value = float(end.partition("=")[2])
    assert value <= missing["value"] if ".min" in end else value >= missing["value"]


def test_an_interval_that_holds_the_bound_says_that_nobody_can_tell():
    [within] = told(intervals={"accuracy": [0.7, 0.96]})
    assert within.startswith(
        "The bound 0.95 of accuracy lies within the 95 % interval of the figure, 0.7000 to 0.9600 on 58 test images"
    )
    [outside] = told(intervals={"accuracy": [0.6349, 0.8501]})
    assert outside.startswith("accuracy 0.7586 (95 % interval 0.6349 to 0.8501) is 0.1914 below its bound")


def test_slices_changes_and_what_is_no_number_are_said_once():
    parts = [miss(slice_=f"label={label}") for label in (3, 4)]
    slices = [{"slice": {"label": label}, "class": None, "examples": label, "metrics": {}} for label in (3, 4, 5)]
    assert told(missed=parts, slices=slices) == [
        "2 slices of the test images miss a bound, the least of 3 images: more images of those, or a larger min_count."
    ]
    [change] = told(missed=[miss(of="change", value=-0.2, bound=None)])
    assert "evaluate.change" in change
    [nothing] = told(missed=[miss(value=None, bound=None)])
    assert nothing.startswith("This data gives no accuracy")


def test_where_no_bound_was_missed_the_sentence_is_about_that():
    assert told(missed=[]) == ["Say what is enough, such as --set evaluate.thresholds.accuracy.min=0.75"]
    assert told(missed=[], metrics={"mse": 1.0}) == ["Say what is enough: evaluate.thresholds, see docs/evaluation.md."]
    [parity] = told(parity=False)
    assert "no training mends" in parity


def test_slices_that_are_all_too_small_are_no_missing_bound():
    slices = [{"slice": {"label": label}, "class": None, "examples": label, "metrics": {}} for label in (3, 7)]
    bounded = ["evaluate={thresholds: {}, slices: {label: {min_count: 50, thresholds: {accuracy: {min: 0.1}}}}}"]
    [said] = told(assignments=bounded, missed=[], slices=slices)
    assert said == "Judge smaller slices, or give more test images: --set evaluate.slices.label.min_count=7"


@pytest.mark.parametrize("is_noise", [True, False])
def test_of_a_comparison_the_paired_difference_says_whether_there_are_too_few_images(is_noise):
    missed, code = [miss("mse", 0.0251, 0.0249, "comparison")], {"code_size": 8}
    pairs = [
        {"metric": "mse", "against": "PCA", "within_noise": is_noise},
        {"metric": "mse", "against": "b", "within_noise": False},
    ]
    of_run = {"metrics": {"mse": 0.0251}, "intervals": {"mse": [0.023, 0.027]}, "differences": pairs}
    _, *said = told("digits_conv_autoencoder", missed=missed, training=code, **of_run)
    noise = "mse differs from PCA by no more than noise, on 58 test images: too few to tell. A larger data.test tells more."
    assert said == [noise] * is_noise


def test_what_is_read_is_called_by_its_name():
    said = told(training={"val_loss": BY_HEART}, noun="text")
    assert any("the texts were learned by heart. More texts, train.optimizer" in sentence for sentence in said)
    assert any("on 58 test texts" in sentence for sentence in said)
    sliced = told(missed=[miss(slice_="label=3")], slices=[{"slice": {"label": 3}, "examples": 1, "metrics": {}}], noun="text")
    assert any("1 slice of the test texts misses a bound, the least of 1 text: more texts of those" in text for text in sliced)
    assert not any("image" in sentence for sentence in [*said, *sliced])


def test_of_a_variant_that_loses_too_much_the_bound_that_would_hold_and_the_run_without_it():
    cost = {"value": 0.95, "of_model": 0.98, "loss": 0.03, "interval": None, "within_noise": False, "allowed": 0.01}
    variants = [
        {"name": "float16", "reason": "", "costs": {"accuracy": {**cost, "loss": 0.0}}},
        {"name": "int8", "reason": "accuracy 0.95 is ...", "costs": {"accuracy": cost, "macro_f1": {**cost, "allowed": None}}},
        {"name": "onnx", "reason": "it does not run", "costs": {}},
    ]
    said = told(assignments=["export.variants=[float16, int8, onnx]"], missed=[], variants=variants)
    assert said == [
        "Allow int8 to lose as much: --set export.max_loss.accuracy=0.032",
        "Push without int8 and onnx: --set 'export.variants=[float16]'",
    ]
