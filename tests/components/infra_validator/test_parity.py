"""Served equals trained, or the reason is said: which signature, which image, how far off."""

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.infra_validator import parity
from components.tasks import task_of
from components.tasks.base import Signature
from components.trainer import artifact, export
from components.trainer.card import Card
from configs.errors import HubelError
from tests.components import digits

IMAGES = 3


def refusal(folder, saved=None) -> str | None:
    return parity.refusal(str(folder), saved or folder / "Format-Serving", digits.examples(keys.TEST)[:IMAGES])


@pytest.fixture(params=["classifier", "autoencoder"])
def model(request):
    return request.getfixturevalue(request.param)


def exported(folder, to, change=lambda signatures: signatures, spoil=lambda model: None):
    """The model exported anew with something changed. Returns the SavedModel's folder."""
    card = Card.read(str(folder))
    loaded = artifact.load(str(folder))
    spoil(loaded)

    class Changed(type(task_of(card.task))):
        def signatures(self, model, card):
            return change(super().signatures(model, card))

    no_warmup = card.model_copy(update={"export": card.export.model_copy(update={"warmup": 0})})
    export.write(to / "saved", loaded, Changed(), no_warmup, None if False else type("Data", (), {"validation": []}))
    return to / "saved"


def test_a_good_export_passes(model):
    assert refusal(model) is None


def test_a_weight_that_differs_in_the_file_is_refused(classifier, tmp_path):
    saved = tmp_path / "saved"
    shutil.copytree(classifier / "Format-Serving", saved)
    bias = artifact.load(str(classifier)).get_layer("net").get_layer("logits").get_weights()[1].tobytes()
    data = saved / "variables" / "variables.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    assert content.count(bias) >= 1
    places = [match.start() for match in re.finditer(re.escape(bias), bytes(content))]
    for place in places:
        content[place + 2] ^= 0x40  # a bit of the fraction or exponent of the first class's bias
    data.write_bytes(content)
    why = refusal(classifier, saved)
    assert why is not None
    assert "signature" in why or "ended with code" in why


def spoil_one_weight(model):
    weights = model.get_weights()
    largest = int(np.argmax([w.size for w in weights]))
    weights[largest].flat[weights[largest].size // 2] += 0.5
    model.set_weights(weights)


def test_one_changed_weight_is_refused_with_signature_image_and_how_far(model, tmp_path):
    why = refusal(model, exported(model, tmp_path, spoil=spoil_one_weight))
    found = re.fullmatch(
        r"signature (\w+), image digit-30\d, output (\w+): off by ([\d.e+-]+) \(allowed: 1e-05 \+ 1e-05 \|value\|\)", why
    )
    assert found, why
    assert float(found[3]) > 1e-5


def renamed(signatures):
    first = next(iter(signatures))
    function = signatures[first].function
    return {**signatures, first: Signature(lambda x: {f"{k}_": v for k, v in function(x).items()})}


def reversed_classes(signatures):
    function = signatures[keys.SERVING_DEFAULT].function

    def turned(pixels):
        outputs = function(pixels)
        return {**outputs, "classes": tf.reverse(outputs["classes"], [1])}

    return {**signatures, keys.SERVING_DEFAULT: Signature(turned)}


def failing(signatures):
    function = signatures[keys.CLASSIFY].function

    def fails(pixels):
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_sum(pixels) < 0, ["never"])]):
            return {name: tf.identity(value) for name, value in function(pixels).items()}

    return {**signatures, keys.CLASSIFY: Signature(fails)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (renamed, "signature serving_default, outputs are ['classes_', 'probabilities_', 'scores_'] where"),
        (
            lambda signatures: {k: v for k, v in signatures.items() if k != keys.CLASSIFY},
            "signature classify: it has no such signature",
        ),
        (reversed_classes, "output classes: [b'"),
        (failing, "signature classify: it fails: "),
    ],
    ids=["renamed output", "missing signature", "reversed classes", "failing signature"],
)
def test_a_corrupted_signature_is_refused_by_name(classifier, tmp_path, change, words):
    assert words in refusal(classifier, exported(classifier, tmp_path, change))


@pytest.mark.parametrize("how", ["no graph", "half a graph", "no weights"])
def test_a_model_that_cannot_be_loaded_ends_the_other_process_and_is_refused(classifier, tmp_path, how):
    saved = tmp_path / "saved"
    shutil.copytree(classifier / "Format-Serving", saved)
    match how:
        case "no graph":
            (saved / "saved_model.pb").unlink()
        case "half a graph":
            (saved / "saved_model.pb").write_bytes((saved / "saved_model.pb").read_bytes()[:1000])
        case "no weights":
            shutil.rmtree(saved / "variables")
    why = refusal(classifier, saved)
    assert why.startswith("the process that loads the model ended with code 1: ")
    assert len(why) < 400


def test_the_other_process_dying_is_refused(classifier, tmp_path, monkeypatch):
    script = tmp_path / "replay.py"
    script.write_text("import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    monkeypatch.setattr(parity, "__file__", str(tmp_path / "parity.py"))
    assert refusal(classifier) == "the process that loads the model ended with code -6: no message"


def test_a_process_that_hangs_is_refused(classifier, tmp_path, monkeypatch):
    (tmp_path / "replay.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr(parity, "__file__", str(tmp_path / "parity.py"))
    monkeypatch.setattr(parity, "SECONDS", 0.01)
    assert refusal(classifier) == "the process that loads the model did not answer within 0.01 s"


def test_no_image_is_no_validation(classifier):
    with pytest.raises(HubelError, match="no test image"):
        parity.refusal(str(classifier), classifier / "Format-Serving", [])


IDS = ["a", "b"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": [[1.0, 2.0], [3.0, 4.0]]}, None),
        ({"x": [[1.0, 2.0], [3.0, 4.00004]]}, None),
        ({"x": [[1.0, 2.0], [3.0, 4.0001]]}, "image b, output x: off by 0.0001"),
        ({"x": [[np.nan, 2.0], [3.0, 4.0]]}, "image a, output x"),
        ({"x": [[np.inf, 2.0], [3.0, 4.0]]}, "image a, output x: off by inf"),
        ({"x": [[1.0], [3.0]]}, "shape (2, 1) instead of (2, 2)"),
        ({"y": [[1.0, 2.0], [3.0, 4.0]]}, "outputs are ['y'] where ['x']"),
        ({}, "outputs are [] where ['x']"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:All-NaN")
def test_a_difference_is_named(given, words):
    wanted = {"x": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)}
    found = parity.difference(wanted, {k: np.array(v, np.float32) for k, v in given.items()}, IDS, 1e-5)
    assert found is None if words is None else words in found


def test_texts_and_whole_numbers_must_be_equal():
    wanted = {"x": np.array([[b"cat"], [b"dog"]], object)}
    assert parity.difference(wanted, wanted, IDS, 1) is None
    assert "[b'cow'] instead of [b'dog']" in parity.difference(wanted, {"x": np.array([[b"cat"], [b"cow"]], object)}, IDS, 1)
    assert parity.difference({"x": np.array([1, 2])}, {"x": np.array([1, 3])}, IDS, 1).startswith("image b")


def test_the_depth_counts_layers_with_weights_of_nested_models_once(classifier, autoencoder):
    assert parity.depth(artifact.load(str(classifier))) == 2 + 1  # two dense layers, and the mean and variance
    assert parity.depth(artifact.load(str(autoencoder))) == 2 + 1 + 1 + 2 + 1
