"""Answers of a pushed model about image files. Runs in the worker process."""

from pipelines.verbs import images as image_files
from pipelines.verbs.served import Served
from serving.answers import About, as_json


def predict(model: str, images: list[str], top: int) -> dict:
    """What a model says of images, in the order given; folders are searched for images, sorted by path.

    Args:
        model: SavedModel folder.
        images: files and folders.
        top: classes a row.

    Returns:
        {model, size: [height, width, channels], resized: how many images were of another size, images: a row for each, gives: the
        kind of each output, of serving.answers, class_names}. A row is {file, size, resized: whether, OUTPUT: value} of the
        signature that the card says, as the outputs' kinds become JSON (of a classifier the names and scores of the `top` best);
        for a file that cannot be read {file, error}.

    Raises:
        UsageError: where there is no image at all, or the SavedModel is not one of hubel.
    """
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
