"""What training will see of a config's data, as a person sees its kind of input. Runs in the worker process.

Nothing of the pipeline runs: examples come straight from the source, are chosen by the rules that ExampleGen splits by, and pass
through the functions that Transform and Trainer call. What is shown of them is a file a kind (pipelines.data_sets.seen).
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras_models
from components import inputs, targets
from components.example_gen import listing
from components.inputs import checks
from components.tasks.by_name import name_of, of_data, task_of
from components.tasks.judges.by_name import judge_of
from components.trainer.transfer import served
from configs import load, words
from configs.errors import HubelError, UsageError
from pipelines.data_sets import choosing
from pipelines.data_sets.choosing import Wanted
from pipelines.data_sets.seen.by_name import preview_of

NAME = "preview"  # of the files
SAMPLES = 4  # augmented ones of an example


def preview(
    config: str, assignments: list[str], datasets: str, out: str, images: int, samples: int | None = None
) -> dict[str, Any]:
    """Write what is seen of training examples into the folder `out`, which is made.

    Args:
        images: how many examples, spread evenly over the classes.
        samples: augmented ones of each, those of the first epochs; None: SAMPLES, of a kind that has such.

    Returns:
        {png, html: what was written, None where there is no such file, noun, images: how many are shown, classes: of those,
        looked_at: how many were read, set_aside: {why: how many of these a run sets aside too}, counts: {split: examples},
        by_split: {split: {class: examples}}, before any is set aside, unlabelled: examples that a run leaves out without a label,
        notes: sentences on all that}, and what the kind has besides; of a table, examples: [row], columns: keys of a row to show.

    Raises:
        UsageError: for a wrong config, or data that is not there.
        HubelError: where no training example is sound, or `out` cannot be written.
    """
    cfg = load.load(config, assignments)
    entry = keras_models.check(cfg.model.name) if cfg.transfer is None else None
    name = served(cfg.transfer) if entry is None else entry.task
    model, reads = (cfg.transfer.source, inputs.DEFAULT) if entry is None else (cfg.model.name, entry.reads)
    checks.check(reads, model, cfg.data, cfg.transform, cfg.augment, cfg.export.crops is not None)
    if samples is not None and not inputs.input_of(reads).augments:
        raise UsageError(f"--samples is of augmented images, and {model} reads {reads}.", "Leave --samples out.")
    noun, task = inputs.storage_of(reads).noun, name_of(of_data(name, cfg.data.features), cfg.anomaly, cfg.data.features)
    kind = preview_of(reads, cfg, task_of(task))
    looked = choosing.look(cfg.data, Path(datasets), _wanted(task, reads, images, kind.measured))
    set_aside = dict(Counter(filter(None, looked.read.values())).most_common())
    notes = [told] if (told := _aside(len(looked.read), set_aside, noun)) else []
    if not looked.chosen:
        raise HubelError(
            " ".join([f"There is no sound training {noun} in {cfg.data.source}.", *notes]),
            "Check the data, data.inliers and data.limit.",
        )
    if looked.counts.unlabelled:
        notes.append(f"{words.count(looked.counts.unlabelled, noun)} without a label {_is(looked.counts.unlabelled)} left out.")
    made = kind.made(looked, SAMPLES if samples is None else samples, notes)
    written = {ending: str(_write(Path(out) / f"{NAME}.{ending}", content)) for ending, content in made.files.items()}
    return {
        "png": None,
        "html": None,
        **written,
        "noun": noun,
        "images": len(looked.chosen),
        "classes": len(set().union(*(looked.told(example)[0] for example in looked.chosen))),
        "looked_at": len(looked.read),
        "set_aside": set_aside,
        "counts": dict(looked.counts.examples),
        "by_split": dict(looked.counts.classes),
        "unlabelled": looked.counts.unlabelled,
        "notes": list(made.notes),
        **made.value,
    }


def _wanted(task: str, reads: str, shown: int, measured: int) -> Wanted:
    """As ExampleGen is told."""
    needed = frozenset(name for name in task_of(task).targets if targets.is_further(name))
    return Wanted(shown, measured, reads, needed, targets.of(judge_of(task).label_key or "").is_label)


def _write(file: Path, content: bytes) -> Path:
    """Raises HubelError where it cannot be."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        listing.record(file)
        file.write_bytes(content)
    except OSError as error:
        raise HubelError(
            f"{error.filename or file.parent} cannot be written: {error.strerror}.", "Choose another folder: --out."
        ) from None
    return file


def _aside(looked_at: int, set_aside: Mapping[str, int], noun: str) -> str:
    """A sentence on examples that are not shown, because a run sets them aside; empty without any."""
    if not set_aside:
        return ""
    why = "; ".join(f"{count:,}: {reason}" for reason, count in set_aside.items())
    aside = sum(set_aside.values())
    return f"Of {words.count(looked_at, noun)} read to choose from {aside:,} {_is(aside)} set aside, as by a run ({why})."


def _is(many: int) -> str:
    return "is" if many == 1 else "are"
