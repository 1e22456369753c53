"""`hubel lineage` for people: what is on record, then what is not and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.command_line import console


def terminal(value: Mapping[str, Any]) -> None:
    """Print what pipelines.workspace.lineage.of gives."""
    console.table(["what", "value"], [[what, told] for what, told in _rows(value) if told], whole=["what"])
    if value["artifacts"]:
        print()
        rows = [[each["id"], each["stage"], each["output"], each["uri"]] for each in value["artifacts"]]
        console.table(["artifact", "stage", "output", "folder"], rows, right=["artifact"])
    for lack in value["missing"]:
        print(f"Not on record: {lack['what']}: {lack['why']}.")


def _rows(value: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    data, code = value["data"], value["code"]
    yield "model", value["name"] + (f"/{value['version']}" if value["version"] is not None else ", not pushed")
    yield "label", value["label"]
    yield "run", value["run"]
    yield "started", value["started"]
    yield "outcome", value["outcome"]
    yield "pushed by force", value["forced"]
    yield "config", value["config"]["file"]
    yield "data", data["source"]
    yield "data digest", data["digest"]
    yield "splits", ", ".join(f"{split} {count:,}" for split, count in (data["splits"] or {}).items())
    yield "code digest", code["digest"]
    yield "git revision", code["git_revision"]
    for parent in value["parents"]:
        full = parent["name"] or parent["asked"]
        yield parent["key"], f"{full}, of run {parent['run']}" if parent["run"] not in (None, full) else full
    if (change := value["took_over"]) is not None:
        replaced = "the first" if change["replaced"] is None else f"in the place of version {change['replaced']}"
        yield "became stable", f"{replaced}, by {_change(change)}"
    if (change := value["replaced_by"]) is not None:
        yield "replaced by", f"version {change['version']}, by {_change(change)}"


def _change(change: Mapping[str, Any]) -> str:
    told = ", ".join(str(change[key]) for key in ("by", "when", "user") if change[key])
    return f"{told}: {change['reason']}" if change["reason"] else told
