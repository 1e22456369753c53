"""`hubel show` for people: a table that fits a terminal of 100 columns, and one for GitHub."""

from pipelines.command_line import console

UNITS = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))
BINARY = (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))
UNKNOWN = "?"


def terminal(value: dict) -> None:
    """Print what pipelines.verbs.show.show returns, large counts to three digits, and its sums below."""
    columns = ["layer", "type", "output", "params", "mult-\nadds", "if\ndense", "field", "stride", "offset", "memory"]
    rows = [
        [
            *(row["name"], row["type"], _volume(row["output"]), f"{row['params']:,}" if row["params"] else ""),
            *(_short(row[what]) for what in ("multiply_adds", "dense_weights")),
            *_geometry(row),
            _short(row["activation_bytes"], BINARY),
        ]
        for row in value["layers"]
    ]
    console.table(columns, rows, right=columns[3:], gap=1)
    print()
    for line in _summary(value):
        print(line)


def markdown(value: dict) -> None:
    """Print the same as a GitHub table, counts in full, and its sums below as a list."""
    columns = ["layer", "type", "output", "parameters", "multiply-adds", "weights unshared", "weights dense"]
    columns += ["receptive field", "stride", "offset", "memory, bytes"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * 3}{'---:|' * (len(columns) - 3)}")
    for row in value["layers"]:
        cells = [f"`{row['name']}`", row["type"], _volume(row["output"]), f"{row['params']:,}"]
        cells += [_full(row[what]) for what in ("multiply_adds", "unshared_weights", "dense_weights")]
        cells += [*_geometry(row), _full(row["activation_bytes"])]
        print(f"| {' | '.join(cells)} |")
    print()
    for line in _summary(value):
        print(f"- {line}")


def _summary(value):
    counts = {what: f"{value[what]:,}" for what in ("params", "multiply_adds", "unshared_weights", "dense_weights")}
    frozen = f", {value['frozen']:,} frozen" if value["frozen"] else ""
    yield f"{value['architecture']}: input {_volume(value['input'])}, {counts['params']} trainable parameters{frozen}"
    yield f"{counts['multiply_adds']} multiply-adds for one image, {_short(value['activation_bytes'], BINARY)}B of activations"
    yield f"a value of the output sees {_volume(value['receptive_field'] or [None])} px of the image"
    yield f"{counts['unshared_weights']} weights if none were shared, {counts['dense_weights']} if all these layers were dense"
    if value["uncounted"]:
        names = value["uncounted"]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"not in these sums, because hubel does not know them or their sides: {', '.join(names[:3])}{more}"


def _geometry(row):
    return [_sides(row["receptive_field"], UNKNOWN), _sides(row["stride"]), _sides(row["offset"])]


def _sides(numbers, absent=""):
    """One number where all axes have the same."""
    if numbers is None:
        return absent
    shown = [f"{number:g}" for number in numbers]
    return shown[0] if len(set(shown)) == 1 else "x".join(shown)


def _volume(shape):
    if shape and isinstance(shape[0], list):
        return " + ".join(map(_volume, shape))
    return "x".join(UNKNOWN if side is None else str(side) for side in shape)


def _full(count):
    return UNKNOWN if count is None else f"{count:,}"


def _short(count, units=UNITS):
    """Three digits and a unit; nothing for 0."""
    if count is None:
        return UNKNOWN
    for unit, size in units:
        if count >= size:
            return f"{float(f'{count / size:.3g}'):g}{unit}"
    return str(count or "")
