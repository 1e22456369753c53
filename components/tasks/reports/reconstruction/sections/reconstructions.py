"""Original, reconstruction and error, from the best image to the worst."""

import numpy as np

from components.reporter import histograms, ranks, strips
from components.tasks.reports.reconstruction.looked import Looked
from reports import distributions
from reports.run.blocks import Picture, Pictures, Section
from serving.answers.heat import colours

ORDER = 10
SHOWN = 18  # images
ORDERED = (
    "from the best image to the worst, evenly by rank. The error is black at 0, over red and yellow to white at 1, its root on the "
    "same scale for all."
)


def section(looked: Looked) -> Section | None:
    errors = looked.each["mse"]
    if looked.is_noisy:
        return None  # see denoising
    rows = ranks.from_best_to_worst(errors, SHOWN)
    figure = looked.figure("mse") or f"{errors.mean():.4g}"
    about = f"The squared error of a pixel in 0..1 is {figure} in the mean over the test split. Seen are {looked.words()}."
    said = "How many test images have which error: the mean over an image's pixels of the squared difference, of values in 0..1."
    spread = distributions.histogram("errors", "Errors of single images", said, histograms.of_groups({"": errors}), "squared error")
    caption = f"Original, reconstruction and squared error, {ORDERED}"
    return Section(
        "reconstructions",
        "Reconstructions",
        about,
        [spread, Pictures(triples(looked, rows, errors), caption, more=len(errors) - len(rows))],
    )


def triples(looked: Looked, rows: list[int], errors: np.ndarray) -> list[Picture]:
    """Of each row: what the model was given where that is not the image, the image, what it made and the error."""
    places = np.empty(len(errors), int)
    places[np.argsort(errors, kind="stable")] = np.arange(1, len(errors) + 1)
    originals, given, made = looked.sample.seen[rows], looked.given(np.array(rows)), looked.made(np.array(rows))
    pictures = []
    for at, row in enumerate(rows):
        heat = colours(np.nan_to_num(np.square((originals[at] - made[at]) / 255.0).mean(-1, keepdims=True), nan=1.0))
        first, words = ([given[at]], "With noise, original") if looked.is_noisy else ([], "Original")
        alt = f"{words}, reconstruction and error of {looked.named(row)}: squared error {errors[row]:.4g}"
        alt += f", number {places[row]:,} of {len(errors):,}"
        rank = "best" if places[row] == 1 else "worst" if places[row] == len(errors) else f"no. {places[row]:,}"
        caption = " · ".join(part for part in (rank, looked.class_of(row), f"{errors[row]:.3g}") if part)
        pictures.append(strips.strip([*first, originals[at], made[at], heat], alt, caption))
    return pictures
