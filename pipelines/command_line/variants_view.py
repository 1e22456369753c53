"""What a model was converted to, for people: a line each, and why one was refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.command_line import console


def terminal(variants: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of what stands on a card under `variants`, if anything; the metric is the first bounded, or the first."""
    if not variants:
        return
    named = [(variant, _first(variant["costs"])) for variant in variants]
    rows = []
    for variant, metric in named:
        cost, off = variant["costs"].get(metric, {}), variant["parity"].values()
        rows.append(
            [
                variant["name"],
                f"{variant['bytes']:,}" if variant["bytes"] else None,
                f"{max(off):.1e}" if off else None,
                None if variant["agreement"] is None else f"{100 * variant['agreement']:.1f} %",
                f"{metric} {cost['value']:.4f}" if cost else None,
                f"{cost['loss']:+.4f}" if cost else None,
                _interval(cost.get("interval")),
                "" if not variant["reason"] else "refused",
            ]
        )
    columns = ["variant", "bytes", "off by", "agrees", "on the test split", "loss", console.INTERVAL, ""]
    console.table(columns, rows, right=["bytes", "off by", "agrees", "loss"])
    for variant, _ in named:
        if variant["reason"]:
            print(f"{variant['name']} is refused: {variant['reason']}")


def brief(variants: Sequence[Mapping[str, Any]]) -> str:
    """In a cell: names and sizes of those that were shipped."""
    return ", ".join(f"{variant['name']} {variant['bytes']:,} B" for variant in variants if variant["shipped"])


def _first(costs: Mapping[str, Mapping[str, Any]]) -> str | None:
    bounded = [name for name, cost in costs.items() if cost["allowed"] is not None]
    return next(iter([*bounded, *costs]), None)


def _interval(ends: Sequence[float] | None) -> str:
    return f"{ends[0]:+.4f} to {ends[1]:+.4f}" if ends else ""
