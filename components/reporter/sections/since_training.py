"""Figures of a model that was judged again beside those of its run's test split, and whether they differ by more than noise."""

from components import keys
from components.reporter.material import Material
from reports.run.blocks import Cell, Prose, Section, Table
from reports.run.figures import figure, interval

ORDER = 15
OF_EVALUATIONS = True
TITLE = "Against its run's test split"


def section(material: Material) -> Section | None:
    """None of a run."""
    if material.judged is None:
        return None
    pushed, evaluation = material.judged.pushed, material.need("evaluation")
    if pushed is None:
        words = "What its run's test split gave is not on record, so that nothing says whether this data is as good."
        return Section("since-training", TITLE, "", [Prose(words)])
    differences = {told["metric"]: told for told in pushed[keys.DIFFERENCES]}
    rows = []
    for name in dict.fromkeys([*evaluation[keys.METRICS], *pushed[keys.METRICS]]):
        told = differences.get(name)
        rows.append(
            [
                name.replace("_", " "),
                *(_figure(of, name) for of in (evaluation, pushed)),
                f"{figure(told['difference'])}" + (f" ({interval(told['interval'])})" if told["interval"] else "") if told else "",
                Cell(told["words"], None if told["within_noise"] else 0.5) if told else "",
            ]
        )
    about = (
        f"What run {pushed['run']} gave on its test split beside what this data gives, with 95 % intervals. What is more than "
        "noise is shaded: this data is harder, or easier, than what it was judged on then."
    )
    columns = ("figure", "this data", "its run's test split", "difference", "is it noise?")
    return Section("since-training", TITLE, about, [Table(columns, rows, "Figures here and then")])


def _figure(of, name: str) -> str:
    value, ends = of[keys.METRICS].get(name), of[keys.INTERVALS].get(name)
    return f"{figure(value)} ({interval(ends)})" if ends else figure(value)
