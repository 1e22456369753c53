"""Trainer entry point: TFX gives paths; training.py, the task and export.py do the work."""

import json
from pathlib import Path

import keras_tuner
from tfx.utils import io_utils

from components import inputs, progress, targets
from components.example_gen.pictures import TURNED
from components.schema_gen.names import changes, class_names
from components.tasks.by_name import name_of, task_of
from components.trainer import artifact, by_name, device, export, tuned
from components.trainer.card import Card
from components.trainer.event_files import hyperparameters
from components.trainer.event_files.logged import logging
from components.trainer.training import (
    begun,
    data_of,
    entry_of,
    identity,
    kept_epochs,
    phases_of,
    served,
    train_in_phases,
)
from components.transform.augment import steps as augment
from configs import policies
from configs.override import override
from configs.schema.slices.trainer import TrainerSlice
from keras_models.parameters import frozen_params, total_params


def run_fn(fn_args):
    """Train one model and write what is served.

    Reads: train_files, eval_files, transform_graph_path, schema_path, hyperparameters (or None), base_model (or None),
        custom_config: slice (TrainerSlice as JSON), task (its name; that of the network where there is none), materialized,
        training_dir (state of killed trainings), source (digest), origin (of a transfer, components.trainer.origin as JSON),
        members (of an ensemble: NAME/VERSION -> {uri, digest}).
    Writes: serving_model_dir (SavedModel), model.keras and card.json beside its folder; model_run_dir: history.json, and what
        TensorBoard reads (components/trainer/event_files).
    Raises: HubelError, UsageError in plain words.
    """
    custom = fn_args.custom_config
    cfg, chosen = with_best(TrainerSlice.model_validate_json(custom["slice"]), fn_args.hyperparameters)
    entry = entry_of(custom, cfg)
    of_task = custom.get("task") or name_of(entry.task, cfg.anomaly)
    task = task_of(of_task)
    device.tell()
    data = data_of(fn_args, cfg, task, entry.reads)
    for text in inputs.input_of(entry.reads).doubts(cfg.transform, data.info):
        progress.emit("warning", text=text)
    steps = policies.expand(cfg.augment, cfg.transform.channels)
    for text in [*policies.doubts(steps, data.info.class_names, cfg.export.crops), *augment.doubts(steps, task.targets)]:
        progress.emit("warning", text=text)
    uris = {name: member["uri"] for name, member in custom.get("members", {}).items()}
    members = by_name.part(by_name.MEMBERS).checked(uris, cfg, data.info.class_names) if uris else {}
    model = begun(fn_args, entry, task, data, cfg, [artifact.load(uri) for uri in uris.values()])
    doubts = by_name.part(by_name.DOUBTS)
    young = [] if fn_args.base_model else doubts.of_moving_statistics(model, cfg.train.epochs, data.steps)
    for text in [*doubts.of(model, cfg), *task.doubts(model), *young]:
        progress.emit("warning", text=text)
    state = Path(custom["training_dir"]) / identity(fn_args, chosen)
    phases = phases_of(task, cfg, model)
    run = Path(fn_args.model_run_dir)
    with logging(run, hyperparameters.of(cfg, entry), f"{cfg.name} {run.name}") as logged:
        history, resumes = train_in_phases(phases, model, data, cfg, state, logged)
        kept = kept_epochs(phases, resumes)
        logged.ended(history, kept)
    if not young and not fn_args.base_model and kept < cfg.train.epochs:
        for text in doubts.of_moving_statistics(model, kept, data.steps):
            progress.emit("warning", text=f"of the weights that are kept, after epoch {kept}: {text}")
    model = model if members else served(model, entry, data, cfg)  # members are as they were served
    schema = io_utils.SchemaReader().read(fn_args.schema_path)
    names = class_names(schema)
    card = Card(
        name=cfg.name,
        architecture=entry.name,
        task=of_task,
        params=total_params(model) + frozen_params(model),
        reads=entry.reads,
        input_shape=data.info.input_shape,
        learned=dict(data.info.learned),
        class_names=data.info.class_names,
        targets={name: of for name, of in names.items() if name in task.targets and targets.is_further(name)},
        train_images=data.info.train_images,
        epochs=len(history),
        kept=kept,
        seed=cfg.seed,
        jit=resumes[-1].jit,
        hyperparameters=chosen,
        anomaly=cfg.anomaly,
        members=members,
        transform=cfg.transform,
        reading=cfg.reading,
        turns=True,
        turned=changes(schema).get(TURNED, 0),
        export=cfg.export,
        transfer=cfg.transfer,
    )
    card = card.model_copy(update={"calibrated": task.calibrate(model, data, card)})
    folder = Path(fn_args.serving_model_dir)
    export.write(folder, model, task, card, data)
    io_utils.write_string_file(str(run / "history.json"), json.dumps(history))
    by_name.part(by_name.LOOKS).write(run, model, task, card, data, names, kept)
    for resume in resumes:
        resume.clear()


def with_best(cfg: TrainerSlice, hyperparameters: dict | None) -> tuple[TrainerSlice, dict]:
    """The slice with the tuner's values (dotted path -> value) put in, validated anew, and those values."""
    chosen = tuned.values(keras_tuner.HyperParameters.from_config(hyperparameters)) if hyperparameters else {}
    return override(cfg, chosen), chosen
