"""What must not be shipped: files that answer NaN, cannot run, end their process or give something else; and what int8 sees."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.converter import convert, forms, network, work
from components.examples import NoSplit
from components.tasks.judges.by_name import judge_of
from components.trainer import artifact
from components.trainer.card import Card
from configs.errors import HubelError
from configs.schema.variants import VariantsConfig
from tests.components import digits


def batches(split: str) -> tf.data.Dataset:
    """As components.evaluator.reader gives them."""
    pixels, labels = digits.images()
    places = list(digits.rows(split))
    data = pixels[places].astype(np.float32), {keys.LABEL: labels[places].astype(np.int64)}
    return tf.data.Dataset.from_tensor_slices(data).batch(32)


def told(classifier, folder: Path, *names, images=batches, **asked):
    """What is known of the classifier's variants, by name."""
    (folder / "to").mkdir(parents=True)
    config = VariantsConfig(variants=list(names), **{"max_loss": {"accuracy": 1.0}, **asked})
    card = Card.read(str(classifier))
    made = work.variants(artifact.load(str(classifier)), card, images, config, folder / "to", folder)
    assert {path.name for path in (folder / "to").iterdir()} == {variant.file for variant in made if not variant.reason}
    return {variant.name: variant for variant in made}


def test_a_file_without_weights_is_refused(classifier, tmp_path, monkeypatch):
    """The way of the documents: from a concrete function, the converter writes a file whose variables are empty."""

    def of_function(saved, form, images):
        model = artifact.load(str(classifier))
        function = tf.function(lambda pixels: {"probabilities": tf.nn.softmax(model(pixels))}, autograph=False)
        concrete = function.get_concrete_function(tf.TensorSpec([1, 8, 8, 1], tf.float32, name="pixels"))
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete], model).convert()

    monkeypatch.setattr(convert, "_litert", of_function)
    variant = told(classifier, tmp_path, "float32")["float32"]
    assert variant.reason.startswith("output probabilities is ")  # off, or no number, by what lies in the memory that it got
    assert variant.bytes > 0


def test_a_file_that_answers_nan_is_refused(classifier, tmp_path, monkeypatch):
    def of_logarithms(saved, form, images):
        function = tf.function(lambda pixels: {"probabilities": tf.math.log(tf.reshape(pixels, [1, 64])[:, :10] - 256.0)})
        signature = function.get_concrete_function(tf.TensorSpec([1, 8, 8, 1], tf.float32, name="pixels"))
        tf.saved_model.save(tf.Module(), str(tmp_path / "nan"), signatures={"each": signature})
        return tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "nan"), signature_keys=["each"]).convert()

    monkeypatch.setattr(convert, "_litert", of_logarithms)
    variant = told(classifier, tmp_path, "float16")["float16"]
    assert variant.reason == "output probabilities is no number for test image 1 of 60, where the model gives one"
    assert variant.bytes > 0
    assert variant.costs == {}


def test_an_onnx_file_that_cannot_run_is_refused(classifier, tmp_path, monkeypatch):
    """Not frozen, constants that a layer holds become inputs that nobody gives."""
    import tf2onnx

    def not_frozen(saved):
        model = artifact.load(str(classifier))
        function = tf.function(lambda pixels: {"probabilities": tf.nn.softmax(model(pixels))}, autograph=False)
        signature = [tf.TensorSpec([None, 8, 8, 1], tf.float32, name="pixels")]
        written, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=convert.OPSET)
        return written.SerializeToString()

    monkeypatch.setattr(convert, "_onnx", not_frozen)
    variant = told(classifier, tmp_path, "onnx")["onnx"]
    words = "the process that runs it ended with code 1: it wants inputs that nobody gives, such as "
    assert variant.reason.startswith(words)
    assert "normalize" in variant.reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import os; os.abort()", "ended with code -6"),
        ("raise RuntimeError('no such op')", "ended with code 1: RuntimeError: no such op"),
        ("import time; time.sleep(60)", "did not end within 1 s"),
    ],
)
def test_a_process_that_ends_or_hangs_is_a_sentence(script, reason, tmp_path, monkeypatch, converted_here):
    (tmp_path / "litert.py").write_text(script)
    monkeypatch.setattr(work, "__file__", str(tmp_path / "work.py"))
    monkeypatch.setattr(work, "SECONDS", 1 if "sleep" in script else 60)
    assert reason in converted_here("litert.py", {}, "runs it")


def test_an_operation_that_int8_lacks_is_named(tmp_path, converted_here):
    module = tf.Module()
    function = tf.function(lambda pixels: {"angle": 2.0 * tf.atan2(pixels, pixels + 1.0)}, autograph=False)
    signature = function.get_concrete_function(tf.TensorSpec([1, 2, 2, 1], tf.float32, name="pixels"))
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures={"each": signature})
    np.ones((3, 2, 2, 1), np.float32).tofile(tmp_path / "images")
    convert.main(str(tmp_path / "saved"), "int8", str(tmp_path / "file"), str(tmp_path / "images"), [3, 2, 2, 1])
    asked = {"file": str(tmp_path / "file"), "images": str(tmp_path / "images"), "shape": [3, 2, 2, 1], "to": str(tmp_path)}
    assert converted_here("litert.py", asked, "runs it") == ""
    floats = json.loads((tmp_path / "floats.json").read_text())
    assert work._operations(floats) == ["Atan2"]


