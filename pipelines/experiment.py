"""The arms of an experiment, one run of the pipeline after another, and what came out of each. Runs in the worker process."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from components import keys, progress
from components.example_gen import digest
from components.trainer.origin import Origin
from configs import experiment as experiments
from configs.errors import Diverged, UsageError
from configs.experiment import Arm
from pipelines import comparison, execute, origins
from pipelines.workspace import Workspace

SPLITS = (keys.TRAIN, keys.VALIDATION, keys.TEST)


def run(experiment: str, assignments: list[str], seeds: int | None, workspace: str) -> dict:
    """Run all arms and write table, plot and result into the workspace's experiments/NAME.

    What TFX has in its cache is not run again: an experiment that was interrupted goes on, and data is prepared once for all arms.

    Returns:
        {experiment, rows: one for each training, table: columns and rows to print, files: what was written}.

    Raises:
        HubelError: with what failed in plain words. A training that diverges is a row that says so.
    """
    import keras

    asked, place = experiments.load(experiment, assignments, seeds), Workspace.at(workspace)
    for arm, origin in prove(asked.arms, place):
        execute.fetch(arm.config, origin)
    rows, histories = [], []
    for number, arm in enumerate(asked.arms):
        progress.emit("step", what=arm.title, done=number, of=len(asked.arms))
        row, history = trained(arm, place, asked.asked.steps_to)
        rows.append(row)
        histories.append(history)
        keras.backend.clear_session()
    comparison.check(asked.asked, rows)
    settings = [arm.config.model_dump(mode="json") for arm in asked.arms]
    result = [{**row, "history": h, "config": c} for row, h, c in zip(rows, histories, settings, strict=True)]
    texts = {
        "table.csv": comparison.as_csv(rows),
        "plot.svg": comparison.plot(asked.name, asked.asked, rows, histories),
        "result.json": json.dumps(result, indent=1),
    }
    files = _write(place.experiment(asked.name), texts)
    return {"experiment": asked.name, "rows": rows, "table": comparison.table(asked.asked, rows), "files": files}


def plan(experiment: str, assignments: list[str], seeds: int | None, workspace: str) -> dict:
    """What `run` would train, once every arm's network was tried: {experiment, arms: what each changes, trainings}.

    It holds no lock, so it writes nothing. Raises as `run`.
    """
    asked, place = experiments.load(experiment, assignments, seeds), Workspace.at(workspace)
    with digest.unremembered():
        prove(asked.arms, place)
    return {"experiment": asked.name, "arms": dict(asked.asked.arms), "trainings": len(asked.arms)}


def prove(arms: Sequence[Arm], place: Workspace) -> list[tuple[Arm, Origin | None]]:
    """Try the network of each arm, each network once, before the first is trained. Returns an arm of each, and its source.

    Raises:
        UsageError: that names the arm; see execute.prove and origins.locate.
    """
    import keras

    different = {}
    for arm in arms:
        network = {"model": True, "transfer": True, "transform": {"height", "width", "channels"}}
        different.setdefault(arm.config.model_dump_json(include=network), arm)
    found = []
    for arm in different.values():
        try:
            found.append((arm, origins.locate(arm.config, place)))
            execute.prove(arm.config, found[-1][1])
        except UsageError as error:
            raise UsageError(f"Arm {arm.name}: {error.message}", error.hint, **error.facts) from error
        keras.backend.clear_session()
    return found


def trained(arm: Arm, place: Workspace, steps_to: float | None) -> tuple[dict, list[dict[str, float]]]:
    """Row of one training, and its figures by epoch, named as in the row and with `step`, the optimizer steps so far."""
    try:
        results = execute.launched(arm.config, place, served=False)
    except Diverged as error:
        return {"arm": arm.name, "seed": arm.seed, "note": error.message}, []
    trainer, model = (Path(results["Trainer"].outputs[key][0][0]) for key in ("model_run", "model"))
    card = json.loads((model / keys.CARD_FILE).read_text())
    raw = json.loads((trainer / "history.json").read_text())
    each = math.ceil(card["train_images"] / arm.config.train.batch_size)
    history = [{"step": each * number, **figures(epoch)} for number, epoch in enumerate(raw, 1)]
    diverged = raw and not math.isfinite(raw[-1].get("val_loss", 0.0))
    tested = json.loads(results["Evaluator"].property("evaluation", keys.METRICS) or "{}")
    return {
        "arm": arm.name,
        "seed": arm.seed,
        "params": card["params"],
        "epochs": len(history),
        "steps": each * len(history),
        "steps_to": steps_until(history, steps_to) if steps_to else None,
        **{name: value for name, value in (history[-1] if history else {}).items() if name != "step"},
        **with_errors({f"{keys.TEST}_{name}": value for name, value in tested.items() if name != "example_count"}),
        "note": f"diverged in epoch {len(history)}" if diverged else "",
    }, history


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
    return {**row, **{f"{split}_error": 1 - row[name] for split in SPLITS if (name := f"{split}_accuracy") in row}}


def steps_until(history: Sequence[Mapping[str, float]], accuracy: float) -> int | None:
    """Optimizer steps up to the end of the first epoch whose training accuracy was at least that; None where none was."""
    return next((int(epoch["step"]) for epoch in history if epoch.get("train_accuracy", 0) >= accuracy), None)


def _write(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Each file in one step. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        staged = folder / f"{name}.staged"
        staged.write_text(text, encoding="utf-8")
        staged.replace(folder / name)
    return [str(folder / name) for name in texts]
