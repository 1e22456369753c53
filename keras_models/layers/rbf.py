"""Euclidean radial basis function units with fixed centres: LeCun et al. 1998, Proc. IEEE 86(11), section II-B, eq. (7)."""

import keras
import numpy as np
from keras import layers, ops

from keras_models.receptive import Sees


def sign_codes(units: int, length: int, seed: int) -> np.ndarray:
    """float32 (units, length) of +1 and -1 with equal chance. NumPy keeps the stream of RandomState the same for ever, and a unit's
    code does not depend on how many units there are."""
    return np.random.RandomState(seed).choice(np.float32([-1, 1]), size=(units, length))


@keras.saving.register_keras_serializable(package="hubel")
class SignCodeRBF(layers.Layer):
    """Minus the squared distance of the input to each unit's code, so that the nearest unit has the largest output, as a logit has.

    Input: float (batch, length). Output: float (batch, units), at most 0. The codes are fixed weights of +1 and -1
    (units, length), `sign_codes(units, length, seed)`; they are saved with the model and never trained.
    """

    def __init__(self, units, seed=1998, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.seed = seed

    def build(self, input_shape):
        codes = sign_codes(self.units, input_shape[-1], self.seed)
        self.codes = self.add_weight(
            name="codes", shape=codes.shape, initializer=lambda shape, dtype: ops.convert_to_tensor(codes, dtype), trainable=False
        )

    def call(self, inputs):
        return -ops.sum(ops.square(ops.expand_dims(inputs, 1) - ops.cast(self.codes, inputs.dtype)), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.units

    def multiply_adds(self, input_shape, output_shape):
        """A difference, squared and added, for each value and unit; see keras_models.connections."""
        return input_shape[-1] * self.units

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "units": self.units, "seed": self.seed}
