"""A model card as a page: it needs nothing beside it, asks nothing of a network, and runs no script."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports import charts, model_card

NOT_STATED, NOT_ON_RECORD = "not stated", "not on record"
SPLITS = ("train", "validation", "test")


def html(card: Mapping[str, Any]) -> str:
    """The page of what reports.model_card.of gives."""
    analyses = card["quantitative_analyses"]
    page = (
        charts.environment(Path(__file__).parent)
        .get_template("model_card.html.j2")
        .render(
            card=card,
            title=title(card),
            said=said,
            figure=figure,
            interval=interval,
            called=model_card.called,
            columns=list(dict.fromkeys(name for part in analyses["slices"] or () for name in part["metrics"])),
            worst=[row["slice"] for row in analyses["worst"] or ()],
            splits=_splits(card["training_data"]["examples"]),
            by_class=_by_class(card["training_data"]["by_class"]),
            settings=json.dumps({**card["model_details"]["training"], "data": card["training_data"]["read"]}, indent=1),
        )
    )
    return page.encode("utf-8", "replace").decode()  # names of files may hold bytes that are no text


def title(card: Mapping[str, Any]) -> str:
    """Such as "digits version 3"."""
    details = card["model_details"]
    version = "not pushed" if details["version"] is None else f"version {details['version']}"
    return f"{details['name'] or 'a model'}, {version}"


def said(value: Any, absent: str = NOT_ON_RECORD) -> str:
    """A value in a line of text; nothing at all is what `absent` says."""
    if value is None or value == "":
        return absent
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {said(each)}" for name, each in value.items() if each is not None) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(said(each) for each in value) or "none"
    return str(value)


def figure(value: float | None) -> str:
    """Whole numbers as they are, others to four digits behind the point, or four that count where they are small."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) >= 0.01 or value == 0 else f"{value:.4g}"


def interval(ends: Any) -> str:
    """Such as "0.6216 to 0.7822"."""
    return f"{figure(float(ends[0]))} to {figure(float(ends[1]))}" if ends else ""


def _splits(examples: Mapping[str, int] | None) -> list[str]:
    return [*(split for split in SPLITS if split in (examples or {})), *(split for split in examples or {} if split not in SPLITS)]


def _by_class(by_class: Mapping[str, Mapping[str, int]] | None) -> dict[str, dict[str, int]]:
    """Class -> split -> examples."""
    names = dict.fromkeys(name for counts in (by_class or {}).values() for name in counts)
    return {name: {split: counts.get(name, 0) for split, counts in (by_class or {}).items()} for name in names}
