"""Spatial transformer networks for distorted digits: Jaderberg, Simonyan, Zisserman & Kavukcuoglu 2015, NIPS, section 4.1.

The part before the classifier is keras_models.spatial_transformer's. Layer sizes are as a replication in Caffe has them
(github.com/daerduoCarey/SpatialTransformerLayer). Differs on purpose: Glorot's initialisation; one learning rate for all.
"""

import keras
from keras import layers

from keras_models.blocks import dropped, hidden_layers
from keras_models.checks import need_activation, need_count, need_counts, need_flag, need_image, need_share
from keras_models.convolutions import activated
from keras_models.record import register
from keras_models.room import least_side, need_room
from keras_models.spatial_transformer import convolutional, dense, localisation_windows, transformed, windows

FILTERS, KERNELS = (32, 32), (9, 7)  # of st_cnn, each then 2x2 maximum pooling


@register(
    "st_cnn",
    task="classification",
    params=71_208,
    tiny={
        "input_shape": (24, 24, 1),
        "num_classes": 2,
        "filters": (4, 4),
        "localisation_filters": (2, 2),
        "localisation_units": 4,
    },
    paper="Jaderberg et al. 2015",
    year=2015,
    space={
        "transform": {"choices": ["affine", "projective"]},
        "localisation_units": {"choices": [20, 50]},
        "dropout": {"choices": [0.0, 0.2, 0.5]},
    },
)
def st_cnn(
    input_shape=(28, 28, 1),
    num_classes=10,
    transform="affine",
    points_per_side=4,
    filters=FILTERS,
    activation="relu",
    batch_norm=False,
    dropout=0.0,
    localisation_filters=(20, 20),
    localisation_units=20,
):
    """Spatial transformer and two convolutions, 9x9 and 7x7, each with 2x2 maximum pooling.

    Args:
        transform: "affine", "projective" or "tps" (thin-plate spline); None leaves the transformer out, which is the paper's CNN.
        points_per_side: of the spline's grid of control points.
        filters: maps of the two convolutions.
        activation: of every hidden layer, a Keras name.
        batch_norm: batch normalization of the two convolutions, instead of biases.
        dropout: share of what the logits are made of that is dropped in training, from 0 to below 1.
        localisation_filters, localisation_units: see spatial_transformer.convolutional.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for an image of which nothing is left (24 px is enough), fewer than 2 classes, other than two filters, or
        an option out of its range.
    """
    input_shape, filters = need_image(input_shape), need_counts("filters", filters, len(KERNELS))
    need_count("num_classes", num_classes, 2)
    _need_options(activation, batch_norm, dropout)
    if len(filters) != len(KERNELS):
        raise ValueError(f"filters must be {len(KERNELS)} counts; got {filters!r}")
    ways = [windows(KERNELS)] if transform is None else [windows(KERNELS), localisation_windows(localisation_filters)]
    need_room(input_shape, max(ways, key=least_side))  # what has room for this one has room for the other
    x = image = keras.Input(input_shape, name="image")
    if transform is not None:
        seen = convolutional(image, localisation_filters, localisation_units, activation)
        x = transformed(image, seen, transform, points_per_side)
    for number, (maps, size) in enumerate(zip(filters, KERNELS, strict=True), 1):
        x = activated(x, layers.Conv2D, maps, size, activation=activation, batch_norm=batch_norm, name=f"conv{number}")
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = dropped(layers.Flatten(name="flatten")(x), dropout, "drop")
    return keras.Model(image, layers.Dense(num_classes, dtype="float32", name="logits")(x), name="st_cnn")


@register(
    "st_mlp",
    task="classification",
    params=296_752,
    tiny={"input_shape": (8, 8, 1), "num_classes": 2, "hidden": (8,), "localisation": (4,)},
    paper="Jaderberg et al. 2015",
    year=2015,
    aliases=("st_fcn",),
    space={"hidden": {"choices": [[256, 256], [512, 512]]}, "dropout": {"choices": [0.0, 0.2, 0.5]}},
)
def st_mlp(
    input_shape=(28, 28, 1),
    num_classes=10,
    transform="affine",
    points_per_side=4,
    hidden=(256, 256),
    activation="relu",
    batch_norm=False,
    dropout=0.0,
    localisation=(32, 32, 32),
):
    """Spatial transformer and dense layers.

    Args:
        transform: "affine", "projective" or "tps" (thin-plate spline).
        points_per_side: of the spline's grid of control points.
        hidden: units of the classifier's dense layers.
        activation: of every hidden layer, a Keras name.
        batch_norm: batch normalization of the classifier's dense layers, instead of biases.
        dropout: share of their outputs that is dropped in training, from 0 to below 1.
        localisation: units of the localisation network's dense layers.

    Input: float32 (batch, height px, width px, channels), normalised pixels, any size.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for fewer than 2 classes, a layer without units or an option out of its range.
    """
    input_shape, hidden = need_image(input_shape), need_counts("hidden", hidden)
    localisation = need_counts("localisation", localisation, 1)
    need_count("num_classes", num_classes, 2)
    _need_options(activation, batch_norm, dropout)
    image = keras.Input(input_shape, name="image")
    x = transformed(image, dense(image, localisation, activation), transform, points_per_side)
    x = hidden_layers(layers.Flatten(name="flatten")(x), hidden, activation, batch_norm, dropout)
    return keras.Model(image, layers.Dense(num_classes, dtype="float32", name="logits")(x), name="st_mlp")


def _need_options(activation, batch_norm, dropout):
    need_activation(activation)
    need_flag("batch_norm", batch_norm)
    need_share("dropout", dropout)
