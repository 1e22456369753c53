"""Published figures beside hubel's: one `hubel run` of a shipped config a row, on MNIST, Fashion-MNIST and what is made of MNIST.

    .venv/bin/python -m benchmarks.paper_results --data DIR --workspace DIR [NAME ...]

DIR/archives/mnist and DIR/archives/fashion_mnist hold the data sets' own files. Hours on two cores; a row is written when its run
has ended, and the same command goes on where it was stopped: with the rows that are missing, the one that was under way at its
epoch. `--minutes 8` stops by itself. The epoch is chosen on validation, and the run judges it once on the test split.

Rows go to benchmarks/results/paper_results.csv, and from there into the table of docs/results.md. Wall and CPU time are of the
whole run, from reading the images to the verdict, and include what was done twice after a stop.
"""

import argparse
import contextlib
import csv
import datetime
import importlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.record import commit, machine

MADE = ("turned_mnist", "binarised_mnist")  # of MNIST, by the module of that name
DRAWS = 5_000  # importance samples an image
NOT_BLESSED = 3  # exit code of a run whose figures are below the config's bounds
ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/paper_results.csv"
PAGE = ROOT / "docs/results.md"
TABLE = re.compile(r"(<!-- table: paper_results -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Experiment:
    """`published` is in the unit of `measure`, with its source; `theirs` what they trained; `changes` are added to the config."""

    name: str
    config: str
    data: str  # "mnist", "fashion_mnist", "turned_mnist" or "binarised_mnist"
    published: str
    theirs: str
    changes: tuple[str, ...] = ()
    measure: str = "errors, %"


def _nats(value: dict, model: Path, asked: argparse.Namespace) -> float:
    """-log p(x) of the test images, estimated with DRAWS importance samples: Burda et al. 2016, section 5."""
    import tensorflow as tf

    from benchmarks import binarised_mnist
    from components.tasks.reconstruction import importance
    from components.trainer import artifact
    from keras_models import normalize

    trained = artifact.load(str(model))
    net = normalize.inner(trained)
    encoder, decoder = net.get_layer("encoder"), net.get_layer("decoder")

    @tf.function(reduce_retracing=True)
    def estimate(pixels):
        parameters = encoder.get_layer("posterior")(trained.get_layer("normalize")(pixels), training=False)
        cost = net.get_layer("pixel_loss").of
        return importance.estimate(parameters, lambda codes: cost(pixels / 255.0, decoder(codes, training=False)), pixels, DRAWS)

    images = binarised_mnist.test_images(asked.workspace / "binarised_mnist")
    likelihoods = [estimate(images[first : first + 500]).log_likelihood for first in range(0, len(images), 500)]
    return -float(tf.reduce_mean(tf.concat(likelihoods, 0)))


# What a row is about -> (a run's JSON value, its Model artifact, the command line) -> the figure; and its decimals.
MEASURES: dict[str, tuple[Callable, int]] = {
    "errors, %": (lambda value, *_: 100 * (1 - value["metrics"]["accuracy"]), 2),
    "squared error": (lambda value, *_: value["metrics"]["mse"], 4),
    "AUROC, %": (lambda value, *_: 100 * value["metrics"]["auroc"], 1),
    "errors of a linear probe, %": (lambda value, *_: 100 * (1 - value["metrics"]["probe_accuracy"]), 2),
    "-log p(x), nats": (_nats, 2),
    "-ELBO, nats": (lambda value, *_: -value["metrics"]["elbo"], 2),
}
VAE = ("model.options.likelihood=bernoulli", "data.source=tfrecord:binarised_mnist/*.tfrecord", "name=binarised_mnist_vae")
RUFF = ("97.6", "98.3", "85.4", "86.7", "86.5", "78.2", "94.6", "92.3", "86.5", "90.4")
DCAE = "Ruff et al. 2018, table 1, DCAE"
MEAN = "one class, mean of ten"  # a line of the table, not of the CSV
CONTRACTIVE = (
    "name=mnist_contractive_1000",
    "model.options={code_size: 1000, hidden: [], code_activation: sigmoid, tied: true, weight: 0.1, loss: bernoulli}",
    "train.epochs=15",
)
DENOISING = ("name=mnist_denoising_gaussian", "model.options.tied=true", "augment=[{gaussian_noise: {stddev: 0.3}}]")

EXPERIMENTS = (
    Experiment("dense 784-100-10", "mnist_mlp", "mnist", "about 5", "lectures; LeCun et al. 1998: 4.7 for 784-300-10"),
    Experiment(
        "LeNet-5",
        "mnist_lenet5",
        "mnist",
        "0.95",
        "LeCun et al. 1998: 20 epochs, no distortions",
        ("name=mnist_lenet5_undistorted", "augment=[]", "train.epochs=20"),
    ),
    Experiment(
        "LeNet-5, distortions", "mnist_lenet5_distorted", "mnist", "0.8", "LeCun et al. 1998: 540,000 distorted images more"
    ),
    Experiment("CNN, turned", "turned_mnist_cnn", "turned_mnist", "1.2", "Jaderberg et al. 2015: 150,000 steps of 256, 640 epochs"),
    Experiment(
        "ST-CNN, turned", "turned_mnist_st_cnn", "turned_mnist", "0.7", "Jaderberg et al. 2015: 150,000 steps of 256, 640 epochs"
    ),
    Experiment("ResNet-20", "fashion_mnist_resnet20", "fashion_mnist", "5.1", "the data set's page: ResNet-18, accuracy .949"),
    *(
        Experiment(
            f"PCA, code of {size}",
            "mnist_pca",
            "mnist",
            published,
            "exact, of all 60,000 training images",
            (f"name=mnist_pca_{size}", f"model.options.code_size={size}", "data.validation=0.0002"),
            "squared error",
        )
        for size, published in ((2, ".0557"), (8, ".0374"), (16, ".0269"), (32, ".0168"), (64, ".0090"))
    ),
    *(
        Experiment(name, "mnist_vae", "binarised_mnist", published, theirs, VAE, measure)
        for name, published, theirs, measure in (
            ("VAE", "86.76", "Burda et al. 2016, table 1: 3,280 epochs, binarised anew each epoch", "-log p(x), nats"),
            ("VAE, its bound", "", "", "-ELBO, nats"),
        )
    ),
    *(
        Experiment(
            f"one class, {digit}",
            "mnist_one_class",
            "mnist",
            published,
            DCAE,
            (f"name=mnist_one_class_{digit}", f"data.inliers=[{digit}]"),
            "AUROC, %",
        )
        for digit, published in enumerate(RUFF)
    ),
    *(
        Experiment(
            f"{kind} code",
            f"mnist_{kind}_autoencoder",
            "mnist",
            published,
            f"Rifai et al. 2011, table 1{noise}: 1,000 units, then fine-tuned as a classifier",
            changes,
            "errors of a linear probe, %",
        )
        for kind, noise, published, changes in (
            ("contractive", "", "1.14", CONTRACTIVE),
            ("denoising", ", Gaussian noise", "1.18", DENOISING),
        )
    ),
)


@dataclass(frozen=True)
class Row:
    """One line of the CSV. `epochs` were trained, `best` is the one that validation chose."""

    name: str
    data: str
    measure: str
    published: str
    published_by: str
    ours: float
    test_images: int
    config: str
    changes: str
    params: int
    seed: int
    epochs: int
    best: int
    wall_minutes: float
    cpu_minutes: float
    machine: str
    date: str
    commit: str


class Unfinished(Exception):
    """Time is up."""


class Stopwatch:
    """Seconds of wall and CPU that the pieces of one row have taken so far, in a file that outlives them."""

    def __init__(self, file: Path):
        self._file = file
        self.wall, self.cpu = json.loads(file.read_text()) if file.is_file() else (0.0, 0.0)

    @contextlib.contextmanager
    def running(self):
        """Adds what processes take that end inside."""
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            yield
        finally:
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.wall += time.monotonic() - start
            self.cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps([self.wall, self.cpu]))


