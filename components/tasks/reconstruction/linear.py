"""Linear autoencoders: as good as exact principal components of the same number, which nothing linear can beat."""

import dataclasses

from components.tasks import reconstruction

MARGIN = 1.01  # of the exact error, at most: what gradient descent leaves, and float32 loses


class Task(reconstruction.Task):
    """Learned by gradient; judged by how near it comes to the optimum, which is known."""

    has_kernel_pca = False

    def compare(self, model, card, images):
        return [_within(bound) if bound.name == "pca_mse" else bound for bound in super().compare(model, card, images)]


def _within(bound):
    words = f"{MARGIN} times the error of {bound.words}"
    return dataclasses.replace(bound, value=MARGIN * bound.value, words=words, name="pca_mse_plus_1_percent")
