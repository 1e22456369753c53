"""What a person should know of a model before it is trained, and of one whose statistics had too few steps to become the data's."""

import math
from collections.abc import Iterator

import keras

from components.transform.augment import steps as augment
from configs import policies
from configs.schema.slices.trainer import TrainerSlice
from keras_models import auxiliary, compat, normalize, spatial_transformer
from keras_models.layers.extractor import Extractor

STARTED = 0.05  # share of moving statistics that may be left of their first values, 0 and 1, when training ends
QUICK = 0.9  # momentum of the models that ship


def of(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    """Sentences, mostly none. `model` takes pixels; see keras_models.normalize."""
    return _of_the_ground(model, cfg) + _of_noise(model, cfg) + _of_a_large_code(model, cfg)


def _of_the_ground(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    kind = cfg.transform.normalize
    if kind not in ("per_image", "zca") or not spatial_transformer.samplers(normalize.inner(model)):
        return []
    return [
        f"around an image the spatial transformer reads the mean, not black: with transform.normalize: {kind} black has no value "
        "of its own; per_channel and unit give it one"
    ]


def _of_noise(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    """Where it is not what a denoising autoencoder is judged with: there, it stands on images as they are."""
    steps = policies.expand(cfg.augment, cfg.transform.channels)
    is_noise = [augment.NOISE in augment.kinds([step]) for step in steps]
    first = next((place for place, noisy in enumerate(is_noise) if noisy), len(steps))
    later = [step.operation[0] for step, noisy in zip(steps[first:], is_noise[first:], strict=True) if not noisy]
    if _encoder(model) is None or not later:
        return []
    return [
        f"augment has {', '.join(later)} after {steps[first].operation[0]}, so that training moves the noise or cuts it to 0..255, "
        "and validation and test images get it as it is; put noise last"
    ]


def _encoder(model: keras.Model) -> keras.Model | None:
    encoder = next((layer for layer in normalize.inner(model).layers if layer.name == "encoder"), None)
    return encoder if isinstance(encoder, keras.Model) else None


def _of_a_large_code(model: keras.Model, cfg: TrainerSlice) -> list[str]:
    encoder = _encoder(model)
    if encoder is None:
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


def of_moving_statistics(model: keras.Model, epochs: int, steps: int) -> list[str]:
    """A sentence on batch normalisation whose statistics are still those that it began with; none where they are the data's.

    After n steps momentum^n of them is left of the first ones. Layers that are frozen, or run as in inference, keep what they had.

    Args:
        epochs: of the training, or those after which its weights are kept.
        steps: batches an epoch.
    """
    normalised = [layer for layer in _layers(model) if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]
    done = epochs * steps
    young = [layer for layer in normalised if layer.momentum**done > STARTED]
    if not young or not done:
        return []
    worst = max(young, key=lambda layer: layer.momentum)
    others = f" and {len(young) - 1} more" if len(young) > 1 else ""
    what = f"batch normalisation ({worst.name}{others}) has a momentum of {worst.momentum:g}"
    when = f"after {done:,} steps ({epochs:,} epochs of {steps:,})"
    left = f"{worst.momentum:g}^{done} = {worst.momentum**done:.2g} of its moving statistics"
    return [
        f"{what}: {when}, {left} is still what they began with and not the images', and validation and all that is served are "
        f"computed with them; {_what_is_enough(worst.momentum, steps, done)}"
    ]


def _what_is_enough(momentum: float, steps: int, done: int) -> str:
    def epochs(of):
        return f"train for {math.ceil(math.log(STARTED) / math.log(of) / steps):,} epochs or more"

    if momentum <= QUICK:
        return epochs(momentum)
    instead = f"give momentum={QUICK}"
    if QUICK**done > STARTED:
        return f"{instead} and {epochs(QUICK)}"
    return f"{instead}, or {epochs(momentum)}" if momentum < 1 else instead


def _layers(model: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Those that run in training as training does, at any depth."""
    for layer in compat.layers_of(model, itself=False, deep=False):
        if not isinstance(layer, Extractor):
            yield layer
            yield from _layers(layer)
