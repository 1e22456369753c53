"""The page of a search: learning curves, parallel coordinates, importance, the objective over time, and the table of its trials.

What it shows is handed in: of a study and of a trial whatever has these attributes, as tuner/records.py keeps them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from configs import atomic, words
from configs.entries import by_path
from reports import charts, parallel
from reports.charts import Chart
from reports.choices import Choices
from reports.trials import judged_by, short_names, shown, value_of, without_defaults

STATUSES = ("completed", "pruned", "failed", "running")  # in the order of a table
TICKS = 10  # at most, of epochs, which are whole numbers


class Trial(Protocol):
    """What is shown of a trial: see tuner.records.TrialRecord."""

    id: str
    values: Mapping[str, Any]
    status: str
    value: float | None
    spread: float | None
    epochs: int
    curve: Sequence[Mapping[str, float]]
    seconds: float
    reason: str
    started: float
    hint: bool

    @property
    def has_value(self) -> bool: ...

    @property
    def is_whole(self) -> bool: ...


class Study(Protocol):
    """What is shown of a study: see tuner.records.StudyRecord. `objective`: [{name, direction, weight}]."""

    config: str
    algorithm: str
    objective: Sequence[Mapping[str, Any]]
    space: Mapping[str, Any]
    seed: int
    fingerprint: str
    started: float

    @property
    def direction(self) -> str: ...


@dataclass(frozen=True)
class Search:
    """A search as its page shows it.

    Args:
        trials: in the order in which they were made.
        ranking: those that have a value, the best first.
        importance: of each parameter, 0 to 1; empty where there are too few trials to tell.
        train: the command that trains the winner.
    """

    study: Study
    trials: Sequence[Trial]
    ranking: Sequence[Trial]
    importance: Mapping[str, float] = field(default_factory=dict)
    train: str = ""

    @property
    def best(self) -> Trial | None:
        return self.ranking[0] if self.ranking else None

    @property
    def rows(self) -> list[Trial]:
        """The best first, then those that cannot be it: hints, failed ones, those that run."""
        others = [trial for trial in self.trials if all(trial is not ranked for ranked in self.ranking)]
        return [*self.ranking, *sorted(others, key=lambda trial: STATUSES.index(trial.status))]


def write(page: Path, search: Search) -> None:
    """Write the page, in one step."""
    atomic.write_text(page, html(search))


def html(search: Search) -> str:
    """The page's text. It needs nothing beside it and asks nothing of a network."""
    study = search.study
    paths = parameters(study.space, search.trials)
    names, choices = short_names(paths), Choices(study.space, (trial.values for trial in search.trials))
    objective = study.objective[0]["name"] if len(study.objective) == 1 else "objective"
    drawn = [
        *(_curves(each["name"], search) for each in study.objective),
        parallel.chart(search.ranking, names, by_path(study.space), choices, (objective, objective_words(study)), study.direction),
        _importance(search.importance),
        _over_time(search),
    ]
    there = [chart for chart in drawn if chart is not None]
    return (
        charts.environment(Path(__file__).parent)
        .get_template("tuning.html.j2")
        .render(
            study=study,
            search=search,
            counts=counts_words(search.trials),
            objective=objective_words(study),
            paths=paths,
            names=names,
            charts=there,
            choices=choices,
            shown=shown,
            without_defaults=without_defaults,
            value=value_of,
            libraries=charts.libraries() if there else "",
            themes=charts.THEMES,
        )
    )


def objective_words(study: Study) -> str:
    """Such as "val_loss (min)" and "2 x val_loss (min) + val_accuracy (max)"."""
    return judged_by(study.objective)


def counts_words(trials: Sequence[Trial]) -> str:
    """Such as "12 trials completed, 3 pruned, 0 failed"."""
    counts = {status: sum(trial.status == status for trial in trials) for status in STATUSES}
    running = f", {counts['running']} running" if counts["running"] else ""
    return f"{words.count(counts['completed'], 'trial')} completed, {counts['pruned']} pruned, {counts['failed']} failed{running}"


def parameters(space: Mapping[str, Any], trials: Sequence[Trial]) -> list[str]:
    """Dotted paths that were searched: those of the space, in its order, and what else trials have."""
    return list(dict.fromkeys([*by_path(space), *(path for trial in trials for path in trial.values)]))


