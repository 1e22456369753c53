"""A search and no more: the pipeline up to Tuner. Runs in the worker process."""

import json
import shlex
import time
from pathlib import Path
from typing import Any

from configs import load
from configs.errors import HubelError
from pipelines.orchestration import execute, settled, study
from pipelines.workspace.layout import Workspace
from tuner import contract, importance, records, roles
from tuner.component import STUDY

BUDGET = ("trials", "epochs", "total_epochs", "minutes", "workers", "executions")


def tune(config: str, tree: dict, workspace: str, run_id: str, address: str | None = None) -> dict[str, Any]:
    """Search for the best values of a config.

    Args:
        config, tree: as of execute.run.
        address: HOST:PORT at which it listens for workers on other machines, and runs no trial itself; None: all of it is here.

    Returns:
        The value of the JSON contract's `tune`: {run, best: {PATH: value}, objective, value, trials}, and what else
        tuner.contract.of has; importance: of each parameter, importance_doubt: of what few trials say of it, best_config: path of
        the config of the best, trials_asked, command: that trains it, components, seconds.

    Raises:
        HubelError: with what failed in plain words; where no trial completed too.
    """
    start = time.monotonic()
    known = settled.read(config, tree, Workspace.at(workspace))
    if address is not None:
        roles.lead(address)
    results = execute.launched(known, searched=True, run=run_id)
    folder = known.place.tuning(known.config.name) / results["Tuner"].property("best_hyperparameters", STUDY)
    if not (folder / records.STUDY).is_file():
        best = Path(results["Tuner"].outputs["best_hyperparameters"][0][0])
        raise _gone(folder, best, config, known.config.seed)
    shares = study.look(folder, known.config, known.place)
    value = contract.of(folder) | {"run": run_id, "importance": shares, "importance_doubt": importance.doubt(*records.read(folder))}
    value |= {"trials_asked": known.config.tune.trials, "page": str(folder / records.PAGE), "best_config": None, "command": None}
    if value["best"] is not None:
        value |= {"best_config": str(folder / study.BEST), "command": study.command(folder, known.place)}
    value["components"] = [{"name": r.name, "cached": r.cached, "seconds": round(r.seconds, 2)} for r in results.values()]
    return value | {"seconds": round(time.monotonic() - start, 2)}


def _gone(folder: Path, best: Path, config: str, seed: int) -> HubelError:
    """What is said of a search that TFX has on record, and whose trials are not there.

    Args:
        best: folder of TFX's HyperParameters artifact.
        config: what it is called.
    """
    [file] = best.iterdir()
    values = json.loads(file.read_text())["values"]
    told = " ".join(f"--set {shlex.quote(f'{path}={json.dumps(value)}')}" for path, value in values.items())
    return HubelError(
        f"The trials of this search are gone, such as by `hubel gc`: {folder}. Its best is on record.",
        f"To train that, add to `hubel run {shlex.quote(config)}`: {told}. To search anew, add --set seed={seed + 1} here.",
    )


def plan(config: str, assignments: list[str], workspace: str) -> dict[str, Any]:
    """What `tune` would do: {config, components: [{name, cached}], fetches, notes, algorithm, objective, budget, space}.

    It holds no lock, so it writes nothing.
    """
    from pipelines.orchestration import local, pipeline

    place = Workspace.at(workspace)
    known, notes = execute.looked_ahead(load.load(config, assignments), place)
    tuned = json.loads(known.config.tune.model_dump_json())
    return {
        "config": known.config.name,
        "components": local.plan(pipeline.build(known, searched=True), place.metadata),
        "fetches": known.fetches,
        "notes": notes,
        "algorithm": tuned["algorithm"],
        "objective": tuned["objective"],
        "budget": {name: tuned[name] for name in BUDGET},
        "space": json.loads(known.config.tune.model_dump_json(exclude_unset=True))["space"],
    }
