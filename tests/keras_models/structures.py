"""Which names of the catalog stand for all in tests of what models promise: one of each structure."""

import functools

from keras_models import catalog, twin
from keras_models.parameters import without_weights

# Name -> the one whose twin is the same network: CIFAR's are all of depth 8.
SAME = {
    **{f"plain{depth}": "plain20" for depth in (32, 44, 56, 110)},
    **{f"resnet{depth}": "resnet20" for depth in (32, 44, 56, 110, 1202)},
}
# Name -> the one of which its twin, of a hundred layers and more, repeats what it has.
DEEPER = {
    **{f"densenet{depth}": "densenet_cifar" for depth in (121, 169, 201)},
    "plain34": "plain18",
    "resnet34": "resnet18",
    "resnet101": "resnet50",
    "resnet152": "resnet50",
}
TESTED = sorted(set(catalog()) - {*SAME, *DEEPER})
# Their blocks, only more or fewer of them, are those of vgg_c, vgg_e, plain20 and resnet20, with a pooling between of resnet50.
OF_THE_SAME_BLOCKS = {"vgg_a", "vgg_b", "vgg_d", "plain18", "resnet18"}
# Their layers, in other numbers and orders, are those of lenet5, resnet20, googlenet, st_cnn, hog, densenet_cifar,
# conv_autoencoder, deep_autoencoder or vae.
OF_THE_SAME_LAYERS = {
    *("alexnet", "alexnet_one_tower", "dense_sift", "hand_made_filters", "plain20", "resnet50", "st_mlp", "vgg_a_lrn", "vgg_c"),
    *("vgg_e", "zfnet", "autoencoder", "conv_vae"),
}
GEOMETRY = ("kernel_size", "strides", "padding", "pool_size", "groups", "size", "activation", "use_bias")


@functools.cache
def empty(name: str):
    """A name's twin without weights, to look at."""
    with without_weights():
        return twin(name)


def kinds(name: str) -> set:
    """Of each layer of a name's twin: class, number of inputs, kernel, stride and what else decides how it computes."""
    return {_kind(layer) for layer in empty(name)._flatten_layers(include_self=False)}


def _kind(layer):
    config = {key: value for key, value in layer.get_config().items() if key in GEOMETRY}
    taken = layer.input if hasattr(layer, "input") else None
    return type(layer).__name__, len(taken) if isinstance(taken, list) else 1, repr(sorted(config.items()))
