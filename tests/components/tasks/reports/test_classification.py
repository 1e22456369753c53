"""The sections of a classifier say what its answers are, image by image, and stay small whatever the data."""

import dataclasses
import re
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from components import keys
from components.reporter import classes, classifier_charts, earlier, folds
from components.reporter.classified import Classified, share
from components.reporter.material import Artifact, Material
from components.reporter.sections import slices, weakest, wrong_labels
from components.tasks.reports import classification
from components.tasks.reports.by_name import report_of
from configs.errors import HubelError
from reports.charts import Chart
from reports.run import page
from reports.run.blocks import Command, Missing, Pictures, Prose, Section, Table, Verdict
from tests.components import digits
from tests.components.evaluator.test_component import judged

NAMES = ("cat", "dog", "<b>fox</b>")


def answered(images: int = 90, names=NAMES, seed: int = 0, total: int | None = None, sharp: float = 2.0) -> Classified:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, len(names), images)
    logits = generator.normal(0, 1, (images, len(names)))
    logits[np.arange(images), labels] += sharp
    odds = np.exp(logits)
    ids = [f"image-{place}" for place in range(images)]
    given = generator.integers(0, 256, (images, 4, 4, 1)).astype(np.float32)
    return classified(ids, labels, odds / odds.sum(1, keepdims=True), names, total or images, given)


def classified(ids, labels, probabilities, names, total, given) -> Classified:
    of = {"ids": ids, "labels": labels, "probabilities": probabilities, "names": names, "total": total, "given": given}
    return Classified(split=keys.TEST, reads="image", unlabelled=0, **of)


@pytest.fixture(scope="module")
def material(artifacts, classifier, tmp_path_factory) -> Material:
    """Of the tiny classifier, judged beside itself as the last blessed model."""
    tree = {"slices": {keys.LABEL: {"min_count": 1}}, "change": {"accuracy": {"max_drop": 0.5}}}
    evaluation, _ = judged(classifier, artifacts.examples, tree, tmp_path_factory.mktemp("judged"), classifier)
    told = {name: evaluation.get_string_custom_property(name) for name in (keys.METRICS, keys.INTERVALS, keys.SLICES)}
    told[keys.DIFFERENCES] = evaluation.get_string_custom_property(keys.DIFFERENCES)
    held = {"examples": Artifact(artifacts.examples), "model": Artifact(classifier)}
    return Material({**held, "evaluation": Artifact(Path(evaluation.uri), told)}, told={"run": "20260101-000000"})


def texts(table: Table) -> list[list[str]]:
    return [[page.cell(value).text for value in row] for row in table.rows]


def of_kind(section: Section, kind: type) -> list:
    return [block for block in section.blocks if isinstance(block, kind)]


def test_a_page_of_all_sections_says_what_tfma_says(material):
    sections = [made for make in report_of("classification").sections(material) if (made := make()) is not None]
    sections += [other.section(material) for other in (slices, weakest, wrong_labels)]
    by_key = {section.key: section for section in sections}
    assert [*by_key] == [
        "confusion", "by-class", "mistakes", "calibration", "abstention", "earlier", "slices", "weakest", "wrong-labels",
    ]  # fmt: skip
    figures = material.evaluation[keys.METRICS]
    counts = np.array([[int(text or 0) for text in row[1:]] for row in texts(by_key["confusion"].blocks[0])])
    assert counts.trace() / counts.sum() == pytest.approx(figures["accuracy"])
    calibrated = texts(of_kind(by_key["calibration"], Table)[0])[0]
    assert float(calibrated[2]) == pytest.approx(figures["cross_entropy"], abs=1e-4)
    assert float(calibrated[5]) == pytest.approx(figures["accuracy"], abs=1e-4)
    f1 = [float(row[4].split()[0]) for row in texts(by_key["by-class"].blocks[0])]
    assert np.mean(f1) == pytest.approx(figures["macro_f1"], abs=1e-3)
    assert f1 == sorted(f1)
    told = texts(by_key["slices"].blocks[0])
    assert [float(row[2].split()[0]) for row in told] == pytest.approx(
        [part["metrics"]["accuracy"] for part in material.evaluation[keys.SLICES]], abs=1e-4
    )
    page.html("a", Verdict("good", "b"), sections)  # no key is that of two things
    assert f"{counts.sum():,} test images" in by_key["confusion"].about
    assert [row[1] for row in texts(by_key["earlier"].blocks[0])][1:3] == ["0", "0"], "against itself nothing changed"


