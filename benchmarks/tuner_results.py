"""What a search is worth on the test split: the winner of a Hyperband search beside the config that it began with, over seeds.

    .venv/bin/python -m benchmarks.tuner_results --workspace DIR [CONFIG]

For each seed `hubel run CONFIG`, which is digits_lenet5 if none is named, and `hubel tune CONFIG --algorithm hyperband` over the
space `auto`, with that seed and for as many epochs as --trainings trainings of the config have; then `hubel run` of the config that
the search wrote. Nothing is pushed, validation chooses, and each network is judged once on the test split. With --minutes a search
ends by time instead.

    .venv/bin/python -m benchmarks.tuner_results --workspace DIR mnist_lenet5 --data DIR --minutes 45 --jobs 1

is the same on MNIST, whose own files are in archives/mnist of --data: at most 90 minutes of CPU on two cores. A row is written when
its run has ended, and the same command goes on where it was stopped: a search with its trials, a run at its epoch. Of the minutes
those of trials are all that they took, wall and CPU minutes those since a stop. --jobs runs go on at a time, each in a workspace of
its own below DIR.

Rows go to benchmarks/results/tuner_results.csv, in place of those of the same config, budget, seed and network, and from there into
the table of docs/tuning.md. Intervals are of 95 %: Wilson's of a network, of means and their difference t over the seeds.
"""

import argparse
import json
import math
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

from benchmarks import commands, record

TRAININGS, SEEDS = 20, 3
SHIPPED, WINNER = "as shipped", "winner"
ARCHIVES = ("mnist", "fashion_mnist")  # data that is prepared from files
KEYS = ("config", "budget", "seed", "network")
PAGE = record.ROOT / "docs/tuning.md"
_writing = threading.Lock()


class Study:
    """Both networks of one seed."""

    def __init__(self, asked: argparse.Namespace, seed: int):
        from configs import load

        config = load.load(asked.config)
        self._asked, self._seed, self._source = asked, seed, config.data.source
        self._epochs = asked.epochs or config.train.epochs
        self.budget = f"{asked.minutes:g} minutes" if asked.minutes else f"{asked.trainings} x {self._epochs} epochs"
        self._sets = [f"seed={seed}", f"train.epochs={self._epochs}"]

    def shipped(self) -> None:
        """Train the config."""
        place = self._prepared("shipped")
        self._write(SHIPPED, place, self._run(self._asked.config, place, self._sets))

    def winner(self) -> None:
        """Search, and train what was best."""
        place = self._prepared("search")
        best = place / "best.yaml"
        epochs, minutes = self._asked.trainings * self._epochs, self._asked.minutes
        limit = f"tune.minutes={minutes}" if minutes else f"tune.total_epochs={epochs}"
        search = ["tune", self._asked.config, "--algorithm", "hyperband", *_sets([*self._sets, "tune.space=auto", limit])]
        searched = commands.ask([*search, "--write", str(best), "--workspace", str(place)])
        self._write(WINNER, place, self._run(str(best), place, []), searched)

    def is_done(self, network: str) -> bool:
        """Whether there is a row of it."""
        asked = [self._asked.config, self.budget, str(self._seed), network]
        return any([row[key] for key in KEYS] == asked for row in record.rows("tuner_results"))

    def _prepared(self, kind: str) -> Path:
        """A workspace that has the data, or finds it by itself."""
        place = self._asked.workspace / f"{self._asked.config}-{self._seed}-{kind}".replace("/", "_")
        for data in ARCHIVES:
            if f"/{data}/" in f"/{self._source}/".replace(":", "/"):
                archives = str(self._asked.data / "archives" / data)
                commands.ask(["datasets", "prepare", data, "--from", archives, "--workspace", str(place)])
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _run(self, config: str, place: Path, sets: Sequence[str]) -> commands.Answer:
        return commands.ask(["run", config, *_sets([*sets, "push.enabled=false"]), "--workspace", str(place)])

    def _write(self, network: str, place: Path, run: commands.Answer, searched: commands.Answer | None = None) -> None:
        """One row, and the page's table."""
        accuracy, (low, high) = run.value["metrics"]["accuracy"], run.value["intervals"]["accuracy"]
        took, trials = [run, *([searched] if searched else [])], searched.value["trials"] if searched else []
        card = commands.card_of(run.value, place)
        row = {
            **dict(zip(KEYS, (self._asked.config, self.budget, self._seed, network), strict=True)),
            "accuracy": f"{accuracy:.4f}",
            "low": f"{low:.4f}",
            "high": f"{high:.4f}",
            "test_images": run.value["images"]["test"],
            "params": card["params"],
            "epochs": card["epochs"],
            "trials": len(trials),
            "trained_epochs": sum(trial["epochs"] for trial in trials),
            "trial_minutes": f"{sum(trial['seconds'] for trial in trials) / 60:.1f}",
            "values": json.dumps(searched.value["best"] if searched else {}),
            "wall_minutes": f"{sum(each.wall for each in took) / 60:.1f}",
            "cpu_minutes": f"{sum(each.cpu for each in took) / 60:.1f}",
            **record.circumstances(),
        }
        with _writing:
            record.add("tuner_results", [row], KEYS)
            record.show(PAGE, "tuner_results", table())
        told = f"{row['accuracy']} ({row['low']} to {row['high']}), {row['params']:,} weights, {row['wall_minutes']} minutes"
        print(f"{self._asked.config}, {self.budget}, seed {self._seed}, {network}: {told}", flush=True)


