"""TF Serving's folder layout: BASE/NAME/VERSION/saved_model.pb."""

from pathlib import Path

from configs import paths
from configs.errors import UsageError


def versions(base: Path) -> list[int]:
    """Complete versions of one model, ascending."""
    return sorted(int(p.name) for p in base.glob("[0-9]*") if p.name.isdecimal() and (p / "saved_model.pb").is_file())


def find(model: str, models: Path) -> Path:
    """Folder of a SavedModel.

    Args:
        model: NAME or NAME/VERSION below `models`, or a path to a version or to a folder of versions.

    Raises:
        UsageError: where there is none, naming what there is, or in a path that TensorFlow takes for a pattern.
    """
    for base in (models / model, Path(model).expanduser()):
        found = [base] if (base / "saved_model.pb").is_file() else [base / str(version) for version in versions(base)]
        if found:
            return paths.literal(found[-1], "The served model", "Copy or move it to a folder without them.")
    known = sorted(p.name for p in models.iterdir() if versions(p)) if models.is_dir() else []
    raise UsageError(
        f"There is no served model {model!r} in {models}.",
        f"There: {', '.join(known)}." if known else "Nothing was pushed yet: `hubel run` trains and pushes one.",
    )
