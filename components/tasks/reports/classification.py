"""What a classifier takes for what, how sure it is, and whether that is worth something: sections of a run's page."""

import functools

import numpy as np

from components import keys, temperature
from components.reporter import calibration, classes, earlier
from components.reporter import classifier_charts as drawn
from components.reporter.classified import Classified, share, with_interval
from components.reporter.material import Absent, Material
from components.tasks.classification import TEMPERATURE
from components.tasks.reports import base
from reports.charts import SERIES
from reports.run.blocks import Cell, Missing, Prose, Section, Table

MATRIX = 24  # classes up to which all are in a matrix; of more, the pairs that are confused most
PAIRS = 40  # of these
OF_CELL = 12  # images that a cell shows
OF_DIAGONAL = 6  # of those that are right, the least sure
OF_MATRIX = 600  # images that all cells show
ROWS = 100  # classes in the table of figures
RANKED = 1_000  # classes up to which each is ranked against the rest
WORST = 48  # mistakes
CHANGED = 24  # images that changed sides, each way
CURVES = (  # key, title, what it shows, axes
    ("roc", "ROC curves", "Each class against the rest: how many of its images are caught, at how many false alarms.",
     "false positive rate", "true positive rate"),
    ("precision-recall", "Precision and recall", "Each class against the rest: how pure what is caught is, at every threshold.",
     "recall", "precision"),
)  # fmt: skip
COVERAGES = (1.0, 0.99, 0.95, 0.9, 0.8, 0.5)


class Report(base.Report):
    """Of models that answer probabilities of classes."""

    def sections(self, material):
        of = functools.cache(lambda: Classified.of(material))
        yield lambda: confusion(of())
        yield lambda: of_classes(of())
        yield lambda: mistakes(of())
        yield lambda: calibrated(of(), material)
        yield lambda: abstention(of())
        if not material.judged:  # the last blessed model was not asked about this data
            yield lambda: since(of(), material)


def confusion(of: Classified) -> Section:
    """Which class is taken for which; each cell leads to its images."""
    cells = classes.cells(of.labels, of.predicted)
    wrong = sorted((pair for pair in cells if pair[0] != pair[1]), key=lambda pair: (-len(cells[pair]), pair))
    is_matrix = len(of.names) <= MATRIX
    shown = [*wrong, *(pair for pair in cells if pair[0] == pair[1])] if is_matrix else wrong[:PAIRS]
    galleries, left = {}, OF_MATRIX
    for label, taken in shown:
        places = cells[label, taken]
        places = places[np.argsort(of.confidence[places] * (1 if label == taken else -1), kind="stable")]
        most = min(OF_DIAGONAL if label == taken else OF_CELL, left)
        if most <= 0:
            break
        what = f"{of.names[label]}, right: the least sure" if label == taken else f"{of.names[label]} taken for {of.names[taken]}"
        galleries[label, taken] = of.gallery(places, f"{what} ({len(places):,})", most, key=_key(label, taken), folded=True)
        left -= min(most, len(places))
    table = _matrix(of, cells, galleries) if is_matrix else _pairs(of, cells, wrong[:PAIRS], galleries, len(wrong) - PAIRS)
    how = "A row is a class as labelled, a column what it was taken for." if is_matrix else "The pairs confused most come first."
    right = int(of.is_right.sum())
    about = f"{of.words}: {right:,} right, {len(of) - right:,} wrong. {how} A number leads to its images."
    return Section("confusion", "Confusion matrix", about, [table, *galleries.values()])


def _key(label: int, taken: int) -> str:
    return f"cell-{label}-{taken}"


def _matrix(of: Classified, cells, galleries) -> Table:
    sizes = np.bincount(of.labels, minlength=len(of.names))
    rows = []
    for label, name in enumerate(of.names):
        row = [Cell(name)]
        for taken, other in enumerate(of.names):
            many = len(cells.get((label, taken), ()))
            to = _key(label, taken) if (label, taken) in galleries else ""
            about = f"{many:,} {name} taken for {other}" if many else ""
            row.append(Cell(f"{many:,}" if many else "", float(np.sqrt(many / sizes[label])) if many else None, to, about))
        rows.append(row)
    return Table(["label", *of.names], rows, "How many images of each label were taken for each class")


def _pairs(of: Classified, cells, wrong, galleries, more: int) -> Table:
    sizes = np.bincount(of.labels, minlength=len(of.names))
    rows = [
        [of.names[label], of.names[taken],
         Cell(f"{len(cells[label, taken]):,}", None, _key(label, taken) if (label, taken) in galleries else ""),
         share(len(cells[label, taken]) / sizes[label])]
        for label, taken in wrong
    ]  # fmt: skip
    caption = f"Of {len(of.names):,} classes, the pairs that are confused most"
    return Table(["label", "taken for", "images", "share of the label"], rows, caption, max(0, more))


