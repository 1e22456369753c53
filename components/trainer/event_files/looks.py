"""What TensorBoard shows of a training when it is over: images, the graph, embeddings."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import keras

from components import inputs, keys, progress
from components.tasks.base import Task
from components.trainer.card import Card
from components.trainer.data import Data
from components.trainer.event_files import embeddings, graph, pictures
from components.trainer.event_files.writer import Writer
from configs.errors import first_line, log_traceback


def write(
    folder: Path, model: keras.Model, task: Task, card: Card, data: Data, names: Mapping[str, Sequence[str]], kept: int
) -> None:
    """Write each of them. What goes wrong is a warning: it is not worth a training.

    Args:
        folder: of TensorBoard's, which has the figures of the training.
        model: as it is served; its layers are frozen.
        names: target -> those of its classes.
        kept: the epoch whose weights it has, counted from 1.
    """
    for name, write_it in _each(folder, model, task, card, data, names, kept):
        try:
            write_it()
        except Exception as error:  # of a network of somebody's own: anything
            log_traceback()
            progress.emit("warning", text=f"TensorBoard has no {name} of this training: {first_line(error)}")


def _each(folder, model, task, card, data, names, kept) -> Iterator[tuple[str, Callable[[], None]]]:
    def images():
        if card.reads != inputs.DEFAULT:
            return
        shown = {(keys.TRAIN, 1): pictures.augmented(data), (keys.VALIDATION, kept): pictures.remade(task, model, data, card)}
        for (run, step), gallery in shown.items():
            if gallery is not None:
                with contextlib.closing(Writer(folder / run)) as writer:
                    writer.images(gallery.name, gallery.pixels, step, gallery.about)

    def of_network():
        with contextlib.closing(Writer(folder)) as writer:
            writer.graph(graph.of(model, inputs.input_of(card.reads).dtype))

    def of_codes():
        embedding = embeddings.of(model, data, names, card.reads)
        if embedding is not None:
            embeddings.write(folder, embedding)

    yield "images", images
    yield "graph", of_network
    yield "embeddings", of_codes  # last: it freezes layers
