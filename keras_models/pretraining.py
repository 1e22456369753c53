"""Greedy layer-wise pre-training: Bengio, Lamblin, Popovici & Larochelle 2007, "Greedy layer-wise training of deep networks", NIPS,
section 3, with autoencoders; Hinton & Salakhutdinov 2006 do it with restricted Boltzmann machines.

A builder says which stages there are; a stage trains one layer of the encoder and its mirror image in the decoder to reconstruct
what the layers under them, which earlier stages have trained and which stay as they are, make of the image.

Differs on purpose from Bengio et al.: squared error instead of cross-entropy, and the way back has weights of its own, which are
kept: they are where the decoder starts from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras

from keras_models import auxiliary
from keras_models.auxiliary import Aside


@dataclass(frozen=True)
class Stage:
    """One pair of layers.

    name: also of its state's folder. layers: what it trains. pair: functional, the net's input -> the reconstruction. under:
    functional, the net's input -> what is reconstructed; None for the first stage, which reconstructs the image.
    """

    name: str
    layers: Sequence[keras.layers.Layer]
    pair: keras.Model
    under: keras.Model | None = None


class Pair(keras.Model):
    """What is fitted in a stage: the net's input -> the reconstruction of what is under the pair, which takes the place of the
    data's target. `select` says which layers learn."""

    def __init__(self, inputs, outputs, under=None, **kwargs):
        super().__init__(inputs, outputs, **kwargs)
        self._under = Aside(under)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, self._target(x, y), y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, self._target(x, y), y_pred, sample_weight)

    def _target(self, x, y):
        return y if self._under.held is None else self._under.held(x, training=False)


def attach(net: keras.Model, stages: Sequence[Stage]) -> None:
    """Give a functional net its stages, first to last."""
    net.stages = Aside(tuple(stages))


def stages(net: keras.Model) -> tuple[Stage, ...]:
    """Those of a net; none where nothing is attached."""
    return net.stages.held if hasattr(net, "stages") else ()


def behind(image: keras.KerasTensor, x: keras.KerasTensor, net: keras.Model) -> keras.Model:
    """`auxiliary.behind`; stages come along too."""

    def moved(part):
        return None if part is None else auxiliary.behind(image, x, part)

    model = auxiliary.behind(image, x, net)
    if own_stages := stages(net):
        attach(model, [replace(stage, pair=moved(stage.pair), under=moved(stage.under)) for stage in own_stages])
    return model


def learner(stage: Stage) -> Pair:
    """What is fitted in a stage; its layers are the net's own."""
    return Pair(stage.pair.inputs, stage.pair.outputs, stage.under, name=stage.name)


def select(net: keras.Model, stage: Stage | None) -> None:
    """Let the layers of one stage learn, and no other stage's; None: those of all stages."""
    for each in stages(net):
        for layer in each.layers:
            layer.trainable = stage is None or each is stage