def test_the_matrix_is_scikit_learn_s_and_each_cell_leads_to_its_images():
    of = answered()
    section = classification.confusion(of)
    table, *galleries = section.blocks
    expected = metrics.confusion_matrix(of.labels, of.predicted)
    assert [[int(text or 0) for text in row[1:]] for row in texts(table)] == expected.tolist()
    shown = {gallery.key: gallery for gallery in galleries}
    for label, row in enumerate(table.rows):
        for taken, cell in enumerate(row[1:]):
            assert bool(cell.to) == bool(expected[label, taken])
            if cell.to:
                gallery = shown[cell.to]
                assert len(gallery.pictures) + gallery.more == expected[label, taken]
                assert all(f"labelled {NAMES[label]}, taken for {NAMES[taken]}" in picture.alt for picture in gallery.pictures)
                assert all((picture.mark == "bad") == (label != taken) for picture in gallery.pictures)


def test_names_with_markup_are_text():
    sections = [make(answered()) for make in (classification.confusion, classification.of_classes, classification.mistakes)]
    text = page.html("a", Verdict("good", "b"), sections)
    assert "<b>fox" not in text
    assert "&lt;b&gt;fox" in text


def test_ten_thousand_classes_do_not_blow_it_up():
    names = [f"class {number}" for number in range(10_000)]
    generator = np.random.default_rng(0)
    labels, probabilities = generator.integers(0, 10_000, 300), np.full((300, 10_000), 1e-5)
    probabilities[np.arange(300), generator.integers(0, 10_000, 300)] = 0.9
    ids = [str(place) for place in range(300)]
    of = classified(ids, labels, probabilities, names, 300, np.zeros((300, 4, 4, 1), np.float32))
    begun = time.process_time()
    sections = [
        make(of)
        for make in (classification.confusion, classification.of_classes, classification.mistakes, classification.abstention)
    ]
    assert len(page.html("a", Verdict("good", "b"), sections)) < 3e6
    assert time.process_time() - begun < 60
    table = sections[0].blocks[0]
    assert len(table.rows) + table.more == 300
    of_classes = sections[1].blocks[0]
    assert len(of_classes.rows) + of_classes.more == len(set(labels.tolist()))
    assert "at most 1,000 classes" in of_kind(sections[1], Missing)[0].why
    assert "9,7" in of_kind(sections[1], Prose)[0].text


def test_what_a_cap_leaves_out_is_counted():
    of = answered(4000, sharp=0.5)
    wrong = int((~of.is_right).sum())
    [gallery] = classification.mistakes(of).blocks
    assert (len(gallery.pictures), gallery.more) == (classification.WORST, wrong - classification.WORST)
    assert sum(len(gallery.pictures) for gallery in of_kind(classification.confusion(of), Pictures)) <= classification.OF_MATRIX
    assert "90 test images of 25,000, chosen by a hash of their ids" in classification.confusion(answered(total=25_000)).about


def test_the_worst_mistake_is_the_surest_one():
    of = answered()
    pictures = classification.mistakes(of).blocks[0].pictures
    surest = max(np.flatnonzero(~of.is_right), key=lambda place: of.confidence[place])
    assert pictures[0].alt.startswith(f"{of.ids[surest]}: labelled {NAMES[of.labels[surest]]}")
    assert share(of.confidence[surest]) in pictures[0].caption


def test_of_a_model_without_a_mistake_that_is_said():
    assert classification.mistakes(answered(sharp=50.0)).blocks == [Prose("There is none.")]


def test_how_much_is_left_of_the_mistakes_is_counted_by_hand():
    of = answered(200)
    table, chart = classification.abstention(of).blocks
    for row in texts(table):
        lowest = float(row[2].split()[0]) / 100
        kept = of.confidence >= lowest - 6e-4
        assert int(row[1]) == pytest.approx(kept.sum(), abs=2)
        assert float(row[3].split()[0]) == pytest.approx(of.is_right[kept].mean(), abs=0.02)
    assert isinstance(chart, Chart)


def test_images_that_changed_sides_are_shown(material, monkeypatch):
    of = Classified.of(material)
    ours = material.each
    theirs = {**ours, "correct": ours["correct"].copy()}
    theirs["correct"][:3] = 1 - theirs["correct"][:3]
    monkeypatch.setattr(earlier, "rows", lambda _: (ours, theirs))
    section = classification.since(of, material)
    lost = int((ours["correct"][:3] == 0).sum())
    rows = dict(texts(section.blocks[0]))
    assert (int(rows["right before, wrong now"]), int(rows["wrong before, right now"])) == (lost, 3 - lost)
    pictures = {gallery.key: gallery.pictures for gallery in of_kind(section, Pictures)}
    assert sum(map(len, pictures.values())) == 3
    assert all(picture.mark == "bad" for picture in pictures.get("now-wrong", []))
    assert all(picture.mark == "" for picture in pictures.get("now-right", []))