def hubel(words: list[str], until: float | None = None) -> dict | list:
    """The JSON value of a command. Raises Unfinished where it was stopped at `until`, a time.monotonic()."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.command_line.cli", *words, "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        answer, _ = process.communicate(timeout=None if until is None else max(until - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise Unfinished from None
    value = json.loads(answer)
    if process.returncode not in (0, NOT_BLESSED):
        raise SystemExit(f"{' '.join(words)}: {value['error']['message']}\n{value['error']['hint']}")
    return value


def prepared(data: str, archives: Path, workspace: Path) -> list[str]:
    """Have the images where the config looks for them. Returns what to set."""
    if data not in MADE:
        hubel(["datasets", "prepare", data, "--from", str(archives / data), "--workspace", str(workspace)])
        return []
    folder = workspace / data
    if not folder.is_dir():
        importlib.import_module(f"benchmarks.{data}").write(archives / "mnist", folder)
    return [f"data.source=tfrecord:{folder}/*.tfrecord"]


def run(experiment: Experiment, seed: int, asked: argparse.Namespace, until: float | None) -> Row:
    """One experiment to its end. Raises Unfinished."""
    changes = [*experiment.changes, f"seed={seed}", *([f"train.epochs={asked.epochs}"] if asked.epochs else [])]
    watch = Stopwatch(asked.workspace / "stopwatches" / f"{experiment.config}-{'-'.join(changes)}.json".replace("/", "_"))
    place = prepared(experiment.data, asked.data / "archives", asked.workspace)
    sets = [word for change in [*changes, "push.enabled=false", *place] for word in ("--set", change)]
    with watch.running():
        value = hubel(["run", experiment.config, *sets, "--workspace", str(asked.workspace)], until)
    model, (figure, decimals) = _model(asked.workspace, value), MEASURES[experiment.measure]
    card = json.loads((model / "card.json").read_text())
    history = _history(model)
    return Row(
        name=experiment.name,
        data=experiment.data,
        measure=experiment.measure,
        published=experiment.published,
        published_by=experiment.theirs,
        ours=round(figure(value, model, asked), decimals),
        test_images=value["images"]["test"],
        config=experiment.config,
        changes=" ".join(changes),
        params=card["params"],
        seed=seed,
        epochs=card["epochs"],
        best=min(range(len(history)), key=lambda epoch: history[epoch]["val_loss"]) + 1,
        wall_minutes=round(watch.wall / 60, 1),
        cpu_minutes=round(watch.cpu / 60, 1),
        machine=machine(),
        date=datetime.date.today().isoformat(),
        commit=commit(),
    )


def _model(workspace: Path, value: dict) -> Path:
    """The Model artifact of a run."""
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    [record] = [run for run in runs.records(Workspace.at(workspace), value["config"]) if run.run == value["run"]]
    return Path(record.model_uri)


def _history(model: Path) -> list[dict]:
    """Figures by epoch of the Trainer that wrote a model."""
    [file] = (model.parents[1] / "model_run" / model.name).glob("**/history.json")
    return json.loads(file.read_text())


def rows() -> list[dict[str, str]]:
    """What the CSV holds."""
    if not RESULTS.is_file():
        return []
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def add(row: Row) -> None:
    """Write the CSV with a row more, and the page's table from it."""
    names = [experiment.name for experiment in EXPERIMENTS]
    every = sorted([*rows(), {name: str(value) for name, value in asdict(row).items()}], key=lambda line: names.index(line["name"]))
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(every)
    PAGE.write_text(TABLE.sub(lambda match: f"{match[1]}{table()}{match[3]}", PAGE.read_text()))


