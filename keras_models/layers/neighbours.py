"""Nearest neighbours as a layer: Cover & Hart 1967, IEEE Transactions on Information Theory 13(1)."""

import keras
from keras import layers, ops

from keras_models.receptive import Sees

DISTANCES = ("cosine", "euclidean")
LEAST = 1e-7  # share of a class that no neighbour has, so that its logarithm is finite; Keras's losses clip at the same


@keras.saving.register_keras_serializable(package="hubel")
class NearestNeighbours(layers.Layer):
    """Logits whose softmax is each class's share of the nearest references, in place of a dense layer.

    Input: float (batch, length). Output: float32 (batch, num_classes): log(max(share, LEAST)). References, float32
    (references, length), and their labels, int32 (references,), are weights that are never trained, 0 until `hold`.

    Args:
        references: how many there are.
        neighbours: how many of them have a say, each the same. Where several are as far away as the last one, the first of them do.
        distance: "euclidean", or "cosine": 1 - the cosine of the angle; a row of zeros is 1 away from everything.

    Raises:
        ValueError: for another distance, or fewer references than neighbours.
    """

    def __init__(self, references, num_classes, neighbours=1, distance="cosine", **kwargs):
        if distance not in DISTANCES:
            raise ValueError(f"distance must be {' or '.join(DISTANCES)}; got {distance!r}")
        if not 1 <= neighbours <= references:
            raise ValueError(f"{neighbours} nearest neighbours need as many training images; there are {references}")
        super().__init__(**{"dtype": "float32", **kwargs})
        self.references, self.num_classes = references, num_classes
        self.neighbours, self.distance = neighbours, distance

    def build(self, input_shape):
        fixed = {"initializer": "zeros", "trainable": False}
        self.features = self.add_weight(name="features", shape=(self.references, input_shape[-1]), **fixed)
        self.labels = self.add_weight(name="labels", shape=(self.references,), dtype="int32", **fixed)

    def hold(self, features, labels):
        """Take references: float (references, length) and whole numbers (references,) from 0."""
        self.features.assign(features)
        self.labels.assign(labels)

    def call(self, inputs):
        nearest = ops.top_k(-self._distances(inputs), self.neighbours)[1]
        voices = ops.one_hot(ops.take(self.labels, nearest), self.num_classes, dtype="float32")
        return ops.log(ops.maximum(ops.mean(voices, axis=1), LEAST))

    def _distances(self, inputs):
        """float32 (batch, references), in the order of the distances, from one product of matrices."""
        references = ops.convert_to_tensor(self.features)
        if self.distance == "cosine":
            return -ops.matmul(ops.normalize(inputs, epsilon=LEAST), ops.transpose(ops.normalize(references, epsilon=LEAST)))
        middle = ops.mean(references, axis=0)  # squares of what is far from 0 would leave no digits for differences
        inputs, references = inputs - middle, references - middle
        return ops.sum(ops.square(references), axis=1) - 2 * ops.matmul(inputs, ops.transpose(references))

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.num_classes

    def multiply_adds(self, input_shape, output_shape):
        """Those of a dense layer with a unit for each reference; see keras_models.connections."""
        return input_shape[-1] * self.references

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        own = ("references", "num_classes", "neighbours", "distance")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
