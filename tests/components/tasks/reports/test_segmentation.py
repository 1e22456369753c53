"""The sections of a model of masks are what its answers are, counted by scikit-learn."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from components.map_values import VOID
from components.reporter import masked, strips
from components.reporter.masked import Masked
from components.tasks.judges.by_name import judge_of
from components.tasks.reports import segmentation
from reports.run import page
from reports.run.blocks import Pictures, Prose, Section, Table, Verdict

NAMES = ("ground", "cat", "dog", "fox")  # no pixel is of a fox


def answered(images: int = 30, names=NAMES, classes: int = 3, total: int | None = None) -> Masked:
    """Of which the last mask is of no class, and a part of the first."""
    draw = np.random.default_rng(1)
    truth = draw.integers(0, classes, (images, 8, 10))
    truth[:, :, :5] = 0
    is_wrong = draw.random(truth.shape) < draw.uniform(0, 0.8, (images, 1, 1))
    made = np.where(is_wrong, draw.integers(0, classes, truth.shape), truth)
    truth[0, :2], truth[-1] = VOID, VOID
    matrices = np.stack([_matrix(*pair, len(names)) for pair in zip(truth, made, strict=True)])
    hits = np.einsum("nkk->nk", matrices)
    return Masked(
        split="test", reads="image", names=names, ids=[f"image-{place}" for place in range(images)], total=total or images,
        given=draw.integers(0, 256, (images, 8, 10, 1)).astype(np.float32), truth=truth, made=made, intersection=hits,
        union=matrices.sum(1) + matrices.sum(2) - hits,
    )  # fmt: skip


def _matrix(truth, made, classes):
    known = truth != VOID
    if not known.any():
        return np.zeros((classes, classes), np.int64)
    return metrics.confusion_matrix(truth[known], made[known], labels=range(classes))


def texts(table: Table) -> list[list[str]]:
    return [[page.cell(value).text for value in row] for row in table.rows]


def of_kind(section: Section, kind: type) -> list:
    return [block for block in section.blocks if isinstance(block, kind)]


def test_figures_of_each_class_are_scikit_learn_s_and_evaluator_s():
    of = answered()
    section = segmentation.of_classes(of)
    known = of.truth != VOID
    pair = of.truth[known], of.made[known]
    rows = {row[0]: row for row in texts(section.blocks[0])}
    assert list(rows) == sorted(NAMES[:3], key=lambda name: float(rows[name][1].split()[0])), "the lowest IoU first"
    of_masks, of_answers = (np.bincount(side) / known.sum() for side in pair)
    for number, (iou, dice) in enumerate(
        zip(metrics.jaccard_score(*pair, average=None), metrics.f1_score(*pair, average=None), strict=True)
    ):
        told = rows[NAMES[number]]
        assert [float(text.split()[0]) for text in told[1:3]] == pytest.approx([iou, dice], abs=6e-4)
        low, high = (float(text) for text in told[1].partition("(")[2].rstrip(")").split(" to "))
        assert low < iou < high
        assert told[3:] == [f"{100 * of_masks[number]:.2f} %", f"{100 * of_answers[number]:.2f} %"]
    mean = judge_of("segmentation").metrics["mean_iou"].statistic.value({"intersection": of.intersection, "union": of.union})
    assert np.mean([float(row[1].split()[0]) for row in rows.values()]) == pytest.approx(mean, abs=5e-4)
    absent, void = (block.text for block in of_kind(section, Prose))
    assert absent == "1 of 4 classes are in no mask and no answer, and in no figure: fox."
    assert void.startswith(f"{(of.truth == VOID).mean():.1%} of the masks' pixels are of no class")


def test_the_matrix_is_in_shares_of_the_masks_pixels_and_of_many_classes_the_worst_pairs_are_listed():
    of = answered()
    known = of.truth != VOID
    table = segmentation.confusion(of).blocks[0]
    expected = metrics.confusion_matrix(of.truth[known], of.made[known], normalize="true")
    assert table.columns == ["mask", *NAMES[:3]]
    assert table.more == 1, "the fox"
    assert [row[1:] for row in texts(table)] == [[f"{100 * part:.1f} %" for part in row] for row in expected]
    many = answered(names=[f"class {number}" for number in range(30)], classes=30)
    pairs = segmentation.confusion(many).blocks[0]
    known = many.truth != VOID
    counts = metrics.confusion_matrix(many.truth[known], many.made[known])
    np.fill_diagonal(counts, 0)
    assert len(pairs.rows) == segmentation.PAIRS
    assert len(pairs.rows) + pairs.more == (counts > 0).sum()
    assert [int(row[2]) for row in texts(pairs)] == sorted(counts.ravel(), reverse=True)[: segmentation.PAIRS]


def test_the_worst_images_come_first_and_what_is_left_out_is_counted():
    of = answered(total=90)
    section = segmentation.masks(of)
    worst, colours = of_kind(section, Pictures)
    ranked = []
    for place in range(len(of) - 1):
        known = of.truth[place] != VOID
        ranked.append((metrics.jaccard_score(of.truth[place][known], of.made[place][known], average="macro"), place))
    ranked.sort()
    assert [picture.alt.split(":")[0] for picture in worst.pictures] == [
        f"image-{place}" for _, place in ranked[: segmentation.WORST]
    ]
    assert worst.pictures[0].caption.startswith(f"IoU {ranked[0][0]:.3f} \N{MIDDLE DOT} ")
    assert len(worst.pictures) + worst.more == 29
    assert "30 test images of 90, chosen by a hash of their ids" in section.about
    assert [block.text for block in of_kind(section, Prose)] == [
        "Of 1 of them the mask is of no class throughout: they are not judged."
    ]
    assert [picture.caption for picture in colours.pictures] == ["cat", "dog", "mask and answer differ", "of no class"]


def test_a_picture_is_image_mask_answer_and_difference():
    of = answered()
    picture = of.shown(0)
    seen = np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGBA"))[3::6, :, :3]  # a row of each pixel's middle
    image, truth, made, apart = (seen[:, 3 + at * (60 + strips.GAP) :: 6][:, :10] for at in range(4))
    np.testing.assert_array_equal(image, np.repeat(of.given[0], 3, -1))
    plain, void = of.truth[0] == 0, of.truth[0] == VOID
    np.testing.assert_array_equal(truth[plain], image[plain])
    np.testing.assert_array_equal(made[of.made[0] == 0], image[of.made[0] == 0])
    for number in (1, 2):
        inside = of.truth[0] == number
        np.testing.assert_allclose(truth[inside], 0.4 * image[inside] + 0.6 * np.array(of.colours[number]), atol=0.51)
    is_wrong = (of.truth[0] != of.made[0]) & ~void
    np.testing.assert_array_equal(np.all(apart == masked.WRONG, -1), is_wrong)
    np.testing.assert_array_equal(np.all(truth == masked.NO_CLASS, -1) & np.all(apart == masked.NO_CLASS, -1), void)
    assert is_wrong.any()
    assert void.any()


def test_a_page_of_all_sections_can_be_made_of_many_classes_and_of_few():
    for of in (answered(), answered(3, [f"<b>{number}</b>" for number in range(200)], 200)):
        sections = [segmentation.masks(of), segmentation.of_classes(of), segmentation.confusion(of)]
        text = page.html("a", Verdict("good", "b"), sections)
        assert 10_000 < len(text) < 3_000_000
        assert "<b>1</b>" not in text
    assert len({*of.colours.values()}) == 199, "each class has a colour of its own"
