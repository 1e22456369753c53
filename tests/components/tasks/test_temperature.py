"""A classifier is served at a temperature that the validation split tells, and test images have no part in it."""

import types

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from components import keys, progress, temperature
from components.tasks.by_name import task_of
from components.tasks.classification import TEMPERATURE
from components.trainer import artifact, checks
from components.trainer.card import Card
from configs.errors import UsageError
from configs.schema.export import ExportConfig
from tests.components import digits


@pytest.fixture(scope="module")
def model(classifier):
    return artifact.load(str(classifier))


def images(split: str) -> tuple[np.ndarray, np.ndarray]:
    pixels, labels = digits.images()
    return pixels[digits.rows(split)].astype(np.float32), labels[digits.rows(split)]


def validation(pixels, labels):
    """Data that has a validation split alone: whoever asks for another one raises."""
    batches = [
        (tf.constant(pixels[at : at + 32]), {keys.LABEL: tf.constant(labels[at : at + 32])}) for at in range(0, len(labels), 32)
    ]
    return types.SimpleNamespace(validation=batches)


def card(model, data, **export) -> Card:
    told = digits.card(export={"warmup": 0, **export})
    return told.model_copy(update={"calibrated": task_of("classification").calibrate(model, data, told)})


def answered(model, of: Card, pixels) -> dict[str, np.ndarray]:
    told = task_of("classification").signatures(model, of)[keys.SERVING_DEFAULT].function(tf.constant(pixels))
    return {name: value.numpy() for name, value in told.items()}


def test_what_is_served_is_the_softmax_of_the_logits_over_the_temperature_that_suits_validation(model):
    pixels, _ = images(keys.VALIDATION)
    sharper = softmax(2 * model.predict(pixels, verbose=0), -1)
    labels = np.array([np.random.default_rng(0).choice(10, p=row / row.sum()) for row in sharper.astype(np.float64)])
    labels[:3] = -1  # of no known class
    of = card(model, validation(pixels, labels), temperature="auto")
    logits = model.predict(pixels, verbose=0)
    expected = temperature.fit(labels[3:], softmax(logits[3:], -1))
    assert of.calibrated == {TEMPERATURE: pytest.approx(expected, rel=1e-3)}
    assert abs(expected - 1) > 0.02, "one that leaves all as it is would prove nothing"
    pixels, _ = images(keys.TEST)
    logits = model.predict(pixels, verbose=0)
    made, plain = answered(model, of, pixels), answered(model, card(model, None), pixels)
    np.testing.assert_allclose(made["probabilities"], softmax(logits / of.calibrated[TEMPERATURE], -1), atol=1e-5)
    np.testing.assert_allclose(plain["probabilities"], softmax(logits, -1), atol=1e-5)
    np.testing.assert_array_equal(made["classes"][:, 0], plain["classes"][:, 0])
    np.testing.assert_allclose(made["scores"][:, 0], made["probabilities"].max(1))
    served = task_of("classification").signatures(model, of)[keys.CLASSIFY].function(tf.constant(pixels))
    np.testing.assert_allclose(served["scores"].numpy(), made["probabilities"])


def test_a_temperature_of_the_config_is_served_as_it_is(model):
    assert card(model, None, temperature=2.5).calibrated == {TEMPERATURE: 2.5}
    assert card(model, None).calibrated == {}


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ("none", "none of them has a label"),
        ("right", "too few of them are wrong"),
        ("wrong", "how sure it is says nothing of them"),
    ],
)
def test_where_validation_tells_none_that_is_said_and_answers_are_as_they_are(model, labels, why):
    pixels, _ = images(keys.VALIDATION)
    logits = model.predict(pixels, verbose=0)
    known = {"none": np.full(len(pixels), -1), "right": logits.argmax(1), "wrong": logits.argmin(1)}[labels]
    heard = []
    with progress.listening(heard.append):
        assert card(model, validation(pixels, known), temperature="auto").calibrated == {}
    assert [(event["event"], why in event["text"]) for event in heard] == [("warning", True)]


def test_a_task_without_a_softmax_refuses_it_before_anything_starts():
    asked = digits.trainer_slice(digits.AUTOENCODER, export={"temperature": "auto"})
    with pytest.raises(UsageError, match="is of the softmax of a classifier"):
        checks.check(asked, task_of("reconstruction"))
    checks.check(digits.trainer_slice(digits.MLP, export={"temperature": "auto"}), task_of("classification"))
    with pytest.raises(ValueError, match="less than or equal to 20"):
        ExportConfig(temperature=21.0)
