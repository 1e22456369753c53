"""The graph of a network for TensorBoard: TensorFlow's, of what is served between decoding and answers, grouped by layers.

Keras's own callback writes that of a whole training step, whose gradients and optimizer hide the network.
"""

import keras
import tensorflow as tf

LARGEST = 1024  # bytes of a constant that is written; TensorBoard shows no larger one


def of(model: keras.Model, dtype: str) -> bytes:
    """A serialized GraphDef of a model's answer. dtype: of its input."""
    given = [tf.TensorSpec([None, *tensor.shape[1:]], dtype, name=tensor.name) for tensor in model.inputs]
    answer = tf.function(
        lambda *tensors: model(tensors[0] if len(tensors) == 1 else list(tensors), training=False), autograph=False
    )
    definition = answer.get_concrete_function(*given).graph.as_graph_def(add_shapes=True)
    for node in [*definition.node, *(node for function in definition.library.function for node in function.node_def)]:
        if node.op == "Const" and node.attr["value"].tensor.ByteSize() > LARGEST:
            tensor = node.attr["value"].tensor
            shape, kind = tensor.tensor_shape, tensor.dtype
            node.attr["value"].tensor.CopyFrom(type(tensor)(dtype=kind, tensor_shape=shape))
    return definition.SerializeToString()
