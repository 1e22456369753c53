"""A training: what Trainer does once, and a trial of a Tuner as well."""

import contextlib
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import tensorflow_transform as tft
from tfx.utils import io_utils

import keras_models
from components import inputs, progress, targets
from components.schema_gen.names import class_names
from components.trainer import artifact, by_name, checks, divergence, plateau
from components.trainer.card import Card
from components.trainer.data import Data, open_data
from components.trainer.epochs import Decoded
from components.trainer.phases import Phase
from components.trainer.progress import Watch
from components.trainer.resume import Resume
from configs.errors import Diverged, HubelError, UsageError
from configs.schema.slices.trainer import TrainerSlice
from keras_models import auxiliary, normalize


def entry_of(custom: Mapping, cfg: TrainerSlice, learned: bool = True) -> keras_models.ModelEntry:
    """What is built: a registered model, or another model's features under a new head.

    Args:
        custom: has origin, of a transfer.
        learned: see components.trainer.transfer.entry.
    """
    if cfg.transfer is None:
        return keras_models.get(cfg.model.name)
    transfer = by_name.part(by_name.TRANSFER)
    return transfer.entry(transfer.Origin.of_json(custom["origin"]), cfg.transfer, learned)


def phases_of(task, cfg: TrainerSlice, model: keras.Model) -> list[Phase]:
    """The fits that a training is made of."""
    planned = [part.phases for part in by_name.parts(cfg) if hasattr(part, "phases")]
    return planned[0](task, cfg, model) if planned else [Phase(task, cfg.train)]


def data_of(fn_args, cfg: TrainerSlice, task, reads: str, decoded: Decoded | None = None) -> Data:
    """Open the data of a Trainer or Tuner, of which the network reads a kind of input, and let the task object to it. decoded: see
    components.trainer.data.open_data."""
    checks.check(cfg, task)
    train_files, *copies = fn_args.train_files  # one pattern a split of TrainArgs
    data = open_data(
        [train_files],
        fn_args.eval_files,
        tft.TFTransformOutput(fn_args.transform_graph_path),
        targets.classes_of(task.targets, class_names(io_utils.SchemaReader().read(fn_args.schema_path))),
        task.targets,
        fn_args.custom_config["materialized"],
        cfg,
        task.mix,
        *copies,
        clips_noise=not task.cleans,
        reads=reads,
        decoded=decoded,
    )
    task.check(data.info)
    return data


def begun(fn_args, entry, task, data: Data, cfg: TrainerSlice, members: Sequence[keras.Model] = ()) -> keras.Model:
    """What a Trainer, and each trial of a Tuner, trains: the config's network, its weights drawn by the seed, or those of
    `model.initial`. Arguments as of `build`. Raises as Task.start, and UsageError for what learned of another input, or
    of other classes."""
    keras.utils.set_random_seed(cfg.seed)
    model = build(entry, data, cfg, members=members)
    if fn_args.base_model and cfg.transfer is None:
        initial = str(Path(fn_args.base_model).parent)
        _check_initial(Card.read(initial), entry.reads, task, data, class_names(io_utils.SchemaReader().read(fn_args.schema_path)))
        started = task.start(model, artifact.load(initial))
        if cfg.model.frozen:
            freeze(model, started)
    return model


def freeze(model: keras.Model, started: Sequence[keras.layers.Layer]) -> None:
    """Keep layers as they are. Raises UsageError where nothing would be left to train."""
    for layer in started:
        layer.trainable = False
    if not auxiliary.learner(model).trainable_variables:
        raise UsageError(
            "model.frozen keeps all that model.initial gives, and that is every weight of the network: nothing is left to train.",
            "Take model.frozen out, or start another network from it.",
        )
    kept = sum(math.prod(weight.shape) for layer in started for weight in layer.weights)
    progress.emit("note", text=f"model.frozen: {kept:,} weights stay as model.initial has them")


def _check_initial(card: Card, reads: str, task, data: Data, names: Mapping[str, Sequence[str]]) -> None:
    """names: target -> those of its classes, as the Schema has them."""
    checks.check_initial(card.reads, reads)
    inputs.input_of(reads).check_initial(card.learned, data.info.learned)
    checks.check_initial_classes(card, task, names)


def build(entry, data: Data, cfg: TrainerSlice, precision: str | None = None, members: Sequence[keras.Model] = ()) -> keras.Model:
    """The config's network behind its normalisation; input as its kind of input gives it, of images float32 pixels in 0..255.

    Args:
        precision: what its layers compute in, unless they say otherwise themselves; None: as the config says.
        members: what an ensemble is made of.
    """
    info = data.info
    with _policy(precision or cfg.train.precision):
        given = info.for_builder() | ({"members": members} if members else {})
        options = cfg.model.options if cfg.transfer is None else {"references": info.train_images}
        kind = inputs.input_of(entry.reads)
        net = keras_models.build(entry, given, options, kind.dtype)
        return normalize.with_normalization(net, name=kind.layer, dtype=kind.dtype, **kind.first_layer(cfg.transform, info))


