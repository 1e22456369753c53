"""Answers of a pushed model about what it reads. Runs in the worker process."""

from collections.abc import Sequence

from pipelines.verbs.asking import asking_of
from pipelines.verbs.asking.base import Given
from pipelines.verbs.served import Served
from serving.answers import About, as_json


def predict(model: str, files: Sequence[str], top: int, texts: Sequence[str] = (), column: str | None = None) -> dict:
    """What a model says of what is given, in that order. How that is given, and what a row says of it, its kind of input decides:
    pipelines/verbs/asking.

    Args:
        model: SavedModel folder.
        files: files and folders.
        top: classes a row.
        texts, column: texts themselves, and the column of tables; of a model that reads texts alone.

    Returns:
        {model, KIND: a row for each, such as `images`, many: KIND, unshown: keys of rows that a table leaves out, gives: the kind
        of each output, of serving.answers, class_names}, and of images {size: [height, width, channels], resized: how many were of
        another size, changes}. A row is {..., OUTPUT: value} of the signature that the card says, as the outputs' kinds become
        JSON (of a classifier the names and scores of the `top` best); for what cannot be used {..., error}.

    Raises:
        UsageError: where there is nothing at all, something else is given than the model reads, or the SavedModel is not one of
            hubel.
    """
    card = Served.card_of(model)
    asking = asking_of(card.reads)
    examples = asking.examples(Given(files, texts, column), card.name)
    served = Served.load(model)
    gives, about = served.gives(served.card.predicts), About(served.card.class_names, top)
    rows = []
    for row, outputs in asking.answers(served, examples):
        rows.append(row if "error" in row else {**row, **as_json(outputs, gives, about)})
    told = {"many": asking.many, "unshown": sorted(asking.unshown), "gives": gives, "class_names": served.card.class_names}
    return {**asking.summary(served, rows), asking.many: rows, **told}
