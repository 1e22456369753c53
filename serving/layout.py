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


def find(model: str, models: Path) -> Path:
    """Folder of a SavedModel.

    Args:
        model: NAME or NAME/VERSION below `models`, or a path to a version or to a folder of versions.

    Raises:
        UsageError: where there is none, naming what there is, or in a path that TensorFlow takes for a pattern.
    """
    for base in (models / model, Path(model).expanduser()):
        there = [base] if (base / "saved_model.pb").is_file() else list(versions(base).values())
        if there:
            return paths.literal(there[-1], "The served model", "Copy or move it to a folder without them.")
    known = sorted(p.name for p in models.iterdir() if versions(p)) if models.is_dir() else []
    raise UsageError(
        f"There is no served model {model!r} in {models}.",
        f"There: {', '.join(known)}." if known else "Nothing was pushed yet: `hubel run` trains and pushes one.",
    )
