"""Auxiliary heads: outputs that grow out of the middle of a net and are trained with it: Szegedy et al. 2015, CVPR, section 5.

A builder attaches them to its net, which keeps its one output and knows nothing of their weights: what is counted, saved, exported
and served is the net. Who trains it trains `learner(net)` instead; the layers are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras


class Learner(keras.Model):
    """A net and its heads: input -> [the net's output, the output of each head].

    It is compiled and fitted like the net, with the net's targets. The loss of training is the net's plus `weight` times that of
    each head; the validation loss and all metrics are those of the net alone.
    """

    def __init__(self, inputs, outputs, weight, **kwargs):
        super().__init__(inputs, outputs, **kwargs)
        self.weight = weight

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        output, *heads = y_pred
        loss = super().compute_loss(x, y, output, sample_weight, training)
        if training:  # not super() for heads: it would add the layers' own losses (weight decay) once more for each
            loss += self.weight * sum(self._compile_loss(y, head, sample_weight) for head in heads)
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, y_pred[0], sample_weight)


@dataclass(frozen=True)
class _Aside:
    """Keras does not look into it: as a plain attribute, the learner would be a layer of the net and its weights the net's."""

    learner: Learner


def attach(net: keras.Model, heads: Sequence[keras.KerasTensor], weight: float) -> None:
    """Give a functional net heads.

    Args:
        heads: tensors computed from the net's input, of the shape and meaning of its output.
        weight: what the loss of each head counts for beside the net's.
    """
    net.auxiliary = _Aside(Learner(net.inputs[0], [*net.outputs, *heads], weight, name=net.name))


def learner(net: keras.Model) -> keras.Model:
    """What is trained in the net's place: the same object each time; the net itself where it has no heads."""
    return net.auxiliary.learner if hasattr(net, "auxiliary") else net


def behind(image: keras.KerasTensor, x: keras.KerasTensor, net: keras.Model) -> keras.Model:
    """Put layers before a net: the functional model image -> net(x), of the net's name, its last layer the net as "net".

    Layers and weights of the net are shared, not copied; its heads come along.

    Args:
        image: the model's input, a keras.Input.
        x: what the net is given, computed from it.
    """

    def output(of):
        return keras.Model(of.inputs[0], of.outputs, name="net")(
            x
        )  # the same layers under the name, the given model stays as it is

    model, heads = keras.Model(image, output(net), name=net.name), learner(net)
    if heads is not net:
        model.auxiliary = _Aside(Learner(image, output(heads), heads.weight, name=net.name))
    return model
