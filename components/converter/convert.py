"""The process that converts: a SavedModel in, one file out. Imports tensorflow and, for ONNX, tf2onnx alone.

Run as `python -I convert.py`. It reads a line on standard input, {saved, form, to, calibration, shape} as JSON: the folder of
components.converter.network.write, a name of components.converter.forms.FORMS, the file to write, and the file and shape of float32
images [N, height, width, channels] that int8 takes the ranges of values from, or null. Where it fails its last line says why.
"""

import json
import sys

import numpy as np
import tensorflow as tf

from configs.errors import first_line, lines

OPSET = 17  # of ONNX: the highest that tf2onnx writes without a warning and every runtime of the last years reads


def main(saved: str, form: str, to: str, calibration: str | None, shape: list[int] | None) -> None:
    """Write the file."""
    images = np.fromfile(calibration, np.float32).reshape(shape) if calibration else None
    content = _onnx(saved) if form == "onnx" else _litert(saved, form, images)
    with open(to, "wb") as file:
        file.write(content)


def _litert(saved: str, form: str, images: np.ndarray | None) -> bytes:
    """By way of the SavedModel: from a concrete function alone the converter writes a file without weights, which answers NaN."""
    converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["each"])
    if form != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if form == "int8":
        converter.representative_dataset = lambda: ({"pixels": image[None]} for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def _onnx(saved: str) -> bytes:
    """Frozen first: otherwise constants that a layer holds, such as a mean, become inputs that nobody gives."""
    import tf2onnx
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    loaded = tf.saved_model.load(saved)
    function = loaded.signatures["batch"]
    frozen = convert_variables_to_constants_v2(function)
    outputs = dict(zip(sorted(function.structured_outputs), frozen.outputs, strict=True))
    [pixels] = frozen.inputs
    names = {pixels.name: "pixels", **{tensor.name: output for output, tensor in outputs.items()}}
    graph, _ = tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[pixels.name],
        output_names=[tensor.name for tensor in outputs.values()],
        tensors_to_rename=names,
        opset=OPSET,
    )
    return graph.SerializeToString()


LACKING = "TF Select ops: "  # begin of the line with which LiteRT's converter lists what LiteRT itself has not


def said(error: Exception) -> str:
    """The line of a converter's message that names operations, or the first."""
    told = [*lines(error)]
    if lacking := [line.removeprefix(LACKING) for line in told if line.startswith(LACKING)]:
        doubles = " of float64" if any("f64" in line for line in told) else ""
        return f"LiteRT has no operation {lacking[0][:200]}{doubles}"
    named = next((line for line in told if " op" in line.lower()), first_line(error))
    return f"{type(error).__name__}: {named[:300]}"


if __name__ == "__main__":
    try:
        main(**json.loads(sys.stdin.readline()))
    except Exception as error:  # of a converter: there is no base of what they raise
        print(said(error), file=sys.stderr)
        sys.exit(1)
