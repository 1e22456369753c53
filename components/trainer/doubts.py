"""What a person should know of a model before it is trained."""

import math

import keras

from components.transform import augment
from configs import policies
from configs.schema import TrainerSlice
from keras_models import auxiliary, normalize, spatial_transformer


def of(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    """Sentences, mostly none. `model` takes pixels; see keras_models.normalize."""
    return _of_the_ground(model, cfg) + _of_a_large_code(model, cfg)


def _of_the_ground(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    kind = cfg.transform.normalize
    if kind not in ("per_image", "zca") or not spatial_transformer.samplers(normalize.inner(model)):
        return []
    return [
        f"around an image the spatial transformer reads the mean, not black: with transform.normalize: {kind} black has no value "
        "of its own; per_channel and unit give it one"
    ]


def _of_a_large_code(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    encoder = next((layer for layer in normalize.inner(model).layers if layer.name == "encoder"), None)
    if encoder is None or not isinstance(encoder, keras.Model):
        return []
    code, values = (math.prod(shape[1:]) for shape in (encoder.output_shape, encoder.input_shape))
    if code < values or _is_regularised(model, encoder, cfg):
        return []
    return [
        f"the code of {code:,} numbers is at least as large as the image of {values:,}, and nothing keeps {cfg.model.name} from "
        "copying: no penalty, no noise; lower model.options.code_size, put noise such as gaussian_noise in augment, or take a "
        "sparse model"
    ]


def _is_regularised(model: keras.Model, encoder: keras.Model, cfg: TrainerSlice) -> bool:
    """By a term or a layer's own loss, by noise on the image or in the encoder, or by a layer that says it limits the code."""
    is_random = len(encoder.variables) > len(encoder.weights)  # seeds of dropout, noise and sampling are no weights
    has_noise = augment.NOISE in augment.kinds(policies.expand(cfg.augment, cfg.transform.channels))
    limits = any(getattr(layer, "limits_code", False) for layer in encoder.layers)
    return bool(auxiliary.terms(model)) or bool(model.losses) or is_random or has_noise or limits
