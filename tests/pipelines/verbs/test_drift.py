"""What is asked in service, held against training: what is alike is alike, what moved is named, too little is no verdict."""

import json
import time

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.example_validator import drift as distances
from configs.errors import HubelError, UsageError
from pipelines.verbs.drift import drift
from serving.statistics import measures, proto, written
from serving.statistics.cells import Numbers
from serving.statistics.measures import About, Measured
from serving.statistics.written import Statistics

ABOUT = About({"serving_default": {"classes": "names", "scores": "scores"}})
NAMES = np.array([b"cat", b"dog", b"fox"], object)


def answered(count, seed, level=120.0, size=(28, 28), shares=(0.5, 0.3, 0.2), confident=8.0):
    """Measures of so many images of about that brightness and size, of classes so often, with scores of Beta(confident, 1)."""
    dice, measured = np.random.default_rng(seed), Measured()
    for _ in range(count):
        pixels = np.full((1, *size, 1), np.clip(dice.normal(level, 25), 0, 255), np.float32)
        best = dice.choice(3, p=shares)
        answers = {"classes": NAMES[[[best, (best + 1) % 3]]], "scores": np.array([[dice.beta(confident, 1), 0.0]])}
        measured.add(ABOUT, "pixels", {"pixels": pixels}, answers)
    return measured


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Folder of a version that carries statistics of its training."""
    folder = tmp_path_factory.mktemp("models") / "m" / "1"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    train, test = proto.dataset_of(answered(2000, 1), "train"), proto.dataset_of(answered(1000, 2), "test")
    for dataset, is_kept in ((train, lambda name: "answers/" not in name), (test, lambda name: "answers/" in name)):
        kept = [feature for feature in dataset.features if is_kept("/".join(feature.path.step))]
        del dataset.features[:]
        dataset.features.extend(kept)
    carried = statistics_pb2.DatasetFeatureStatisticsList(datasets=[train, test])
    (folder / written.OF_TRAINING).write_bytes(carried.SerializeToString())
    return folder


@pytest.fixture
def served(tmp_path, model):
    """Puts on record what a version was asked; returns the folder."""

    def of(measured, when=None, digest=None):
        statistics = Statistics(digest or written.model_of(model), since=1.8e9, seen=measured.requests + 5, passed_over=5)
        statistics.windows.at(when or time.time()).merge(measured)
        statistics.write(tmp_path / "served")
        return str(tmp_path / "served")

    return of


def told(model, folder, since=None, thresholds=(), least=200):
    value = drift(str(model), folder, since, dict(thresholds), least)
    json.dumps(value, allow_nan=False)
    return value


def test_what_is_asked_as_in_training_is_alike(model, served):
    value = told(model, served(answered(400, 3)))
    assert (value["verdict"], value["reason"], value["requests"], value["passed_over"]) == ("alike", "", 400, 5)
    inputs = measures.INPUTS - {measures.CHARACTERS, measures.WORDS}
    assert {row["feature"] for row in value["features"]} == {*inputs, measures.CLASS, measures.SCORE}
    assert all(row["distance"] < 0.08 for row in value["features"])


def test_a_few_widths_close_to_the_one_of_most_images_are_no_drift():
    """As photographs of one camera have them, cut to size by another program."""

    def of(widths):
        measured = Measured()
        measured.features[measures.WIDTH] = Numbers(is_whole=True)
        measured.features[measures.WIDTH].add(widths)
        measured.examples = len(widths)
        return statistics_pb2.DatasetFeatureStatisticsList(datasets=[proto.dataset_of(measured, "m")])

    far = distances.from_training(of([400] * 230 + [409] * 2 + [533] * 8), of([400] * 200 + [533] * 9))
    assert far[measures.WIDTH] < 0.02


@pytest.mark.parametrize(
    ("moved", "features"),
    [
        ({"level": 200.0}, [measures.BRIGHTNESS]),
        ({"size": (28, 40)}, [measures.WIDTH]),
        ({"shares": (0.2, 0.3, 0.5)}, [measures.CLASS]),
        ({"confident": 1.0}, [measures.SCORE]),
    ],
)
def test_what_moved_is_named(model, served, moved, features):
    value = told(model, served(answered(400, 4, **moved)))
    assert (value["verdict"], value["reason"]) == ("drifted", ", ".join(features))
    [row] = [row for row in value["features"] if row["drifted"]]
    assert row["distance"] > row["threshold"] == 0.1
    assert row["training"] != row["served"]


def test_names_differ_by_the_largest_difference_of_a_share(model, served):
    value = told(model, served(answered(600, 5, shares=(0.1, 0.3, 0.6))))
    [row] = [row for row in value["features"] if row["feature"] == measures.CLASS]
    assert row["measure"] == "l_infinity"
    assert row["distance"] == pytest.approx(abs(row["training"] - row["served"]), abs=1e-4)
    assert row["distance"] == pytest.approx(0.4, abs=0.06)
    assert row["name"] in ("cat", "fox")


def test_a_threshold_of_ones_own(model, served):
    folder = served(answered(400, 4, level=200.0))
    assert told(model, folder, thresholds={measures.BRIGHTNESS: 1.0})["verdict"] == "alike"
    with pytest.raises(UsageError, match="brightnes"):
        told(model, folder, thresholds={"brightnes": 0.5})


def test_too_little_is_no_verdict(model, served, tmp_path):
    value = told(model, served(answered(150, 4, level=200.0)))
    assert (value["verdict"], value["examples"]) == ("unknown", 150)
    assert "a verdict takes 200" in value["reason"]
    assert told(model, str(tmp_path / "nothing"))["reason"] == "nothing was measured in service yet"


def test_what_is_older_does_not_count(model, served):
    folder = served(answered(400, 4, level=200.0), when=time.time() - 7200)
    assert told(model, folder)["verdict"] == "drifted"
    assert told(model, folder, since=time.time() - 3600)["examples"] == 0


def test_what_is_of_another_model_or_of_one_that_carries_nothing(model, served, tmp_path):
    assert "another model" in told(model, served(answered(300, 1), digest="other"))["reason"]
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "saved_model.pb").write_bytes(b"graph")
    value = told(bare, served(answered(300, 1)))
    assert (value["verdict"], value["features"][0]["training"]) == ("unknown", None)
    assert "carries no statistics of its training" in value["reason"]
    (bare / "assets.extra").mkdir()
    (bare / written.OF_TRAINING).write_bytes(b"\xff\xff")
    with pytest.raises(HubelError, match="cannot be read"):
        told(bare, served(answered(300, 1)))
