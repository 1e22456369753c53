"""TF Serving's folder layout: BASE/NAME/VERSION/saved_model.pb."""

from pathlib import Path

from configs import paths
from configs.errors import UsageError


def number(name: str) -> int | None:
    """The version that a folder is by its name; None where it is none: TF Serving reads an int64 of digits."""
    return int(name) if name.isascii() and name.isdecimal() and int(name) < 2**63 else None


def numbered(base: Path) -> dict[int, Path]:
    """Number -> folder of all that TF Serving takes for a version of one model, ascending. It loads the highest, complete or not:
    none is given twice."""
    folders = ((number(path.name), path) for path in base.glob("[0-9]*") if path.is_dir())
    return dict(sorted((version, path) for version, path in folders if version is not None))


def versions(base: Path) -> dict[int, Path]:
    """Those of `numbered` that are complete: what answers."""
    return {number: path for number, path in numbered(base).items() if (path / "saved_model.pb").is_file()}


def damage(version: Path) -> str:
    """What a version's folder lacks that a server cannot do without, in words; "" where nothing does, as far as names and sizes
    tell."""
    graph, variables = version / "saved_model.pb", version / "variables"
    if not graph.is_file() or not graph.stat().st_size:
        return f"{graph.name} is {'empty' if graph.is_file() else 'missing'}"
    if not variables.is_dir():  # a graph of constants needs none; what hubel exports does
        return "variables/ is missing" if (version / "assets.extra" / "hubel.json").is_file() else ""
    sizes = {path.name: path.stat().st_size for path in sorted(variables.iterdir())}
    if "variables.index" not in sizes:
        return "variables/variables.index is missing"
    shards = [name for name in sizes if name.startswith("variables.data-")]
    count = {name.rpartition("-of-")[2] for name in shards}
    if not shards or any(int(of) != len(shards) for of in count if of.isdecimal()):
        return "a file variables/variables.data-* is missing"
    empty = [name for name in ("variables.index", *sorted(shards)) if not sizes[name]]
    return f"variables/{empty[0]} is empty" if empty else ""


def find(model: str, models: Path) -> Path:
    """Folder of a SavedModel.

    Args:
        model: NAME or NAME/VERSION below `models`, or a path to a version or to a folder of versions.

    Raises:
        UsageError: where there is none, naming the versions or models that there are, or in a path that TensorFlow takes for a
            pattern.
    """
    for base in (models / model, Path(model).expanduser()):
        there = [base] if (base / "saved_model.pb").is_file() else list(versions(base).values())
        if there:
            return paths.literal(there[-1], "The served model", "Copy or move it to a folder without them.")
    name, _, version = model.rpartition("/")
    there = versions(models / name) or versions(Path(name).expanduser()) if name and number(version) is not None else {}
    if there:
        hint = f"There are: {', '.join(f'{name}/{each}' for each in there)}."
        raise UsageError(f"There is no served model {model!r} in {models}.", hint)
    known = sorted(p.name for p in models.iterdir() if versions(p)) if models.is_dir() else []
    raise UsageError(
        f"There is no served model {model!r} in {models}.",
        f"There: {', '.join(known)}." if known else "Nothing was pushed yet: `hubel run` trains and pushes one.",
    )
