"""`hubel compare` for people: figures beside each other, what of a difference is noise, and what the two disagree about."""

from collections.abc import Mapping
from typing import Any

from pipelines.command_line import console

SHOWN = 10  # disagreements


def terminal(value: Mapping[str, Any]) -> None:
    """Print it; `value` is the JSON of the verb."""
    a, b = value["a"], value["b"]
    named = {name: value[name]["model"] for name in ("a", "b")}
    apart = {row["metric"]: row for row in value["differences"]}
    rows = []
    for metric in dict.fromkeys([*a["metrics"], *b["metrics"]]):
        cells = [cell for each in (a, b) for cell in _figure(each, metric)]
        rows.append([metric, *cells, apart[metric]["words"] if metric in apart else None])
    columns = ["", f"a: {named['a']}", "95 % interval", f"b: {named['b']}", "95 % interval ", "difference of b from a"]
    console.table(columns, rows, right=columns[1:5])
    agreement = value["agreement"]
    if agreement:
        ends = f" (95 % interval {agreement['interval'][0]:.4f} to {agreement['interval'][1]:.4f})" if agreement["interval"] else ""
        print(f"They agree about {agreement['same']:,} of {agreement['of']:,} {value['noun']}s, {agreement['share']:.4f}{ends}.")
    else:
        print(f"They decide nothing, so there is no agreement{_by(value)}.")
    console.table(
        [value["noun"], "is", "a", "b"],
        [[row["id"], row["label"], _cell(row["a"]), _cell(row["b"])] for row in value["disagreements"][:SHOWN]],
    )
    if len(value["disagreements"]) > SHOWN:
        print(f"these are {SHOWN} of {len(value['disagreements']):,}; --json has all, --out DIR writes them")
    for name, each in (("a", a), ("b", b)):
        took = each["latency"]
        print(
            f"{name} takes {took['single_ms']:.2f} ms for one {value['noun']} (95 % below {took['single_p95_ms']:.2f}), "
            f"{took['batch_ms']:.2f} ms each in requests of {took['batch_of']}"
        )
    for name in ("sheet", "table"):
        if value[name]:
            print(value[name])


def _figure(of: Mapping[str, Any], metric: str) -> list[str | None]:
    figure, ends = of["metrics"].get(metric), of["intervals"].get(metric)
    shown = f"{figure:.4f}" if isinstance(figure, float) else None if figure is None else str(figure)
    return [shown, f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else None]


def _by(value: Mapping[str, Any]) -> str:
    return f"; below stand those whose {value['by']} differs most" if value["by"] else ""


def _cell(told: Any) -> str:
    return f"{told:.4g}" if isinstance(told, float) else str(told)
