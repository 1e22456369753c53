"""`hubel init` and `hubel run` on images as people have them: what is written has to end in a model that is blessed and pushed.

    .venv/bin/python -m benchmarks.own_images --data DIR --workspace DIR [NAME ...]

DIR holds the publishers' own files, and each source is made of them as a person would find it:

    mnist, fashion_mnist   archives/NAME by `hubel datasets prepare NAME --from`, then `hubel init tfds:NAME`
    bccd                   the JPEGs of archives/bccd's archive, all in one folder without labels: an autoencoder
    digits                 scikit-learn's digits as PNGs, a folder a class
    tfx_mnist              raw/tfx_mnist/mnist.tfrecord, the record file of TFX's example, as it is

Without names all are run; the last three are small. Nothing of the written configs is changed. Rows go to
benchmarks/results/own_images.csv, and from there into the table of docs/data.md. Wall and CPU time are of `hubel run`, from reading
the images to the pushed model.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import record

PAGE = record.ROOT / "docs/data.md"
TABLE = re.compile(r"(<!-- table: own_images -->\n)(.*?)(<!-- end -->)", re.DOTALL)
FIGURES = ("accuracy", "mse")  # of which the first that a run has is shown


def hubel(*words: str | Path) -> dict:
    """The JSON value of a command that has to end well."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.command_line.cli", *map(str, words), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"hubel {' '.join(map(str, words))} ended with {done.returncode}: {done.stdout}")
    return json.loads(done.stdout)


def prepared(name: str) -> Callable[[Path, Path], str]:
    def make(data: Path, workspace: Path) -> str:
        hubel("datasets", "prepare", name, "--from", data / "archives" / name, "--workspace", workspace)
        return f"tfds:{name}"

    return make


def bccd(data: Path, workspace: Path) -> str:
    """The JPEGs of the data set in one folder."""
    folder, [archive] = workspace / "sources/bccd", (data / "archives/bccd").glob("*.zip")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as held:
        for name in held.namelist():
            if "/JPEGImages/" in name and name.endswith(".jpg"):
                (folder / Path(name).name).write_bytes(held.read(name))
    return str(folder)


def digits(data: Path, workspace: Path) -> str:
    """A folder a class, named in words."""
    from PIL import Image
    from sklearn.datasets import load_digits

    from components.example_gen.prepared import DIGITS

    folder, loaded = workspace / "sources/digits", load_digits()
    for index, (image, label) in enumerate(zip(loaded.images, loaded.target, strict=True)):
        path = folder / DIGITS["classes"][label] / f"{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * (255 / 16)).round().astype("uint8")).save(path)
    return str(folder)


def tfx_mnist(data: Path, workspace: Path) -> str:
    return str(data / "raw/tfx_mnist/mnist.tfrecord")


SOURCES = {
    "mnist": prepared("mnist"),
    "fashion_mnist": prepared("fashion_mnist"),
    "bccd": bccd,
    "digits": digits,
    "tfx_mnist": tfx_mnist,
}


def run(name: str, data: Path, workspace: Path) -> dict:
    """A row: `hubel init`, then `hubel run`, blessed and pushed."""
    measured = record.circumstances()
    file = workspace / f"{name}.yaml"
    proposed = hubel("init", SOURCES[name](data, workspace), "--out", file, "--force", "--workspace", workspace)["found"]
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    value = hubel("run", file, "--workspace", workspace)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert value["blessed"], value["reason"]
    assert value["version"] is not None
    assert (Path(value["model_dir"]) / "saved_model.pb").is_file()
    measure = next(figure for figure in FIGURES if figure in value["metrics"])
    card = json.loads((Path(value["model_dir"]) / "assets.extra/hubel.json").read_text())
    height, width, channels = card["input_shape"]
    return {
        "name": name,
        "images": proposed["images"],
        "classes": len(proposed["classes"]),
        "set_aside": sum(value["quarantined"].values()),
        "model": value["architecture"],
        "input": f"{height}x{width}x{channels}",
        "epochs": card["epochs"],
        "measure": measure,
        "figure": f"{value['metrics'][measure]:.4f}",
        "test_images": value["images"]["test"],
        "wall_minutes": f"{wall / 60:.1f}",
        "cpu_minutes": f"{(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60:.1f}",
        **measured,
    }


def table() -> str:
    """The rows as the page shows them."""
    measured = {row["name"]: row for row in record.rows("own_images")}
    lines = [
        "| source | images | classes | what `hubel init` chose | epochs | test split | wall, CPU minutes (load before) | date |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in (measured[name] for name in SOURCES if name in measured):
        chosen = f"`{row['model']}` at {row['input']}"
        figure = f"{row['measure']} **{row['figure']}** of {row['test_images']}"
        cost = f"{row['wall_minutes']}, {row['cpu_minutes']} ({row['load']})"
        cells = [row["name"], row["images"], row["classes"], chosen, row["epochs"], figure, cost, row["date"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is asked for; a row is written when its run has ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SOURCES)}; without any, all")
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("--workspace", type=Path, required=True)
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SOURCES):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    data, workspace = Path(asked.data or "").resolve(), asked.workspace.resolve()
    if not (data / "archives").is_dir():
        parser.error(f"{data / 'archives'} is not there; name its folder with --data or HUBEL_TEST_DATA")
    workspace.mkdir(parents=True, exist_ok=True)
    for name in asked.names or SOURCES:
        row = run(name, data, workspace)
        record.add("own_images", [row], keys=("name",))
        PAGE.write_text(TABLE.sub(lambda match: f"{match[1]}{table()}{match[3]}", PAGE.read_text()))
        print(f"{name}: {row['measure']} {row['figure']}, pushed, {row['wall_minutes']} minutes", flush=True)


if __name__ == "__main__":
    main()
