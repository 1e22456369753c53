"""The search that chose the values: what was searched, which trials were best, and how they learned."""

import json
from collections.abc import Mapping
from typing import Any

from components.reporter.material import Material
from configs import words
from reports.run import drawings
from reports.run.blocks import Block, Prose, Section, Table
from reports.run.figures import figure, seconds

ORDER = 80
ROWS = 50  # trials of the table
STATUSES = ("completed", "pruned", "failed", "running")
CURVES = 6  # trials whose curves are drawn


def section(material: Material) -> Section | None:
    """None where nothing was searched."""
    study = material.study
    if study is None:
        return None
    trials = material.trials
    goal = study["objective"][0]
    sign = 1 if len(study["objective"]) > 1 or goal["direction"] == "min" else -1
    valued = [trial for trial in trials if trial.get("value") is not None and not trial.get("hint")]
    ranked = sorted(valued, key=lambda trial: (trial["status"] != "completed", sign * trial["value"]))
    others = [trial for trial in trials if trial not in ranked]
    counts = {status: sum(trial["status"] == status for trial in trials) for status in STATUSES}
    judged = " + ".join(f"{each['name']} ({each['direction']})" for each in study["objective"])
    about = (
        f"{words.count(len(trials), 'trial')} by {study['algorithm']}, judged by {judged} on the validation split: "
        + ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        + "."
    )
    blocks: list[Block] = []
    if chosen := (material.card.hyperparameters if material.card else {}):
        blocks.append(Prose("Chosen: " + ", ".join(f"{path} {_shown(value)}" for path, value in chosen.items()) + "."))
    best = ranked[:CURVES]
    curves = {f"trial {trial['id']}": [epoch.get(goal["name"]) for epoch in trial.get("curve", ())] for trial in best}
    if any(len(values) > 1 for values in curves.values()):
        told = f"{goal['name']} on the validation split by epoch, of the {len(curves)} best trials."
        blocks.append(drawings.epochs("search-curves", "The best trials", curves, told))
    paths = list(dict.fromkeys(path for trial in trials for path in trial["values"]))
    rows = []
    for trial in [*ranked, *others][:ROWS]:
        told = [trial["id"], trial["status"], figure(trial.get("value")), figure(trial.get("epochs")), seconds(trial["seconds"])]
        values = [_shown(trial["values"][path]) if path in trial["values"] else "" for path in paths]
        rows.append([*told, *values, trial.get("reason") or ""])
    columns = ("trial", "status", "value", "epochs", "time", *paths, "reason")
    blocks.append(Table(columns, rows, "Trials, the best first", max(0, len(trials) - ROWS)))
    return Section("search", "The search", about, blocks)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, list | Mapping) else str(value)
