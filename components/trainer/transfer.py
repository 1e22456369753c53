"""Training that starts from another model's features: the network, and the phases in which it learns."""

import functools

import keras
from keras import layers

from components import keys, progress
from components.tasks.base import Task
from components.tasks.by_name import task_of
from components.trainer import artifact
from components.trainer.origin import RANDOM, Origin
from components.trainer.phases import Phase
from configs.errors import UsageError
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.transfer import TransferConfig
from keras_models import build, files, normalize, published, transfer, usable
from keras_models.layers.neighbours import NearestNeighbours
from keras_models.layers.patches import PatchGaussians, PatchMemory
from keras_models.record import CLASSIFICATION, ModelEntry

NEIGHBOURS = "nearest_neighbours"  # the head that is a task of its own
PADIM = "padim"


def served(asked: TransferConfig) -> str:
    """Name of the task that a transferred network is served and judged as."""
    return f"patches.{asked.head}" if asked.detects else CLASSIFICATION


def tasks(asked: TransferConfig) -> list[str]:
    """Names of the tasks that fit what is transferred."""
    return [served(asked), *([NEIGHBOURS] if asked.head == NEIGHBOURS else [])]


def check(asked: TransferConfig, task: Task) -> None:
    """Raise UsageError for what a task that was chosen by the data cannot do."""
    if keys.LABEL not in task.targets and (asked.shots or asked.head == NEIGHBOURS):
        raise UsageError(
            "transfer.shots and nearest_neighbours are of images of one class each, and these may have several.",
            "Take head: logistic_regression, and no shots.",
        )


def entry(origin: Origin, asked: TransferConfig, learned: bool = True) -> ModelEntry:
    """What Trainer and Tuner build instead of a registered model; option `references`: how many training images there are.

    Args:
        learned: with ImageNet's weights, which may have to be fetched; otherwise a network of keras.applications has random ones.
    """
    unknown = {"params": None, "tiny": {}, "paper": "", "year": None}
    builder = functools.partial(_build, origin, asked, learned)
    return ModelEntry(name=origin.architecture, task=served(asked), module=__name__, build=builder, **unknown)


def prove(origin: Origin, asked: TransferConfig, input_shape: tuple[int, int, int]) -> None:
    """Build it once without data, of which nothing but the size of the images is known yet.

    Raises:
        UsageError: for a source that cannot be loaded or cut, a layer that it does not have, or images that it cannot take; for a
            detector of a network of keras.applications whose weights are not here.
    """
    if asked.detects and origin.is_published and (absent := missing(origin, input_shape)):
        raise UsageError(
            f"The weights of {origin.source} are not here, and a detector fetches none.",
            "Name a file of weights without the classifier, or random ones (transfer.weights), or put "
            f"{absent.file} into {absent.folder}.",
        )
    of_data = {"input_shape": input_shape, "num_classes": usable.CLASSES}
    build(entry(origin, asked, learned=False), of_data, {"references": asked.neighbours})


def missing(origin: Origin, input_shape: tuple[int, int, int]) -> published.Weights | None:
    """The file of weights that has to be fetched before a network of keras.applications can be built; None where it is there, or
    others are named."""
    return None if origin.weights else published.missing(origin.source, *input_shape[:2])


def fetch(origin: Origin, input_shape: tuple[int, int, int]) -> None:
    """Have the weights of keras.applications here. Raises UsageError, with what to put where, where they cannot be had."""
    if absent := missing(origin, input_shape):
        progress.emit("note", text=f"fetching the weights of {origin.source}: {absent.url} into {absent.folder}")
        _opened(origin, input_shape)


def phases(task: Task, cfg: TrainerSlice, model: keras.Model) -> list[Phase]:
    """The head, and what is trained after it, each a fit of `task`."""
    asked = cfg.transfer
    if asked.head == NEIGHBOURS or asked.detects:
        fitting = task_of(asked.head) if asked.head == NEIGHBOURS else task
        return [Phase(fitting, cfg.train.model_copy(update={"epochs": 1}))]
    planned = [Phase(task, cfg.train)]
    if asked.fine_tune is not None:
        slower = cfg.train.optimizer.model_copy(update={"learning_rate": asked.fine_tune.learning_rate})
        train = cfg.train.model_copy(update={"epochs": asked.fine_tune.epochs, "optimizer": slower})
        begin = functools.partial(_unfreeze, layer=asked.fine_tune.from_)
        planned.append(Phase(task, train, "fine_tune", begin, "transfer.fine_tune.learning_rate"))
    return planned


def _unfreeze(model: keras.Model, layer: str) -> None:
    count = transfer.unfreeze(normalize.inner(model).get_layer(transfer.FEATURES), layer)
    progress.emit("note", text=f"fine-tuning from {layer} on: {count:,} weights of the source, and the head's")


def _build(origin: Origin, asked: TransferConfig, learned: bool, input_shape, references, num_classes=None) -> keras.Model:
    source = (
        _opened(origin, input_shape)
        if learned or not origin.is_published
        else published.model(origin.source, *input_shape[:2], None)
    )
    try:
        if asked.detects:
            features = transfer.map_extractor(source, asked.layers)
            return transfer.with_patches(features, input_shape, _of_patches(asked, features, references))
        features = transfer.extractor(source, asked.layer or (None if origin.file else "net"))
        if asked.fine_tune is not None:
            transfer.unfreeze(features, asked.fine_tune.from_)  # it must be there before the head is trained
            features.trainable = False
        return transfer.with_head(features, input_shape, _head(asked, num_classes, references), asked.maps)
    except ValueError as error:
        said, hint = error, "See transfer in docs/configuration.md; `hubel show` lists layers."
        if usable.NOTHING_LEFT in str(error):
            said, hint = (
                f"images of {transfer.volume(input_shape)} are too small for it",
                "Set transform.height and transform.width.",
            )
        raise UsageError(f"transfer.source {origin.source}: {said}.", hint) from None


def _head(asked: TransferConfig, num_classes: int, references: int) -> layers.Layer:
    if asked.head == NEIGHBOURS:
        return NearestNeighbours(references, num_classes, asked.neighbours, asked.distance, name=transfer.HEAD)
    return layers.Dense(num_classes, dtype="float32", name=transfer.HEAD)


def _of_patches(asked: TransferConfig, features: keras.Model, references: int) -> layers.Layer:
    own = {"smoothing": asked.smoothing, "seed": asked.seed, "name": transfer.PATCHES}
    shapes = [tensor.shape for tensor in features.outputs]
    if asked.head == PADIM:
        channels = sum(shape[-1] for shape in shapes)
        return PatchGaussians(min(asked.dimensions, channels), **own)
    patches = references * shapes[0][1] * shapes[0][2]
    return PatchMemory(max(1, round(asked.coreset * patches)), asked.reweight, **own)


def _opened(origin: Origin, input_shape) -> keras.Model:
    if origin.file is None:
        others = {"weights": None if origin.weights == RANDOM else origin.weights} if origin.weights else {}
        return published.model(origin.source, *input_shape[:2], **others)
    instead = "A model of a builder of one's own that hubel trained and pushed is loaded with its classes: give its name."
    with files.readable(f"transfer.source {origin.source}", instead):
        return artifact.load(origin.artifact) if origin.artifact else keras.saving.load_model(origin.file, compile=False)
