"""What models say of images that they were not trained on, for all images of a run: K trainings by Trainer's own function, each on
all folds but one, which it then answers (Stone 1974, JRSS B 36(2)).

Images are dealt by a hash of their ids; those of one id, or that look the same to the model, share one. What Transform
learned of the training split (means of pixels, a vocabulary) stays as it is in all of them.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from components import keys
from configs import atomic, words
from configs.errors import HubelError, UsageError

VALIDATION = 0.1  # of what a fold is trained with: what early stopping and the like look at
BATCH = 128
LEAST, MOST = 2, 20  # folds


@dataclass(frozen=True)
class Training:
    """What a Trainer was given and gave.

    custom: its custom_config. examples, transform_graph, model: folders of artifacts. schema: the file. base_model: of
    `model.initial`, as TFX hands it over.
    """

    custom: Mapping[str, Any]
    examples: Path
    transform_graph: Path
    schema: Path
    model: Path
    base_model: str | None = None


@dataclass(frozen=True)
class OutOfSample:
    """Answers about all images that have a label, in the order of splits and files.

    ids: of each. splits: where each is in the run. targets: int64 [N], or [N, K] where an image may have several classes.
    probabilities: float32 [N, K]. left_out: images without what is learned. together: images that were kept in the fold of another
    one because they are the same. untaught: (fold, class) of which nothing was left to train with. lacks_copies: whether the run
    was trained on copies that augmentation had made beforehand, and these models were not.
    """

    folds: int
    ids: Sequence[str]
    splits: Sequence[str]
    targets: np.ndarray
    probabilities: np.ndarray
    left_out: int
    together: int
    untaught: Sequence[tuple[int, int]]
    lacks_copies: bool = False

    @property
    def as_labelled(self) -> float:
        """Share of the labels that the answers agree with: of images, or of pairs of image and class (above 0.5)."""
        if self.targets.ndim == 1:
            return float((self.probabilities.argmax(1) == self.targets).mean())
        return float(((self.probabilities > 0.5) == (self.targets > 0)).mean())


def check(folds: int) -> None:
    """Raise UsageError for a number of folds that cannot be."""
    if not LEAST <= folds <= MOST:
        raise UsageError(f"--folds must be between {LEAST} and {MOST}, not {folds}.", "5 is the usual number.")


def out_of_sample(training: Training, folds: int, state: Path) -> OutOfSample:
    """Train `folds` models, and have each answer the fold that it has not seen.

    Args:
        state: folder where what is done is kept, so that a killed call goes on at the epoch of the fold it was in.

    Raises:
        UsageError: for an ensemble, a task that answers no probabilities, or a number of folds that cannot be.
        HubelError: of too few images, or what a training raises.
    """
    from components import progress
    from components.tasks.by_name import name_of, task_of
    from components.trainer.card import Card
    from components.trainer.training import entry_of, identity
    from configs.override import override
    from configs.schema.slices.trainer import TrainerSlice

    check(folds)
    card = Card.read(str(training.model))
    if card.members:
        raise UsageError(
            "An ensemble is made of models that are trained already, so none of them can be trained on folds.",
            "Ask for --folds of one of its members.",
        )
    cfg = override(TrainerSlice.model_validate_json(training.custom["slice"]), dict(card.hyperparameters))
    steps = [step for step in cfg.augment if step.operation[0] != "copies"]
    lacks_copies = len(steps) < len(cfg.augment)
    cfg = cfg.model_copy(update={"augment": steps})
    entry = entry_of(training.custom, cfg)
    task = task_of(training.custom.get("task") or name_of(entry.task, cfg.anomaly))
    rows = _Rows.of(training, card, task, folds)
    place = state / _digest(
        identity(_fn_args(training, cfg, [str(training.examples)], []), dict(card.hyperparameters)), folds, rows
    )
    if cfg.model.initial or cfg.transfer:
        progress.emit("note", text="The folds start from a model that may have seen their images: its part is not out of sample.")
    answers = np.zeros((len(rows.ids), len(card.class_names)), np.float32)
    for fold in range(folds):
        of_fold = np.flatnonzero(rows.fold == fold)
        done = place / f"{fold}.npy"
        if done.is_file():
            progress.emit("note", text=f"fold {fold + 1} of {folds} is done")
        else:
            progress.emit("note", text=f"fold {fold + 1} of {folds}: {words.count(len(of_fold), 'image')} to answer")
            _write(done, _of_fold(training, cfg, entry, task, card, rows, fold, place))
        answers[of_fold] = np.load(done)
    return OutOfSample(
        folds,
        rows.ids,
        rows.splits,
        rows.targets,
        answers,
        rows.left_out,
        rows.together,
        rows.untaught(len(card.class_names)),
        lacks_copies,
    )


@dataclass(frozen=True)
class _Rows:
    """Images with a target, by their places among all records: `taken`. names: of their groups. fold: int64 [N]."""

    taken: np.ndarray
    ids: list[str]
    splits: list[str]
    targets: np.ndarray
    names: list[bytes]
    fold: np.ndarray
    left_out: int
    together: int

    @classmethod
    def of(cls, training: Training, card, task, folds: int) -> "_Rows":
        from components.example_gen.records import share

        ids, contents, splits, targets = [], [], [], []
        for split, batch in _read(training, card, task):
            ids += batch["ids"]
            contents += [hashlib.blake2b(seen.tobytes(), digest_size=16).digest() for seen in batch["seen"]]
            splits += [split] * len(batch["ids"])
            targets.append(batch["target"])
        if not ids:
            raise HubelError("There are no examples to make folds of.", "Run the config again.")
        every = np.concatenate(targets)
        taken = np.flatnonzero((every.reshape(len(every), -1) >= 0).all(1))
        names = groups([ids[place] for place in taken], [contents[place] for place in taken])
        dealt = sorted(set(names), key=lambda name: share(name, b"folds"))
        if len(dealt) < folds:
            raise HubelError(f"{len(dealt)} images that differ make no {folds} folds.", "Ask for fewer folds, or give more images.")
        fold_of = {name: place * folds // len(dealt) for place, name in enumerate(dealt)}
        as_text = [ids[place].decode(errors="replace") for place in taken]
        of = [splits[place] for place in taken]
        fold = np.array([fold_of[name] for name in names], int)
        return cls(taken, as_text, of, every[taken], names, fold, len(ids) - len(taken), len(names) - len(dealt))

    def validated(self, fold: int) -> np.ndarray:
        """bool [N]: of the images of other folds those that this one's training is validated with, by groups."""
        from components.example_gen.records import share

        others = {name for name, own in zip(self.names, self.fold, strict=True) if own != fold}
        drawn = sorted(others, key=lambda name: share(name, b"folds validation"))
        chosen = set(drawn[: max(1, round(VALIDATION * len(drawn)))])
        return np.array([name in chosen for name in self.names], bool)

    def untaught(self, classes: int) -> list[tuple[int, int]]:
        """See OutOfSample."""
        lacking = []
        for fold in np.unique(self.fold).tolist():
            taught = self.targets[(self.fold != fold) & ~self.validated(fold)]
            sizes = np.bincount(taught, minlength=classes) if taught.ndim == 1 else taught.sum(0)
            lacking += [(fold, int(number)) for number in np.flatnonzero(sizes == 0)]
        return lacking


