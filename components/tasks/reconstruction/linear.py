"""Linear autoencoders: as good as exact principal components of the same number, which nothing linear can beat."""

import dataclasses

from components.evaluator.densities import ROUNDING
from components.tasks.reconstruction import task as reconstruction

MARGIN = 0.01  # of the exact error: what gradient descent leaves, and float32 loses


class Task(reconstruction.Task):
    """Learned by gradient; judged by how near it comes to the optimum, which is known."""

    has_kernel_pca = False

    def doubts(self, model):
        return reconstruction.of_no_narrower(
            model,
            "so the best that it can learn is to copy the image, as PCA of that size does without an error; it is blessed below "
            f"{ROUNDING:.1e} alone, which gradient descent seldom reaches; lower model.options.code_size",
        )

    def compare(self, model, card, images):
        exact = reconstruction.beside_principal(model, images)
        return [dataclasses.replace(exact, margin=MARGIN, enough=ROUNDING)]  # a share of no error leaves float32 no room
