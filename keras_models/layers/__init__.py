"""Layers that Keras lacks. Import this package before loading a saved model: Keras looks only among what is registered."""

from keras_models.layers.grouped_conv import GroupedConv2D
from keras_models.layers.local_response import LocalResponseNormalization
from keras_models.layers.mean_probability import MeanProbability
from keras_models.layers.padded_shortcut import PaddedShortcut
from keras_models.layers.rbf import SignCodeRBF
from keras_models.layers.scaled_tanh import scaled_tanh
from keras_models.layers.spatial_transformer import AffineGrid, BilinearSampler, ProjectiveGrid, ThinPlateSplineGrid
from keras_models.layers.subsampling import TrainableSubsampling
from keras_models.layers.table_conv import INITIAL, TableConv2D
from keras_models.layers.whitening import Whitening

__all__ = [
    "INITIAL",
    "AffineGrid",
    "BilinearSampler",
    "GroupedConv2D",
    "LocalResponseNormalization",
    "MeanProbability",
    "PaddedShortcut",
    "ProjectiveGrid",
    "SignCodeRBF",
    "TableConv2D",
    "ThinPlateSplineGrid",
    "TrainableSubsampling",
    "Whitening",
    "scaled_tanh",
]
