"""What there is of a run is read once, when it is asked for; what a model answers is what it answers, image by image."""

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax

from components import keys
from components.reporter import reading, writing
from components.reporter.material import Absent, Artifact, Material
from components.tasks.reports import by_name
from components.trainer import artifact
from reports.run import page
from reports.run.blocks import Picture, Section, Table, Verdict
from tests.components import digits


@pytest.fixture
def of_classifier(artifacts, classifier) -> Material:
    return Material({"examples": Artifact(artifacts.examples), "model": Artifact(classifier)})


def test_of_nothing_there_is_nothing_and_what_is_needed_says_who_would_have_left_it():
    nothing = Material({})
    names = ("card", "statistics", "schema", "anomalies", "history", "evaluation", "model", "answers", "study", "task", "judge")
    assert [name for name in names if getattr(nothing, name) is not None] == []
    assert (nothing.trials, nothing.blessings, nothing.class_names, nothing.examples(keys.TEST)) == ([], {}, [], None)
    with pytest.raises(Absent, match="Trainer did not get so far"):
        nothing.artifact("model")
    with pytest.raises(Absent, match="left the evaluation"):
        nothing.need("evaluation")


def test_a_sample_is_the_split_in_its_order_and_a_part_of_it_is_the_same_part_always(of_classifier):
    pixels, labels = digits.images()
    rows = digits.rows(keys.TEST)
    whole, part = of_classifier.examples(keys.TEST), of_classifier.examples(keys.TEST, 7)
    assert whole.ids == [f"digit-{row}" for row in rows]
    np.testing.assert_array_equal(whole.seen, pixels[rows].astype(np.float32))
    np.testing.assert_array_equal(whole.labels, labels[rows])
    np.testing.assert_array_equal(whole.sizes, np.full((60, 2), 8))
    assert (len(part), part.total, whole.total) == (7, 60, 60)
    places = [whole.ids.index(name) for name in part.ids]
    assert places == sorted(places)
    np.testing.assert_array_equal(part.seen, whole.seen[places])
    np.testing.assert_array_equal(part.labels, whole.labels[places])
    assert reading.chosen([f"digit-{row}".encode() for row in rows], 7) == places
    assert of_classifier.examples(keys.TEST) is whole, "read once"


def test_of_large_data_a_glimpse_reads_the_beginning_alone(of_classifier):
    first = of_classifier.examples(keys.TEST, 5, within=20)
    assert (len(first), first.total) == (5, 20)
    assert set(first.ids) <= {f"digit-{row}" for row in digits.rows(keys.TEST)[:20]}
    glimpse = of_classifier.glimpse()
    assert (glimpse.split, len(glimpse)) == (keys.TRAIN, 240)


def test_more_than_memory_holds_is_not_read(of_classifier, monkeypatch):
    monkeypatch.setattr(reading, "HELD_BYTES", 5 * 4 * 64)
    assert len(of_classifier.examples(keys.TEST)) == 5


def test_answers_are_those_of_the_model_image_by_image(of_classifier, classifier, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 16)
    told = of_classifier.answers
    pixels, labels = digits.images()
    net = artifact.load(str(classifier))
    logits = net.predict(pixels[digits.rows(keys.TEST)].astype(np.float32), verbose=0)
    np.testing.assert_allclose(told.outputs["probabilities"], softmax(logits, -1), atol=1e-5)
    np.testing.assert_array_equal(told.labels, labels[digits.rows(keys.TEST)])
    assert of_classifier.answers is told
    with pytest.raises(KeyError, match="nothing"):
        of_classifier.asked(keys.TEST, signatures=["nothing"])


def test_what_is_kept_of_an_example_is_had_by_its_id(of_classifier):
    import tensorflow as tf

    kept = of_classifier.encoded(keys.TEST, ["digit-305", "digit-301", "nobody"])
    assert kept.keys() == {"digit-305", "digit-301"}
    np.testing.assert_array_equal(tf.io.decode_png(kept["digit-305"]).numpy(), digits.images()[0][305])


def test_a_section_that_raises_says_so_and_the_others_are_there(monkeypatch, capsys):
    def broken():
        raise ValueError("a <b> is no c")

    def absent():
        raise Absent("Trainer did not get so far.")

    class Report:
        def sections(self, material):
            yield Section("first", "First", "", [])
            yield broken
            yield lambda: None
            yield absent
            yield lambda: Section("ragged", "Ragged", "", [Table(("a", "b"), [["1"]], "c")])
            yield lambda: Section("noise", "Noise", "", [Picture(b"no image", "png", "alt", "")])
            yield Section("last", "Last", "", [])
            yield Section("first", "First again", "", [])

    monkeypatch.setattr(by_name, "report_of", lambda task: Report())
    monkeypatch.setattr(writing, "names", list)
    material = Material({})
    monkeypatch.setattr(Material, "card", digits.card())
    made = {section.key: section for section in writing.sections(material)}
    assert list(made) == [
        "first", "task-broken-missing", "task-absent-missing", "task-5-missing", "task-6-missing", "last", "first-6-missing",
    ]  # fmt: skip
    assert "has not the 2 cells of its head" in made["task-5-missing"].blocks[0].why
    assert "UnidentifiedImageError" in made["task-6-missing"].blocks[0].why
    assert "has one of its keys: first" in made["first-6-missing"].blocks[0].why
    assert "Not here: task broken." in page.html("t", Verdict("open", "v"), list(made.values()))
    assert dataclasses.astuple(made["task-broken-missing"].blocks[0]) == ("task broken", "ValueError: a <b> is no c")
    assert dataclasses.astuple(made["task-absent-missing"].blocks[0]) == ("task absent", "Trainer did not get so far.")
    assert "broken" in capsys.readouterr().err, "the log has the whole story"


def test_its_digest_is_of_what_it_imports_by_name_and_of_its_templates(tmp_path, monkeypatch):
    names = writing.modules_of("classification")
    assert {f"components.reporter.sections.{name}" for name in writing.names()} <= set(names)
    assert {"data", "augmentation", "training", "layers", "search", "lineage"} <= set(writing.names())
    before = writing.templates()
    (tmp_path / "run").mkdir()
    (tmp_path / "charts.html.j2").write_text("another")
    monkeypatch.setattr(writing.charts, "HERE", tmp_path)
    assert writing.templates() != before
