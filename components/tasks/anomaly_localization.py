"""Which images are unlike those of training, and where: as `anomaly`, with masks that say which pixels of the test images are of a
defect, of data whose `data.features` names them.

What is learned, scored and served is the same. What a model is judged by besides is how its maps rank pixels, in the size of the
masks; see components.pixel_scores.
"""

import numpy as np
import tensorflow as tf

from components import keys, pixel_scores, targets
from components.tasks import anomaly
from components.tasks.anomaly import CALIBRATED, DECISION, SCORE
from components.tasks.base import Signature
from components.transform import placement

LOCATED = "located"  # the signature that says how many pixels have which score
EDGES = "edges"  # between bins of scores, beside the threshold on the card


class Task(anomaly.Task):
    """Around a task whose models have maps. Masks are read and never learned from."""

    judged_with = (targets.OWN_MASK,)

    @property
    def targets(self):
        return (*super().targets, keys.MASK)

    def calibrate(self, model, data, card):
        calibrated = super().calibrate(model, data, card)
        mapped = tf.function(lambda pixels, placed: self.inner.strangeness(model, pixels, placed), reduce_retracing=True)

        def inside():
            for pixels, known in data.validation:
                placed = placement.of_targets(known, len(pixels), card.transform)
                for map_, (top, left, height, width) in zip(mapped(pixels, placed)[0].numpy(), placed.numpy(), strict=True):
                    yield map_[top : top + height, left : left + width]

        at = pixel_scores.edges(inside())
        return {**calibrated, CALIBRATED: {**calibrated[CALIBRATED], EDGES: at.tolist()}}

    def signatures(self, model, card):
        figures, at = self.figures(model, card), np.asarray(card.calibrated[CALIBRATED][EDGES], np.float32)

        def located(pixels, placed, frames, masks):
            maps = self.inner.strangeness(model, pixels, placed)[0][..., 0]
            counted = tf.map_fn(
                lambda parts: pixel_scores.counted(*parts, at),
                (maps, frames, masks),
                fn_output_signature=dict.fromkeys(pixel_scores.COUNTS, tf.TensorSpec([len(at) + 1], tf.float32))
                | {pixel_scores.REGIONS: tf.TensorSpec([], tf.float32)},
            )
            return {**figures(pixels, placed), **counted}

        # Which bin a score is in hangs on its last digit, so bins are not compared; the scores of images are.
        judged = Signature(
            located, placement=True, frame=True, given=(targets.OWN_MASK,), compared=(SCORE, DECISION, pixel_scores.REGIONS)
        )
        return {**super().signatures(model, card), LOCATED: judged}
