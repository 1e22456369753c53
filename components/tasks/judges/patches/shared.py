"""Detectors by patches: how far from those of training the test images are, beside what components.tasks.judges.anomaly says."""

import math
from typing import ClassVar

from components.tasks.judges import base
from components.tasks.judges.reconstruction.metrics import mean_of
from components.tasks.patches.shared import MEAN
from components.tasks.reconstruction.names import FIGURES

COMPONENTS = 32  # of the PCA that a detector without a code is held against


class Judge(base.Judge):
    """Reads the signature `figures`."""

    has_code: ClassVar[bool] = False
    signature = FIGURES
    metrics = {MEAN: mean_of(MEAN, "less")}

    def components(self, model, card) -> int:
        """Of the PCA whose error the scores are held against: no more than there are images or values."""
        return min(COMPONENTS, card.train_images, math.prod(card.input_shape))
