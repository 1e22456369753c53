"""Linear autoencoders."""

from components.tasks.reconstruction.pixels import ROUNDING
from components.tasks.reconstruction.task import Task as Autoencoder
from components.tasks.reconstruction.task import of_no_narrower


class Task(Autoencoder):
    """Learned by gradient."""

    def doubts(self, model):
        return of_no_narrower(
            model,
            "so the best that it can learn is to copy the image, as PCA of that size does without an error; it is blessed below "
            f"{ROUNDING:.1e} alone, which gradient descent seldom reaches; lower model.options.code_size",
        )
