"""Spatial transformers before any net: Jaderberg et al. 2015, NIPS, section 3.

A localisation network looks at the image and regresses the parameters of a transformation; the image is read along the
transformed grid, and the classifier sees the result. All of it is trained by the classifier's loss alone. The regression starts
with weights of 0 and the identity as its biases, so that at first the image goes through unchanged; for the same reason the layers
before it get no gradient in the very first step.
"""

import keras
from keras import layers

from keras_models import auxiliary
from keras_models.checks import need_choice, need_count, need_counts, need_image
from keras_models.layers.spatial_transformer import AffineGrid, BilinearSampler, ProjectiveGrid, ThinPlateSplineGrid
from keras_models.room import Window, need_room

TRANSFORMS = ("affine", "projective", "tps")
KERNEL = 5  # px, of `convolutional`


def with_spatial_transformer(net, transform="affine", points_per_side=4, localise=None, input_shape=None):
    """Put a spatial transformer before any functional classifier, such as in a builder of one's own:

        def st_lenet(input_shape=(28, 28, 1), num_classes=10, transform="tps"):
            return with_spatial_transformer(lenet5(input_shape, num_classes), transform)

    Args:
        net: one input (batch, height px, width px, channels). Its layers are shared, not copied; auxiliary heads come along.
        transform: "affine", "projective" or "tps" (thin-plate spline).
        points_per_side: of the spline's grid of control points.
        localise: the localisation network without its last layer, image -> float (batch, features); `convolutional` by default.
        input_shape: of the model, where it is to find what the net sees in a larger image; the net's own by default.

    Returns:
        Uncompiled functional model: image float32 (batch, *input_shape) -> the net's output. Its layer "net" is the net.

    Raises:
        ValueError: for another transform, fewer than 2 points a side, or an image too small for the localisation network.
    """
    height, width, channels = net.inputs[0].shape[1:]
    input_shape = need_image(input_shape or (height, width, channels))
    if input_shape[2] != channels:
        raise ValueError(f"the net wants {channels} channels; input_shape has {input_shape[2]}")
    image = keras.Input(input_shape, name="image")
    seen = (localise or convolutional)(image)
    return auxiliary.behind(image, transformed(image, seen, transform, points_per_side, (height, width)), net)


def transformed(image, seen, transform="affine", points_per_side=4, size=None):
    """Regress the parameters, generate the grid, sample. In float32 under any policy, since positions have no room in float16.

    Args:
        image: float (batch, height, width, channels), or maps from within a net.
        seen: float (batch, features), what the localisation network makes of the image; a linear layer makes theta of that.
        transform: "affine", "projective" or "tps" (thin-plate spline).
        points_per_side: of the spline's grid of control points.
        size: (height px, width px) of the output; the image's by default.

    Returns:
        float32 (batch, *size, channels).
    """
    grid = _grid(need_choice("transform", transform, TRANSFORMS), points_per_side, size or image.shape[1:3])
    start = {"kernel_initializer": "zeros", "bias_initializer": keras.initializers.Constant(grid.identity)}
    theta = layers.Dense(len(grid.identity), **start, dtype="float32", name="theta")(seen)
    return BilinearSampler(dtype="float32", name="transformed")([image, grid(theta)])


def samplers(net: keras.Model) -> list[BilinearSampler]:
    """Those among a net's layers that read what the net is given, not maps from within it."""
    return [layer for layer in net.layers if isinstance(layer, BilinearSampler) and layer.input[0] is net.inputs[0]]


def convolutional(image, filters=(20, 20), units=20, activation="relu"):
    """Localisation network of st_cnn: 5x5 convolutions, each with 2x2 maximum pooling, and a dense layer.

    Returns: float (batch, units). Raises: ValueError for an image in which a convolution or pooling has no pixel left.
    """
    need_room(image.shape[1:], localisation_windows(filters))
    need_count("localisation_units", units)
    x = image
    for number, maps in enumerate(filters, 1):
        x = layers.Conv2D(maps, KERNEL, activation=activation, name=f"localisation_conv{number}")(x)
        x = layers.MaxPooling2D(2, name=f"localisation_pool{number}")(x)
    x = layers.Flatten(name="localisation_flatten")(x)
    return layers.Dense(units, activation=activation, name="localisation_dense")(x)


def dense(image, units=(32, 32, 32), activation="relu"):
    """Localisation network of st_mlp: dense layers over all pixels. Returns: float (batch, units of the last)."""
    x = layers.Flatten(name="localisation_flatten")(image)
    for number, many in enumerate(units, 1):
        x = layers.Dense(many, activation=activation, name=f"localisation_dense{number}")(x)
    return x


def localisation_windows(filters):
    """A Window for each layer of `convolutional` that shrinks the image. Raises ValueError for what is no list of counts."""
    return windows((KERNEL,) * len(need_counts("localisation_filters", filters, 1)), "localisation_")


def windows(kernels, prefix=""):
    """A Window for each of unpadded convolutions with 2x2 pooling, for room.need_room."""
    pairs = [(Window(f"{prefix}conv{n}", size), Window(f"{prefix}pool{n}", 2, 2)) for n, size in enumerate(kernels, 1)]
    return tuple(window for pair in pairs for window in pair)


def _grid(transform, points_per_side, size):
    need_count("points_per_side", points_per_side, 2)
    own = {"dtype": "float32", "name": "grid"}
    if transform == "tps":
        return ThinPlateSplineGrid(size, points_per_side, **own)
    return {"affine": AffineGrid, "projective": ProjectiveGrid}[transform](size, **own)
