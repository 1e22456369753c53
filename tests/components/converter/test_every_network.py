"""Every family converts: what a LiteRT or ONNX file answers is what Keras says, or a sentence says why there is none."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.converter import convert, forms, network, verdict, work
from keras_models import get, twin
from keras_models.normalize import with_normalization
from tests.components import digits
from tests.keras_models.structures import TESTED

NAMES = [f"class{number}" for number in range(10)]
KNOWN = {"likelihood": "bernoulli", "code_size": 4, "noise": [{"gaussian_noise": {"stddev": 0.2}}]}  # what tasks calibrate
MEMBERS = {"ensemble"}  # of trained models: tests/pipelines/test_ensemble.py
MARKS = {"lenet5": ()} | dict.fromkeys(  # lenet5, whose layers are its own, always; with --whole one of a kind; with --every all
    ["plain18", "resnet20", "st_cnn", "googlenet", "densenet_cifar", "conv_autoencoder", "vae", "pca", "sparse_coding"],
    pytest.mark.whole,
)
PADDING = {"int8": "failed to create XNNPACK runtime"}  # minus infinity has no place among 256 values
DOUBLES = dict.fromkeys(["float32", "float16", "int8"], "LiteRT has no operation Abs, AddV2")
REFUSED = {"plain18": PADDING, "resnet18": PADDING, "resnet50": PADDING, "sparse_coding": DOUBLES}  # words of the sentences


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=MARKS.get(name, pytest.mark.every)) for name in sorted(set(TESTED) - MEMBERS)]
)
def test_a_network_answers_as_keras_says_or_is_refused_in_words(name, tmp_path, converted_here):
    keras.utils.set_random_seed(1)  # XNNPACK takes no int8 file whose scales, by chance, lie too far apart
    net, task = twin(name), get(name).task
    shape = net.input_shape[1:]
    transform = dict(zip(("height", "width", "channels"), shape, strict=True)) | {"normalize": "unit"}
    names = NAMES[: net.output_shape[-1]] if task == "classification" else NAMES
    card = digits.card(architecture=name, task=task, input_shape=shape, class_names=names, transform=transform, calibrated=KNOWN)
    model = with_normalization(net, "unit")
    made = network.of(model, card)
    network.write(made, model, tmp_path / "saved")
    images = np.random.default_rng(0).integers(0, 256, (6, *shape)).astype(np.float32)
    images.tofile(tmp_path / "images")
    wanted = {output: value.numpy() for output, value in made.answer(tf.constant(images)).items()}
    keras.backend.clear_session()
    told = {}
    for form in ("float32", "float16", "int8", "onnx"):
        file, folder = tmp_path / f"{form}{forms.FORMS[form].ending}", tmp_path / form
        folder.mkdir()
        try:
            convert.main(str(tmp_path / "saved"), form, str(file), str(tmp_path / "images"), list(images.shape))
        except Exception as error:
            told[form] = convert.said(error)
            continue
        asked = {"file": str(file), "images": str(tmp_path / "images"), "shape": list(images.shape), "to": str(folder)}
        told[form] = converted_here(forms.FORMS[form].runtime, asked, "runs it")
        if told[form]:
            continue
        answers = json.loads((folder / "answers.json").read_text())
        answers = {output: work._read(folder / at["file"], at["dtype"], at["shape"]) for output, at in answers.items()}
        told[form] = verdict.wrong(answers, wanted)
        if not told[form]:
            off, beyond = verdict.parity(answers, wanted)
            told[form] = beyond if forms.FORMS[form].is_exact else ""
            assert form != "float16" or all(off[output] < 0.02 * np.ptp(wanted[output]) + 0.02 for output in off), off
    refused = {form: why for form, why in told.items() if why}
    expected = REFUSED.get(name, {})
    assert refused.keys() == expected.keys(), refused
    assert all(words in refused[form] and len(refused[form].splitlines()) == 1 for form, words in expected.items()), refused
