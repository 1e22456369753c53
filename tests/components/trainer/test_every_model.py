"""Every kind of model trains in halves and is exported in float32: what is served of its twin is what Keras says, and what it is
judged by has an interval."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import endpoints, training
from components.trainer.data import Data, DataInfo
from configs.schema.augment import AugmentStep
from keras_models import get
from tests.cheaper import eagerly
from tests.components import digits
from tests.components.tasks.every_figure import without_interval
from tests.components.trainer.graphs import random_ops
from tests.keras_models.structures import OF_THE_SAME_BLOCKS, OF_THE_SAME_LAYERS, TESTED

NAMES = ["dark", "bright"]
NOISE = (AugmentStep(gaussian_noise={"stddev": 0.2}),)
GIVEN = {"ensemble"}  # its members; see tests/pipelines/test_run.py
# Their tasks are those of lenet5, resnet20, mlp, deep_autoencoder and sparse_coding; test_contract.py has each as a network.
OF_THE_SAME_TASK = {"densenet_cifar", "googlenet", "st_cnn", "hog", "lenet5_1998", "conv_autoencoder", "psd"}
# Their tasks differ from deep_autoencoder's in what is added to its loss; components/tasks/reconstruction has each.
OF_ANOTHER_LOSS = {"contractive_autoencoder", "linear_autoencoder", "sparse_autoencoder"}
MARKS = {
    **dict.fromkeys(OF_THE_SAME_TASK | OF_ANOTHER_LOSS, pytest.mark.whole),
    **dict.fromkeys(OF_THE_SAME_LAYERS, pytest.mark.every),
}
OF_MASKS = {name for name in TESTED if get(name).task == "segmentation"}  # tests/components/tasks/test_segmentation.py
TRAINED = set(TESTED) - GIVEN - OF_THE_SAME_BLOCKS - OF_MASKS


def data_of(shape) -> Data:
    labels = np.arange(8) % 2
    pixels = np.random.default_rng(0).uniform(0, 255, (8, *shape)) * (0.1 + 0.9 * labels[:, None, None, None])
    batches = tf.data.Dataset.from_tensors((pixels.round().astype(np.float32), {"label": labels}))
    return Data(DataInfo(shape, NAMES, 8, noise=NOISE), 1, lambda first, epochs: batches.repeat(epochs - first), batches, batches)


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in sorted(TRAINED)])
def test_trained_in_halves_it_is_served_in_float32_as_keras_has_it(name, tmp_path):
    named = get(name)
    entry, options = replace(named, options={}), {**named.options, **named.tiny}
    shape = options.pop("input_shape")
    options.pop("num_classes", None)
    height, width, channels = shape
    transform = {"height": height, "width": width, "channels": channels, "normalize": "unit"}
    cfg = digits.trainer_slice(
        digits.MLP,
        model={"name": name, "options": options},
        transform=transform,
        train={"epochs": 1, "batch_size": 8, "precision": "mixed_float16"},
    )
    data, task = data_of(shape), task_of(entry.task)
    model = training.build(entry, data, cfg)
    with eagerly():
        task.fit(model, data, cfg.train, 0, [])
    model = training.served(model, entry, data, cfg)
    told = {"architecture": name, "task": entry.task, "input_shape": shape, "class_names": NAMES, "transform": transform}
    card = digits.card(**told, calibrated=task.calibrate(model, data, digits.card(**told)))
    signatures = task.signatures(model, card)
    [(pixels, _)] = data.plain
    judge = judge_of(entry.task)
    judged = signatures[judge.signature if judge.signature in signatures else next(iter(signatures))].function(pixels)
    assert without_interval(judge, judged, np.arange(8) % 2) == []
    endpoint = endpoints.of(signatures, card)[keys.PIXELS]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(keys.PIXELS, endpoint.function, [endpoint.spec])
    archive.write_out(str(tmp_path), verbose=False)
    assert random_ops(tmp_path) == set()  # neither augmentation nor dropout is served
    answers = tf.saved_model.load(str(tmp_path)).signatures[keys.PIXELS](pixels=pixels)
    for output, values in endpoint.signature.function(pixels).items():
        assert answers[output].dtype == values.dtype
        assert values.dtype in (tf.float32, tf.string)
        if values.dtype == tf.float32:
            np.testing.assert_allclose(answers[output], values, rtol=1e-5, atol=1e-5)