def of_classes(of: Classified) -> Section:
    """Precision, recall and F1 of each class, and how it is ranked against the rest."""
    figures = classes.of_classes(of.labels, of.predicted, len(of.names))
    listed = classes.weakest_classes(figures, ROWS)
    ranks = len(of.names) <= RANKED
    curves = {number: (_roc(of, number), _precision(of, number)) for number in listed} if ranks else {}
    rows = []
    for number in sorted(listed, key=lambda number: (figures[number].harmonic, number)):
        own = figures[number]
        roc, precision = curves.get(number, (None, None))
        ranked = [with_interval(roc.area if roc else None), with_interval(precision.area if precision else None)] if ranks else []
        texts = [with_interval(figure) for figure in (own.precision, own.recall, own.f1)]
        rows.append([of.names[number], f"{own.images:,}", *texts, *ranked])
    columns = ["class", "images", "precision", "recall", "F1", *(["AUROC", "average precision"] if ranks else [])]
    with_images = sum(figure.images > 0 for figure in figures)
    blocks = [Table(columns, rows, "Figures of each class, the lowest F1 first", with_images - len(listed))]
    if absent := [figure for figure in figures if not figure.images]:
        taken = sum(figure.predicted for figure in absent)
        mistaken = f"; {taken:,} answers are of these" if taken else ""
        blocks.append(Prose(f"{len(absent):,} of {len(figures):,} classes have no image here{mistaken}."))
    weakest = classes.weakest_classes(figures, len(SERIES))
    some = "" if len(weakest) == with_images else f" The {len(weakest)} classes of the lowest F1."
    for place, (key, title, about, x, y) in enumerate(CURVES):
        known = {of.names[number]: curves[number][place] for number in weakest if curves.get(number, (None, None))[place]}
        if known:
            blocks.append(drawn.curves(key, title, about + some, x, y, known, diagonal=place == 0))
    if not ranks:
        blocks.append(Missing("the ROC and precision-recall curves", f"They are drawn of at most {RANKED:,} classes."))
    about = (
        "Of one class: precision is the share of what is taken for it that is it, recall the share of it that is caught, F1 their "
        "harmonic mean. In brackets what other test images might have given, in 95 of 100 cases."
    )
    return Section("by-class", "Figures by class", about, blocks)


def _roc(of: Classified, number: int):
    return classes.roc(of.labels == number, of.probabilities[:, number])


def _precision(of: Classified, number: int):
    return classes.precision_recall(of.labels == number, of.probabilities[:, number])


def mistakes(of: Classified) -> Section:
    """Wrong answers, the surest first."""
    worst = classes.worst(of.labels, of.probabilities)
    about = (
        f"{of.words}. What the model was surest of and wrong: a hard image, a wrong label, or something that it has not learned."
    )
    if not len(worst):
        return Section("mistakes", "The worst mistakes", about, [Prose("There is none.")])
    return Section("mistakes", "The worst mistakes", about, [of.gallery(worst, f"{len(worst):,} wrong, the surest first", WORST)])


def calibrated(of: Classified, material: Material) -> Section:
    """Whether the model is right as often as it says, and what a temperature would mend."""
    before = _told(of.labels, of.probabilities)
    chance = calibration.error_of_chance(of.confidence)
    models, rows, blocks = {"as it is": of.probabilities}, {}, []
    try:
        fitted_on = Classified.of(material, keys.VALIDATION)
        value = temperature.fit(fitted_on.labels, fitted_on.probabilities)
    except Absent as absent:
        blocks.append(Missing("a temperature", f"{absent} It would be fitted there."))
        value = None
    if value is not None and (held := temperature.held_by_nothing(value)):
        why = f"On {fitted_on.words} the best one lies beyond {value:.3g}, where nothing holds it: {held}."
        blocks.append(Prose(f"No temperature is told. {why}"))
        value = None
    if value is not None:
        models[f"at temperature {value:.3g}"] = temperature.at(of.probabilities, value)
    bins = {name: calibration.reliability(probabilities.max(1), of.is_right) for name, probabilities in models.items()}
    for name, probabilities in models.items():
        rows[name] = before if probabilities is of.probabilities else _told(of.labels, probabilities)
    table = Table(
        ["model", "calibration error", "cross-entropy", "Brier score", "mean confidence", "accuracy"],
        [[name, *(f"{figure:.4f}" for figure in figures)] for name, figures in rows.items()],
        "How far confidence is from accuracy",
    )
    chart = drawn.reliability(
        "reliability", "Reliability",
        "Images by how sure the model is, with 95 % intervals. On the dashed line it is right as often as it says; below it, it is "
        "too sure.", bins,
    )  # fmt: skip
    words = [
        f"The calibration error is {before[0]:.4f}. A perfectly calibrated model would have up to {chance:.4f} on as many images, "
        "so "
        + (
            "this one is not told from calibrated."
            if before[0] <= chance
            else f"this one is not calibrated: it is {_sureness(before)}."
        )
    ]
    if value is not None:
        after, limit = rows[f"at temperature {value:.3g}"], "colder" if value < 1 else "warmer"
        words.append(
            f"Dividing the logits by {value:.4g} ({limit}), which is what fits {fitted_on.words} best, "
            + ("lowers" if after[1] < before[1] else "does not lower")
            + f" the cross-entropy here from {before[1]:.4f} to {after[1]:.4f}. No answer changes. "
            f"Of what the model serves it is softmax(log(probabilities) / {value:.4g})."
        )
    served_at = material.card.calibrated.get(TEMPERATURE)
    if served_at is not None:
        how = "fitted on the validation split" if material.card.export.temperature == "auto" else "as the config has it"
        words.insert(
            0, f"The model is served at temperature {served_at:.4g}, {how} (export.temperature); all that stands here is of that."
        )
    elif value is not None:
        words.append("With export.temperature: auto in the config, such as by --set export.temperature=auto, a run serves it so.")
    about = f"{of.words}. Confidence is the probability of the class that was answered."
    return Section("calibration", "Calibration", about, [*map(Prose, words), table, chart, *blocks])


