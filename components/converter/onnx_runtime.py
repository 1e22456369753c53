"""The process that runs an ONNX file, as whoever uses it will: onnxruntime and NumPy alone, on the CPU.

Run as `python -I onnx_runtime.py`; what it reads and writes is as in litert.py.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

BATCH = 32


def main(file: str, images: str, shape: list[int], to: str) -> None:
    """Answer every image."""
    asked = np.memmap(images, np.float32, "r", shape=tuple(shape))
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    given, *others = session.get_inputs()
    if others:
        raise SystemExit(f"it wants inputs that nobody gives, such as {others[0].name}")
    outputs = [output.name for output in session.get_outputs()]
    written, files = {}, {name: (Path(to) / f"answer-{place}").open("wb") for place, name in enumerate(outputs)}
    for start in range(0, len(asked), BATCH):
        for name, value in zip(outputs, session.run(outputs, {given.name: asked[start : start + BATCH]}), strict=True):
            written[name] = {"file": files[name].name, "dtype": str(value.dtype), "shape": [len(asked), *value.shape[1:]]}
            files[name].write(value.tobytes())
    for opened in files.values():
        opened.close()
    (Path(to) / "answers.json").write_text(json.dumps(written))


if __name__ == "__main__":
    main(**json.loads(sys.stdin.readline()))
