"""An event file, by TensorBoard's own writer and messages."""

import io
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import api_pb2, summary, summary_v2
from tensorboard.plugins.image import metadata as images
from tensorboard.plugins.scalar import summary_v2 as scalars
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

ENDED, FAILED = api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE


class Writer:
    """Writes events of one of TensorBoard's runs, a folder that is made. Times are seconds since 1970; None: now."""

    def __init__(self, folder: Path):
        self._events = EventFileWriter(str(folder))

    def add(self, told: summary_pb2.Summary, step: int = 0, at: float | None = None) -> None:
        """A summary as one of TensorBoard's plugins makes it."""
        event = event_pb2.Event(wall_time=time.time() if at is None else at, step=step)
        event.summary.ParseFromString(told.SerializeToString())  # TensorBoard makes it of TensorFlow's class where that is there
        self._events.add_event(event)

    def figures(self, values: Mapping[str, float], step: int, at: float | None = None) -> None:
        """Numbers by name; TensorBoard keeps them as float32."""
        for name, value in values.items():
            self.add(scalars.scalar_pb(name, value), step, at)

    def images(self, name: str, pixels: Sequence[np.ndarray], step: int, about: str = "") -> None:
        """Images of one size, [height, width, 1 or 3] in 0..255, together under one name; what lies outside is cut off.

        Args:
            about: Markdown that is shown with them.
        """
        height, width = pixels[0].shape[:2]
        values = [str(width).encode(), str(height).encode(), *map(png, pixels)]
        told = summary_pb2.Summary()
        value = told.value.add(tag=name)
        value.metadata.MergeFromString(images.create_summary_metadata(name, about).SerializeToString())
        value.tensor.MergeFromString(make_tensor_proto(np.array(values, object)).SerializeToString())
        self.add(told, step)

    def graph(self, definition: bytes) -> None:
        """A serialized GraphDef."""
        self._events.add_event(event_pb2.Event(wall_time=time.time(), graph_def=definition))

    def begun(self, values: Mapping[str, Any], trial: str, at: float | None = None) -> None:
        """Have HParams know a session: its values by name and the name of the group that it is of."""
        self.add(summary_v2.hparams_pb(plain(values), trial_id=trial, start_time_secs=time.time() if at is None else at), at=at)

    def ended(self, status: int, at: float | None = None) -> None:
        """Have HParams know how a session ended: ENDED or FAILED."""
        self.add(summary.session_end_pb(status, time.time() if at is None else at), at=at)

    def flush(self) -> None:
        self._events.flush()

    def close(self) -> None:
        self._events.close()


def plain(values: Mapping[str, Any]) -> dict[str, str | bool | int | float]:
    """TensorBoard knows numbers, texts and truth values; anything else is JSON."""
    return {path: value if isinstance(value, str | bool | int | float) else json.dumps(value) for path, value in values.items()}


def png(pixels: np.ndarray) -> bytes:
    """An image [height, width, 1 or 3] in 0..255 as a file; no number is 0."""
    whole = np.clip(np.nan_to_num(np.asarray(pixels, np.float64)), 0, 255).round().astype(np.uint8)
    into = io.BytesIO()
    Image.fromarray(whole[..., 0] if whole.shape[-1] == 1 else whole).save(into, "PNG")
    return into.getvalue()
