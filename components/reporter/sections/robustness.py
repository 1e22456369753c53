"""What corrupted images cost the model, by corruption and severity (Hendrycks & Dietterich 2019)."""

from collections.abc import Iterator, Mapping
from typing import Any

from components import corruptions
from components.reporter import robustness, seen, strips
from components.reporter.material import Material
from configs import words
from reports.run import drawings
from reports.run.blocks import Block, Pictures, Prose, Section, Table
from reports.run.figures import figure, interval

ORDER = 45
OF_EVALUATIONS = True
WHAT = {
    robustness.TO_CLEAN: "the squared error of what it makes of a corrupted image to the image before, of values in 0..1",
    robustness.OF_INPUT: "the squared error of the corrupted image itself",
}


def section(material: Material) -> Section | None:
    """None where it was not asked for."""
    told = material.judged.robustness if material.judged else None
    if told is None:
        return None
    noun = seen.noun(material.reads)
    of = words.count(told["images"], noun) + (
        f" of {told['of']:,}, chosen by a hash of their ids," if told["of"] > told["images"] else ""
    )
    about = (
        f"{of} as a user would send them after something happened to them: {words.count(len(told['names']), 'corruption')} of "
        "Hendrycks & Dietterich (2019) at five severities, on the pixels as they were read, sent as PNGs. Severity 0 is the image "
        "itself."
    )
    return Section("robustness", "Robustness to corruptions", about, [*_blocks(told)])


def _blocks(told: Mapping[str, Any]) -> Iterator[Block]:
    for part in told["figures"]:
        yield Prose(_said(part, told["baseline"]))
    for part in told["figures"]:
        name = part["figure"]
        shown = name.replace("_", " ")
        title = f"{shown[0].upper()}{shown[1:]} by severity"
        explained = f": {WHAT[name]}" if name in WHAT else ""
        curves = {"clean": [_at(told, "clean", 0, name)]}
        curves = {
            of: [*curves["clean"], *(_at(told, of, severity, name) for severity in corruptions.SEVERITIES)] for of in told["names"]
        }
        yield drawings.severities(f"robustness-{name.replace('_', '-')}", title, curves, f"A line a corruption{explained}.", shown)
    for part in told["figures"]:
        yield _table(told, part)
    yield _errors(told)
    if told["sheet"]:
        pictures = [
            strips.strip(made, f"{name} of {told['name']}, severities 0 to 5 from left to right", name.replace("_", " "))
            for name, made in told["sheet"].items()
        ]
        yield Pictures(pictures, f"{told['name']}: severities 0 to 5, from left to right")
    yield from (Prose(text) for text in _how(told))


def _how(told: Mapping[str, Any]) -> Iterator[str]:
    which = ", ".join(f"{many:,} those of {name}" for name, many in told["constants"].items())
    yield (
        "Constants of each severity are those that the paper's authors published for the nearest size of image, not scaled: "
        f"{which}. Draws follow from SHA-256 of an image's pixels and the corruption's name; that of all images together is "
        f"{told['digest']}."
    )
    if told["fine"]:
        yield (
            f"{told['fine']:,} are more than twice as large as what the model sees: noise and blur of single px vanish as they are "
            "resized, so that these curves look better than those of smaller pictures would."
        )


def _said(part: Mapping[str, Any], baseline: str | None) -> str:
    name, ends = part["figure"].replace("_", " "), part["interval"]
    text = f"{name} is {figure(part['clean'])} without corruption and {figure(part['mean'])} in the mean over all corruptions"
    text += f" (95 %: {interval(ends)})" if ends else ""
    if (error := part["mean_corruption_error"]) is not None:
        text += f": a mean corruption error of {figure(error)}, not normalized"
    if part["normalized"] is not None:
        text += f", and of {figure(part['normalized'])} times that of {baseline}"
    if part["relative"] is not None:
        text += f"; what corruption adds to the error is {figure(part['relative'])} times what it adds there"
    return f"{text[0].upper()}{text[1:]}."


def _at(told: Mapping[str, Any], name: str, severity: int, what: str) -> float | None:
    return next(row["figures"].get(what) for row in told["corruptions"] if (row["name"], row["severity"]) == (name, severity))


def _table(told: Mapping[str, Any], part: Mapping[str, Any]) -> Table:
    name, rows = part["figure"], []
    by = {(row["name"], row["severity"]): row for row in told["corruptions"]}
    for of in told["names"]:
        cells = [_cell(by[of, severity], name) for severity in corruptions.SEVERITIES]
        rows.append([of.replace("_", " "), *cells, figure(part["by_corruption"][of]["mean"])])
    clean = _cell(by[robustness.CLEAN, 0], name)
    caption = f"{name.replace('_', ' ').capitalize()} by severity, with 95 % intervals; without corruption {clean}"
    return Table(("corruption", *map(str, corruptions.SEVERITIES), "mean"), rows, caption, folded=True)


def _cell(row: Mapping[str, Any], name: str) -> str:
    value, ends = row["figures"].get(name), row["intervals"].get(name)
    return f"{figure(value)} ({interval(ends)})" if ends else figure(value)


def _errors(told: Mapping[str, Any]) -> Table:
    """All figures, the mean over severities of each corruption."""
    names = list(dict.fromkeys(name for row in told["corruptions"] for name in row["figures"]))
    rows = []
    for of in ("clean", *told["names"]):
        held = [row["figures"] for row in told["corruptions"] if row["name"] == of]
        means = [[row[name] for row in held if name in row] for name in names]
        rows.append([of.replace("_", " "), *(figure(sum(of) / len(of)) if len(of) == len(held) else "" for of in means)])
    columns = ("corruption", *(name.replace("_", " ") for name in names))
    return Table(columns, rows, "All figures, in the mean over the five severities", folded=True)
