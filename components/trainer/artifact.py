"""Reading back what Trainer wrote."""

from pathlib import Path

import keras

import keras_models
import keras_models.layers  # registers them for loading: the first layer may be one of ours
from components import keys
from components.trainer.card import Card


def load(model_uri: str) -> keras.Model:
    """model.keras of a Model artifact: input float32 pixels of 0..255, the normalisation inside."""
    for name in Card.read(model_uri).architectures:
        if not name.endswith(keys.KERAS_ENDING):
            keras_models.get(name)  # Keras finds the layers of registered modules only
    return keras.saving.load_model(Path(model_uri) / keys.KERAS_FILE, compile=False)
