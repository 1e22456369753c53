"""Layers in plain NumPy, of what a Keras model holds by name; images are (batch, height, width, maps)."""

import numpy as np


def convolved(x, kernel, strides):
    """Cross-correlation with as many zeros on every side as an odd kernel reaches over."""
    reach = kernel.shape[0] // 2
    x = np.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))[:, ::strides, ::strides]
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel, optimize=True)


class Reference:
    """A model's convolutions, normalisations (as at test time) and ReLUs, by layer name."""

    def __init__(self, model):
        self.model = model

    def conv(self, x, name, strides=1):
        kernel, *bias = self.model.get_layer(name).get_weights()
        return convolved(x, kernel, strides) + (bias[0] if bias else 0)

    def norm(self, x, name):
        layer = self.model.get_layer(name)
        gamma, beta, mean, variance = layer.get_weights()
        return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta

    def norm_relu(self, x, name):
        return np.maximum(self.norm(x, name), 0)


def shuffle_norms(model, seed=0):
    """Give every batch normalisation weights that tell their places from one another."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            size = layer.gamma.shape
            values = random.uniform(0.5, 1.5, size), random.normal(0, 0.3, size)
            layer.set_weights([*values, random.normal(0, 0.3, size), random.uniform(0.5, 1.5, size)])
