"""The signature image_bytes of SavedModels called in this process, as benchmarks/serving.py asks on stdin.

The arguments are NAME=FOLDER, and a file of an image. A line is {model, rows, seconds}: one thread calls the signature with so many
copies of the image at a time. Told is {answered: images, seconds, cpu: s of this process, p50, p99: ms of a call, probabilities}.
"""

import json
import sys
import time
from pathlib import Path


def main(image: str, *models: str) -> None:
    """Load, say so, answer lines."""
    import numpy as np
    import tensorflow as tf

    pairs = [model.partition("=")[::2] for model in models]
    loaded = {name: tf.saved_model.load(folder) for name, folder in pairs}
    signatures = {name: model.signatures["image_bytes"] for name, model in loaded.items()}
    content = Path(image).read_bytes()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        signature, images = signatures[asked["model"]], tf.constant([content] * asked["rows"])
        outputs = signature(image_bytes=images)
        times, cpu, start = [], time.process_time(), time.perf_counter()
        while (begun := time.perf_counter()) < start + asked["seconds"]:
            outputs = {alias: tensor.numpy() for alias, tensor in signature(image_bytes=images).items()}
            times.append(time.perf_counter() - begun)
        told = {"answered": len(times) * asked["rows"], "seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
        told |= dict(zip(("p50", "p99"), 1000 * np.percentile(times, [50, 99]), strict=True))
        print(json.dumps(told | {"probabilities": np.asarray(outputs["probabilities"])[0].tolist()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