def _curves(name: str, search: Search) -> Chart | None:
    """Of all trials, the figure by epoch."""
    import altair as alt

    winner = search.best
    points = [
        {"trial": trial.id, "epoch": epoch, "value": figures[name], "status": trial.status, "best": trial is winner}
        for trial in search.trials
        if not trial.hint
        for epoch, figures in enumerate(trial.curve, 1)
        if math.isfinite(figures.get(name, math.nan))
    ]
    if not points:
        return None
    about = f"{name} on the validation split after each epoch, a line a trial; those that were ended early are dashed."
    about += f" The best, trial {winner.id}, is the thick line." if winner else ""
    last = max(point["epoch"] for point in points)
    ticks = [*range(1, last + 1, math.ceil(last / TICKS))]
    base = alt.Chart().encode(
        alt.X("epoch:Q", title="epoch", axis=alt.Axis(values=ticks, format="d"), scale=alt.Scale(zero=False, nice=False)),
        alt.Y("value:Q", title=name, axis=alt.Axis(format=".3~g"), scale=charts.scale([point["value"] for point in points])),
        alt.Detail("trial:N"),
        tooltip=["trial:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f"), "status:N"],
    )
    dash = alt.condition("datum.status === 'completed'", alt.value([1, 0]), alt.value([4, 3]))
    layers = []
    for style, is_best, width, size in (("weak", False, 1.2, 10), ("strong", True, 3, 36)):
        if any(point["best"] == is_best for point in points):
            part = base.transform_filter("datum.best" if is_best else "!datum.best")
            layers.append(part.mark_line(style=style, strokeWidth=width).encode(strokeDash=dash))
            layers.append(part.mark_point(style=style, size=size, filled=True))
    spec = charts.spec(alt.layer(*layers, data=charts.rows(points)).properties(height=320), about)
    table = [[p["trial"], str(p["epoch"]), f"{p['value']:.4f}", p["status"]] for p in points]
    return Chart(f"curves-{name}", f"Learning curves: {name}", about, spec, ("trial", "epoch", name, "status"), table)


def _importance(importance: Mapping[str, float]) -> Chart | None:
    import altair as alt

    if len(importance) < 2:  # of a single one it is all
        return None
    about = (
        "How much of the difference between trials goes with each parameter; the shares add up to 1, and few trials tell little."
    )
    order = sorted(importance, key=lambda path: -importance[path])
    bars = [{"parameter": path, "share": importance[path], "text": f"{path}  {importance[path]:.2f}"} for path in order]
    base = alt.Chart(charts.rows(bars)).encode(
        alt.Y("parameter:N", sort=order, axis=None, scale=alt.Scale(type="band", paddingInner=0.62))
    )
    x = alt.X("share:Q", title="share", axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[0, 1]))
    layers = [
        base.mark_bar(style="bar", size=12).encode(x, tooltip=["parameter:N", alt.Tooltip("share:Q", format=".3f")]),
        base.mark_text(style="ink", align="left", dy=-16, limit=alt.ExprRef("width")).encode(x=alt.value(0), text="text:N"),
    ]
    spec = charts.spec(alt.layer(*layers).properties(height=44 * len(bars)), about)
    table = [[path, f"{importance[path]:.3f}"] for path in order]
    return Chart("importance", "Importance of each parameter", about, spec, ("parameter", "share"), table)


def _over_time(search: Search) -> Chart | None:
    """Values by when trials ended, and the best so far; of a single one there is no course."""
    import altair as alt

    study = search.study
    ended = sorted(((trial.started + trial.seconds - study.started, trial) for trial in search.ranking), key=lambda pair: pair[0])
    if len(ended) < 2:
        return None
    unit, size = next(
        ((unit, size) for unit, size in (("hours", 3600), ("minutes", 60)) if ended[-1][0] > 2 * size), ("seconds", 1)
    )
    places = {trial.id: place for place, trial in enumerate(search.ranking)}
    leader, points = ended[0][1], []
    for at, trial in ended:
        leader = min(leader, trial, key=lambda each: places[each.id])
        points.append(
            {"trial": trial.id, "time": max(at, 0.0) / size, "value": trial.value, "status": trial.status, "best": leader.value}
        )
    about = f"{objective_words(study)} of each trial when it ended, in {unit} since the search began; the line is the best so far."
    y = charts.scale([point["value"] for point in points])
    base = alt.Chart(charts.rows(points)).encode(
        alt.X("time:Q", title=f"{unit} since the search began", axis=alt.Axis(tickCount=TICKS), scale=alt.Scale(nice=False))
    )
    shape = alt.Shape(
        "status:N", scale=alt.Scale(domain=["completed", "pruned"], range=["circle", "cross"]), legend=alt.Legend(orient="top")
    )
    line = base.mark_line(style="strong", interpolate="step-after", strokeWidth=2.5).encode(
        alt.Y("best:Q", title="value", axis=alt.Axis(format=".3~g"), scale=y)
    )
    marks = base.mark_point(style="soft", size=56, filled=True).encode(
        alt.Y("value:Q", title="value", axis=alt.Axis(format=".3~g"), scale=y),
        shape,
        tooltip=["trial:N", "status:N", alt.Tooltip("value:Q", format=".4f"), alt.Tooltip("time:Q", format=".2f", title=unit)],
    )
    spec = charts.spec(alt.layer(line, marks).properties(height=260), about)
    table = [[p["trial"], f"{p['time']:.2f}", f"{p['value']:.4f}", f"{p['best']:.4f}", p["status"]] for p in points]
    return Chart("time", "The objective over time", about, spec, ("trial", unit, "value", "best so far", "status"), table)
