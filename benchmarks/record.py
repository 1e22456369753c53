"""What benchmarks leave: rows of a CSV in benchmarks/results, each with where and when it was measured."""

import csv
import datetime
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components import cpu

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results"
FEATURES = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI", "amx_tile": "AMX"}  # Linux's name -> that of a page


def circumstances() -> dict[str, str]:
    """Machine, load before anything is measured, date and commit."""
    return {
        "machine": machine(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
    }


def machine() -> str:
    """Cores, processor, those of its instruction sets that matter to TensorFlow and PyTorch, and what oneDNN is held to."""
    model = re.search(r"^model name\s*: (.+)$", cpu.INFO.read_text(), re.MULTILINE)
    has = " ".join(name for flag, name in FEATURES.items() if flag in cpu.features())
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
    told = ", ".join([*([has] if has else []), *([f"held to {limit}"] if limit else [])])
    return f"{os.cpu_count()} cores of {model[1] if model else 'an unknown processor'}{f' ({told})' * bool(told)}"


def commit() -> str:
    """Of what is measured."""
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()


def table_in(page: Path, name: str) -> str:
    """What stands in a page between `<!-- table: NAME -->` and `<!-- end -->`."""
    [(_, table, _)] = _marks(name).findall(page.read_text(encoding="utf-8"))
    return table


def show(page: Path, name: str, table: str) -> None:
    """Put a table there."""
    page.write_text(
        _marks(name).sub(lambda match: f"{match[1]}{table}{match[3]}", page.read_text(encoding="utf-8")), encoding="utf-8"
    )


def _marks(name: str) -> re.Pattern:
    return re.compile(rf"(<!-- table: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def as_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    rule = "|".join("---" for _ in columns)
    return "\n".join([f"| {' | '.join(columns)} |", f"|{rule}|", *(f"| {' | '.join(cells)} |" for cells in lines), ""])


def rows(name: str) -> list[dict[str, str]]:
    """What benchmarks/results/NAME.csv holds; nothing where it is not there."""
    path = RESULTS / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def of_last_machine(name: str) -> list[dict[str, str]]:
    """The rows of the machine that was measured last; nothing where nothing was."""
    held = rows(name)
    return [row for row in held if row["machine"] == held[-1]["machine"]]


def measured(held: Sequence[Mapping[str, str]], how: str) -> str:
    """Where and when rows were, as a line below their table. how: with names of their columns in braces."""
    last = held[-1]
    return f"\n{last['machine']}, load {last['load']}, {last['date']}, commit {last['commit']}: {how.format(**last)}.\n"


def add(name: str, measured: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Put rows of the same columns into benchmarks/results/NAME.csv, in place of those that have the same values under `keys`."""
    new = [{column: str(value) for column, value in row.items()} for row in measured]
    kept = {tuple(row[key] for key in keys): row for row in [*rows(name), *new]}
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(new[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept.values())
