"""What came of a run in one sentence, what that rests on, and the figures that stand at the top of its page."""

from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from components import inputs, keys
from components.reporter.material import Judged, Material
from configs import words
from reports.run.blocks import Tile, Verdict
from reports.run.figures import figure, interval, seconds, short

COUNT = "example_count"
SHOWN = 4  # figures at the top
BESIDE = ("pca_", "kernel_pca_", "best_member_")  # beginnings of figures that are another model's


def of(material: Material) -> Verdict:
    """The verdict of what there is."""
    if material.judged:
        return _again(material)
    if failure := material.failure:
        where = f" in {failure.stage}" if failure.stage else ""
        return Verdict("bad", f"The run failed{where}; nothing was pushed.", [*filter(None, [failure.sentence, failure.hint])])
    if not material.blessings:
        return Verdict("open", "Nothing was judged.", ["No model came as far as Evaluator."])
    by_force = material.told.get("forced")
    told = [f"Pushed as version {by_force['version']} by a person: {by_force['reason']}"] if by_force else []
    refused = {stage: said["reason"] for stage, said in material.blessings.items() if not said["blessed"]}
    if refused:
        why = [f"{stage}: {reason or 'it gives no reason'}" for stage, reason in refused.items()]
        pushed = f"pushed by force as version {by_force['version']}" if by_force else "nothing was pushed"
        return Verdict("bad", f"Not blessed; {pushed}.", [*why, *told, *_compared(material)])
    return Verdict("good", f"Blessed{_pushed(material)}.", [*told, *_kept(material), *_compared(material)])


def tiles(material: Material) -> list[Tile]:
    """The first figures with their intervals, how many examples they are of, and what the model is and cost."""
    evaluation = material.evaluation or {}
    metrics, intervals = evaluation.get(keys.METRICS, {}), evaluation.get(keys.INTERVALS, {})
    own = [name for name in metrics if name != COUNT and not name.startswith(BESIDE)]
    made = [Tile(_called(name), figure(metrics[name]), _note(intervals.get(name))) for name in own[:SHOWN]]
    noun = inputs.storage_of(material.reads).noun
    if COUNT in metrics:
        made.append(Tile(f"{noun}s judged" if material.judged else f"test {noun}s", f"{int(metrics[COUNT]):,}"))
    if card := material.card:
        made.append(Tile("parameters", short(card.params), card.architecture))
        made.append(Tile(f"training {noun}s", f"{card.train_images:,}", words.count(card.epochs, "epoch")))
    if spent := sum(took for _, took, _ in stages(material)):
        made.append(Tile("time", seconds(spent), "of all stages"))
    return made


def stages(material: Material) -> list[tuple[str, float, float]]:
    """(stage, seconds that it took, when it ended) of those that are known, in the order in which they ran."""
    from components.reporter.material import MAKERS

    ran = {}
    for name, artifact in material.artifacts.items():
        if artifact.began is not None and artifact.ended is not None:
            ran[MAKERS[name][0]] = (artifact.began, artifact.ended)
    return [(stage, ended - began, ended) for stage, (began, ended) in sorted(ran.items(), key=lambda item: item[1])]


def about(material: Material) -> str:
    """Which run it is, of what."""
    card = material.card
    if judged := material.judged:
        which = [f"version {judged.version}"] if judged.version is not None else []
        run = [f"of run {material.run}"] if material.run else []
        what = f"{_task(card)} by {card.architecture}"
        return ", ".join([f"{judged.model} judged again", *which, *run, what, f"data: {_data(judged)}"])
    parts = [f"Run {material.run}" if material.run else "A run"]
    if card:
        parts.append(f"{_task(card)} by {card.architecture}")
    source = (material.config.get("data") or {}).get("source")
    return ", ".join([*parts, *([f"data: {source}"] if source else [])])


def noted(material: Material) -> str:
    """Who made the page."""
    try:
        made = f"hubel {metadata.version('hubel')}"
    except metadata.PackageNotFoundError:  # run from a folder of its sources
        made = "hubel"
    return f"Written by {made}. The page is one file: it needs nothing beside it and asks nothing of a network."


def _task(card) -> str:
    return card.task.replace("_", " ").replace(":", " of ").replace(".", ", ")


def _data(judged: Judged) -> str:
    return f"{judged.source}, its split {judged.split}" if judged.split else judged.source


def _again(material: Material) -> Verdict:
    """Of a model that is there, on other data."""
    judged = material.judged
    where = f"{_many(material)} of {_data(judged)}"
    since = [told for told in [_since(material)] if told]
    if not judged.has_bounds:
        return Verdict("open", f"Judged on {where}; nothing says what would be good enough.", since)
    said = material.blessings["Evaluator"]
    if said["blessed"]:
        return Verdict("good", f"It keeps every bound of its config on {where}.", [*_kept(material), *since, *_compared(material)])
    why = said["reason"] or "Evaluator gives no reason"
    return Verdict("bad", f"By its config it would not be blessed on {where}.", [why, *since, *_compared(material)])


def _many(material: Material) -> str:
    return words.count(material.judged.data["images"], inputs.storage_of(material.reads).noun)


def _since(material: Material) -> str:
    """The first figure against what it was when the model was trained; empty where that is not on record."""
    pushed, metrics = material.judged.pushed, (material.evaluation or {}).get(keys.METRICS, {})
    name = next((name for name in metrics if pushed and name != COUNT and name in pushed[keys.METRICS]), None)
    if name is None:
        return ""
    said = next((told["words"] for told in pushed[keys.DIFFERENCES] if told["metric"] == name), "")
    then = f"{_called(name)} {figure(metrics[name])} here, {figure(pushed[keys.METRICS][name])} on its run's test split"
    return f"{then}: a difference {said}" if said else then


def _called(name: str) -> str:
    return name.replace("_", " ")


def _note(ends: Any) -> str:
    return f"95 %: {interval(ends)}" if ends else ""


def _pushed(material: Material) -> str:
    pushed = material.artifacts.get("pushed_model")
    if pushed is None:
        return "; not pushed, because push.enabled is false"
    return f" and pushed as version {pushed.text('pushed_version')}" if pushed.properties.get("pushed") == 1 else "; not pushed"


def _kept(material: Material) -> Iterator[str]:
    """The bounds that it kept."""
    bounds = (material.config.get("evaluate") or {}).get("thresholds") or {}
    evaluation = material.evaluation or {}
    for name, bound in bounds.items():
        if (value := evaluation.get(keys.METRICS, {}).get(name)) is not None:
            ends = evaluation.get(keys.INTERVALS, {}).get(name)
            within = f" (95 %: {interval(ends)})" if ends else ""
            yield f"{_called(name)} {figure(value)}{within} {_bound(bound)}"
    if not bounds and not material.judged:
        yield "The config holds the whole test split to no bound (evaluate.thresholds)."
    if "InfraValidator" in material.blessings:
        servers = material.artifacts["infra_blessing"].text(keys.SERVERS)
        asked = f", asked through the {servers} server" if servers else ""
        yield f"Served it answers as it was trained{asked}."


def _bound(bound: Mapping[str, float | None]) -> str:
    parts = [("is at least", bound.get("min")), ("is at most", bound.get("max"))]
    return " and ".join(f"{word} {limit:g}" for word, limit in parts if limit is not None)


def _compared(material: Material) -> Iterator[str]:
    if said := (material.evaluation or {}).get(keys.COMPARISON):
        yield from said.split("; ")
