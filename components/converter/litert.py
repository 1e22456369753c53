"""The process that runs a LiteRT file, as whoever uses it will: ai-edge-litert and NumPy alone, one image at a time.

Run as `python -I litert.py`. It reads a line on standard input, {file, images, shape, to} as JSON: the model, float32 images
[N, height, width, channels] as they lie in a file, and the folder for one file an output, beside answers.json
({output: {file, dtype, shape}}) and floats.json, the names of what is computed in float32 on the way.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main(file: str, images: str, shape: list[int], to: str) -> None:
    """Answer every image."""
    asked = np.memmap(images, np.float32, "r", shape=tuple(shape))
    interpreter = Interpreter(model_path=file)
    (Path(to) / "floats.json").write_text(json.dumps(floats(interpreter)))
    runner = interpreter.get_signature_runner()
    [name] = runner.get_input_details()
    written, files = {}, {}
    for image in asked:
        for output, value in runner(**{name: np.ascontiguousarray(image[None])}).items():
            if output not in files:
                files[output] = (Path(to) / f"answer-{len(files)}").open("wb")
                told = {"file": files[output].name, "dtype": str(value.dtype), "shape": [len(asked), *value.shape[1:]]}
                written[output] = told
            files[output].write(value.tobytes())
    for opened in files.values():
        opened.close()
    (Path(to) / "answers.json").write_text(json.dumps(written))


def floats(interpreter: Interpreter) -> list[str]:
    """Names of tensors of float32 that are neither what it is asked nor what it answers."""
    ends = {end["index"] for end in (*interpreter.get_input_details(), *interpreter.get_output_details())}
    return [at["name"] for at in interpreter.get_tensor_details() if at["dtype"] == np.float32 and at["index"] not in ends]


if __name__ == "__main__":
    main(**json.loads(sys.stdin.readline()))
