"""The arms of an experiment, one run of the pipeline after another, and what came out of each. Runs in the worker process."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras_models
from components import keys, progress
from components.evaluator import noise
from components.evaluator.statistic import Rows
from components.example_gen import digest, sources
from components.inputs import DEFAULT, input_of, storage_of
from components.tasks.judges.base import Judge
from components.tasks.judges.by_name import judge_of
from configs import atomic
from configs import experiment as experiments
from configs.errors import Diverged, UsageError
from configs.experiment import Arm, ExperimentConfig
from configs.schema.run import RunConfig
from pipelines.orchestration import execute, settled
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start
from reports import comparison


def run(experiment: str, assignments: list[str], seeds: int | None, workspace: str) -> dict:
    """Run all arms and write table, plot and result into the workspace's experiments/NAME.

    What TFX has in its cache is not run again: an experiment that was interrupted goes on, and data is prepared once for all arms.

    Returns:
        {experiment, rows: one for each training, table: columns and rows to print, differences: of each arm from the first, in each
        test figure that is shown, files: what was written}.

    Raises:
        HubelError: with what failed in plain words. A training that diverges is a row that says so.
    """
    import keras

    asked, place = experiments.load(experiment, assignments, seeds), Workspace.at(workspace)
    for arm, start in prove(asked.arms, place):
        settled.fetch(start, arm.config.transform)
    rows, histories, judged = [], [], []
    for number, arm in enumerate(asked.arms):
        progress.emit("step", what=arm.title, done=number, of=len(asked.arms))
        row, history, images = trained(arm, place, asked.asked.steps_to)
        rows.append(row)
        histories.append(history)
        judged.append(images)
        keras.backend.clear_session()
    comparison.check(asked.asked, rows)
    apart = differences(asked.asked, rows, judged)
    settings = [arm.config.model_dump(mode="json") for arm in asked.arms]
    result = [{**row, "history": h, "config": c} for row, h, c in zip(rows, histories, settings, strict=True)]
    texts = {
        "table.csv": comparison.as_csv(rows),
        "plot.svg": comparison.plot(asked.name, asked.asked, rows, histories),
        "result.json": json.dumps(result, indent=1),
    }
    files = _write(place.experiment(asked.name), texts)
    table = comparison.table(asked.asked, rows)
    return {"experiment": asked.name, "rows": rows, "table": table, "differences": apart, "files": files}


def plan(experiment: str, assignments: list[str], seeds: int | None, workspace: str) -> dict:
    """What `run` would train, once every arm was tried: {experiment, arms: what each changes, trainings}.

    It holds no lock, so it writes nothing. Raises as `run`.
    """
    asked, place = experiments.load(experiment, assignments, seeds), Workspace.at(workspace)
    with digest.unremembered():
        prove(asked.arms, place)
    return {"experiment": asked.name, "arms": dict(asked.asked.arms), "trainings": len(asked.arms)}


def prove(arms: Sequence[Arm], place: Workspace) -> list[tuple[Arm, Start]]:
    """Try each arm, each network and data source once, before the first is trained: what a run would refuse of the last one too.
    Prepares and writes nothing.

    Returns:
        An arm of each network, and what that starts from.

    Raises:
        UsageError: that names the arm; see settled.tried and settled.of.
    """
    import keras

    tried, data = {}, {}
    for arm in arms:
        config = arm.config
        try:
            kind = _network(config)
            if kind not in tried:
                tried[kind] = arm, settled.tried(config, place)
                keras.backend.clear_session()
            start = tried[kind][1]
            source = config.data.model_dump_json(), start.reads
            data[source] = data.get(source) or sources.planned(config.data, place.datasets, start.reads)
            settled.of(config, place, start, data[source])
        except UsageError as error:
            raise UsageError(f"Arm {arm.name}: {error.message}", error.hint, **error.details) from error
    return list(tried.values())


def _network(config: RunConfig) -> str:
    """The same for configs whose networks are the same: what they are built of, and what a builder is told of what it reads."""
    reads = DEFAULT if config.transfer is not None else keras_models.check(config.model.name).reads
    told = input_of(reads).stand_in(config.transform, 1).of_data
    built = config.model_dump_json(include={"model": True, "transfer": True, "train": {"pretrain"}})
    return f"{built} {[(name, getattr(value, 'shape', value)) for name, value in sorted(told.items())]}"


class Judged(NamedTuple):
    """What one training's answers about the test images were, under what task."""

    judge: Judge
    images: Rows
    noun: str = "image"  # what one is called


