"""Linear autoencoders: as good as exact principal components of the same number, which nothing linear can beat."""

import dataclasses

from components.tasks.judges.reconstruction.judge import Judge as OfAutoencoders
from components.tasks.judges.reconstruction.principal import beside_principal
from components.tasks.reconstruction.pixels import ROUNDING

MARGIN = 0.01  # of the exact error: what gradient descent leaves, and float32 loses


class Judge(OfAutoencoders):
    """By how near they come to the optimum, which is known."""

    has_kernel_pca = False

    def compare(self, model, card, images):
        exact = beside_principal(model, images)
        return [dataclasses.replace(exact, margin=MARGIN, enough=ROUNDING)]  # a share of no error leaves float32 no room
