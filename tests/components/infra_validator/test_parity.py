"""Served equals trained, or the reason is said: which signature, which image, how far off."""

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from components import inpainting, keys
from components.example_gen import records
from components.infra_validator import parity, replay, servers
from components.tasks.base import Signature
from components.tasks.by_name import task_of
from components.trainer import artifact, endpoints, export
from components.trainer.card import Card
from configs.errors import HubelError
from tests.cheaper import Forked, no_server
from tests.components import digits

IMAGES = 3


def refusal(folder, saved=None) -> str | None:
    return parity.refusal(str(folder), saved or folder / "Format-Serving", digits.examples(keys.TEST)[:IMAGES])


@pytest.fixture
def of_this_process(monkeypatch):
    """The other process's script in this one: the tests above start a process, those that follow look at its answers."""

    class Here:
        returncode, started = None, []

        def __init__(self, command, **pipes):
            assert Path(command[-1]).samefile(replay.__file__)
            self.stdin = io.StringIO()
            self.started.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def kill(self):
            self.returncode = self.returncode or 0

        def poll(self):
            return self.returncode

        def communicate(self, line, timeout):
            replay.main(json.loads(self.stdin.getvalue()), lambda: line)
            self.returncode = 0
            return None, ""

    monkeypatch.setattr(parity.subprocess, "Popen", Here)
    return Here.started


@pytest.fixture
def in_process(of_this_process, monkeypatch):
    """The same without a server, which test_servers.py has."""
    monkeypatch.setattr(servers, "serving", no_server)
    return of_this_process


def exported(folder, to, change=lambda signatures: signatures, spoil=lambda model: None):
    """The model exported anew with something changed. Returns the SavedModel's folder."""
    card = Card.read(str(folder))
    loaded = artifact.load(str(folder))
    spoil(loaded)

    class Changed(type(task_of(card.task))):
        def signatures(self, model, card):
            return change(super().signatures(model, card))

    no_warmup = card.model_copy(update={"export": card.export.model_copy(update={"warmup": 0})})
    export.write(to / "saved", loaded, Changed(), no_warmup, SimpleNamespace(validation=[]))
    return to / "saved"


def test_the_process_that_was_told_of_the_model_ahead_is_the_one_that_is_asked(classifier, in_process):
    parity.begin()
    parity.load(classifier / "Format-Serving")
    [ahead] = in_process
    assert json.loads(ahead.stdin.getvalue()) == str(classifier / "Format-Serving")
    assert refusal(classifier) is None
    assert in_process == [ahead]


def test_a_process_that_loaded_another_model_ahead_ends_and_a_new_one_is_asked(classifier, in_process, tmp_path):
    parity.begin()
    parity.load(tmp_path)
    assert refusal(classifier) is None
    other, asked = in_process
    assert other.returncode is not None
    assert json.loads(asked.stdin.getvalue()) == str(classifier / "Format-Serving")


def test_a_photo_that_lies_is_turned_in_every_signature(classifier, in_process):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    photo = io.BytesIO()
    PIL.Image.fromarray(digits.images()[0][300, :6, :, 0]).save(photo, "JPEG", exif=exif)
    records_ = [records.example(photo.getvalue(), b"photo")]
    assert parity.refusal(str(classifier), classifier / "Format-Serving", records_) is None


def test_a_good_export_of_an_autoencoder_passes(autoencoder, monkeypatch):
    """As that of a classifier, see test_component.py, whose process is started as hubel starts it."""
    monkeypatch.setattr(parity, "_started", lambda: Forked(replay.__file__))
    assert refusal(autoencoder) is None


NAMED = re.compile(r"signature (\w+), image digit-30\d, output (\w+): off by ([\d.e+-]+) \(allowed: 1e-05 \+ 1e-05 \|value\|\)")


def test_a_few_flipped_bits_in_the_file_of_weights_are_refused(autoencoder, tmp_path):
    saved = tmp_path / "saved"
    shutil.copytree(autoencoder / "Format-Serving", saved)
    decoder = artifact.load(str(autoencoder)).get_layer("net").get_layer("decoder")
    kernel = decoder.get_layer("reconstruction").get_weights()[0].tobytes()
    data = saved / "variables" / "variables.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    places = [match.start() for match in re.finditer(re.escape(kernel), bytes(content))]
    assert places
    for place in places:
        content[place + 2] ^= 0x40  # half of one weight, more or less
    data.write_bytes(content)
    why = refusal(autoencoder, saved)
    if why.startswith("the process that loads the model ended"):
        assert "checksum" in why.lower() or "DataLoss" in why
    else:
        assert NAMED.fullmatch(why), why


def spoil_one_weight(model):
    weights = model.get_weights()
    weights[-1][0] += 0.5  # the bias of a logit: any image shows it
    model.set_weights(weights)


def test_one_changed_weight_is_refused_with_signature_image_and_how_far(in_process, classifier, tmp_path):
    why = refusal(classifier, exported(classifier, tmp_path, spoil=spoil_one_weight))
    assert NAMED.fullmatch(why), why
    assert float(NAMED.fullmatch(why)[3]) > 1e-5


