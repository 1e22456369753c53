"""Answers of a pushed model about image files, or about texts. Runs in the worker process."""

from collections.abc import Sequence

from components import keys
from configs.errors import UsageError
from pipelines.verbs import images as image_files
from pipelines.verbs import texts as given_texts
from pipelines.verbs.served import Served
from serving.answers import About, as_json


def predict(model: str, images: list[str], top: int, texts: Sequence[str] = (), column: str | None = None) -> dict:
    """What a model says of images, in the order given; folders are searched for images, sorted by path. Of a model that reads
    texts, what it says of these: see `of_texts`.

    Args:
        model: SavedModel folder.
        images: files and folders.
        top: classes a row.
        texts, column: of a model that reads texts alone.

    Returns:
        {model, size: [height, width, channels], resized: how many images were of another size, images: a row for each, gives: the
        kind of each output, of serving.answers, class_names}. A row is {file, size, resized: whether, OUTPUT: value} of the
        signature that the card says, as the outputs' kinds become JSON (of a classifier the names and scores of the `top` best);
        for a file that cannot be read {file, error}.

    Raises:
        UsageError: where there is no image at all, something else is given than the model reads, or the SavedModel is not one of
            hubel.
    """
    card = Served.card_of(model)
    if card.reads == "text":
        return of_texts(model, images, top, texts, column)
    if texts or column is not None:
        raise UsageError(f"{card.name} reads {card.reads}s, and a text is given.", "Give it files, without --text and --column.")
    paths = image_files.files(images)
    served = Served.load(model)
    gives, about = served.gives(served.card.predicts), About(served.card.class_names, top)
    rows = []
    for answer in image_files.answers(served.predicting, paths, served.prepared):
        row = image_files.row(answer)
        if answer.error is None:
            row.update(resized=served.resizes(row), **as_json(answer.outputs, gives, about))
        rows.append(row)
    return {**served.summary(rows), "images": rows, "gives": gives, "class_names": served.card.class_names}


def of_texts(model: str, files: Sequence[str], top: int, typed: Sequence[str], column: str | None) -> dict:
    """What a model says of texts: those that were typed, then those of files, in order.

    Args:
        files: text files of a text a line, and tables, which end in .csv; `column` of these holds the texts.
        typed: texts themselves.

    Returns:
        {model, texts: a row for each, gives, class_names}, the last two as of `predict`. A row is {text, OUTPUT: value}; of a file
        {text, file, line, ...}; for a text that training would have set aside {text, error}.

    Raises:
        UsageError: see pipelines.verbs.texts.given.
    """
    asked = given_texts.given(files, typed, column)
    served = Served.load(model)
    gives, about = served.gives(served.card.predicts), About(served.card.class_names, top)
    rows = []
    for answer in given_texts.answers(served.of_end(served.card.predicts, keys.TEXT_END), asked):
        rows.append({**given_texts.row(answer), **({} if answer.error else as_json(answer.outputs, gives, about))})
    return {"model": model, "texts": rows, "gives": gives, "class_names": served.card.class_names}
