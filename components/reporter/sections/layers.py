"""What the network is made of, layer by layer: volumes, parameters, multiply-adds, receptive fields."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.reporter.material import Material
from keras_models import arithmetic, normalize, parameters
from reports.run import drawings
from reports.run.blocks import Block, Prose, Section, Table
from reports.run.figures import short

ORDER = 70
ROWS = 200  # layers of a table
BARS = 20  # layers of a chart


def section(material: Material) -> Section | None:
    """Raises Absent without a model."""
    material.artifact("model")
    net = normalize.inner(material.need("model"))
    rows = arithmetic.layer_table(net)
    totals = arithmetic.totals(rows)
    about = (
        f"{parameters.total_params(net):,} trainable parameters, {totals['multiply_adds']:,} multiply-adds for one example, "
        f"{short(totals['activation_bytes'])}B of activations. A receptive field is how much of the image one value sees, px."
    )
    return Section("layers", "Layers", about, [*_blocks(rows, totals)])


def _blocks(rows: Sequence[Mapping[str, Any]], totals: Mapping[str, Any]) -> Iterator[Block]:
    for what, title in (("params", "Parameters"), ("multiply_adds", "Multiply-adds")):
        shares = {row["name"]: float(row[what]) for row in rows if row[what]}
        largest = dict(sorted(shares.items(), key=lambda item: -item[1])[:BARS])
        if len(largest) > 1:
            rest = f" The {BARS} largest of {len(shares)}." if len(shares) > BARS else ""
            about = f"{title} by layer, the most first.{rest}"
            yield drawings.bars(f"layers-{what.replace('_', '-')}", title, largest, ("layer", title.lower()), about)
    columns = ("layer", "type", "output", "parameters", "multiply-adds", "receptive field", "stride", "activations, B")
    shown = [
        [
            row["name"], row["type"], _volume(row["output"]), _count(row["params"]), _count(row["multiply_adds"]),
            _sides(row["receptive_field"]), _sides(row["stride"], ""), _count(row["activation_bytes"]),
        ]
        for row in rows[:ROWS]
    ]  # fmt: skip
    yield Table(columns, shown, "Layers in the order of computation", max(0, len(rows) - ROWS))
    if totals["uncounted"]:
        named = ", ".join(totals["uncounted"][:5])
        more = f" and {len(totals['uncounted']) - 5} more" if len(totals["uncounted"]) > 5 else ""
        yield Prose(f"Not in these sums, because hubel does not know them or their sides: {named}{more}.")


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _sides(numbers: Sequence[float] | None, absent: str = "?") -> str:
    """One number where all axes have the same."""
    if not numbers:
        return absent
    told = [f"{number:g}" for number in numbers]
    return told[0] if len(set(told)) == 1 else " x ".join(told)


def _volume(shape: Sequence[Any]) -> str:
    if shape and isinstance(shape[0], list | tuple):
        return " + ".join(map(_volume, shape))
    return " x ".join("?" if side is None else str(side) for side in shape)
