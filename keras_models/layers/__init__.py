"""Layers that Keras lacks. Import this package before loading a saved model: Keras looks only among what is registered."""

from keras_models.layers.batch_normalization import BatchNormalization
from keras_models.layers.block_normalization import BlockNormalization
from keras_models.layers.condition import ClassCondition, NoCondition
from keras_models.layers.extractor import Extractor
from keras_models.layers.fixed_filters import FixedFilters
from keras_models.layers.gain import Gain
from keras_models.layers.grouped_conv import GroupedConv2D
from keras_models.layers.infinite_padding import InfinitePadding2D
from keras_models.layers.k_sparse import KSparse
from keras_models.layers.local_response import LocalResponseNormalization
from keras_models.layers.mean_probability import MeanProbability
from keras_models.layers.neighbours import NearestNeighbours
from keras_models.layers.normalized_correlation import NormalizedCorrelation
from keras_models.layers.orientation_votes import OrientationVotes
from keras_models.layers.padded_shortcut import PaddedShortcut
from keras_models.layers.pixel_loss import PixelLoss
from keras_models.layers.rbf import SignCodeRBF
from keras_models.layers.sampling import Sampling
from keras_models.layers.scaled_tanh import scaled_tanh
from keras_models.layers.sparse_inference import Dictionary, OptimalCode, SparseInference
from keras_models.layers.spatial_transformer import AffineGrid, BilinearSampler, ProjectiveGrid, ThinPlateSplineGrid
from keras_models.layers.subsampling import TrainableSubsampling
from keras_models.layers.table_conv import INITIAL, TableConv2D
from keras_models.layers.transposed_dense import TiedDense, TransposedDense
from keras_models.layers.whitening import Whitening

__all__ = [
    "INITIAL",
    "AffineGrid",
    "BatchNormalization",
    "BilinearSampler",
    "BlockNormalization",
    "ClassCondition",
    "Dictionary",
    "Extractor",
    "FixedFilters",
    "Gain",
    "GroupedConv2D",
    "InfinitePadding2D",
    "KSparse",
    "LocalResponseNormalization",
    "MeanProbability",
    "NearestNeighbours",
    "NoCondition",
    "NormalizedCorrelation",
    "OptimalCode",
    "OrientationVotes",
    "PaddedShortcut",
    "PixelLoss",
    "ProjectiveGrid",
    "Sampling",
    "SignCodeRBF",
    "SparseInference",
    "TableConv2D",
    "ThinPlateSplineGrid",
    "TiedDense",
    "TrainableSubsampling",
    "TransposedDense",
    "Whitening",
    "scaled_tanh",
]
