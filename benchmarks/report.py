"""What the page of a run costs: seconds and bytes, beside the seconds of the run's own training, in a workspace that is empty.

    .venv/bin/python -m benchmarks.report [CONFIG ...]
    HUBEL_WORKSPACE=DIR .venv/bin/python -m benchmarks.report mnist_lenet5     where datasets lie that need no download

By default digits_lenet5 (1,797 images) and mnist_lenet5 (70,000). Results go to benchmarks/results/report.csv.
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


def row(config: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Of the JSON of a run that found nothing in the cache."""
    seconds = {component["name"]: component["seconds"] for component in value["components"]}
    return {
        "config": config,
        "images": sum(value["images"].values()),
        "run_seconds": value["seconds"],
        "training_seconds": seconds[TRAINER],
        "page_seconds": seconds[REPORTER],
        "share_of_training": round(seconds[REPORTER] / seconds[TRAINER], 3),
        "bytes": Path(value["report"]).stat().st_size,
    }


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=CONFIGS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hubel-benchmark-") as scratch:
        workspace = Path(scratch) / "workspace"
        workspace.mkdir()
        if known := os.environ.get("HUBEL_WORKSPACE"):
            (workspace / "datasets").symlink_to(Path(known).resolve() / "datasets")
        for config in asked.configs:
            told = measured(config, workspace)
            print(json.dumps(told), flush=True)
            record.add("report", [told], ["config", "machine"])


if __name__ == "__main__":
    main()
