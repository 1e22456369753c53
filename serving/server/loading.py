"""A version from its folder to where it answers: loaded, its warm-up requests replayed, so that no client waits for a graph."""

from collections.abc import Collection
from pathlib import Path

from configs.errors import first_line
from serving.server.servable import Servable, Warmup
from serving.server.status import ServingError

WARMUP = Path("assets.extra", "tf_serving_warmup_requests")
MAX_WARMUP = 1000  # records, as TF Serving has it


def load(
    name: str,
    version: int,
    folder: str | Path,
    *,
    timeout: float = 0,
    strict_shapes: bool = False,
    quick_start: bool = False,
    batch_sizes: Collection[int] = (),
) -> Servable:
    """A Servable, warm; arguments as it takes them.

    Args:
        batch_sizes: rows that requests of clients are padded to: each signature that has a warm-up request is asked with that many,
            too. TF Serving's batching pads a record to the next of them, and asks no other.

    Raises:
        ServingError: where it cannot be loaded, or a warm-up request fails.
    """
    servable = Servable(name, version, folder, timeout=timeout, strict_shapes=strict_shapes, quick_start=quick_start)
    try:
        servable.warmup = _warm_up(servable, batch_sizes)
    except BaseException:
        servable.close()
        raise
    return servable


def _warm_up(servable: Servable, batch_sizes: Collection[int]) -> Warmup:
    """Replay the requests that lie beside the model."""
    path = Path(servable.folder) / WARMUP
    if not path.is_file():
        return Warmup()
    import tensorflow as tf

    from serving.server.warming import Warming

    warming = Warming(servable)
    try:
        for count, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator(), 1):
            if count > MAX_WARMUP:
                raise ServingError("INVALID_ARGUMENT", f"Number of warmup records exceeds the maximum ({MAX_WARMUP})")
            try:
                warming.replay(record)
            except ServingError as error:
                raise ServingError(error.code, f"warm-up request {count} fails: {error.message}") from None
    except tf.errors.OpError as error:
        raise ServingError("DATA_LOSS", f"its warm-up requests ({WARMUP}) cannot be read: {first_line(error.message)}") from None
    warming.grow(batch_sizes)
    return warming.done()