def _sets(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in ("--set", word)]


def table() -> str:
    """The rows as the page shows them, and behind those of a config and budget the means."""
    columns = [
        "config",
        "budget",
        "network",
        "seed",
        "test accuracy (95 %)",
        "weights",
        "trials (epochs)",
        "wall, CPU minutes",
        "date",
    ]
    measured = sorted(record.rows("tuner_results"), key=lambda row: [row[key] for key in KEYS])
    lines = []
    for config, budget in dict.fromkeys((row["config"], row["budget"]) for row in measured):
        own = [row for row in measured if (row["config"], row["budget"]) == (config, budget)]
        for row in own:
            accuracy = f"{row['accuracy']} ({row['low']} to {row['high']})"
            cells = [f"`{config}`", budget, row["network"], row["seed"], accuracy, f"{int(row['params']):,}"]
            searched = f"{row['trials']} ({row['trained_epochs']})" if row["network"] == WINNER else ""
            lines.append([*cells, searched, f"{row['wall_minutes']}, {row['cpu_minutes']}", row["date"]])
        lines += [[f"`{config}`", budget, name, "mean", *cells, "", "", ""] for name, cells in _means(own)]
    return record.as_table(columns, lines)


def _means(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Accuracy and weights of each network, and the winner's less the other's, over the seeds that have both."""
    by_network = {name: {row["seed"]: row for row in rows if row["network"] == name} for name in (SHIPPED, WINNER)}
    seeds = sorted(by_network[SHIPPED].keys() & by_network[WINNER].keys())
    if len(seeds) < 2:
        return []
    values = {name: [float(of[seed]["accuracy"]) for seed in seeds] for name, of in by_network.items()}
    weights = {name: [float(of[seed]["params"]) for seed in seeds] for name, of in by_network.items()}
    told = [(name, [_mean(values[name], most=1.0), f"{sum(weights[name]) / len(seeds):,.0f}"]) for name in by_network]
    above, more = ([a - b for a, b in zip(of[WINNER], of[SHIPPED], strict=True)] for of in (values, weights))
    return [*told, (f"{WINNER} less {SHIPPED}", [_mean(above), f"{sum(more) / len(seeds):,.0f}"])]


def _mean(values: Sequence[float], most: float = math.inf) -> str:
    """With t's interval, which of few values may reach beyond what they can be."""
    from components.evaluator import intervals

    low, high = intervals.mean(values)
    high = min(high, most)
    return f"**{sum(values) / len(values):.4f}** ({low:.4f} to {high:.4f})"


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default="digits_lenet5")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA", "."), help="has archives/mnist")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--trainings", type=int, default=TRAININGS, help="a search has as many epochs as so many of these")
    parser.add_argument("--minutes", type=float, help="a search has so long instead, of wall time")
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--jobs", type=int, default=2, help="how many of these runs at a time")
    asked = parser.parse_args()
    asked.workspace = asked.workspace.resolve()
    studies = [Study(asked, seed) for seed in range(asked.seeds)]
    todo = [study.winner for study in studies if not study.is_done(WINNER)]
    todo += [study.shipped for study in studies if not study.is_done(SHIPPED)]
    with futures.ThreadPoolExecutor(asked.jobs) as pool:
        for run in futures.as_completed([pool.submit(work) for work in todo]):
            run.result()
    print(table(), end="")


if __name__ == "__main__":
    main()
