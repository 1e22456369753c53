"""A candidate is compared with the last blessed other model of the same question."""

import pytest
from tensorflow.core.protobuf import saved_model_pb2
from tfx.types import standard_artifacts

from components import keys
from components.evaluator.resolver import LatestBlessedOther
from components.tasks.judges.base import Metric
from components.tasks.judges.by_name import judge_of
from tests.components import digits

SIGNATURES = {"serving_default": {"probabilities", "classes", "scores"}, "figures": {"mse", "ssim"}}


def write_saved_model(folder, signatures):
    """A description of signatures without their graph."""
    written = saved_model_pb2.SavedModel()
    graph = written.meta_graphs.add()
    for name, outputs in signatures.items():
        for output in outputs:
            graph.signature_def[name].outputs[output].name = f"{output}:0"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(written.SerializeToString())


@pytest.fixture
def store(tmp_path):
    """A store of hand-made artifacts: model(id, ...) and blessing(model id, blessed)."""

    class Store:
        def __init__(self):
            self.models, self.blessings = [], []

        def model(self, number, names=digits.NAMES, task="classification", is_there=True, signatures=SIGNATURES, reads="image"):
            made = standard_artifacts.Model()
            made.uri, made.id = str(tmp_path / f"model-{number}"), number
            if is_there:
                (tmp_path / f"model-{number}").mkdir()
                (tmp_path / f"model-{number}" / keys.CARD_FILE).write_text(
                    digits.card(task=task, class_names=names, reads=reads).model_dump_json()
                )
                write_saved_model(tmp_path / f"model-{number}" / "Format-Serving", signatures)
            self.models.append(made)
            return made

        def blessing(self, model, blessed=1):
            made = standard_artifacts.ModelBlessing()
            made.uri, made.id = str(tmp_path / f"blessing-{model.id}-{len(self.blessings)}"), 1000 + len(self.blessings)
            made.set_int_custom_property("current_model_id", model.id)
            made.set_int_custom_property("blessed", blessed)
            self.blessings.append(made)

        def baseline(self, candidate):
            inputs = {"candidate": [candidate], "model": self.models, "model_blessing": self.blessings}
            resolved = LatestBlessedOther().resolve_artifacts(None, inputs)
            assert resolved["candidate"] == [candidate]
            assert len(resolved["model"]) == len(resolved["model_blessing"])
            for model, blessing in zip(resolved["model"], resolved["model_blessing"], strict=True):
                assert blessing.get_int_custom_property("current_model_id") == model.id
            return [model.id for model in resolved["model"]]

    return Store()


def test_the_first_model_has_nothing_to_be_compared_with(store):
    assert store.baseline(store.model(1)) == []


def test_the_newest_blessed_one_is_taken_and_never_the_candidate(store):
    for number in (1, 2, 3):
        store.blessing(store.model(number))
    assert store.baseline(store.models[2]) == [2]
    assert store.baseline(store.models[0]) == [3]
    assert store.baseline(store.model(4)) == [3]


def test_the_order_in_which_artifacts_come_does_not_matter(store):
    for number in (3, 1, 2):
        store.blessing(store.model(number))
    assert store.baseline(store.model(9)) == [3]


def test_a_model_that_was_not_blessed_is_skipped(store):
    store.blessing(store.model(1))
    store.blessing(store.model(2), blessed=0)
    store.model(3)
    assert store.baseline(store.model(4)) == [1]


@pytest.mark.parametrize(
    "other", [{"names": ["cat", "dog"]}, {"names": digits.NAMES[::-1]}, {"task": "reconstruction"}, {"reads": "text"}], ids=str
)
def test_a_model_that_answers_another_question_is_skipped(store, other):
    store.blessing(store.model(1))
    store.blessing(store.model(2, **other))
    assert store.baseline(store.model(3)) == [1]


def test_a_model_whose_files_are_gone_or_damaged_is_skipped(store, tmp_path):
    store.blessing(store.model(1))
    store.blessing(store.model(2, is_there=False))
    store.blessing(store.model(3))
    (tmp_path / "model-3" / keys.CARD_FILE).write_text("{")
    assert store.baseline(store.model(4)) == [1]


@pytest.mark.parametrize(
    "other",
    [
        {"signatures": {"reconstruct": {"images"}}},  # an earlier hubel's, which judged by another signature
        {"signatures": {"figures": {"ssim"}}},  # lacks what metrics of the candidate read
        {"signatures": {}},
    ],
)
def test_a_model_that_lacks_the_signature_is_skipped(store, other):
    store.blessing(store.model(1, task="reconstruction"))
    store.blessing(store.model(2, task="reconstruction", **other))
    assert store.baseline(store.model(3, task="reconstruction")) == [1]
    assert store.baseline(store.model(4, task="reconstruction", signatures={})) == []


def test_a_model_that_answers_more_is_compared(store):
    more = {"figures": {"mse", "ssim", "codes"}}
    store.blessing(store.model(1, task="reconstruction", signatures=more))
    assert store.baseline(store.model(2, task="reconstruction")) == [1]


def test_options_of_metrics_that_are_no_names_of_outputs_are_passed_over(store, monkeypatch):
    figure = Metric("BinaryAccuracy", "more", "keras.metrics", {"thresholds": [0.5], "name": "accuracy"})
    monkeypatch.setattr(type(judge_of("classification")), "metrics", {"accuracy": figure})
    store.blessing(store.model(1))
    assert store.baseline(store.model(2)) == [1]


def test_a_model_of_a_task_that_is_gone_is_skipped(store):
    store.blessing(store.model(1))
    store.blessing(store.model(2, task="no_such_task"))
    assert store.baseline(store.model(3)) == [1]


def test_a_model_whose_graph_is_damaged_is_skipped(store, tmp_path):
    store.blessing(store.model(1))
    store.blessing(store.model(2))
    (tmp_path / "model-2" / "Format-Serving" / "saved_model.pb").write_bytes(b"\xff no graph")
    assert store.baseline(store.model(3)) == [1]


def test_without_a_candidate_or_its_card_there_is_nothing_to_compare(store):
    store.blessing(store.model(1))
    store.blessing(store.model(2, is_there=False))
    assert store.baseline(store.model(3, is_there=False)) == []
    inputs = {"candidate": [], "model": store.models, "model_blessing": store.blessings}
    assert LatestBlessedOther().resolve_artifacts(None, inputs)["model"] == []