def test_what_stays_float32_is_told_by_its_operation():
    names = ["arith.constant4", "tfl.dequantize1", "net_1/down1_1/Elu", "net_1/down2_1/Elu_1", "Partitioned:0;code_1/split"]
    assert work._operations(names) == ["Elu", "split"]
    assert work._operations(["tfl.dequantize"]) == ["the last operation"]
    assert work._operations([]) == []


def test_an_operation_that_litert_lacks_is_named():
    error = ValueError('Could not translate.\n loc("x"): error\nTF Select ops: Abs, MatMul\nDetails:\n\ttf.Abs(tensor<1x6xf64>)')
    assert convert.said(error) == "LiteRT has no operation Abs, MatMul of float64"
    assert convert.said(RuntimeError("first\n 'FOO' op is not supported\nlast")) == "RuntimeError: 'FOO' op is not supported"
    assert convert.said(RuntimeError("")) == "RuntimeError: no message"


def test_int8_sees_images_of_the_training_split_and_no_others(classifier, tmp_path):
    asked = []

    def images(split):
        asked.append(split)
        return batches(split)

    told(classifier, tmp_path, "int8", images=images, calibration=20)
    assert asked == [keys.TEST, keys.TRAIN]  # the first to be judged by
    seen = np.fromfile(tmp_path / "calibration", np.float32).reshape(-1, 8, 8, 1)
    of_training = digits.images()[0][list(digits.rows(keys.TRAIN))]
    places = [np.flatnonzero((of_training == image).all((1, 2, 3))) for image in seen]
    assert len(seen) == 20
    assert all(len(place) for place in places)
    assert len({place[0] for place in places}) == 20


def test_which_they_are_is_the_seed_s():
    def drawn(seed, many=20):
        return np.array(work._drawn(batches(keys.TRAIN), many, seed))

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert not np.array_equal(drawn(1), drawn(2))
    assert len(drawn(1, 500)) == digits.COUNTS[keys.TRAIN]
    every = tf.data.Dataset.from_tensor_slices((np.arange(50.0), np.zeros(50))).batch(7)
    counts = np.bincount(np.concatenate([work._drawn(every, 10, seed) for seed in range(300)]).astype(int), minlength=50)
    assert counts.min() > 30  # 60 each, if each has the same chance
    assert counts.max() < 90


@pytest.mark.parametrize("empty", [True, False])
def test_without_training_images_int8_is_refused_and_others_are_not(classifier, tmp_path, empty):
    def images(split):
        if split == keys.TRAIN and not empty:
            raise NoSplit(split)
        return batches(split).take(0) if split == keys.TRAIN else batches(split)

    made = told(classifier, tmp_path, "int8", "float32", images=images)
    assert made["int8"].reason == "int8 takes the ranges of its values from images of the training split, and there are none"
    assert made["float32"].reason == ""


def test_without_test_images_there_is_nothing_to_judge_by(classifier, tmp_path):
    with pytest.raises(HubelError, match="no test image"):
        told(classifier, tmp_path, "float32", images=lambda split: batches(split).take(0))


@pytest.mark.whole  # as pipelines/test_run.py has it of two forms
def test_a_process_of_its_own_converts(classifier, tmp_path, converted_here):
    """As hubel starts it: this one alone, since it imports TensorFlow."""
    model, card = artifact.load(str(classifier)), Card.read(str(classifier))
    network.write(network.of(model, card), model, tmp_path / "saved")
    asked = {"saved": str(tmp_path / "saved"), "form": "float32", "to": str(tmp_path / "f"), "calibration": None, "shape": None}
    assert converted_here(work.CONVERT, asked, "converts it") == ""
    assert (tmp_path / "f").read_bytes()[4:8] == b"TFL3"
    why = converted_here(work.CONVERT, asked | {"saved": str(tmp_path / "nowhere")}, "converts it")
    assert why.startswith("the process that converts it ended with code 1: OSError: ")


def test_noise_is_put_on_what_a_denoising_one_is_asked():
    judge = judge_of("reconstruction.denoising")
    card = digits.card(task="reconstruction.denoising", calibrated={"noise": [{"gaussian_noise": {"stddev": 0.2}}]})
    pixels = digits.images()[0][:4].astype(np.float32)
    asked = judge.asked(pixels, card)
    assert 0.1 < np.std(asked / 255 - pixels / 255) < 0.3
    rows = judge.answered({"images": asked}, pixels, np.full(4, -1))
    np.testing.assert_allclose(rows["mse"], np.square((asked - pixels) / 255).mean((1, 2, 3)), rtol=1e-4)


def test_every_form_of_the_schema_has_its_way():
    from typing import get_args

    from configs.schema.variants import Variant

    assert set(forms.FORMS) == set(get_args(Variant))
    assert (
        json.dumps(sorted(form.ending for form in forms.FORMS.values())) == '[".onnx", ".tflite", ".tflite", ".tflite", ".tflite"]'
    )