@contextlib.contextmanager
def _policy(name: str):
    """Layers that are made inside have this dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def served(model: keras.Model, entry, data: Data, cfg: TrainerSlice) -> keras.Model:
    """The trained model with all arithmetic in float32: halves round differently on each machine and in each graph."""
    if cfg.train.precision == "float32":
        return model
    exact = build(entry, data, cfg, "float32")
    auxiliary.learner(exact).set_weights(auxiliary.learner(model).get_weights())  # heads too: a task may calibrate by them
    return exact


def train_in_phases(
    phases: Sequence[Phase], model: keras.Model, data: Data, cfg: TrainerSlice, state: Path, watch: Watch | None = None
) -> tuple[list[dict[str, float]], list[Resume]]:
    """Train phase after phase, each from the best weights of those before it, and leave the best of all in the model.

    Args:
        state: folder of the first phase's state; of another one, its name is added.
        watch: who looks on; None: a person.

    Returns:
        Figures by epoch of the phases that fit the whole model, and all states, which may be cleared once it is safely written.
    """
    watch = watch or Watch()
    history, resumes, best, by = [], [], (math.inf, None), None
    for phase in phases:
        if watch.is_over:
            break
        if phase.begin:
            phase.begin(model)
        resumes.append(Resume(state.with_name("-".join(filter(None, [state.name, phase.name]))), _patience(cfg), phase.figure))
        asked = cfg.model_copy(update={"train": phase.train})
        watch.enters(phase, resumes[-1])
        if phase.part is not None:
            watch.note(f"pre-training {phase.name}")
            train(phase.task, phase.part, data, asked, resumes[-1], phase.rate, watch, phase)
            watch.leaves(phase, resumes[-1])
            continue
        figures = train(phase.task, model, data, asked, resumes[-1], phase.rate, watch, phase)
        watch.leaves(phase, resumes[-1])
        history += figures
        reached = _least(figures, phase)
        if best[1] is None or _stays(phase, reached, by, best[0]):
            best, by = (reached, model.get_weights() if phase is not phases[-1] else None), phase.figure
        else:
            of = "validation loss" if by == divergence.VALIDATION else by
            watch.warn(f"{phase.name} did not lower the {of} of {best[0]:.4f}; the weights before it stay")
            model.set_weights(best[1])
    return history, resumes


def train(
    task,
    model: keras.Model,
    data: Data,
    cfg: TrainerSlice,
    resume: Resume,
    rate: str = Phase.rate,
    watch: Watch | None = None,
    phase: Phase | None = None,
) -> list[dict[str, float]]:
    """Fit, from where a killed training stood, and leave in the model the weights of the epoch that `train.keep` names. Returns
    figures by epoch.

    Args:
        rate: the config's key of the learning rate.
        watch: who looks on; None: a person.
        phase: of which this is the fit; None: the only one.

    Raises:
        Diverged: where the loss did not stay finite, or exploded, before it had fallen, or the last epoch's weights are to be kept.
        HubelError: where that of a closed form is no finite number.
    """
    watch = watch or Watch()

    def has_diverged():
        return not task.is_closed_form and divergence.has_happened(resume.history, resume.start, resume.judged_by)

    if resume.epoch < cfg.train.epochs and not resume.is_over and not has_diverged():
        falling = plateau.callbacks(cfg.train, resume.history, resume.judged_by)
        guard = divergence.Guard(resume, lambda: task.of_model(model).pair(*next(iter(data.plain))))
        guards = [] if task.is_closed_form else [guard]
        task.fit(model, data, cfg.train, resume.epoch, [*watch.callbacks(phase), *falling, resume, *guards])
    if task.is_closed_form and not all(math.isfinite(figures[resume.judged_by]) for figures in resume.history):
        resume.clear()
        raise HubelError(
            "What was found in closed form has a validation loss that is no finite number.",
            "Nothing was trained, so no rate helps: look at what the images, or the features of transfer.source, hold.",
        )
    if has_diverged():
        learner = auxiliary.learner(model)
        what, hint = divergence.words(resume.history, learner, cfg.train, rate, resume.start, resume.judged_by)
        best = divergence.best(resume.history, resume.judged_by)
        if not best or cfg.train.keep == "last":
            resume.clear()
            raise Diverged(what, hint)
        watch.warn(f"{what} The weights of epoch {best + 1} stay. {hint}")
    resume.restore(model, cfg.train.keep)
    return resume.history


def kept_epochs(phases: Sequence[Phase], resumes: Sequence[Resume]) -> int:
    """After how many epochs of the phases that fit the whole model the weights were as `train_in_phases` left them.

    Args:
        phases, resumes: its own, and the states that it returned.

    Returns:
        0 where it ended before there was an epoch.
    """
    epochs, kept, least, by = 0, 0, math.inf, None
    for phase, resume in zip(phases, resumes, strict=False):  # whoever looks on may have ended it before the last one
        if phase.part is not None:
            continue
        reached = _least(resume.history, phase)
        if by is None or _stays(phase, reached, by, least):
            place = divergence.best(resume.history, phase.figure)
            kept = epochs + (len(resume.history) if phase.train.keep == "last" or place is None else place + 1)
            least, by = reached, phase.figure
        epochs += len(resume.history)
    return kept


def _least(history: Sequence[Mapping[str, float]], phase: Phase) -> float:
    """Of what a phase is judged by."""
    return min((figures[phase.figure] for figures in history if math.isfinite(figures[phase.figure])), default=math.inf)


def _stays(phase: Phase, reached: float, by: str, least: float) -> bool:
    """Whether what a phase reached stays: it is no worse than what was before it, or judged otherwise, and not to be compared."""
    return phase.figure != by or reached <= least


def _patience(cfg: TrainerSlice) -> int | None:
    return cfg.train.early_stopping.patience if cfg.train.early_stopping else None


def identity(fn_args, chosen: dict) -> str:
    """Names the state of a training or of a search that asks for exactly this: config, source, task, tuned values and input
    artifacts."""
    custom = {key: value for key, value in fn_args.custom_config.items() if key not in ("training_dir", "tuning_dir")}
    inputs = [*fn_args.train_files, *fn_args.eval_files, fn_args.transform_graph_path, fn_args.schema_path, fn_args.base_model]
    return hashlib.sha256(json.dumps([custom, chosen, inputs], sort_keys=True).encode()).hexdigest()[:16]
