"""What a pushed model carries of its training, and who has had it answer."""

from types import SimpleNamespace

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import standard_artifacts

from components import keys, progress
from components.pusher import component, statistics
from serving.statistics import written

ANSWERS = statistics_pb2.DatasetFeatureStatistics(name=written.TEST, num_examples=3)


@pytest.fixture
def train():
    told = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = told.datasets.add(num_examples=7)
    for name in (keys.IMAGE_BRIGHTNESS, keys.LABEL):
        dataset.features.add().path.step.append(name)
    return told


def carried(folder):
    return statistics_pb2.DatasetFeatureStatisticsList.FromString((folder / written.OF_TRAINING).read_bytes()).datasets


def test_answers_that_are_known_are_taken_and_no_model_is_loaded(train, tmp_path):
    statistics.write(tmp_path / "no model", train, [], tmp_path, ANSWERS.SerializeToString())
    of_train, of_test = carried(tmp_path)
    assert of_test == ANSWERS
    assert (of_train.num_examples, [list(feature.path.step) for feature in of_train.features]) == (7, [[keys.IMAGE_BRIGHTNESS]])


@pytest.fixture
def carry(train, tmp_path, monkeypatch):
    """Pusher's step, of a blessing in whose folder there is `content`. Returns what is said."""
    monkeypatch.setattr(statistics, "load_statistics", lambda artifact, split: SimpleNamespace(proto=lambda: train))
    made = {
        component.STATISTICS: standard_artifacts.ExampleStatistics(),
        component.EXAMPLES: standard_artifacts.Examples(),
        "infra_blessing": standard_artifacts.InfraBlessing(),
    }
    for name, artifact in made.items():
        artifact.uri = str(tmp_path / name)
    made[component.EXAMPLES].split_names = f'["{keys.TEST}"]'
    (tmp_path / component.EXAMPLES / "Split-test").mkdir(parents=True)
    (tmp_path / "infra_blessing").mkdir()

    def run(content):
        if content is not None:
            (tmp_path / "infra_blessing" / keys.ANSWERS).write_bytes(content)
        said = []
        with progress.listening(said.append):
            component._carry_statistics({name: [artifact] for name, artifact in made.items()}, tmp_path / "no model", tmp_path)
        return said

    return run


def test_pusher_takes_what_the_gate_has_had_answered(carry, tmp_path):
    assert carry(ANSWERS.SerializeToString()) == []
    assert carried(tmp_path)[1] == ANSWERS


@pytest.mark.parametrize("content", [None, b"\xff\xff"], ids=["an earlier blessing", "a damaged file"])
def test_a_push_without_them_asks_the_model_and_says_what_it_cannot(carry, tmp_path, content):
    [told] = carry(content)
    assert told["text"].startswith("the model is pushed without statistics of its training, so `hubel drift` cannot judge it: ")
    assert not (tmp_path / written.OF_TRAINING).exists()
