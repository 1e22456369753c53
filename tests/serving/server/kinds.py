"""A model with a signature for each kind of input and output that a protocol must carry."""

from pathlib import Path

NAME = "kinds"


def build(base: Path, version: int = 1) -> Path:
    """Export it to base/version: `echo` floats, `pair` of floats and strings, `integers` (int32), `texts` that come back as a
    string and as bytes, `uneven` outputs, a `scalar`, `halves` (float16), `none` without inputs, `filled`, whose `z` is 5 where it
    is left out, and `image`, a convolution [N, 4, 4, 1] whose graph asserts its shape."""
    import tensorflow as tf

    v1 = tf.compat.v1
    builder = v1.saved_model.Builder(str(base / str(version)))
    with tf.Graph().as_default(), v1.Session() as session:
        floats, strings = v1.placeholder(tf.float32, None, "floats"), v1.placeholder(tf.string, None, "strings")
        integers, halves = v1.placeholder(tf.int32, None, "integers"), v1.placeholder(tf.float16, None, "halves")
        more = v1.placeholder(tf.float32, None, "more")
        pixels = v1.placeholder(tf.float32, [None, 4, 4, 1], "pixels")
        kernel = tf.ones([3, 3, 1, 1])
        convolved = tf.nn.conv2d(tf.ensure_shape(pixels, [None, 4, 4, 1]), kernel, 1, "VALID")
        image = tf.reduce_sum(convolved, [1, 2, 3])
        signatures = {
            "echo": ({"x": floats}, {"y": tf.identity(floats)}),
            "pair": ({"x": floats, "s": strings}, {"y": tf.identity(floats), "t": tf.identity(strings)}),
            "integers": ({"x": integers}, {"y": integers + 1}),
            "texts": ({"s": strings}, {"text": tf.identity(strings), "content_bytes": tf.identity(strings)}),
            "uneven": ({"x": floats}, {"a": tf.identity(floats), "b": floats[:1]}),
            "scalar": ({"x": floats}, {"sum": tf.reduce_sum(floats)}),
            "halves": ({"x": halves}, {"y": tf.cast(halves, tf.float32)}),
            "none": ({}, {"y": tf.constant([1.0])}),
            "filled": ({"x": floats, "z": more}, {"y": floats + more}),
            "image": ({"pixels": pixels}, {"sum": image}),
        }
        info = v1.saved_model.build_tensor_info
        described = {
            name: v1.saved_model.build_signature_def(
                {alias: info(tensor) for alias, tensor in given.items()},
                {alias: info(tensor) for alias, tensor in answered.items()},
                "tensorflow/serving/predict",
            )
            for name, (given, answered) in signatures.items()
        }
        described["filled"].defaults["z"].CopyFrom(tf.make_tensor_proto(5.0))
        builder.add_meta_graph_and_variables(session, ["serve"], described)
    builder.save()
    return base / str(version)
