"""The sections of a model of several classes an image are what its decisions are, counted by hand."""

import numpy as np
import pytest
from sklearn import metrics

from components import keys
from components.evaluator import multilabel as figures
from components.reporter import earlier
from components.reporter.material import Material
from components.reporter.sets import Sets
from components.tasks.reports import multilabel
from reports.run import page
from reports.run.blocks import Pictures, Prose, Section, Table, Verdict
from tests import browser

NAMES = ("cat", "dog", "fox")


def answered(images: int = 80, sharp: float = 0.5) -> Sets:
    generator = np.random.default_rng(1)
    labels = generator.random((images, 3)) < (0.5, 0.3, 0.1)
    probabilities = 1 / (1 + np.exp(-(labels * 2.0 - 1.0) * sharp - generator.normal(0, 1, labels.shape)))
    ids = [f"image-{place}" for place in range(images)]
    given = generator.integers(0, 256, (images, 4, 4, 1)).astype(np.float32)
    answers = {"labels": labels, "probabilities": probabilities, "decisions": probabilities > 0.5}
    return Sets(split=keys.TEST, reads="image", ids=ids, names=NAMES, total=images, unlabelled=0, given=given, **answers)


def texts(table: Table) -> list[list[str]]:
    return [[page.cell(value).text for value in row] for row in table.rows]


def of_kind(section: Section, kind: type) -> list:
    return [block for block in section.blocks if isinstance(block, kind)]


def test_figures_of_each_class_are_scikit_learn_s_and_those_that_are_missed_and_added_are_shown():
    of = answered()
    section = multilabel.of_classes(of, [0.5, 0.5, 0.5])
    table, galleries = section.blocks[0], {gallery.key: gallery for gallery in of_kind(section, Pictures)}
    precision, recall, f1, sizes = metrics.precision_recall_fscore_support(of.labels, of.decisions)
    rows = {row[0]: row for row in texts(table)}
    for number, name in enumerate(NAMES):
        missed = (of.labels & ~of.decisions)[:, number]
        added = (of.decisions & ~of.labels)[:, number]
        assert [int(text) for text in rows[name][1:4]] == [sizes[number], missed.sum(), added.sum()]
        told = [float(text.split()[0]) for text in rows[name][4:8]]
        auroc = metrics.roc_auc_score(of.labels[:, number], of.probabilities[:, number])
        assert told == pytest.approx([precision[number], recall[number], f1[number], auroc], abs=6e-4)
        for what, wrong in (("missed", missed), ("added", added)):
            gallery = galleries[f"{what}-{number}"]
            assert len(gallery.pictures) + gallery.more == wrong.sum()
    least = min(np.flatnonzero((of.labels & ~of.decisions)[:, 0]), key=lambda place: of.probabilities[place, 0])
    assert galleries["missed-0"].pictures[0].alt.startswith(f"{of.ids[least]}: has")
    assert [float(row[6].split()[0]) for row in texts(table)] == sorted(float(row[6].split()[0]) for row in texts(table))


def test_the_worst_mistakes_are_those_of_the_largest_loss():
    of = answered()
    section = multilabel.mistakes(of)
    wrong = (of.labels != of.decisions).any(1)
    assert f"of {int((~wrong).sum())} the set of classes is right, of {int(wrong.sum())} it is not" in section.about
    loss = metrics.log_loss
    worst = max(
        np.flatnonzero(wrong),
        key=lambda n: np.mean([loss([of.labels[n, k]], [of.probabilities[n, k]], labels=[False, True]) for k in range(3)]),
    )
    assert of_kind(section, Pictures)[0].pictures[0].alt.startswith(f"{of.ids[worst]}: has")
    assert multilabel.mistakes(answered(sharp=60.0)).blocks == [Prose("There is none.")]


def test_a_page_of_all_sections_can_be_made():
    of = answered()
    sections = [multilabel.of_classes(of), multilabel.mistakes(of), multilabel.calibrated(of)]
    assert len(page.html("a", Verdict("good", "b"), sections)) > 10_000


def test_sets_that_changed_sides_are_counted(monkeypatch):
    rows = {"subset_accuracy": np.array([1.0, 1, 0, 0, 1])}, {"subset_accuracy": np.array([1.0, 0, 1, 0, 0])}
    monkeypatch.setattr(earlier, "rows", lambda _: rows)
    assert [row[1] for row in texts(multilabel.since(Material({})).blocks[0])] == ["1", "2", "1", "1"]
    monkeypatch.setattr(earlier, "rows", lambda _: None)
    [said] = multilabel.since(Material({})).blocks
    assert said.text.startswith("There is none before this one")


def test_the_loss_is_evaluator_s():
    of = answered()
    np.testing.assert_allclose(of.loss, figures.cross_entropy(of.labels, of.probabilities, of.decisions))


@pytest.mark.browser
def test_a_browser_shows_the_page_of_several_classes_an_image(chromium, tmp_path):
    of = answered()
    sections = [multilabel.of_classes(of, [0.5, 0.5, 0.5]), multilabel.mistakes(of), multilabel.calibrated(of)]
    at = tmp_path / "page.html"
    at.write_text(page.html("several", Verdict("good", "Blessed."), sections))
    (tmp_path / "profile").mkdir()
    with browser.started(chromium, tmp_path / "profile") as chrome:
        browser.check(chrome, at)