def groups(ids: Sequence[bytes], contents: Sequence[bytes]) -> list[bytes]:
    """The name of each image's group: images of one id or one content, and those that are so with one of them, are together, and
    are called by the least id among them."""
    from scipy import sparse
    from scipy.sparse import csgraph

    _, of_id = np.unique(np.array(ids, object), return_inverse=True)
    _, of_content = np.unique(np.array(contents, object), return_inverse=True)
    many = len(ids)
    of_content = of_content.ravel() + (of_id.max(initial=-1) + 1)
    size = int(of_content.max(initial=-1) + 1)
    linked = sparse.coo_array((np.ones(many, bool), (of_id.ravel(), of_content)), (size, size))
    _, group = csgraph.connected_components(linked, directed=False)
    least: dict[int, bytes] = {}
    for number, name in zip(group[of_id.ravel()].tolist(), ids, strict=True):
        least[number] = min(name, least.get(number, name))
    return [least[number] for number in group[of_id.ravel()].tolist()]


def _of_fold(training, cfg, entry, task, card, rows: _Rows, fold: int, place: Path) -> np.ndarray:
    """float32 [images of the fold, K]."""
    from components.trainer.training import begun, data_of, phases_of, served, train_in_phases

    folder = place / f"files-{fold}"
    try:
        train, validation = _deal(training, rows, fold, folder)
        fn_args = _fn_args(training, cfg, train, validation)
        data = data_of(fn_args, cfg, task, entry.reads)
        model = begun(fn_args, entry, task, data, cfg)
        _, resumes = train_in_phases(phases_of(task, cfg, model), model, data, cfg, place / f"training-{fold}")
        answers = _answers(training, served(model, entry, data, cfg), task, card, rows, fold)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for resume in resumes:
        resume.clear()
    return answers


