"""Ensembles: Lakshminarayanan, Pritzel & Blundell 2017, "Simple and scalable predictive uncertainty estimation using deep
ensembles", NeurIPS, section 2.4: the mean of the members' probabilities.

Differs on purpose: members are any classifiers that are there already, not trainings of one network from several seeds alone; no
adversarial training.
"""

from collections.abc import Sequence

import keras

from keras_models.checks import need_count, need_image
from keras_models.classifiers.mlp import mlp
from keras_models.layers.mean_probability import MeanProbability
from keras_models.record import register


@register(
    "ensemble",
    task="ensemble",
    params=15_700,
    tiny={"input_shape": (8, 8, 1), "num_classes": 2},
    paper="Lakshminarayanan et al. 2017",
    year=2017,
)
def ensemble(input_shape=(28, 28, 1), num_classes=10, members: Sequence[keras.Model] = ()):
    """Several classifiers behind one input, and the mean of their probabilities. Layers and weights are shared, not copied.

    Args:
        members: functional models image -> logits (batch, num_classes), of the same input; without any, two new linear classifiers,
            so that the arithmetic of an ensemble can be looked at.

    Input: float32 (batch, height px, width px, channels), as the members take it.
    Returns: uncompiled functional model -> float32 (batch, num_classes), log of the mean probability, usable as logits. Its layers
        are "member1", "member2", ... and "logits".
    Raises: ValueError for fewer than 2 classes, one member, or a member of another input or number of classes.
    """
    input_shape = need_image(input_shape)
    need_count("num_classes", num_classes, 2)
    members = members or [mlp(input_shape, num_classes, hidden=()) for _ in range(2)]
    need_count("members", len(members), 2)
    wanted = ((None, *input_shape), (None, num_classes))
    for member in members:
        if (member.input_shape, member.output_shape) != wanted:
            sizes = [" -> ".join(map(str, shapes)) for shapes in ((member.input_shape, member.output_shape), wanted)]
            raise ValueError(f"every member must map {sizes[1]}; {member.name} maps {sizes[0]}")
    image = keras.Input(input_shape, name="image")
    logits = [keras.Model(m.inputs[0], m.outputs[0], name=f"member{number}")(image) for number, m in enumerate(members, 1)]
    return keras.Model(image, MeanProbability(dtype="float32", name="logits")(logits), name="ensemble")