def test_without_an_earlier_model_that_is_said(material, monkeypatch):
    monkeypatch.setattr(earlier, "rows", lambda _: None)
    [said] = classification.since(Classified.of(material), material).blocks
    assert said.text.startswith("There is none before this one")


def test_likely_wrong_labels_are_of_what_nothing_was_trained_on_and_say_how_to_see_all(material):
    section = wrong_labels.section(material)
    assert "60 validation images and 60 test images" in section.about
    assert of_kind(section, Command)[0].line.endswith("--folds 5")
    [listed] = [table for table in of_kind(section, Table) if table.caption == "By their ids"]
    assert {row[1] for row in listed.rows} <= {keys.VALIDATION, keys.TEST}
    labels = {f"digit-{place}": digits.NAMES[label] for place, label in enumerate(digits.images()[1])}
    assert all(row[2] == labels[row[0]] and row[2] != row[4] for row in listed.rows)
    assert len(listed.rows) > 0, "a model after an epoch doubts much"
    [said] = re.findall(r"Listed, the likeliest first: (\d+) label", of_kind(section, Prose)[0].text)
    assert int(said) == len(listed.rows)


def test_weak_parts_are_of_all_test_images(material):
    section = weakest.section(material)
    assert section.about.startswith("60 test images")
    [table] = of_kind(section, Table)
    assert sum(int(row[1]) for row in table.rows if row[0].startswith("brightness")) <= 60
    assert "size, all images have 8" in of_kind(section, Prose)[-1].text or "size, all images have 8" in str(section.blocks)


def test_a_share_is_not_rounded_to_certainty():
    assert [share(value) for value in (0.0, 1e-5, 0.5, 0.99999, 1.0)] == ["0.0 %", "<0.1 %", "50.0 %", ">99.9 %", "100.0 %"]


def test_answers_that_are_no_numbers_make_no_figures(material):
    broken = Material(material.artifacts)
    outputs = {name: value.copy() for name, value in material.answers.outputs.items()}
    outputs["probabilities"][:3, 0] = np.nan
    vars(broken)["answers"] = dataclasses.replace(material.answers, outputs=outputs)
    with pytest.raises(HubelError, match="3 of 60 answers hold what is no finite number"):
        Classified.of(broken)


def test_answers_of_a_class_that_no_image_has_are_counted():
    of = answered()
    of = dataclasses.replace(of, probabilities=np.pad(of.probabilities, ((0, 0), (0, 2))), names=(*NAMES, "owl", "elk"))
    of.probabilities[:4, 3] = 1.0
    said = of_kind(classification.of_classes(of), Prose)
    assert [each.text for each in said] == ["2 of 5 classes have no image here; 4 answers are of these."]


def test_curves_are_joined_as_their_areas_are_counted():
    """Of tied scores a ROC curve goes straight between its points, whose area is the trapezoids'; average precision is a sum of
    rectangles, each of the height of its end."""
    is_class, score = np.array([True, False, True, False]), np.array([0.9, 0.5, 0.5, 0.1])
    roc, precision = classes.roc(is_class, score), classes.precision_recall(is_class, score)
    joined = {}
    for of, diagonal in ((roc, True), (precision, False)):
        layers = classifier_charts.curves("a", "b", "c", "x", "y", {"cat": of}, diagonal).spec["layer"]
        joined[diagonal] = next(layer["mark"]["interpolate"] for layer in layers if "interpolate" in layer["mark"])
    assert joined == {True: "linear", False: "step-before"}
    assert float(roc.area) == pytest.approx(np.trapezoid(roc.y, roc.x))
    assert float(precision.area) == pytest.approx((np.diff(precision.x) * precision.y[1:]).sum())


def test_what_folds_answered_of_sets_is_counted_label_by_label_and_what_they_lacked_is_said(material, monkeypatch):
    """Five answers, three classes: 13 of 15 labels are as labelled."""
    targets = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
    probabilities = np.abs(targets - 0.2)
    probabilities[0, 2], probabilities[4, 0] = 0.9, 0.8
    of = folds.OutOfSample(5, list("abcde"), ["train"] * 5, targets, probabilities.astype(np.float32), 0, 0, [], True)
    assert of.as_labelled == pytest.approx(13 / 15)
    alone = folds.OutOfSample(5, list("abcde"), ["train"] * 5, targets.argmax(1), probabilities.astype(np.float32), 0, 0, [])
    assert alone.as_labelled == pytest.approx(4 / 5)
    asked = wrong_labels._of_folds(material, of)
    assert "86.67% of the labels as labelled" in asked.words
    assert "augment: copies" in asked.words
