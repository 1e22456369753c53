"""Figures of pixels against scikit-learn's, and against the overlap of regions as the paper defines it, over every threshold."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from components.evaluator import localization
from components.evaluator.localization import COLUMNS, FIGURES, OfPixels

SHAPE, IMAGES = (24, 20), 12


def masks_and_maps(seed, ties=None):
    """Images of which every third is normal; the others have a block or two, one of them a single pixel."""
    generator = np.random.default_rng(seed)
    masks, maps = np.zeros((IMAGES, *SHAPE), bool), generator.gamma(2, 1, (IMAGES, *SHAPE))
    for number, mask in enumerate(masks):
        if number % 3:
            top, left = generator.integers(0, 12, 2)
            mask[top : top + 4 + number, left : left + 3] = True
            mask[23, 19] = number % 2
    maps[masks] += generator.gamma(3, 1, masks.sum())
    return masks, (np.round(maps / ties) * ties if ties else maps).astype(np.float32)


def rows_of(masks, maps, at):
    """What components.pixel_scores keeps, by NumPy and SciPy."""
    rows = {name: [] for name in COLUMNS}
    for mask, map_ in zip(masks, maps, strict=True):
        labels, regions = ndimage.label(mask, np.ones((3, 3)))
        bins, many = np.searchsorted(at, map_, "right"), len(at) + 1
        share = 1 / np.bincount(labels.ravel())[labels[mask]]
        counted = [np.bincount(bins[~mask], minlength=many), np.bincount(bins[mask], minlength=many)]
        for name, value in zip(COLUMNS, [*counted, np.bincount(bins[mask], share, minlength=many), regions], strict=True):
            rows[name].append(value)
    return {name: np.array(values, np.float32) for name, values in rows.items()}


def aupro_of(masks, maps, limit=0.3):
    """Bergmann et al. 2019, section 5.2, with each score as a threshold: the mean over all connected components of the share of
    each that is above, integrated over the false positive rate up to the limit by trapezoids, divided by the limit."""
    regions = []
    for mask, map_ in zip(masks, maps, strict=True):
        labels, many = ndimage.label(mask, np.ones((3, 3)))
        regions += [map_[labels == number] for number in range(1, many + 1)]
    normal = np.concatenate([map_[~mask] for mask, map_ in zip(masks, maps, strict=True)])
    thresholds = np.unique(maps)[::-1]
    rates = np.array([0.0] + [(normal >= threshold).mean() for threshold in thresholds])
    overlaps = np.array([0.0] + [np.mean([(region >= threshold).mean() for region in regions]) for threshold in thresholds])
    within = rates <= limit
    at_limit = np.interp(limit, rates, overlaps)
    return np.trapezoid(np.r_[overlaps[within], at_limit], np.r_[rates[within], limit]) / limit


def exact(masks, maps):
    return {
        "pixel_auroc": roc_auc_score(masks.ravel(), maps.ravel()),
        "pixel_average_precision": average_precision_score(masks.ravel(), maps.ravel()),
        "aupro": aupro_of(masks, maps),
    }


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("figure", ["pixel_auroc", "pixel_average_precision", "aupro"])
def test_a_figure_of_ties_is_that_of_the_oracle(figure, seed):
    masks, maps = masks_and_maps(seed, ties=0.25)
    rows = rows_of(masks, maps, np.unique(maps)[1:])
    assert OfPixels(figure).value(rows) == pytest.approx(exact(masks, maps)[figure], abs=2e-6)


@pytest.mark.parametrize(("bins", "most"), [(8, 0.6), (64, 0.15), (500, 0.03)])
def test_bins_err_by_no_more_than_the_bound_says(bins, most):
    masks, maps = masks_and_maps(0)
    rows = rows_of(masks, maps, np.quantile(maps, np.linspace(0, 1, bins + 1)[1:-1]))
    bound = OfPixels("pixel_bound").value(rows)
    assert 0 < bound < most
    for figure, expected in exact(masks, maps).items():
        assert abs(OfPixels(figure).value(rows) - expected) <= bound


def test_a_map_that_knows_is_1_and_one_that_says_nothing_is_a_half():
    masks, _ = masks_and_maps(0)
    knows = rows_of(masks, masks.astype(np.float32), np.array([0.5]))
    assert [OfPixels(figure).value(knows) for figure in FIGURES] == pytest.approx([1, 1, 1, 0], abs=1e-6)
    nothing = rows_of(masks, np.ones(masks.shape), np.array([0.5]))
    assert OfPixels("pixel_auroc").value(nothing) == 0.5
    assert OfPixels("pixel_average_precision").value(nothing) == pytest.approx(masks.mean())
    assert OfPixels("aupro").value(nothing) == pytest.approx(0.15), "half of the square below the diagonal, by 0.3"


def test_without_a_defect_there_is_no_figure():
    masks, maps = masks_and_maps(0)
    rows = rows_of(np.zeros_like(masks), maps, np.array([1.0, 2.0]))
    assert all(np.isnan(OfPixels(figure).value(rows)) for figure in FIGURES)
    assert all(OfPixels(figure).interval(rows) is None for figure in FIGURES)


def test_a_defect_of_one_pixel_counts_as_much_as_a_large_one():
    masks = np.zeros((2, *SHAPE), bool)
    masks[0, 3, 3] = masks[1, 2:20, 2:18] = True
    maps = np.zeros(masks.shape, np.float32)
    maps[1][masks[1]] = 1
    rows = rows_of(masks, maps, np.array([0.5]))
    assert OfPixels("aupro").value(rows) == pytest.approx(aupro_of(masks, maps), abs=1e-6)
    assert OfPixels("aupro").value(rows) == pytest.approx((0.5 + 0.65) / 2, abs=1e-6), "from one of two regions to 0.3 of the other"


@pytest.mark.parametrize("figure", FIGURES)
def test_a_weight_is_how_often_an_image_counts(figure):
    masks, maps = masks_and_maps(0)
    rows = rows_of(masks, maps, np.linspace(0.5, 8, 40))
    weights = np.random.default_rng(0).integers(0, 3, (5, IMAGES)).astype(np.float64)
    for row, value in zip(weights, OfPixels(figure).weighted(rows, weights), strict=True):
        repeated = {name: np.repeat(column, row.astype(int), axis=0) for name, column in rows.items()}
        assert value == pytest.approx(OfPixels(figure).value(repeated), abs=1e-9)


@pytest.mark.parametrize("figure", ["pixel_auroc", "pixel_average_precision", "aupro"])
def test_a_figure_stands_within_its_interval_and_what_is_better_is_more_than_noise(figure):
    masks, maps = masks_and_maps(0)
    at = np.linspace(0.5, 8, 60)
    worse = np.random.default_rng(1).permutation(maps.ravel()).reshape(maps.shape)
    ours, theirs = ({name: np.tile(c.T, 2).T for name, c in rows_of(masks, m, at).items()} for m in (maps, worse))
    low, high = OfPixels(figure).interval(ours)
    assert low < OfPixels(figure).value(ours) < high
    identity = {"id": np.arange(2 * IMAGES)}
    difference = OfPixels(figure).difference({**ours, **identity}, {**theirs, **identity})
    assert difference.value > 0.1
    assert not difference.is_noise


def test_the_metric_sums_over_images_whatever_the_order():
    masks, maps = masks_and_maps(0)
    rows = rows_of(masks, maps, np.linspace(0.5, 8, 40))

    class Element:
        def __init__(self, number):
            self.prediction = {name: column[number] for name, column in rows.items()}

    key = object.__new__(type("Key", (), {"model_name": ""}))
    for figure in FIGURES:
        sums = localization._Sums(key, figure)
        parts = [sums.create_accumulator() for _ in range(3)]
        for number in range(IMAGES):
            parts[number % 2] = sums.add_input(parts[number % 2], Element(number))
        [value] = sums.extract_output(sums.merge_accumulators(parts)).values()
        assert value == pytest.approx(OfPixels(figure).value(rows), abs=1e-6)
    [nothing] = sums.extract_output(sums.create_accumulator()).values()
    assert np.isnan(nothing)
