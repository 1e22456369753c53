"""An ensemble of pushed versions: what is served is the mean of what its members serve, and what cannot be averaged is refused."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from components import keys, progress
from components.evaluator import eval_config, noise
from components.evaluator.statistic import ID
from components.infra_validator import parity
from components.tasks.classification import TEMPERATURE
from components.tasks.judges.by_name import judge_of
from components.trainer import artifact, members
from components.trainer.card import Card
from components.trainer.component import run_fn
from configs.errors import UsageError
from configs.schema.evaluate import EvaluateConfig
from configs.schema.reading import Reading
from configs.schema.transform import TransformConfig
from tests.components import digits

TREE = {
    **digits.MLP,
    "transform": {**digits.MLP["transform"], "normalize": "none"},
    "model": {"name": "ensemble", "members": ["tiny/1", "tiny"]},
}
SEEN = TransformConfig(**TREE["transform"])


@pytest.fixture(scope="module")
def other(artifacts, tmp_path_factory):
    """A second classifier, of another seed and shape."""
    run = tmp_path_factory.mktemp("other")
    cfg = digits.trainer_slice({**digits.MLP, "seed": 1, "model": {"name": "mlp", "options": {"hidden": [8, 8]}}})
    run_fn(digits.fn_args(run, artifacts.examples, artifacts.transform, artifacts.schema, cfg))
    return run / "model"


@pytest.fixture(scope="module")
def uris(classifier, other):
    return {"tiny/1": str(classifier), "tiny/2": str(other)}


@pytest.fixture(scope="module")
def made(artifacts, uris, tmp_path_factory):
    """Folder of the ensemble's Model artifact."""
    run = tmp_path_factory.mktemp("ensemble")
    given_ = {name: {"uri": uri, "digest": members.digest(uri)} for name, uri in uris.items()}
    args = digits.fn_args(
        run, artifacts.examples, artifacts.transform, artifacts.schema, digits.trainer_slice(TREE), members=given_
    )
    run_fn(args)
    return run / "model"


@pytest.fixture(scope="module")
def asked(made, uris):
    """The `pixels` signatures of the ensemble and of its members; the loaded models must live as long."""
    loaded = [tf.saved_model.load(f"{folder}/Format-Serving") for folder in (made, *uris.values())]
    yield [model.signatures["pixels"] for model in loaded]
    del loaded


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 4), side=st.sampled_from([8, 11, 28]), white=st.floats(1, 255))
def test_served_probabilities_are_the_mean_of_the_members(asked, seed, count, side, white):
    pixels = tf.constant(np.random.default_rng(seed).uniform(0, white, (count, side, side, 1)).astype("float32"))
    whole, *parts = (answer(pixels=pixels)["probabilities"].numpy() for answer in asked)
    np.testing.assert_allclose(whole, np.mean(parts, 0), rtol=1e-4, atol=1e-6)


def test_it_is_judged_and_served_like_any_classifier(made, uris):
    card = Card.read(str(made))
    assert (card.task, card.architecture, card.epochs, list(card.members)) == ("ensemble", "ensemble", 0, list(uris))
    assert card.architectures == {"ensemble", "mlp"}
    assert card.params == sum(Card.read(uri).params for uri in uris.values())
    names = {"serving_default", "image_bytes", "pixels", "classify"}
    assert set(tf.saved_model.load(f"{made}/Format-Serving").signatures) == names
    assert parity.refusal(str(made), made / "Format-Serving", digits.examples("test")[:4]) is None


def test_it_can_be_loaded_and_be_a_member_itself(made, uris):
    images = digits.images()[0][300:310].astype("float32")
    probabilities = [tf.nn.softmax(artifact.load(uri)(images)) for uri in uris.values()]
    np.testing.assert_allclose(tf.nn.softmax(artifact.load(str(made))(images)), np.mean(probabilities, 0), rtol=1e-4, atol=1e-6)
    assert np.abs(probabilities[0] - probabilities[1]).max() > 0.01
    assert list(members.cards({"whole/1": str(made), **uris}, SEEN)) == ["whole/1", *uris]


