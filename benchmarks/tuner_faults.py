"""A search that is killed again and again: does it lose or repeat a trial that was over, and is it that of an undisturbed one?

    .venv/bin/python -m benchmarks.tuner_faults

The four algorithms, each with a training that costs nothing but time (tests/tuner/synthetic.py): a process has the search,
is killed by SIGKILL at a moment drawn at random, and is started again, as often as asked; then it may end. In a random and a grid
search, where no trial depends on another's figures, every third kill is of the worker first, whose trial then counts as failed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import record
from tuner import chief, records

KILLS = {"random": 8, "grid": 8, "bayesian": 7, "hyperband": 7}
TRIALS = {"random": 20, "grid": 20, "bayesian": 14, "hyperband": None}
SEARCH = """
import sys
from pathlib import Path
from tests.tuner import synthetic
from tuner.search import Search
trials = int(sys.argv[3]) or None
Search(synthetic.fn_args(Path(sys.argv[1]), algorithm=sys.argv[2], trials=trials, epochs=9, space=synthetic.WIDE)).search()
"""
WITHIN = 4.0  # seconds after a search has begun in which it is killed
EPOCH = "sleep:150"  # milliseconds


def main() -> None:
    """Kill, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--algorithms", nargs="+", default=list(KILLS))
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    told = record.circumstances()
    for algorithm in asked.algorithms:
        with tempfile.TemporaryDirectory() as folder:
            row = {"algorithm": algorithm, **_disturbed(Path(folder), algorithm, KILLS[algorithm], draw), **told}
        print(row, flush=True)
        record.add("tuner_faults", [row], ["machine", "algorithm"])


def _disturbed(place: Path, algorithm: str, kills: int, draw: random.Random) -> dict:
    """A search that is killed so often, beside one that is not."""
    lost, of_worker, in_trial, alive = 0, 0, 0, 0
    over: list[tuple[set[str], int]] = []  # at each kill: trials that are over, and how many ends were logged then
    environment = {**os.environ, "HUBEL_SYNTHETIC": EPOCH, "HUBEL_SYNTHETIC_LOG": str(place / "runs.log")}
    for number in range(kills):
        search = _started(place / "search", algorithm, environment)
        time.sleep(draw.uniform(0, WITHIN))
        alive += search.poll() is None
        if algorithm in ("random", "grid") and number % 3 == 2 and (worker := _worker_of(search)):
            of_worker += 1
            os.kill(worker, signal.SIGKILL)
            time.sleep(draw.uniform(0, WITHIN))
        before = _over(place / "search")
        in_trial += len(_trials(place / "search")) > len(before)
        over.append((set(before), len(_ends(place))))
        search.kill()
        search.wait()
        time.sleep(1)
        after = _over(place / "search")
        lost += sum(after.get(key) != trial for key, trial in before.items())
    _started(place / "search", algorithm, environment).wait()
    trials, ends = _trials(place / "search"), _ends(place)
    repeated = sum(len(known & set(ends[logged:])) for known, logged in over)
    plain = {**environment, "HUBEL_SYNTHETIC": "", "HUBEL_SYNTHETIC_LOG": ""}
    _started(place / "undisturbed", algorithm, plain).wait()
    undisturbed = _trials(place / "undisturbed")
    drawn = [{key: trial.values for key, trial in of.items()} for of in (trials, undisturbed)]
    return {
        "kills": alive,
        "of the worker first": of_worker,
        "while a trial ran": in_trial,
        "trials": len(trials),
        "failed": sum(trial.status == records.FAILED for trial in trials.values()),
        "lost": lost,
        "repeated": repeated,
        "as undisturbed": drawn[0] == drawn[1],
    }


def _started(place: Path, algorithm: str, environment: dict[str, str]) -> subprocess.Popen:
    """A search whose chief answers, or that is over already."""
    place.mkdir(exist_ok=True)
    for led in place.glob(f"tuning/*/{chief.FILE}"):
        led.unlink()
    asked = [str(place), algorithm, str(TRIALS[algorithm] or 0)]
    process = subprocess.Popen([sys.executable, "-c", SEARCH, *asked], env=environment, stderr=subprocess.DEVNULL)
    begun = len(list(place.glob("tuning/*/trials/*.json")))
    while process.poll() is None and not list(place.glob(f"tuning/*/{chief.FILE}")):
        time.sleep(0.01)
    end = time.monotonic() + 60
    while process.poll() is None and len(list(place.glob("tuning/*/trials/*.json"))) <= begun and time.monotonic() < end:
        if any(trial.worker and trial.started > time.time() - 2 for trial in _trials(place).values()):
            break
        time.sleep(0.02)
    return process


def _worker_of(search: subprocess.Popen) -> int | None:
    children = Path(f"/proc/{search.pid}/task/{search.pid}/children").read_text().split()
    return int(children[0]) if children else None


def _trials(place: Path) -> dict[str, records.TrialRecord]:
    [folder] = records.studies(place / "tuning") or [place]
    return {path.stem: records.read_trial(folder, path.stem) for path in records.trial_files(folder)}


def _over(place: Path) -> dict[str, records.TrialRecord]:
    return {key: trial for key, trial in _trials(place).items() if trial.is_over}


def _ends(place: Path) -> list[str]:
    """Trials that a training came to the end of, in order; one that is there twice was repeated."""
    log = place / "runs.log"
    return log.read_text().split() if log.is_file() else []


if __name__ == "__main__":
    main()
