"""Searches made up for the tests of pages: records as a search leaves them, of numbers drawn by seed."""

import random

from configs.schema.tune import TuneConfig
from reports.tuning import Search
from tuner import records
from tuner.records import StudyRecord, TrialRecord

SPACE = {
    "train.optimizer.learning_rate": {"min": 1e-4, "max": 1e-1, "sampling": "log"},
    "model.options.hidden": {"choices": [[300, 100], [500, 150], [100]]},
    "train.optimizer.name": {"choices": ["adam", "sgd", "rmsprop"]},
    "train.batch_size": {"choices": [32, 64, 128]},
    "train.optimizer.momentum": {"min": 0.0, "max": 0.99, "when": {"train.optimizer.name": "sgd"}},
}
MOVES = [
    [
        {"translate": {"height": side, "width": side, "border": "constant"}},
        {"rotate": {"degrees": 100 * side, "border": "constant"}},
    ]
    for side in (0.05, 0.1, 0.2)
]
SLICES = {
    "augment": {"choices": [[], *MOVES]},
    "train.schedule": {"choices": [None, {"name": "cosine"}, {"name": "cosine", "warmup_epochs": 1.0}]},
}
DIVERGED = 'Training diverged: the loss was <nan> in epoch 2; "lower" the rate & try again.'


def search(count: int, parameters: int = 4, status: str | None = None, direction: str = "max", seed: int = 0) -> Search:
    """A search of `count` trials over about so many parameters, whole slices among them from 5 on; of mixed ends unless `status`
    says which."""
    draw = random.Random(seed)
    options = {f"model.options.a_long_option_number_{n}": {"min": 0.0, "max": 1.0} for n in range(parameters - 4)}
    space = {**SPACE, **dict([*SLICES.items(), *options.items()][: max(0, parameters - 4)])}
    study = StudyRecord(
        config="digits_lenet5",
        algorithm="bayesian",
        objective=[{"name": "val_accuracy" if direction == "max" else "val_loss", "direction": direction, "weight": 1.0}],
        space=TuneConfig.model_validate({"space": space}).model_dump(mode="json")["space"],  # as a search records it
        seed=0,
        fingerprint="a1b2c3d4",
        started=1.7e9,
    )
    trials = [_trial(draw, number, space, study, status) for number in range(count)]
    measured = [trial for trial in trials if trial.has_value]
    importance = {path: 1 / len(space) for path in space} if len(measured) > 2 else {}
    return Search(study, trials, records.ranking(study, trials), importance, "hubel run digits_lenet5 --set train.batch_size=32")


def _trial(draw, number, space, study, status) -> TrialRecord:
    status = status or draw.choices(["completed", "pruned", "failed", "running"], [8, 3, 1, 0.3])[0]
    values = {path: _drawn(draw, drawn) for path, drawn in space.items()}
    if values["train.optimizer.name"] != "sgd":
        del values["train.optimizer.momentum"]
    epochs, reaches = draw.randint(2, 20), draw.uniform(0.7, 0.95)
    curve = [
        {"val_accuracy": reaches - 0.6 * 0.7**epoch + draw.gauss(0, 0.01), "val_loss": 2 - reaches - epoch / 30}
        for epoch in range(1 if status == "failed" else epochs)
    ]
    better, name = (max, "val_accuracy") if study.direction == "max" else (min, "val_loss")
    measured = status in ("completed", "pruned")
    return TrialRecord(
        id=f"{number:04d}",
        values=values,
        status=status,
        value=better(figures[name] for figures in curve) if measured else None,
        spread=0.004 if status == "completed" else None,
        epochs=epochs,
        curve=curve,
        seconds=draw.uniform(5, 30),
        reason={"failed": DIVERGED, "pruned": "Behind the median of 5 trials at epoch 3."}.get(status, ""),
        started=study.started + 22 * number,
    )


def _drawn(draw, drawn):
    if "choices" in drawn:
        return draw.choice(drawn["choices"])
    if drawn.get("sampling") == "log":
        return 10 ** draw.uniform(-4, -1)
    return draw.uniform(drawn["min"], drawn["max"])