def test_it_is_told_from_the_best_of_its_members_by_the_same_images(made, asked, uris):
    card, judge = Card.read(str(made)), judge_of("ensemble")
    places = list(digits.rows(keys.TEST))
    pixels, labels = (part[places] for part in digits.images())
    batches = tf.data.Dataset.from_tensor_slices((pixels.astype("float32"), {"label": labels})).batch(25)
    compared = judge.compare(made / "Format-Serving", card, lambda split: batches)
    whole, *parts = (answer(pixels=tf.constant(pixels, tf.float32))["probabilities"].numpy() for answer in asked)
    hits = [of.argmax(1) == labels for of in parts]
    best = int(np.argmax([of.mean() for of in hits]))
    assert {comparison.name: comparison.value for comparison in compared} == pytest.approx(
        {
            "best_member_accuracy": hits[best].mean(),
            "best_member_cross_entropy": metrics.log_loss(labels, parts[best], labels=range(10)),
            "best_member_macro_f1": metrics.f1_score(labels, parts[best].argmax(1), average="macro"),
        },
        rel=1e-4,
    )
    ids = np.arange(len(labels), dtype=np.uint64)
    each = [judge.each({"probabilities": row}, label) for row, label in zip(whole, labels.tolist(), strict=True)]
    ours = {ID: ids, keys.LABEL: labels, **{name: np.array([row[name] for row in each]) for name in each[0]}}
    told = noise.beside(compared[0], {"accuracy": ours["correct"].mean()}, judge, ours, ids)
    ours_alone, theirs_alone = np.sum((ours["correct"] > 0) & ~hits[best]), np.sum((ours["correct"] == 0) & hits[best])
    assert told.difference.p == pytest.approx(stats.binomtest(int(ours_alone), int(ours_alone + theirs_alone)).pvalue)
    assert told.against == f"{list(uris)[best]}, the best of its 2 members"
    assert "McNemar's test" in told.words
    assert noise.intervals_of_others(compared, judge, ours, ids).keys() == {comparison.name for comparison in compared}
    assert eval_config.binding(compared, EvaluateConfig()) == []  # the best of the test images is no bound


def test_a_digest_is_of_what_was_learned(classifier, other):
    assert members.digest(str(classifier)) == members.digest(str(classifier)) != members.digest(str(other))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"normalize": "per_channel"}, "normalise their images themselves"),
        ({"height": 16}, r"tiny/1 sees images of 8x8x1 \(stretch, bilinear\), and this ensemble's transform makes 16x8x1"),
        ({"resize": "fit"}, r"tiny/1 sees images of 8x8x1 \(stretch, bilinear\)"),
    ],
)
def test_members_that_see_other_pixels_are_refused(uris, change, said):
    with pytest.raises(UsageError, match=said):
        members.cards(uris, SEEN.model_copy(update=change))


def test_that_a_member_s_temperature_is_left_out_is_said(monkeypatch):
    cards = {"tiny/1": digits.card(calibrated={TEMPERATURE: 2.5}), "tiny/2": digits.card()}
    monkeypatch.setattr(members, "cards", lambda *of: cards)
    heard = []
    with progress.listening(heard.append):
        assert members.checked({}, digits.trainer_slice(TREE), digits.NAMES) == cards
    assert [event["text"].partition(";")[0] for event in heard] == ["tiny/1 is served at temperature 2.5"]


def test_members_that_see_another_ground_are_refused(uris):
    assert members.cards(uris, SEEN, Reading())
    with pytest.raises(UsageError, match=r"tiny/1 was trained with data.ground white .* this ensemble has black"):
        members.cards(uris, SEEN, Reading(ground="black"))


def test_an_autoencoder_is_refused(uris, autoencoder):
    with pytest.raises(UsageError, match=r"^auto/1 is a model of reconstruction, which has no probabilities"):
        members.cards({**uris, "auto/1": str(autoencoder)}, SEEN)


def test_a_model_of_texts_is_refused(tmp_path):
    for name, reads in (("tiny", "image"), ("reviews", "text")):
        (tmp_path / name).mkdir()
        (tmp_path / name / keys.CARD_FILE).write_text(digits.card(reads=reads).model_dump_json())
    with pytest.raises(UsageError, match=r"^reviews/1 reads text, and an ensemble is of models that read images"):
        members.cards({"tiny/1": str(tmp_path / "tiny"), "reviews/1": str(tmp_path / "reviews")}, SEEN)


def test_members_of_other_classes_are_refused(uris, artifacts, tmp_path):
    cards = members.cards(uris, SEEN)
    other = {**cards, "b/7": cards["tiny/1"].model_copy(update={"class_names": digits.NAMES[::-1]})}
    with pytest.raises(UsageError, match=r"^b/7 has the classes nine, eight, .*, and the data has zero, one,"):
        members.check_classes(other, digits.NAMES, "the data")
    schema = digits.write_schema(tmp_path / "schema.pbtxt", digits.NAMES[1:] + digits.NAMES[:1])
    given_ = {name: {"uri": uri, "digest": ""} for name, uri in uris.items()}
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, schema, digits.trainer_slice(TREE), members=given_)
    with pytest.raises(UsageError, match=r"^tiny/1 has the classes zero, .*, and the data has one, two,"):
        run_fn(args)
