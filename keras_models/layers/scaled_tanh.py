"""The squashing function of LeCun et al. 1998, Proc. IEEE 86(11), appendix A."""

import keras
from keras import ops

AMPLITUDE = 1.7159
SLOPE = 2 / 3  # the two give f(1) = 1 and f(-1) = -1


@keras.saving.register_keras_serializable(package="hubel")
def scaled_tanh(x):
    """1.7159 tanh(2/3 x), element by element; ranges over +-1.7159, in the input's dtype."""
    return AMPLITUDE * ops.tanh(SLOPE * x)
