"""Codes of images under a dictionary, each the minimum of an objective: what sparse coding has in the place of an encoder's layers.

L1: FISTA, Beck & Teboulle 2009, "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM J. Imaging
Sciences 2(1), section 4, with the momentum started anew where it points uphill (O'Donoghue & Candes 2015, "Adaptive restart for
accelerated gradient schemes", Found. Comput. Math. 15, section 3.2). The logarithm of Olshausen & Field 1996 is not convex: the
same steps without momentum (ISTA), each against a parabola that lies above the penalty and touches it where the last step ended, so
that the objective never rises.
"""

import math
from collections.abc import Callable

import keras
from keras import constraints, initializers, ops, saving

from keras_models.checks import need_choice, need_count, need_positive
from keras_models.receptive import Sees

SPARSITIES = ("l1", "log")
STEPS = 500
TOLERANCE = 1e-6
ROUGH = 1e-4  # tolerance in training: the dictionary moves on before more could tell
SQUARINGS = 4  # of the Gram matrix: its 16th power


def infer(rows, basis, penalty, sparsity="l1", scale=1.0, start=None, pull=0.0, tolerance=TOLERANCE, steps=STEPS):
    """The codes a that minimise |x - a D|^2 + penalty * sum S(a) + pull * |a - start|^2, each row by itself.

    S is |a| ("l1") or log(1 + (a / scale)^2) ("log"; a stationary point). The step is 1 / L, L a bound on the curvature of what is
    smooth (`largest`). A row stops where no number of its code moves by more than `tolerance` times the largest of them, or 1: rows
    do not depend on what else is in their batch.

    Args:
        rows: float (batch, values), x.
        basis: float (atoms, values), D, of the same precision.
        start: float (batch, atoms), where the search begins; None: at 0.
        steps: at most so many.

    Returns:
        float (batch, atoms), of that precision; of L1 with exact zeros.
    """
    gram, toward = ops.matmul(basis, ops.transpose(basis)), ops.matmul(rows, ops.transpose(basis))
    codes = ops.zeros_like(toward) if start is None else start
    if pull:
        gram, toward = gram + pull * ops.eye(gram.shape[0], dtype=gram.dtype), toward + pull * start
    step = 1 / largest(gram)
    shrunk = _soft(step * penalty / 2) if sparsity == "l1" else _reweighted(step * penalty, scale)

    def go_on(codes, point, momentum, moving):
        return ops.any(moving)

    def once(codes, point, momentum, moving):
        new = shrunk(point - step * (ops.matmul(point, gram) - toward), codes)
        reach = ops.maximum(1.0, ops.max(ops.abs(new), -1, keepdims=True))
        far = ops.max(ops.abs(new - point), -1, keepdims=True) > tolerance * reach
        new = ops.where(moving, new, codes)
        if sparsity != "l1":
            return new, new, momentum, ops.logical_and(moving, far)
        uphill = ops.sum((point - new) * (new - codes), -1, keepdims=True) > 0
        grown = ops.where(uphill, 1.0, (1 + ops.sqrt(1 + 4 * ops.square(momentum))) / 2)
        ahead = ops.where(uphill, 0.0, (momentum - 1) / grown)
        return new, new + ahead * (new - codes), grown, ops.logical_and(moving, far)

    ones = ops.ones_like(codes[:, :1])
    return ops.while_loop(go_on, once, (codes, codes, ones, ones > 0), maximum_iterations=steps)[0]


def _soft(limit) -> Callable:
    """The proximal step of limit * |a|: (where the gradient step leads, where it began) -> codes."""
    return lambda codes, before: ops.sign(codes) * ops.relu(ops.abs(codes) - limit)


def _reweighted(weight, scale) -> Callable:
    """The proximal step of weight / 2 * the parabola that touches log(1 + (a / scale)^2) from above where it began."""
    return lambda codes, before: codes / (1 + weight / (scale**2 + ops.square(before)))


def largest(gram):
    """An upper bound on the largest eigenvalue of a positive semi-definite (k, k): the Frobenius norm of its 16th power to 1/16,
    at most k^(1/32) times too large. No start has to be drawn for it, as for power iteration, and it is never too small."""
    power, bound = gram, 1.0
    for doubled in range(SQUARINGS + 1):
        norm = ops.sqrt(ops.sum(ops.square(power))) + keras.config.epsilon()
        bound *= ops.power(norm, 0.5**doubled)
        power = ops.matmul(power / norm, power / norm)
    return bound


def cost(codes, sparsity="l1", scale=1.0):
    """sum S(a), float32 (batch,)."""
    each = ops.abs(codes) if sparsity == "l1" else ops.log1p(ops.square(codes / scale))
    return ops.sum(each, -1)


