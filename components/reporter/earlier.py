"""What Evaluator kept of each test image, of this model and of the last blessed one."""

from collections.abc import Mapping, Sequence

import numpy as np

from components.evaluator import per_image, slices, statistic
from components.evaluator.statistic import ID, Rows
from components.reporter.material import Material

BASELINE = "baseline"


def rows(material: Material) -> tuple[Rows, Rows] | None:
    """Of this model and of the last blessed one, image by image; None where there is no other, or it was judged on other images."""
    evaluation = str(material.artifact("evaluation").uri)
    try:
        tables, _ = per_image.read(evaluation, BASELINE)
    except (ValueError, KeyError):
        return None
    theirs, ours = tables.get(slices.WHOLE), material.each
    if not theirs or not ours:
        return None
    pair = statistic.paired(ours, theirs)
    return pair if statistic.is_paired(*pair) else None


def places(of: Rows, ids: Sequence[str]) -> Mapping[int, int]:
    """Place of an image among rows -> its place among ids, of those that are there."""
    at = {per_image.digest(name.encode()): place for place, name in enumerate(ids)}
    return {row: at[number] for row, number in enumerate(np.asarray(of[ID]).tolist()) if number in at}
