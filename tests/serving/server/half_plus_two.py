"""TF Serving's test model: y = x / 2 + 2, with the signatures and method names that its own tests ask."""

from pathlib import Path

import numpy as np

VERSION = 123
LABEL = "prod"
NAME = "half_plus_two"


def build(base: Path, version: int = VERSION, offset: float = 2.0, warmup: int = 0) -> Path:
    """Export y = x / 2 + offset, and x2 / 2 + 3, to base/version, which appears whole; `warmup` requests lie beside it."""
    import tensorflow as tf

    v1, method = tf.compat.v1, "tensorflow/serving/"
    stage = base / f"stage-{version}"
    builder = v1.saved_model.Builder(str(stage))
    with tf.Graph().as_default(), v1.Session() as session:
        slope, shift = v1.Variable(0.5, name="a", use_resource=True), v1.Variable(float(offset), name="b", use_resource=True)
        serialized = v1.placeholder(tf.string, [None], name="tf_example")
        features = {name: tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]) for name in ("x", "x2")}
        parsed = tf.io.parse_example(serialized, features)
        x = tf.identity(parsed["x"], name="x")
        y = tf.add(slope * x, shift, name="y")
        y3 = tf.add(slope * tf.identity(parsed["x2"], name="x2"), 3.0, name="y3")
        info = v1.saved_model.build_tensor_info

        def signature(given, answered, name):
            return v1.saved_model.build_signature_def(
                {alias: info(tensor) for alias, tensor in given.items()},
                {alias: info(tensor) for alias, tensor in answered.items()},
                method + name,
            )

        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {
                "serving_default": signature({"x": x}, {"y": y}, "predict"),
                "regress_x_to_y": signature({"inputs": serialized}, {"outputs": y}, "regress"),
                "regress_x2_to_y3": signature({"inputs": serialized}, {"outputs": y3}, "regress"),
                "classify_x_to_y": signature({"inputs": serialized}, {"scores": y}, "classify"),
            },
        )
    builder.save()
    if warmup:
        write_warmup(stage, warmup)
    stage.rename(base / str(version))
    return base / str(version)


def write_warmup(folder: Path, count: int, alias: str = "x") -> None:
    """Put requests for serving_default beside a model."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    (folder / "assets.extra").mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / "assets.extra" / "tf_serving_warmup_requests")) as writer:
        for value in range(count):
            logged = prediction_log_pb2.PredictionLog()
            request = logged.predict_log.request
            request.model_spec.name = NAME
            request.inputs[alias].CopyFrom(tf.make_tensor_proto(np.float32([[value]])))
            writer.write(logged.SerializeToString())
