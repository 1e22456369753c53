"""Transform's preprocessing_fn: what the kind of input makes of its bytes, and the targets. Nothing random belongs here."""

import tensorflow as tf

from components import inputs as kinds
from components import keys, targets
from components.transform.follow import Resize
from configs.schema.slices.transform import TransformSlice


@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs, custom_config):
    """Raw features to transformed ones.

    Args:
        inputs: components.keys' raw schema, dense [N, 1] tensors; labels may be sparse where some are missing.
        custom_config: {"slice": TransformSlice as JSON}.

    Returns:
        What the kind of input makes of its feature (components.inputs; of images `pixels`, string [N]), `example/id` string [N],
        each target as its kind stores it (components.targets). Statistics of the training split are files beside the graph.
    """
    cfg = TransformSlice.model_validate_json(custom_config["slice"])
    kind_of_input = kinds.input_of(cfg.reads)
    outputs = {
        **kind_of_input.prepare(targets.first(inputs[kind_of_input.feature]), cfg),
        keys.EXAMPLE_ID: targets.first(inputs[keys.EXAMPLE_ID]),
    }
    resize = Resize(cfg.transform, inputs, tf.shape(outputs[keys.EXAMPLE_ID])[0])
    for kind in map(targets.of, cfg.targets):
        outputs[kind.name] = kind.stored(kind.resized(inputs, resize))
    return outputs
