"""Answers of a pushed model about what it reads. Runs in the worker process."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from configs.errors import UsageError
from pipelines.verbs import outputs as files_of
from pipelines.verbs.asking.base import Asking, Given
from pipelines.verbs.asking.by_name import asking_of
from pipelines.verbs.served import Served
from serving.answers import About, as_files, as_json, pictures


def predict(
    model: str,
    files: Sequence[str],
    top: int,
    texts: Sequence[str] = (),
    column: str | None = None,
    out: str | None = None,
    force: bool = False,
) -> dict:
    """What a model says of what is given, in that order. How that is given, and what a row says of it, its kind of input decides:
    pipelines/verbs/asking.

    Args:
        model: SavedModel folder.
        files: files and folders.
        top: classes a row.
        texts, column: texts themselves, and the column of tables; of a model that reads texts alone.
        out: folder for the answers that a person looks at, such as masks, each named after what it is about; None: no file is
            written.
        force: whether files that are there may be overwritten.

    Returns:
        {model, KIND: a row for each, such as `images`, many: KIND, unshown: keys of rows that a table leaves out, gives: the kind
        of each output, of serving.answers, class_names}, and of images {size: [height, width, channels], resized: how many were of
        another size, changes}. A row is {..., OUTPUT: value} of the signature that the card says, as the outputs' kinds become
        JSON (of a classifier the names and scores of the `top` best); for what cannot be used {..., error}; with `out`
        also {written: {OUTPUT: path}}.

    Raises:
        UsageError: where there is nothing at all, something else is given than the model reads, `out` is given and no answer is a
            picture, a file would be overwritten, or the SavedModel is not one of hubel.
        HubelError: where nothing can be written.
    """
    card = Served.card_of(model)
    asking = asking_of(card.reads)
    examples = asking.examples(Given(files, texts, column), card.name, Path(out).expanduser() if out else None)
    return answered(Served.load(model), asking, examples, top, out, force)


def answered(served: Served, asking: Asking, examples: Sequence[Any], top: int, out: str | None, force: bool) -> dict:
    """As `predict`, of what was given as `asking` knows it, by a model wherever it is."""
    gives, about = served.gives(served.card.predicts), About(served.card.class_names, top)
    planned = _planned(served.card.name, gives, [asking.file(example) for example in examples]) if out else {}
    folder = (
        files_of.folder(out, [name for names in planned.values() for name in names], force, asking.files(examples)) if out else None
    )
    rows = []
    for place, (row, outputs) in enumerate(asking.answers(served, examples)):
        if "error" not in row:
            of_row = replace(about, frame=asking.frame(served, row, gives))
            row |= as_json(outputs, gives, of_row)
            made = as_files(outputs, gives, of_row) if folder else {}
            row |= {"written": {name: files_of.write(folder / planned[name][place], made[name]) for name in made}} if folder else {}
        rows.append(row)
    told = {"many": asking.many, "unshown": sorted(asking.unshown), "gives": gives, "class_names": served.card.class_names}
    return {**asking.summary(served, rows), asking.many: rows, **told}


def _planned(model: str, gives: Mapping[str, str], paths: Sequence[Path]) -> dict[str, list[str]]:
    """The outputs that are written, and of each the name of its file for every path. Raises UsageError where there is none."""
    endings = pictures(gives)
    if not endings:
        raise UsageError(
            f"--out is for answers that are pictures, and {model} gives {', '.join(dict.fromkeys(gives.values())) or 'none'}.",
            "Leave --out out; --json has the answers.",
        )
    several, taken, planned = len(endings) > 1, [], {}
    for output, ending in endings.items():
        planned[output] = files_of.names(paths, f".{output}{ending}" if several else ending, taken)
        taken += planned[output]
    return planned