def trained(arm: Arm, place: Workspace, steps_to: float | None) -> tuple[dict, list[dict[str, float]], Judged | None]:
    """Row of one training; its figures by epoch, named as in the row and with `step`, the optimizer steps so far; and what it
    answered, None where it diverged."""
    try:
        results = execute.launched(settled.settle(arm.config, place), served=False)
    except Diverged as error:
        return {"arm": arm.name, "seed": arm.seed, "note": error.message}, [], None
    trainer, model = (Path(results["Trainer"].outputs[key][0][0]) for key in ("model_run", "model"))
    card = json.loads((model / keys.CARD_FILE).read_text())
    raw = json.loads((trainer / "history.json").read_text())
    each = math.ceil(card["train_images"] / arm.config.train.batch_size)
    history = [{"step": each * number, **figures(epoch)} for number, epoch in enumerate(raw, 1)]
    diverged = raw and not math.isfinite(raw[-1].get("val_loss", 0.0))
    evaluator = results["Evaluator"]
    tested = json.loads(evaluator.property("evaluation", keys.METRICS) or "{}")
    intervals = json.loads(evaluator.property("evaluation", keys.INTERVALS) or "{}")
    judged = Judged(
        judge_of(card["task"]), noise.rows_of(evaluator.outputs["evaluation"][0][0]), storage_of(card.get("reads", DEFAULT)).noun
    )
    row = {
        "arm": arm.name,
        "seed": arm.seed,
        "params": card["params"],
        "epochs": len(history),
        "steps": each * len(history),
        "steps_to": steps_until(history, steps_to) if steps_to else None,
        **{name: value for name, value in (history[-1] if history else {}).items() if name != "step"},
        **with_errors({f"{keys.TEST}_{name}": value for name, value in tested.items() if name != "example_count"}),
        "intervals": comparison.with_errors_too({f"{keys.TEST}_{name}": ends for name, ends in intervals.items()}),
        "note": f"diverged in epoch {len(history)}" if diverged else "",
    }
    return row, history, judged


def differences(asked: ExperimentConfig, rows: Sequence[Mapping], judged: Sequence[Judged | None]) -> list[dict]:
    """Of each arm from the first, in each test figure that is shown: {arm, against: the first arm, metric, difference, interval, p,
    test, within_noise, noun: what a test example is called}, as components.evaluator.noise has them; none of figures that are
    not of single examples."""
    of_arm = {
        arm: [training for row, training in zip(rows, judged, strict=True) if row["arm"] == arm and training] for arm in asked.arms
    }
    first, *others = asked.arms
    compared = []
    for figure in asked.show:
        split, _, metric = figure.partition("_")
        sign, metric = (-1, "accuracy") if metric == "error" else (1, metric)
        for arm in others if split == keys.TEST and of_arm[first] else ():
            (judge, _, noun), pair = of_arm[first][0], ([training.images for training in of_arm[name]] for name in (arm, first))
            apart = noise.of_arms(metric, judge, *pair, noun=noun)
            if apart:
                told = noise.Told(figure, first, apart.negated() if sign < 0 else apart, "")
                compared.append({"arm": arm, **told.as_json(), "noun": noun})
    return compared


def figures(epoch: Mapping[str, float]) -> dict[str, float]:
    """The finite ones of Keras's figures of an epoch, as rows name them: `val_loss` is `validation_loss`, `loss` `train_loss`."""
    named = {
        f"{keys.VALIDATION}_{name.removeprefix('val_')}" if name.startswith("val_") else f"{keys.TRAIN}_{name}": value
        for name, value in epoch.items()
        if math.isfinite(value)
    }
    return with_errors(named)


def with_errors(row: Mapping[str, float]) -> dict[str, float]:
    """The row and, beside each accuracy, the error: 1 minus it."""
    return {**row, **{f"{split}_error": 1 - row[name] for split in keys.SPLITS if (name := f"{split}_accuracy") in row}}


def steps_until(history: Sequence[Mapping[str, float]], accuracy: float) -> int | None:
    """Optimizer steps up to the end of the first epoch whose training accuracy was at least that; None where none was."""
    return next((int(epoch["step"]) for epoch in history if epoch.get("train_accuracy", 0) >= accuracy), None)


def _write(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Each file in one step. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        atomic.write_text(folder / name, text)
    return [str(folder / name) for name in texts]
