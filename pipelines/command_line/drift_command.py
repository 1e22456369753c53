"""`hubel drift`: what a version is asked in service, held against its training; parse, ask, print."""

import datetime
import json
import math
import re
import time
from typing import Any

import click

from pipelines.command_line import options
from pipelines.process import requests

UNITS = {"m": 60, "h": 3600, "d": 86_400}  # s
LEAST = 200  # examples
NOT_BLESSED = 3


@click.command("drift")
@click.argument("model")
@click.option(
    "--since", metavar="WHEN", help="Requests after that: 30m, 6h, 1d, or a time such as 2026-01-31T12:00.  [default: all]"
)
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="FEATURE=VALUE", help="Above which it has drifted.  [default: 0.1]"
)
@click.option("--least", default=LEAST, show_default=True, type=click.IntRange(1), help="Examples that a verdict takes.")
@click.option("--exit-code", is_flag=True, help="End with 3 where it has drifted.")
@options.workspace
@options.verbose
@options.as_json
def drift(model, since, thresholds, least, exit_code, workspace, as_json):
    """Hold what MODEL (NAME or NAME/VERSION; of NAME the stable version) is asked and answers in service against its training.

    `hubel serve` keeps the statistics of what it is asked. Distances are TFDV's: Jensen-Shannon of numbers, L-infinity of names.
    """
    from configs.errors import UsageError
    from pipelines.workspace.layout import Workspace
    from serving import layout, promotions

    place = Workspace.at(workspace)
    base, version = promotions.base_of(model, place.models)
    there = layout.versions(base)
    if version is not None and version not in there:
        raise UsageError(
            f"There is no version {version} of {base.name}.", f"There are: {', '.join(f'{base.name}/{each}' for each in there)}."
        )
    wanted = version or promotions.state(base).stable or max(there)
    folder = base / str(wanted)
    request = requests.Drift(
        str(folder), str(place.statistics / base.name / str(wanted)), _when(since), dict(map(_threshold, thresholds)), least
    )
    value: dict[str, Any] = {"model": base.name, "version": wanted, **options.quietly(request)}
    if as_json:
        print(json.dumps(value))
    else:
        _show(value)
    return NOT_BLESSED if exit_code and value["verdict"] == "drifted" else 0


def _show(value: dict[str, Any]) -> None:
    from pipelines.command_line import console

    if value["features"]:
        rows = [
            [
                row["feature"] + (f" ({row['name']})" if row.get("name") else ""),
                *(None if row[side] is None else f"{row[side]:.4g}" for side in ("training", "served")),
                None if row["distance"] is None else f"{row['distance']:.4f}",
                row["threshold"],
                "drifted" if row["drifted"] else None,
            ]
            for row in value["features"]
        ]
        console.table(
            ["feature", "training", "in service", "distance", "threshold", ""],
            rows,
            right=["training", "in service", "distance", "threshold"],
        )
    named = f"{value['model']} version {value['version']}"
    print(f"{value['requests']} requests with {value['examples']} examples were measured" + _from(value["since"]) + ".")
    if value["passed_over"]:
        print(f"Of {value['seen']} that were answered in all, {value['passed_over']} were passed over: a sample is measured.")
    if value["unreadable"]:
        print(f"{value['unreadable']} inputs could not be measured.")
    said = {"drifted": f"{named} has drifted: {value['reason']}.", "alike": f"{named} is asked what it was trained on."}
    print(said.get(value["verdict"], f"No verdict on {named}: {value['reason']}."))


def _from(since: float | None) -> str:
    return f" since {datetime.datetime.fromtimestamp(since):%Y-%m-%d %H:%M}" if since is not None else ""


def _when(text: str | None) -> float | None:
    """s since 1970. Raises UsageError for what is no time."""
    from configs.errors import UsageError

    if text is None:
        return None
    if length := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return time.time() - int(length[1]) * UNITS[length[2]]
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"--since {text} is no time.", "Such as 30m, 6h, 1d or 2026-01-31T12:00.") from None


def _threshold(text: str) -> tuple[str, float]:
    from configs.errors import UsageError

    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not name or not 0 <= value <= 1:
        raise UsageError(f"--threshold {text} is no threshold.", "It is FEATURE=VALUE, from 0 to 1, such as image/brightness=0.2.")
    return name, value
