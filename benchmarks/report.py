"""What the page of a run costs: seconds and bytes, beside the seconds of the run's own training, in a workspace that is empty.

    .venv/bin/python -m benchmarks.report [CONFIG ...]
    HUBEL_WORKSPACE=DIR .venv/bin/python -m benchmarks.report mnist_lenet5     where datasets lie that need no download

    .venv/bin/python -m benchmarks.report mnist_lenet5 --of DIR     the newest run of that workspace, which is not touched

By default digits_lenet5 (1,797 images) and mnist_lenet5 (70,000). With --of nothing is trained: the page is written anew, and the
training's seconds are those on record. Results go to benchmarks/results/report.csv.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import record
from configs import load

CONFIGS = ("digits_lenet5", "mnist_lenet5")
TRAINER, REPORTER = "Trainer", "Reporter"


def measured(config: str, workspace: Path) -> dict[str, Any]:
    """A row of the results. Raises where the run fails; one that is not blessed has a page too."""
    before = record.circumstances()
    command = [sys.executable, "-m", "pipelines.command_line.cli", "run", config, "--json", "--workspace", str(workspace)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    value = json.loads(done.stdout)
    if "error" in value:
        raise RuntimeError(value["error"]["message"])
    return {**row(config, value), **before}


def again(config: str, workspace: Path, scratch: Path) -> dict[str, Any]:
    """The same of the newest artifacts of a config, whose page is written into another folder: of a workspace that an earlier hubel
    made, too, which did not say of which run they are."""
    import time

    from components import keys, metadata
    from components.reporter import component, writing
    from components.reporter.material import KEYS, Artifact, Material
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    before, place = record.circumstances(), Workspace.at(workspace)
    of_run = [each for each in runs.records(place, config) if each.metrics and not each.unchanged_since][-1]
    with metadata.opened(place.metadata) as held:
        ids = [number for (number,) in held.execute("SELECT id FROM Artifact WHERE uri LIKE ?", (f"%/pipelines/{config}/%",))]
    made, properties = metadata.made(place.metadata, ids), metadata.properties(place.metadata, ids)
    [*_, trained] = [each for each in made if each.stage == TRAINER]
    settled = load.validate(load.read(place.run(config, of_run.run) / "config.yaml"), config).model_dump(mode="json")
    begun, spent = time.perf_counter(), time.process_time()
    artifacts = {
        KEYS[each.stage, each.output]: Artifact(each.uri, properties[each.id], each.id, each.began, each.ended)
        for each in made
        if (each.stage, each.output) in KEYS
    }
    text = writing.of(Material(artifacts, settled, {"run": of_run.run}, config)).text
    (scratch / component.PAGE).write_text(text)
    page, training = time.perf_counter() - begun, trained.ended - trained.began
    return {
        "config": config,
        "images": sum(artifacts["examples"].json(keys.COUNTS, {}).values()),
        "run_seconds": of_run.seconds,
        "training_seconds": round(training, 1),
        "page_seconds": round(page, 1),
        "page_cpu_seconds": round(time.process_time() - spent, 1),
        "share_of_training": round(page / training, 3),
        "bytes": len(text.encode()),
        **before,
    }


def row(config: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Of the JSON of a run that found nothing in the cache."""
    seconds = {component["name"]: component["seconds"] for component in value["components"]}
    return {
        "config": config,
        "images": sum(value["images"].values()),
        "run_seconds": value["seconds"],
        "training_seconds": seconds[TRAINER],
        "page_seconds": seconds[REPORTER],
        "page_cpu_seconds": "",  # a run's worker has other threads
        "share_of_training": round(seconds[REPORTER] / seconds[TRAINER], 3),
        "bytes": Path(value["report"]).stat().st_size,
    }


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=CONFIGS)
    parser.add_argument("--of", type=Path, metavar="DIR", help="a workspace whose newest runs' pages are written anew")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hubel-benchmark-") as scratch:
        workspace = Path(scratch) / "workspace"
        workspace.mkdir()
        if known := os.environ.get("HUBEL_WORKSPACE"):
            (workspace / "datasets").symlink_to(Path(known).resolve() / "datasets")
        for config in asked.configs:
            told = again(config, asked.of, Path(scratch)) if asked.of else measured(config, workspace)
            print(json.dumps(told), flush=True)
            record.add("report", [told], ["config", "machine"])


if __name__ == "__main__":
    main()
