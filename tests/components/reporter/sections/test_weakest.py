"""By which figure parts of the test images are held against each other."""

import numpy as np
import pytest

from components.reporter.sections.weakest import _figure
from components.tasks.judges.by_name import judge_of


def test_images_with_masks_are_parted_by_their_own_iou_and_others_by_the_first_mean():
    rows = {"intersection": np.array([[3, 1], [0, 0]]), "union": np.array([[4, 2], [0, 0]]), "void_masks": np.array([0.0, 1.0])}
    name, values, better, is_share = _figure(judge_of("segmentation"), rows)
    assert (name, better, is_share) == ("IoU of an image", "more", False)
    assert values[0] == pytest.approx(0.625)
    assert np.isnan(values[1]), "of an image whose mask is of no class"
    hits = np.array([1.0, 0.0])
    name, values, better, is_share = _figure(judge_of("classification"), {"correct": hits})
    assert (name, values.tolist(), better, is_share) == ("accuracy", hits.tolist(), "more", True)
    assert _figure(judge_of("segmentation"), {}) is None