@saving.register_keras_serializable(package="hubel")
class Dictionary(keras.layers.Layer):
    """A linear decoder: codes -> the mean image + the sum of basis images, each times its number in the code.

    Its weights: `basis`, (atoms, values), rows of norm 1 at most, which an optimizer keeps; `mean`, (values,), not trained.

    Args:
        atoms: how many basis images.
        shape: (height px, width px, channels) of an image; values are all its numbers.

    Input: float32 (batch, atoms). Output: float32 (batch, *shape), unbounded.
    Raises: ValueError for fewer than 1 atom.
    """

    def __init__(self, atoms, shape, **kwargs):
        super().__init__(**{"dtype": "float32", "name": "dictionary", **kwargs})
        self.atoms, self.shape = need_count("atoms", atoms), tuple(shape)
        self.values = math.prod(self.shape)
        self.basis = self.add_weight(
            (self.atoms, self.values),
            initializers.RandomNormal(stddev=self.values**-0.5),
            constraint=constraints.MaxNorm(1, axis=1),
            name="basis",
        )
        self.mean = self.add_weight((self.values,), "zeros", trainable=False, name="mean")

    def call(self, inputs):
        return ops.reshape(ops.matmul(inputs, self.basis) + self.mean, (-1, *self.shape))

    def centred(self, images):
        """Images as rows without the mean image."""
        return ops.reshape(images, (-1, self.values)) - self.mean

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.shape

    def multiply_adds(self, input_shape, output_shape):
        """See keras_models.connections."""
        return self.atoms * self.values

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "atoms": self.atoms, "shape": self.shape}


@saving.register_keras_serializable(package="hubel")
class SparseInference(keras.layers.Layer):
    """Images -> their codes under a dictionary, by `infer`. No gradient flows through: for whoever trains the dictionary, codes are
    given.

    Args:
        dictionary: a Dictionary, which may be the decoder of the same model; it is shared, also after saving and loading.
        penalty: lambda.
        sparsity, scale: S, see `infer`.

    Input: float32 (batch, height px, width px, channels). Output: float32 (batch, atoms), unbounded.
    Raises: ValueError for a penalty or scale that is not above 0, or another sparsity.
    """

    def __init__(self, dictionary, penalty, sparsity="l1", scale=1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.dictionary = dictionary
        self.penalty, self.scale = need_positive("penalty", penalty), need_positive("scale", scale)
        self.sparsity = need_choice("sparsity", sparsity, SPARSITIES)

    def build(self, input_shape):
        """The dictionary has its weights already."""

    def call(self, inputs, training=False):
        return self.codes(inputs, tolerance=ROUGH if training else TOLERANCE)

    def codes(self, images, start=None, pull=0.0, tolerance=TOLERANCE):
        """As `infer`, from images; float32, but searched in float64 unless roughly: hundreds of steps would add up what one machine
        or graph rounds otherwise than another."""
        given = self.dictionary.centred(images), self.dictionary.basis, start
        dtype = "float32" if tolerance == ROUGH else "float64"
        rows, basis, start = (value if value is None else ops.cast(value, dtype) for value in given)
        inferred = infer(rows, basis, self.penalty, self.sparsity, self.scale, start, pull, tolerance)
        return ops.stop_gradient(ops.cast(inferred, "float32"))

    def cost(self, codes):
        """sum S(a), float32 (batch,)."""
        return cost(codes, self.sparsity, self.scale)

    def objective(self, images, codes):
        """|x - a D|^2 + penalty * sum S(a), float32 (batch,)."""
        error = self.dictionary.centred(images) - ops.matmul(codes, self.dictionary.basis)
        return ops.sum(ops.square(error), -1) + self.penalty * self.cost(codes)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.dictionary.atoms

    def sees(self, input_shape, output_shape):
        """Everything; what it multiplies depends on the image, see keras_models.connections."""
        return Sees.ALL

    def get_config(self):
        saving.serialize_keras_object(self.dictionary)  # Keras 3.15 marks an object as shared from the second time on
        return {
            **super().get_config(),
            "dictionary": saving.serialize_keras_object(self.dictionary),
            "penalty": self.penalty,
            "sparsity": self.sparsity,
            "scale": self.scale,
        }

    @classmethod
    def from_config(cls, config):
        return cls(saving.deserialize_keras_object(config.pop("dictionary")), **config)


@saving.register_keras_serializable(package="hubel")
class OptimalCode(SparseInference):
    """What a decoder is given beside a predicted code: in training the optimal code near it, otherwise the prediction itself.

    The optimal code minimises |x - a D|^2 + penalty * sum S(a) + pull * |a - prediction|^2, searched from the prediction on.

    Args:
        pull: alpha.

    Input: [images as of SparseInference, predicted codes float32 (batch, atoms)]. Output: float32 (batch, atoms), unbounded.
    Raises: ValueError as SparseInference, and for a pull that is not above 0.
    """

    def __init__(self, dictionary, penalty, pull, **kwargs):
        super().__init__(dictionary, penalty, **kwargs)
        self.pull = need_positive("pull", pull)

    def call(self, inputs, training=False):
        images, predicted = inputs
        if not training:
            return predicted
        return self.codes(images, ops.stop_gradient(predicted), self.pull, ROUGH)

    def compute_output_shape(self, input_shape):
        return input_shape[1]

    def get_config(self):
        return {**super().get_config(), "pull": self.pull}
