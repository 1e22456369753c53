"""Densely connected blocks, tensor to tensor: Huang, Liu, van der Maaten & Weinberger 2017, "Densely connected convolutional
networks", CVPR, section 3.

All take and give float (batch, height, width, maps). Their options:

- name: before the names of the layers;
- dropout: rate after each convolution;
- activation: a Keras name; batch_norm: without it, convolutions have biases.
"""

import numbers
from functools import partial

from keras import layers

from keras_models.checks import need_count, need_share
from keras_models.convolutions import chain, conv, norm_act

WIDENING = 4  # maps of a bottleneck's 1x1 convolution for each one of the growth rate


def dense_layer(x, growth_rate, *, name, bottleneck=True, dropout=0.0, activation="relu", batch_norm=True):
    """x with `growth_rate` new maps behind its own: normalisation, activation, 3x3 convolution.

    Args:
        bottleneck: a 1x1 convolution to 4 * growth_rate maps first, in the same order (DenseNet-B).
    """
    form = {"activation": activation, "batch_norm": batch_norm}
    convs = ((WIDENING * growth_rate, 1), (growth_rate, 3)) if bottleneck else ((growth_rate, 3),)
    new = x
    for number, (maps, kernel) in enumerate(convs, 1):
        new = norm_act(new, f"{name}_", number, **form)
        new = conv(new, maps, kernel, name=f"{name}_conv{number}", bias=not batch_norm)
        if dropout:
            new = layers.Dropout(dropout, name=f"{name}_drop{number}")(new)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def dense_steps(depth, growth_rate, *, name, **options):
    """The layers of a block as functions tensor -> tensor, for `chain`; named `name`_1, `name`_2, ..."""
    return [partial(dense_layer, growth_rate=growth_rate, name=f"{name}_{number}", **options) for number in range(1, depth + 1)]


def longest_layer(dropout=0.0):
    """Keras layers in a row, at most, in a dense layer or a transition."""
    return 9 if dropout else 7


def dense_block(x, depth, growth_rate, *, name, dropout=0.0, **options):
    """`depth` dense layers: depth * growth_rate maps behind those of x. Options: those of dense_layer.

    Raises: ValueError for a depth or growth rate under 1, or a dropout outside 0 to below 1.
    """
    need_count("depth", depth)
    need_count("growth_rate", growth_rate)
    steps = dense_steps(depth, growth_rate, name=name, dropout=need_share("dropout", dropout), **options)
    return chain(x, steps, longest_layer(dropout), f"{name}_")


def need_compression(value):
    """Raises ValueError unless it is a number above 0 and at most 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value <= 1:
        raise ValueError(f"compression must be a number above 0 and at most 1; got {value!r}")


def transition(x, compression=0.5, *, name, dropout=0.0, activation="relu", batch_norm=True):
    """Between blocks: normalisation, activation, 1x1 convolution, 2x2 average pooling; an odd last row or column is left out.

    Args:
        compression: share of the maps that is kept, above 0 and at most 1; fractions of a map are dropped, one map stays.

    Raises: ValueError for another compression.
    """
    need_compression(compression)
    maps = max(1, int(compression * x.shape[-1]))
    x = norm_act(x, f"{name}_", activation=activation, batch_norm=batch_norm)
    x = conv(x, maps, 1, name=f"{name}_conv", bias=not batch_norm)
    if dropout:
        x = layers.Dropout(dropout, name=f"{name}_drop")(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)
