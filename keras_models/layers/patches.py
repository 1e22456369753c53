"""What patches of normal images are like, as layers: PaDiM and PatchCore, which compare the maps of another network's layers.

PaDiM: Defard, Setkov, Loesch & Audigier 2021, "PaDiM: a patch distribution modeling framework for anomaly detection and
localization", ICPR workshops. PatchCore: Roth, Pemula, Zepeda, Schoelkopf, Brox & Gehler 2022, "Towards total recall in industrial
anomaly detection", CVPR.
"""

import math

import keras
from keras import layers, ops

from keras_models.receptive import Sees

PATCH = 3  # px of a map, the side of what PatchCore averages over


class _Patches(layers.Layer):
    """What both share. Input: maps, float (batch, height, width, channels) each, the finest first. Weights are never trained, and 0
    until `hold`.

    Args:
        smoothing: deviation in px of the Gaussian by which whoever enlarges the distances filters them.
        seed: of what is drawn to find the weights.
    """

    def __init__(self, smoothing=4.0, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.smoothing, self.seed = smoothing, seed

    def places(self, input_shape):
        """(height, width) of the grid of patches, that of the first map, and the channels of all."""
        shapes = input_shape if isinstance(input_shape[0], list | tuple) else [input_shape]
        return tuple(shapes[0][1:3]), sum(shape[-1] for shape in shapes)

    def _weight(self, name, shape, dtype="float32"):
        return self.add_weight(name=name, shape=shape, dtype=dtype, initializer="zeros", trainable=False)

    def get_config(self):
        return {**super().get_config(), "smoothing": self.smoothing, "seed": self.seed}

    def compute_output_shape(self, input_shape):
        grid, _ = self.places(input_shape)
        return (None, *grid, 1)

    def sees(self, input_shape, output_shape):
        """A patch's features are of its own place but for what resizing mixes in."""
        return Sees.ALL


def _aligned(maps, interpolation):
    """All of them in the size of the first, side by side: float32 (batch, height, width, channels)."""
    maps = list(maps) if isinstance(maps, list | tuple) else [maps]
    height, width = maps[0].shape[1:3]
    sized = [m if m.shape[1:3] == (height, width) else ops.image.resize(m, (height, width), interpolation) for m in maps]
    return ops.concatenate(sized, axis=-1) if len(sized) > 1 else sized[0]


@keras.saving.register_keras_serializable(package="hubel")
class PatchGaussians(_Patches):
    """A Gaussian at each place: PaDiM, section 3.1. Output: float32 (batch, height, width, 1), Mahalanobis' distance, section 3.2.

    Args:
        dimensions: channels that are kept, of those that all maps have; section 3.1's random selection, which `hold` is told.
    """

    def __init__(self, dimensions, **kwargs):
        super().__init__(**kwargs)
        self.dimensions = dimensions

    def build(self, input_shape):
        (height, width), _ = self.places(input_shape)
        places, kept = height * width, self.dimensions
        self.chosen = self._weight("chosen", (kept,), "int32")
        self.mean = self._weight("mean", (places, kept))
        self.whitening = self._weight("whitening", (places, kept, kept))

    def hold(self, chosen, mean, covariance):
        """Take what was found: int [dimensions], the channels; float [places, dimensions], and [places, dimensions, dimensions],
        positive definite."""
        import numpy as np

        self.chosen.assign(chosen)
        self.mean.assign(mean)
        # |L^-1 (x - mean)| with covariance = L L^T
        self.whitening.assign(np.linalg.inv(np.linalg.cholesky(covariance)).transpose(0, 2, 1))

    def features(self, maps):
        """float32 (batch, height, width, all channels): maps that are coarser are repeated, as the paper's figure 1 has it."""
        return _aligned(maps, "nearest")

    def call(self, inputs):
        features = ops.take(self.features(inputs), self.chosen, axis=-1)
        height, width = features.shape[1:3]
        apart = ops.reshape(features, (-1, height * width, self.dimensions)) - self.mean
        white = ops.matmul(ops.transpose(apart, (1, 0, 2)), self.whitening)  # (places, batch, dimensions)
        distances = ops.sqrt(ops.sum(ops.square(white), axis=-1))
        return ops.reshape(ops.transpose(distances), (-1, height, width, 1))

    def multiply_adds(self, input_shape, output_shape):
        """Those of the product with the whitening matrix; see keras_models.connections."""
        return math.prod(output_shape[:-1]) * self.dimensions**2

    def get_config(self):
        return {**super().get_config(), "dimensions": self.dimensions}


@keras.saving.register_keras_serializable(package="hubel")
class PatchMemory(_Patches):
    """A memory of patches: PatchCore, sections 3.1 to 3.3. Output: float32 (batch, height, width, 1), Euclidean distance from the
    nearest patch in it.

    Args:
        patches: how many there are.
        reweight: neighbours of the nearest patch, itself among them, by which `both` weighs an image's score; 0: it is not, nor
            where there is no other patch, of which every score would be 0.
    """

    def __init__(self, patches, reweight=9, **kwargs):
        super().__init__(**kwargs)
        self.patches, self.reweight = patches, reweight

    def build(self, input_shape):
        self.memory = self._weight("memory", (self.patches, self.places(input_shape)[1]))

    def hold(self, patches):
        """Take them, float [patches, channels]."""
        self.memory.assign(patches)

    def features(self, maps):
        """float32 (batch, height, width, all channels): the mean over PATCH x PATCH px of each map, section 3.1 (at a border over
        what there is of it), and coarser maps in between."""
        maps = list(maps) if isinstance(maps, list | tuple) else [maps]
        return _aligned([ops.average_pool(m, PATCH, strides=1, padding="same") for m in maps], "bilinear")

    def call(self, inputs):
        features = self.features(inputs)
        return self._nearest(features)[0]

    def both(self, maps, inside):
        """The map, and the score of each image, float32 (batch,): that of the patch which is farthest from the memory, the less the
        nearer that patch of the memory is to others of it: equations 6 and 7.

        Args:
            inside: float32 (batch, height, width), 1 where a patch is of the image and 0 elsewhere.
        """
        features = self.features(maps)
        distances, nearest = self._nearest(features)
        flat = ops.reshape(distances[..., 0] * inside, (-1, math.prod(distances.shape[1:3])))
        at = ops.argmax(flat, axis=1)[:, None]
        largest = ops.take_along_axis(flat, at, axis=1)[:, 0]
        around = min(self.reweight, self.patches)
        if around < 2:
            return distances, largest
        rows = ops.reshape(features, (-1, flat.shape[1], features.shape[-1]))
        patch = ops.take_along_axis(rows, at[..., None], axis=1)[:, 0]
        closest = ops.take_along_axis(ops.reshape(nearest, (-1, flat.shape[1])), at, axis=1)[:, 0]
        own = ops.take(ops.convert_to_tensor(self.memory), closest, axis=0)
        places = ops.top_k(-self._squares(own), around)[1]
        others = ops.take(ops.convert_to_tensor(self.memory), places, axis=0)  # (batch, reweight, channels)
        apart = ops.sqrt(ops.sum(ops.square(others - patch[:, None]), axis=-1))
        share = ops.exp(largest - ops.logsumexp(apart, axis=1))
        return distances, (1.0 - share) * largest

    def _squares(self, rows):
        """Squared distances from the memory, but for what is the same for each of a row's: float32 (rows, patches)."""
        memory = ops.convert_to_tensor(self.memory)
        middle = ops.mean(memory, axis=0)  # squares of what is far from 0 would leave no digits for differences
        rows, memory = rows - middle, memory - middle
        return ops.sum(ops.square(memory), axis=1) - 2 * ops.matmul(rows, ops.transpose(memory))

    def _nearest(self, features):
        """Distances (batch, height, width, 1) and places in the memory, int32 (batch, height, width); an image at a time, since all
        patches of a batch times the memory may be more than there is room for."""
        channels = features.shape[-1]

        def of_image(image):
            rows = ops.reshape(image, (-1, channels))
            nearest = ops.argmin(self._squares(rows), axis=1)
            apart = rows - ops.take(ops.convert_to_tensor(self.memory), nearest, axis=0)  # what is near loses no digits
            distances = ops.reshape(ops.sqrt(ops.sum(ops.square(apart), axis=1)), (*features.shape[1:3], 1))
            return distances, ops.reshape(ops.cast(nearest, "int32"), features.shape[1:3])

        return ops.map(of_image, features)

    def multiply_adds(self, input_shape, output_shape):
        """Those of the product with the memory; see keras_models.connections."""
        return math.prod(output_shape[:-1]) * self.patches * self.memory.shape[1]

    def get_config(self):
        return {**super().get_config(), "patches": self.patches, "reweight": self.reweight}