def table() -> str:
    """The rows as the page shows them."""
    lines = [
        "| network | data | measure | published | ours | config | seed | epochs (best) | wall, CPU minutes | date |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in _with_means(rows()):
        published = f"{row['published']} ({row['published_by']})" if row["published"] else ""
        cells = [row["name"], row["data"], row["measure"], published, f"**{row['ours']}**", f"`{row['config']}`", row["seed"]]
        epochs = f"{row['epochs']} ({row['best']})" if row["best"] else row["epochs"]
        cells += [epochs, f"{row['wall_minutes']}, {row['cpu_minutes']}", row["date"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _with_means(measured: list[dict[str, str]]) -> list[dict[str, str]]:
    """Behind the last row of one class, a mean for each seed that has all ten."""
    places = [place for place, row in enumerate(measured) if row["config"] == "mnist_one_class"]
    means = []
    for seed in sorted({measured[place]["seed"] for place in places}, key=int):
        ten = [measured[place] for place in places if measured[place]["seed"] == seed]
        if len(ten) == len(RUFF):
            means.append(_mean(ten))
    behind = places[-1] + 1 if places else 0
    return [*measured[:behind], *means, *measured[behind:]]


def _mean(ten: list[dict[str, str]]) -> dict[str, str]:
    wall, cpu = (sum(float(row[minutes]) for row in ten) for minutes in ("wall_minutes", "cpu_minutes"))
    return ten[0] | {
        "name": MEAN,
        "published": "89.7",
        "published_by": DCAE,
        "ours": f"{sum(float(row['ours']) for row in ten) / len(ten):.1f}",
        "epochs": ", ".join(sorted({row["epochs"] for row in ten}, key=int)),
        "best": "",
        "wall_minutes": f"{wall:.1f}",
        "cpu_minutes": f"{cpu:.1f}",
        "date": max(row["date"] for row in ten),
    }


def main() -> None:
    """Run what is missing."""
    configs = {experiment.config for experiment in EXPERIMENTS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", metavar="NAME", help=f"of {', '.join(sorted(configs))}; without any, all")
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--minutes", type=float, help="stop after so many, with exit code 1; the same command goes on")
    asked = parser.parse_args()
    if unknown := set(asked.configs) - configs:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    asked.data = Path(asked.data or "")
    if not (asked.data / "archives").is_dir():
        parser.error(f"{asked.data / 'archives'} is not there; name its folder with --data or HUBEL_TEST_DATA")
    asked.workspace = asked.workspace.resolve()
    until = time.monotonic() + 60 * asked.minutes if asked.minutes else None
    done = {(row["name"], row["seed"]) for row in rows()}
    for experiment in EXPERIMENTS:
        if (asked.configs and experiment.config not in asked.configs) or (experiment.name, str(asked.seed)) in done:
            continue
        try:
            row = run(experiment, asked.seed, asked, until)
        except Unfinished:
            raise SystemExit(f"{experiment.name} is under way; the same command goes on") from None
        add(row)
        print(f"{row.name}: {row.measure} {row.ours} (published: {row.published}), {row.wall_minutes} minutes", flush=True)


if __name__ == "__main__":
    main()