def _sureness(told: tuple[float, ...]) -> str:
    *_, confidence, accuracy = told
    return "too sure" if confidence > accuracy else "less sure than it is right"


def _told(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, ...]:
    confidence, is_right = probabilities.max(1), probabilities.argmax(1) == labels
    return (
        calibration.error(confidence, is_right),
        calibration.cross_entropy(labels, probabilities),
        calibration.brier(labels, probabilities),
        float(confidence.mean()),
        float(is_right.mean()),
    )


def abstention(of: Classified) -> Section:
    """What is left of the mistakes where the least sure answers are left to a person."""
    curve = classes.abstention(of.confidence, of.is_right)
    rows = []
    for coverage in COVERAGES:
        lowest, images, hits = classes.answered_at(of.confidence, of.is_right, coverage)
        own = classes.OfClass(hits, images, images).recall
        rows.append([f"{100 * coverage:.0f} %", f"{images:,}", share(lowest), with_interval(own, 4), f"{images - hits:,}"])
    table = Table(
        ["to answer at least", "images answered", "from confidence", "accuracy of these", "mistakes among them"], rows,
        "If the least sure answers are left to a person",
    )  # fmt: skip
    about = (
        f"{of.words}. The area above the curve is {curve.area:.4f} (AURC; 0 is best). Thresholds are read off these images: on "
        "others they will answer a little more or less."
    )
    chart = drawn.abstention(
        "abstention-curve", "Accuracy by how much is answered", "The more is left out, the surest stay.", curve
    )
    return Section("abstention", "Selective prediction", about, [table, chart])


def since(of: Classified, material: Material) -> Section:
    """Which images the last blessed model has otherwise."""
    title = "Against the last blessed model"
    both = earlier.rows(material)
    if both is None:
        words = "There is none before this one that was judged on the same images. evaluate.change asks for one to be."
        return Section("earlier", title, "", [Prose(words)])
    ours, theirs = both
    won, lost = classes.changed_sides(ours["correct"] > 0, theirs["correct"] > 0)
    before, now = (float(rows["correct"].mean()) for rows in (theirs, ours))
    said = next((told for told in material.evaluation[keys.DIFFERENCES] if told["metric"] == "accuracy"), None)
    rows = [["right before and now", f"{int(((ours['correct'] > 0) & (theirs['correct'] > 0)).sum()):,}"],
            ["wrong before, right now", f"{len(won):,}"], ["right before, wrong now", f"{len(lost):,}"],
            ["wrong before and now", f"{int(((ours['correct'] == 0) & (theirs['correct'] == 0)).sum()):,}"]]  # fmt: skip
    about = f"Of the same {len(ours['correct']):,} test images it had {before:.4f} right, this one has {now:.4f}"
    about += f": {said['words']}." if said and "blessed" in said["against"] else "."
    places = earlier.places(ours, of.ids)
    blocks = [Table(["before and now", "images"], rows, "Images that changed sides")]
    for changed, caption, key in ((lost, "right before, wrong now", "now-wrong"), (won, "wrong before, right now", "now-right")):
        here = [places[number] for number in changed.tolist() if number in places]
        if len(changed):
            more = len(changed) - len(here)
            blocks.append(of.gallery(here, f"{caption.capitalize()} ({len(changed):,})", CHANGED, key=key, more=more))
    return Section("earlier", title, about, blocks)
