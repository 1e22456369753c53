"""What is trained with a net and not served: outputs from its middle, and what is minimised beside the task's loss.

A builder attaches them to its net, which keeps its one output and knows nothing of them: what is counted, saved, exported and
served is the net. Who trains it trains `learner(net)` instead; the layers are the same. Where heads and terms do not say what is
minimised, such as of two networks that work against each other, the learner is a model of the builder's own: see `train_by`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
from keras import ops

from keras_models import compat

DATA_LOSS = "data_loss"  # the task's own, as it is logged where there are heads or terms


@dataclass(frozen=True)
class Term:
    """A penalty or regulariser. What is minimised is the task's loss + the sum of weight * mean of value(*of).

    Args:
        name: under which its value, without the weight, is logged; the weight as `name_weight`.
        weight: lambda, beta.
        value: takes the values of `of`, gives float32 (batch,) or a scalar.
        of: tensors computed from the net's input.
        warmup: epochs over which the weight rises linearly, from weight / warmup in the first one. Validation always has all of it.
        judged: what stands in the place of `value` in validation; None: nothing else.
    """

    name: str
    weight: float
    value: Callable
    of: Sequence[keras.KerasTensor]
    warmup: int = 0
    judged: Callable | None = None


class Learner(keras.Model):
    """A net and what is trained with it: input -> [the net's output, the output of each head, the tensors of each term].

    It is compiled and fitted like the net, with the net's targets. The loss of training is the net's plus `weight` times that of
    each head, plus the terms; the validation loss is the net's plus the terms. Metrics are those of the net alone. In all of this
    the `output` of `attach` stands for the net's, and what is `given` there are further inputs. What the loss is a sum of is logged
    apart, as are the weights; the heads' as the sum over them, called `called_loss`.
    """

    def __init__(self, inputs, outputs, weight=0.0, terms=(), called="auxiliary", head_loss=None, **kwargs):
        super().__init__(inputs, outputs, **kwargs)
        self.weight, self.terms, self.called = weight, Aside(tuple(terms)), called
        self.head_loss = Aside(head_loss)
        self._heads = len(self.outputs) - 1 - sum(len(term.of) for term in terms)
        beside = [f"{called}_loss"] * bool(self._heads) + [term.name for term in terms]
        self._names = Aside([DATA_LOSS, *beside] if beside else [])
        self._shares = Aside({term.name: keras.Variable("ones", (), trainable=False, name=f"{term.name}_share") for term in terms})
        logged = [name for part in beside for name in (part, f"{part}_weight")]
        self._logged = {name: keras.metrics.Mean(name=name) for name in ([DATA_LOSS, *logged] if beside else [])}
        self._parts = Aside(
            [keras.Variable("zeros", (1 + len(beside),), trainable=False, name=name) for name in ("before", "after")]
        )

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        output, *rest = _listed(y_pred)
        heads, values = rest[: self._heads], rest[self._heads :]
        loss = super().compute_loss(x, y, output, sample_weight, training)
        if not self._names.held:
            return loss
        self._logged[DATA_LOSS].update_state(loss)
        parts = [loss]
        if heads:  # not super() for heads: it would add the layers' own losses (weight decay) once more for each
            of_head = self.head_loss.held or compat.compiled_loss(self)
            value = sum(of_head(y, head, sample_weight) for head in heads)
            parts.append(self._part(f"{self.called}_loss", value, self.weight))
            loss += parts[-1] if training else 0.0
        for term in self.terms.held:
            mine, values = values[: len(term.of)], values[len(term.of) :]
            value = ops.mean((term.value if training else term.judged or term.value)(*mine))
            weight = term.weight * (self._shares.held[term.name] if training else 1.0)
            parts.append(self._part(term.name, value, weight))
            loss += parts[-1]
        if training:
            self._keep(ops.stack([ops.cast(part, "float32") for part in parts]))
        return loss

    def _part(self, name, value, weight):
        """What is added to the loss, after logging both."""
        self._logged[name].update_state(value)
        self._logged[f"{name}_weight"].update_state(weight)
        return weight * value

    def _keep(self, parts):
        """Of a training whose loss is no longer finite, remember where that began."""
        before, after = self._parts.held
        goes_on = ops.all(ops.isfinite(after))
        before.assign(ops.where(goes_on, after, before))
        after.assign(ops.where(goes_on, parts, after))

    def parts(self) -> tuple[dict[str, float], dict[str, float]]:
        """What the loss is a sum of, the task's loss and the heads' and each term times its weight: in the last step but one and in
        the last one, or, where it did not stay finite, in the last finite step and in the one after it; nothing where it is the
        task's alone."""
        names = self._names.held
        before, after = (ops.convert_to_numpy(values).tolist()[: len(names)] for values in self._parts.held)
        return dict(zip(names, before, strict=True)), dict(zip(names, after, strict=True))

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, _listed(y_pred)[0], sample_weight)

    def behind(self, image, x):
        """See Standing."""
        given = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name) for tensor in self.inputs[1:]]
        about = self.weight, self.terms.held, self.called, self.head_loss.held
        return Learner(_one_or_all([image, *given]), _as_net(self, x, *given), *about, name=self.name)

    def forget(self) -> None:
        """Begin anew to follow the parts of the loss."""
        for values in self._parts.held:
            values.assign(ops.zeros_like(values))

    def set_epoch(self, epoch: int) -> None:
        """Give terms the weight of an epoch, counted from 0."""
        for term in self.terms.held:
            share = min(1.0, (epoch + 1) / term.warmup) if term.warmup else 1.0
            self._shares.held[term.name].assign(share)


