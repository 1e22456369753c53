"""What residual and dense networks are made of: convolutions, batch normalisation, activation, and the networks' two ends.

Weights start as in He et al. 2015, "Delving deep into rectifiers", ICCV, section 2.2: normal, variance 2 / fan-in (Keras cuts the
tails at two deviations and widens the rest, which keeps the variance). Padding is the same on both sides, where Keras's "same" puts
an odd row and column last; so weights of other libraries fit.
"""

import keras
from keras import layers

from keras_models.layers.batch_normalization import BatchNormalization
from keras_models.layers.infinite_padding import InfinitePadding2D

INITIAL = "he_normal"
EPSILON = 1e-5  # of batch normalisation, added to the variance
MOMENTUM = 0.9  # share of the moving statistics that a step keeps: small data sets have few steps
STEM_CONV = {"imagenet": (7, 2), "small": (3, 1)}  # kernel, px, and strides
LONGEST = 800  # layers in a row; Keras walks a graph by recursion, and Python stops it at 1,000 calls


def conv(x, filters, kernel, strides=1, *, name, bias=False):
    """Convolution, kernel odd, px, output sides ceil(side / strides); layers `name` and, where strides > 1 need it, `name`_pad."""
    padding = "same"
    if strides > 1 and kernel > 1:
        x, padding = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x), "valid"
    return layers.Conv2D(filters, kernel, strides, padding, use_bias=bias, kernel_initializer=INITIAL, name=name)(x)


def norm(x, *, name, batch_norm=True):
    """Batch normalisation (Ioffe & Szegedy 2015), layer `name`; x itself without `batch_norm`."""
    return BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=name)(x) if batch_norm else x


def activated(x, layer, *args, activation, batch_norm, name, **options):
    """A convolution or dense layer and its activation: layer `name`. With `batch_norm` normalisation comes between them and takes
    the place of the biases: layers `name`, `name`_norm and `name`_ACTIVATION.

    Args:
        layer: its class.
        args, options: further arguments of that.
    """
    if not batch_norm:
        return layer(*args, activation=activation, **options, name=name)(x)
    x = norm(layer(*args, use_bias=False, **options, name=name)(x), name=f"{name}_norm")
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def norm_act(x, prefix="", number="", *, activation="relu", batch_norm=True):
    """Batch normalisation, then activation: layers `prefix`bn`number` and `prefix`act`number`."""
    x = norm(x, name=f"{prefix}bn{number}", batch_norm=batch_norm)
    return layers.Activation(activation, name=f"{prefix}act{number}")(x)


def stem_conv(x, filters, stem, *, bias=False):
    """The first convolution, layer conv1, of a stem, one of blocks.STEMS."""
    return conv(x, filters, *STEM_CONV[stem], name="conv1", bias=bias)


def stem_pool(x):
    """3x3 maximum pooling with stride 2, layers pool1_pad and pool1; of the padding no value is ever the largest."""
    return layers.MaxPooling2D(3, 2, name="pool1")(InfinitePadding2D(1, name="pool1_pad")(x))


def chain(x, steps, longest_step, prefix=""):
    """x through the steps, functions tensor -> tensor, in order.

    A chain of more than LONGEST layers is cut into sub-models, named `prefix`steps1_40 and so on after their first and last step.

    Args:
        longest_step: layers in a row in the longest step.
    """
    if len(steps) * longest_step > LONGEST:
        many = LONGEST // longest_step // 2
        parts = [(start, steps[start : start + many]) for start in range(0, len(steps), many)]
        steps = [_nested(part, f"{prefix}steps{start + 1}_{start + len(part)}") for start, part in parts]
    for step in steps:
        x = step(x)
    return x


def _nested(steps, name):
    def step(x):
        y = part = keras.Input(x.shape[1:], name="maps")
        for inner in steps:
            y = inner(y)
        return keras.Model(part, y, name=name)(x)

    return step


def head(x, num_classes):
    """Mean of each map, then a dense layer: float32 (batch, num_classes), logits."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(num_classes, kernel_initializer=INITIAL, dtype="float32", name="logits")(x)