def renamed(signatures):
    function = signatures[keys.SERVING_DEFAULT].function
    return {**signatures, keys.SERVING_DEFAULT: Signature(lambda x: {f"{k}_": v for k, v in function(x).items()})}


def reversed_classes(signatures):
    function = signatures[keys.SERVING_DEFAULT].function

    def turned(pixels):
        outputs = function(pixels)
        return {**outputs, "classes": tf.reverse(outputs["classes"], [1])}

    return {**signatures, keys.SERVING_DEFAULT: Signature(turned)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda signatures: {keys.SERVING_DEFAULT: signatures[keys.SERVING_DEFAULT]},
            "signature classify: it has no such signature",
        ),
        (reversed_classes, "signature serving_default, image digit-300, output classes: [b'"),
        (renamed, "signature serving_default, outputs are ['classes_', 'probabilities_', 'scores_'] where"),
    ],
    ids=["missing signature", "reversed classes", "renamed outputs"],
)
def test_a_corrupted_signature_is_refused_by_name(in_process, classifier, tmp_path, change, words):
    assert words in refusal(classifier, exported(classifier, tmp_path, change))


def test_the_other_process_dying_is_refused(classifier, tmp_path, monkeypatch):
    script = tmp_path / "replay.py"
    script.write_text("import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    monkeypatch.setattr(parity, "__file__", str(tmp_path / "parity.py"))
    assert refusal(classifier) == "the process that loads the model ended with code -6: no message"


def test_a_process_that_hangs_is_refused(classifier, tmp_path, monkeypatch):
    (tmp_path / "replay.py").write_text("import threading; threading.Event().wait()")
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
    named = parity.difference(wanted, {k: np.array(v, np.float32) for k, v in given.items()}, IDS, 1e-5)
    assert named is None if words is None else words in named


def test_texts_and_whole_numbers_must_be_equal():
    wanted = {"x": np.array([[b"cat"], [b"dog"]], object)}
    assert parity.difference(wanted, wanted, IDS, 1) is None
    assert "[b'cow'] instead of [b'dog']" in parity.difference(wanted, {"x": np.array([[b"cat"], [b"cow"]], object)}, IDS, 1)
    off = {"x": np.array([1, 2])}, {"x": np.array([1, 3])}, IDS, 1
    assert parity.difference(*off).startswith("image b")
    assert parity.difference(*off, noun="text").startswith("text b")


def test_the_depth_counts_layers_with_weights_of_nested_models_once(classifier, autoencoder):
    assert parity.depth(artifact.load(str(classifier))) == 2
    assert parity.depth(artifact.load(str(autoencoder))) == 2 + 1 + 1 + 2 + 1  # down, code, grow, up, reconstruction


def test_rounding_adds_up_over_layers_and_passes(autoencoder):
    assert [parity.tolerance_of(layers) for layers in (1, 50, 51)] == [1e-5, 1e-5, 1e-4]
    model, card = artifact.load(str(autoencoder)), Card.read(str(autoencoder))
    made = task_of(card.task).signatures(model, card)
    assert {name: signature.passes for name, signature in made.items() if signature.passes > 1} == {"inpaint": inpainting.STEPS}


def greedy(compared):
    """A classifier's task of whose first signature so much is compared."""

    class Greedy(type(task_of("classification"))):
        def signatures(self, model, card):
            made = super().signatures(model, card)
            return {**made, keys.SERVING_DEFAULT: replace(made[keys.SERVING_DEFAULT], compared=compared)}

    return lambda name: Greedy()


def whole_numbers(signatures):
    function = signatures[keys.SERVING_DEFAULT].function

    def numbered(pixels):
        outputs = function(pixels)
        return {**outputs, "classes": tf.argsort(outputs["scores"])}

    return {**signatures, keys.SERVING_DEFAULT: Signature(numbered)}


def test_where_all_follows_from_an_argmax_only_what_is_compared_must_be_the_same(in_process, classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "task_of", greedy(["probabilities", "scores"]))
    turned = exported(classifier, tmp_path / "turned", reversed_classes)
    assert refusal(classifier, turned) is None
    assert "signature serving_default, output classes is int32 instead of object" in refusal(
        classifier, exported(classifier, tmp_path / "numbers", whole_numbers)
    )
    monkeypatch.setattr(parity, "task_of", greedy(["classes"]))
    assert "output classes: [b'" in refusal(classifier, turned)


def test_bytes_that_nothing_makes_cannot_be_compared():
    decompress = Signature(lambda stored: {"images": stored}, takes="bytes", made_by="compress")
    endpoint = endpoints._from_plain(decompress.function, decompress)
    for others in ({}, {"compress": Signature(dict, gives={"codes": "code"})}):
        with pytest.raises(ValueError, match="takes bytes, and made_by names none of images that gives one such output"):
            parity._plain(others, endpoint, [tf.zeros([2, 8, 8, 1])], digits.card(), 0)
