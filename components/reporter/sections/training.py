"""How the model learned: each figure by epoch, on what it learned from and on the validation split."""

from collections.abc import Iterator, Mapping, Sequence

from components.reporter.material import Material
from configs import words
from reports.charts import Chart
from reports.run import drawings
from reports.run.blocks import Block, Prose, Section
from reports.run.figures import figure

ORDER = 30
VALIDATION = "val_"
ABBREVIATIONS = {"auc", "elbo", "kl", "mae", "mse", "psnr", "ssim"}
MOST = 8  # figures that have a chart


def section(material: Material) -> Section | None:
    """Raises Absent where nothing was trained."""
    material.artifact("model_run")
    history = material.need("history")
    about = (
        "Each figure after each epoch, on the training split as it was augmented and on the validation split. A gap that widens is "
        "overfitting; curves that still fall would have gone on."
    )
    return Section("training", "Training curves", about, [*_blocks(material, history)])


def _blocks(material: Material, history: Sequence[Mapping[str, float]]) -> Iterator[Block]:
    names = list(dict.fromkeys(name.removeprefix(VALIDATION) for epoch in history for name in epoch))
    names.sort(key=lambda name: name != "loss")
    if not names:
        yield Prose("This model is fitted in closed form or keeps no figures of its epochs: there is no curve.")
        return
    kept = _kept(material, history)
    if kept is not None:
        why = _why(material.task.judged_by, history, kept)
        yield Prose(f"{words.count(len(history), 'epoch')} trained; the weights are those of epoch {kept}, {why}.")
    for name in names[:MOST]:
        yield _chart(name, history, kept)
    if len(names) > MOST:
        yield Prose(f"Not drawn: {', '.join(names[MOST:])}.")


def _chart(name: str, history: Sequence[Mapping[str, float]], kept: int | None) -> Chart:
    curves = {
        called: [epoch.get(figure) for epoch in history]
        for called, figure in (("training", name), ("validation", f"{VALIDATION}{name}"))
        if any(figure in epoch for epoch in history)
    }
    title = " ".join(word.upper() if word in ABBREVIATIONS else word for word in name.split("_"))
    title = f"{title[0].upper()}{title[1:]}"
    about = f"{title} by epoch, {' and '.join(curves)}." + (
        "" if kept is None else " The dashed line is the epoch whose weights were kept."
    )
    return drawings.epochs(f"curve-{name.replace('_', '-')}", title, curves, about, kept)


def _why(judged: str, history: Sequence[Mapping[str, float]], kept: int) -> str:
    """What the epoch whose weights were kept reached, beside the best one."""
    values = [value for epoch in history if (value := epoch.get(judged)) is not None and value == value]
    own, least = history[kept - 1].get(judged), min(values, default=None)
    if own is None or least is None:
        return f"which has no {judged}"
    if own == least:
        return f"which has the least {judged}: {figure(float(own))}"
    return f"whose {judged} is {figure(float(own))}, where the least is {figure(float(least))}"


def _kept(material: Material, history: Sequence[Mapping[str, float]]) -> int | None:
    """The epoch, from 1, whose weights the model has; None where that is not known, or it has those of none."""
    if material.task is None or not history:
        return None
    if material.card.kept is not None:
        return material.card.kept or None
    if material.card.transfer is not None or (material.config.get("train") or {}).get("keep", "best") != "best":
        return None  # of a card written before it said so
    values = [epoch.get(material.task.judged_by) for epoch in history]
    known = [(value, place) for place, value in enumerate(values, 1) if value is not None and value == value]
    return min(known)[1] if known else None
