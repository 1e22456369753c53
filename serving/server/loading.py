"""A version from its folder to where it answers: loaded, its warm-up requests replayed, so that no client waits for a graph."""

import time
from pathlib import Path

from configs.errors import first_line
from serving.server.servable import Servable, Warmup
from serving.server.status import ServingError

WARMUP = Path("assets.extra", "tf_serving_warmup_requests")
MAX_WARMUP = 1000  # records, as TF Serving has it


def load(name: str, version: int, folder: str | Path, *, timeout: float = 0, strict_shapes: bool = False) -> Servable:
    """A Servable, warm; arguments as it takes them.

    Raises:
        ServingError: where it cannot be loaded, or a warm-up request fails.
    """
    servable = Servable(name, version, folder, timeout=timeout, strict_shapes=strict_shapes)
    try:
        servable.warmup = _warm_up(servable)
    except BaseException:
        servable.close()
        raise
    return servable


def _warm_up(servable: Servable) -> Warmup:
    """Replay the requests that lie beside the model."""
    path = Path(servable.folder) / WARMUP
    if not path.is_file():
        return Warmup()
    import tensorflow as tf

    from serving.server import inference

    start, count = time.monotonic(), 0
    try:
        records = list(tf.data.TFRecordDataset(str(path)).take(MAX_WARMUP + 1).as_numpy_iterator())
    except tf.errors.OpError as error:
        raise ServingError("DATA_LOSS", f"its warm-up requests ({WARMUP}) cannot be read: {first_line(error.message)}") from None
    if len(records) > MAX_WARMUP:
        raise ServingError("INVALID_ARGUMENT", f"Number of warmup records exceeds the maximum ({MAX_WARMUP})")
    for count, record in enumerate(records, 1):
        try:
            inference.replay(servable, record)
        except ServingError as error:
            raise ServingError(error.code, f"warm-up request {count} fails: {error.message}") from None
    return Warmup(count, time.monotonic() - start)