class Standing(Protocol):
    """What a keras.Model has to know to be trained in a net's place."""

    def behind(self, image: keras.KerasTensor, x: keras.KerasTensor) -> keras.Model:
        """The same, of the same layers, where its net is given `x`, which is computed from the model's input `image`."""

    @property
    def optimizers(self) -> Sequence[tuple[keras.optimizers.Optimizer, Sequence[keras.Variable]]]:
        """Where there are several: each, `optimizer` first, and the variables that it trains. Left out where there is one."""


class WarmUp(keras.callbacks.Callback):
    """Weights of terms by epoch, for the fit of a learner."""

    def on_train_begin(self, logs=None):
        if isinstance(self.model, Learner):
            self.model.forget()

    def on_epoch_begin(self, epoch, logs=None):
        if isinstance(self.model, Learner):
            self.model.set_epoch(epoch)


@dataclass(frozen=True)
class Aside:
    """Keras does not look into it: as a plain attribute, what is held would be part of the model that holds it."""

    held: object


def attach(
    net: keras.Model,
    heads: Sequence[keras.KerasTensor] = (),
    weight: float = 0.0,
    terms: Sequence[Term] = (),
    output: keras.KerasTensor | None = None,
    given: Sequence[keras.KerasTensor] = (),
    called: str = "auxiliary",
    head_loss: keras.losses.Loss | None = None,
) -> None:
    """Give a functional net what is trained with it.

    Args:
        heads: tensors computed from the net's input, of the shape and meaning of its output.
        weight: what the loss of each head counts for beside the net's.
        terms: what is minimised besides.
        output: what stands for the net's output in training and validation, made by the same layers, such as of a random draw.
        given: keras.Inputs from which, besides the net's, these tensors are computed. The task's pairs have them after the pixels.
        called: what the heads are; the sum of their losses, without the weight, is logged as `called_loss`, in validation too, and
            the weight as `called_loss_weight`.
        head_loss: of a head, where it is not the net's: a loss that has weights, such as a learned deviation, is of the net alone.
    """
    outputs = net.outputs if output is None else [output]
    taps = [tensor for term in terms for tensor in term.of]
    inputs = _one_or_all([*net.inputs, *given])
    net.auxiliary = Aside(Learner(inputs, [*outputs, *heads, *taps], weight, terms, called, head_loss, name=net.name))


def train_by(net: keras.Model, learner: keras.Model) -> None:
    """Have another model be trained in a net's place.

    Args:
        learner: Standing; compiled by the task and fitted with the net's targets. Its layers hold the net's, and what is only
            trained with them.

    Raises:
        TypeError: for a model that does not know how to stand behind other layers.
    """
    if not isinstance(learner, keras.Model) or not callable(getattr(learner, "behind", None)):
        raise TypeError(f"a learner is a keras.Model with a method behind(image, x); got {type(learner).__name__}")
    net.auxiliary = Aside(learner)


def optimizers(model: keras.Model) -> list[tuple[keras.optimizers.Optimizer, Sequence[keras.Variable]]]:
    """Those of a compiled model, and what each trains; none where it is compiled without one."""
    if hasattr(model, "optimizers"):
        return list(model.optimizers)
    optimizer = getattr(model, "optimizer", None)  # Keras sets it in compile
    return [(optimizer, model.trainable_variables)] if optimizer else []


def learner(net: keras.Model) -> keras.Model:
    """What is trained in the net's place: the same object each time; the net itself where nothing is attached."""
    return net.auxiliary.held if hasattr(net, "auxiliary") else net


def terms(net: keras.Model) -> tuple[Term, ...]:
    """What is minimised beside the task's loss."""
    trained = learner(net)
    return trained.terms.held if isinstance(trained, Learner) else ()


def behind(image: keras.KerasTensor, x: keras.KerasTensor, net: keras.Model) -> keras.Model:
    """Put layers before a net: the functional model image -> net(x), of the net's name, its last layer the net as "net".

    Layers and weights of the net are shared, not copied; its heads and terms come along.

    Args:
        image: the model's input, a keras.Input.
        x: what the net is given, computed from it.
    """

    model, trained = keras.Model(image, _as_net(net, x), name=net.name), learner(net)
    if trained is not net:
        train_by(model, trained.behind(image, x))
    return model


def _as_net(model, *given):
    """Its outputs of what it is given; the same layers under the name, the model stays as it is."""
    return keras.Model(_one_or_all(model.inputs), model.outputs, name="net")(_one_or_all(given))


def _listed(outputs):
    """Those of a model; Keras gives a single one as it is."""
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _one_or_all(tensors):
    """What a model of one input takes is no list."""
    return tensors[0] if len(tensors) == 1 else list(tensors)