def _deal(training: Training, rows: _Rows, fold: int, folder: Path) -> tuple[list[str], list[str]]:
    """Write what a fold is trained and validated with. Returns the files of both."""
    import tensorflow as tf

    from components.examples import records_of

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "train.gz", folder / "validation.gz"]
    into = np.full(int(rows.taken.max()) + 1, -1)  # by place among all records: which file, or none
    into[rows.taken] = np.where(rows.fold == fold, -1, rows.validated(fold).astype(int))
    if not (into == 0).any():
        raise HubelError(f"Fold {fold + 1} leaves no image to train with.", "Ask for more folds, or give more images.")
    writers = [tf.io.TFRecordWriter(str(path), "GZIP") for path in paths]
    number = 0
    for _, files in _files(training):
        for record in records_of(files).as_numpy_iterator():
            if number < len(into) and into[number] >= 0:
                writers[into[number]].write(record)
            number += 1
    for writer in writers:
        writer.close()
    return [str(paths[0])], [str(paths[1])]


def _answers(training: Training, model, task, card, rows: _Rows, fold: int) -> np.ndarray:
    import tensorflow as tf

    from components.tasks.judges.by_name import judge_of
    from components.trainer import endpoints

    judge = judge_of(card.task)
    signature = task.signatures(model, card)[judge.signature]
    wanted, at, answers = set(rows.taken[rows.fold == fold].tolist()), 0, []
    for _, batch in _read(training, card, task):
        kept = [place for place in range(len(batch["ids"])) if at + place in wanted]
        at += len(batch["ids"])
        if kept:
            seen = (tf.gather(batch["given"], kept), tf.gather(batch["sizes"], kept))
            answered = signature.function(*endpoints.arguments(signature, seen, card))
            if judge.prediction_key not in answered:
                raise UsageError(f"Models of the task {card.task} answer no probabilities of classes.", "Leave --folds out.")
            answers.append(answered[judge.prediction_key].numpy().reshape(len(kept), -1).astype(np.float32))
    return np.concatenate(answers)


def _read(training: Training, card, task) -> Iterator[tuple[str, dict[str, Any]]]:
    """(split, a batch): ids: bytes; seen: as the served graph decodes it; given: what the model gets of it; sizes: int32 [N, 2];
    target: of the task, -1 where there is none."""
    import tensorflow as tf

    from components import given, inputs
    from components.examples import records_of
    from components.transform import placement

    [target] = task.targets
    kind = inputs.input_of(card.reads)
    spec = {
        kind.feature: tf.io.FixedLenFeature([], tf.string),
        keys.EXAMPLE_ID: tf.io.FixedLenFeature([], tf.string, default_value=""),
        **{name: tf.io.FixedLenFeature([], tf.int64, default_value=0) for name in placement.SIZE},
        **given.spec([target]),
    }

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string)])
    def read(batch):
        parsed = tf.io.parse_example(batch, spec)
        seen = kind.seen(parsed[kind.feature], card)
        known = given.ready(given.resized(parsed, [target], card.seen, tf.shape(batch)[0]))[target]
        sizes = tf.cast(tf.stack([parsed[name] for name in placement.SIZE], -1), tf.int32)
        return {"ids": parsed[keys.EXAMPLE_ID], "seen": seen, "given": kind.given(seen), "sizes": sizes, "target": known}

    for split, files in _files(training):
        for batch in records_of(files).batch(BATCH):
            rows = read(batch)
            yield split, {**rows, **{name: rows[name].numpy() for name in ("seen", "target")}, "ids": rows["ids"].numpy().tolist()}


def _files(training: Training) -> Iterator[tuple[str, list[str]]]:
    """Of each split that there is, in order."""
    for split in keys.SPLITS:
        folder = training.examples / f"Split-{split}"
        files = sorted(str(path) for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
        if files:
            yield split, files


def _fn_args(training: Training, cfg, train: list[str], validation: list[str]) -> SimpleNamespace:
    """As TFX hands them to Trainer, of raw examples."""
    custom = {**training.custom, "slice": cfg.model_dump_json(), "materialized": False}
    return SimpleNamespace(
        train_files=[train[0]],
        eval_files=validation,
        transform_graph_path=str(training.transform_graph),
        schema_path=str(training.schema),
        base_model=training.base_model,
        hyperparameters=None,
        custom_config=custom,
    )


def _digest(asked: str, folds: int, rows: _Rows) -> str:
    known = [asked, folds, rows.ids, rows.fold.tolist(), rows.targets.tolist()]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def _write(path: Path, answers: np.ndarray) -> None:
    import io

    packed = io.BytesIO()
    np.save(packed, answers)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(path, packed.getvalue())
