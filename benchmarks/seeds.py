"""A config's figures over several seeds: mean and range of each metric of the test split, for the header of a config.

    .venv/bin/python -m benchmarks.seeds digits_lenet5 --seeds 5

Every seed trains anew on the same data; nothing is pushed. The split does not depend on the seed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def main() -> None:
    """Run, one seed after another, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    figures: dict[str, list[float]] = {}
    seconds = []
    with tempfile.TemporaryDirectory(prefix="hubel-seeds-") as workspace:
        for seed in range(asked.seeds):
            options = ["--set", f"seed={seed}", "--set", "push.enabled=false", "--json", "--workspace", workspace]
            command = [sys.executable, "-m", "pipelines.command_line.cli", "run", asked.config, *options]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            value = json.loads(done.stdout)
            if "error" in value:
                sys.exit(value["error"]["message"])
            seconds.append(value["seconds"])
            for name, figure in value["metrics"].items():
                figures.setdefault(name, []).append(figure)
            print(f"seed {seed}: {value['metrics']} {value['comparison']}", flush=True)
    for name, values in figures.items():
        print(f"{name}: mean {statistics.mean(values):.4f}, range {min(values):.4f} to {max(values):.4f} over {len(values)} seeds")
    later = statistics.mean(seconds[1:] or seconds)
    print(f"{os.cpu_count()} cores; first run {seconds[0]:.0f} s, later ones {later:.0f} s on average")


if __name__ == "__main__":
    main()
