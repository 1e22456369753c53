"""Reading back what Trainer wrote."""

from pathlib import Path

import keras

import keras_models
import keras_models.layers  # registers them for loading: the first layer may be one of ours
from components import keys
from components.trainer.card import Card
from configs.errors import HubelError


def load(model_uri: str, name: str = keys.KERAS_NAME) -> keras.Model:
    """A model of a Model artifact: by default model.keras, input float32 pixels of 0..255, the normalisation inside.

    Args:
        name: of one that stands beside it, see Task.beside.

    Raises:
        HubelError: where the file is gone, as with `hubel gc` or by hand.
    """
    path = Path(model_uri) / f"{name}{keys.KERAS_ENDING}"
    if not path.is_file():
        raise HubelError(
            f"{path} is gone: the Keras model that this needs besides the SavedModel.",
            "Run the model's config again, which makes it anew.",
        )
    for architecture in Card.read(model_uri).architectures:
        if not architecture.endswith(keys.KERAS_ENDING):
            keras_models.get(architecture)  # Keras finds the layers of registered modules only
    return keras.saving.load_model(path, compile=False)
