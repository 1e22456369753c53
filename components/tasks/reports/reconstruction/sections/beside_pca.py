"""The model beside what can be had without it: PCA of the same code size, and whatever else Evaluator compared it with."""

import numpy as np

from components import keys
from components.reporter import ranks, strips
from components.tasks.reports.reconstruction.looked import Looked
from reports import distributions
from reports.run.blocks import Missing, Pictures, Prose, Section, Table

ORDER = 20
WITHOUT_NETWORK = True  # of what Evaluator wrote
DOTS = 1_500
SHOWN = 6  # images of each kind


def section(looked: Looked) -> Section | None:
    blocks = _figures(looked)
    if looked.principal is None:
        blocks.append(Missing("what PCA makes of single images", "There are no training images that it could be fitted on."))
    else:
        blocks += _images(looked)
    about = "Principal components are the best that a linear code can do; they take no training by gradient."
    return Section("beside-pca", "Beside PCA", about, blocks) if blocks else None


def others(metrics: dict[str, float], known: set[str]) -> list[tuple[str, str]]:
    """(metric, name of what stands beside it), such as ("mse", "pca_mse"): whatever ends in the name of a metric of the model."""
    names = [name for name in metrics if name not in known]
    return [(metric, name) for metric in metrics if metric in known for name in names if name.endswith(f"_{metric}")]


def _figures(looked: Looked) -> list:
    evaluation = looked.material.evaluation
    if not evaluation:
        return [Missing("figures beside the model's", "Evaluator did not get so far in this run.")]
    judge, metrics = looked.material.judge, evaluation[keys.METRICS]
    better = {name: metric.better for name, metric in judge.metrics.items()} | dict(judge.measured)
    rows = []
    for metric, name in others(metrics, set(better)):
        ours, theirs = metrics[metric], metrics[name]
        is_better = ours < theirs if better[metric] == "less" else ours > theirs
        said = "the same" if ours == theirs else "the model" if is_better else "the other"
        other = name.removesuffix(f"_{metric}").replace("_", " ").replace("pca", "PCA")
        rows.append([metric, looked.figure(metric), other, looked.figure(name), said])
    blocks = (
        [Table(("figure", "the model", "beside it", "its figure", "better"), rows, "Figures of the whole test split")]
        if rows
        else []
    )
    if said := evaluation[keys.COMPARISON]:
        blocks.append(Prose(f"Evaluator's comparison: {said}."))
    return blocks


def _images(looked: Looked) -> list:
    everything = np.arange(len(looked.sample))
    errors = looked.each["mse"]
    theirs = np.concatenate([_errors(looked, everything[start : start + 512]) for start in range(0, len(everything), 512)])
    fitted = looked.training
    how = f"{looked.principal.name} has {len(looked.principal.components):,} components"
    how += f", fitted on {len(fitted):,} of {fitted.total:,} training images"
    better = float((errors < theirs).mean())
    dots = ranks.spread(len(errors), DOTS)
    left_out = (
        ""
        if len(dots) == len(errors)
        else f" {len(errors) - len(dots):,} images have no dot here, every so-manyth of the split has one."
    )
    about = f"Squared errors of {looked.words()}, a dot each; below the line the model's is the smaller one, which is so of "
    about += f"{better:.1%}. Here {how}.{left_out}"
    rows = [{"x": float(theirs[at]), "y": float(errors[at]), "name": looked.named(at)} for at in dots]
    chart = distributions.against("against-pca", "Image by image", about, rows, "error of PCA", "error of the model")
    order = np.argsort(errors - theirs, kind="stable")
    won, lost = order[:SHOWN], order[::-1][: min(SHOWN, max(0, len(order) - SHOWN))]
    caption = "Original, what the model makes of it, what PCA does"
    return [
        chart,
        Pictures(_pictures(looked, won, errors, theirs), f"{caption}: where the model is ahead most"),
        *(
            [Pictures(_pictures(looked, lost, errors, theirs), f"{caption}: where PCA is ahead most, or behind least")]
            if len(lost)
            else []
        ),
    ]


def _errors(looked: Looked, rows: np.ndarray) -> np.ndarray:
    """Of PCA, as the model's mse: float64 [N]."""
    difference = (looked.projected(rows) - looked.sample.seen[rows]) / 255.0
    return np.square(difference).reshape(len(rows), -1).mean(1)


def _pictures(looked: Looked, rows: np.ndarray, errors: np.ndarray, theirs: np.ndarray) -> list:
    made, projected = looked.made(rows), looked.projected(rows)
    return [
        strips.strip(
            [looked.sample.seen[row], made[at], projected[at]],
            f"{looked.named(row)}, the model's and PCA's reconstruction: squared errors {errors[row]:.4g} and {theirs[row]:.4g}",
            " · ".join(part for part in (looked.class_of(row), f"{errors[row]:.3g} | {theirs[row]:.3g}") if part),
        )
        for at, row in enumerate(rows)
    ]
