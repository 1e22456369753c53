"""What an evaluation says of corrupted images, and of the run that trained the model, on a terminal."""

from collections.abc import Iterator, Mapping

from pipelines.command_line import console

SEVERITIES = 6  # with that of no corruption


def since(value: Mapping) -> Iterator[str]:
    """The sentence on the first figure beside that of the run's test split, where that is on record."""
    pushed, metrics = value["pushed"], value["metrics"]
    name = next((name for name in metrics if pushed and name != console.COUNT and name in pushed["metrics"]), None)
    if name is None:
        return
    told = next((told for told in pushed["differences"] if told["metric"] == name), None)
    text = f"On its run's test split {name} was {pushed['metrics'][name]:.4f}"
    yield f"{text}: a difference {told['words']}." if told else f"{text}."


def terminal(value: Mapping) -> None:
    """A table of the first figure by corruption and severity, and what stands for all of them; nothing without corruptions."""
    told = value["robustness"]
    if told is None:
        return
    noun = value["data"]["noun"]
    of = f" of {told['of']:,}, chosen by a hash of their ids" if told["of"] > told["images"] else ""
    print(f"On {told['images']:,} {noun}s{of}, corrupted (Hendrycks & Dietterich 2019), severities 1 to 5:")
    for part in told["figures"]:
        name = part["figure"]
        by = {(row["name"], row["severity"]): row["figures"].get(name) for row in value["corruptions"]}
        severities = [str(severity) for severity in range(1, SEVERITIES)]
        rows = [[each.replace("_", " "), *(_figure(by[each, int(severity)]) for severity in severities)] for each in told["names"]]
        for row, each in zip(rows, told["names"], strict=True):
            row.append(_figure(part["by_corruption"][each]["mean"]))
        console.table([name, *severities, "mean"], rows, right=[*severities, "mean"])
        print(_mean(part, told["baseline"]))
    if told["fine"]:
        print(
            f"{told['fine']:,} are more than twice as large as what the model sees: noise and blur of single px vanish as they are "
            "resized."
        )


def _mean(part: Mapping, baseline: str | None) -> str:
    ends = part["interval"]
    text = f"{part['figure']} {_figure(part['clean'])} without corruption, {_figure(part['mean'])} in the mean over all"
    text += f" (95 %: {ends[0]:.4f} to {ends[1]:.4f})" if ends else ""
    if part["mean_corruption_error"] is not None:
        text += f"; mean corruption error {part['mean_corruption_error']:.4f}, not normalized"
    if part["normalized"] is not None:
        text += f", {part['normalized']:.4f} times that of {baseline}"
    if part["relative"] is not None:
        text += f" (what corruption adds: {part['relative']:.4f} times)"
    return f"{text}."


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
