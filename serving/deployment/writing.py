"""How rendered files appear: all or none, and over none that is there unless it is asked for."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from configs import atomic
from configs.errors import FULL, HubelError, UsageError

HEAD = "# Rendered by hubel deploy for the model {model}; docs/deployment.md says what each part is for.\n"
SHOWN = 5  # names in a sentence


class _Dumper(yaml.SafeDumper):
    """Without anchors, which a person would have to look up, and with texts of several lines as they are."""

    def ignore_aliases(self, data):
        return True


def _text(dumper: yaml.SafeDumper, text: str):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def rendered(files: Mapping[str, Any], model: str) -> dict[str, str]:
    """Name -> text: of what a target gives, by the ending of its name."""
    return {name: _rendered(name, content, model) for name, content in files.items()}


def _rendered(name: str, content: Any, model: str) -> str:
    if isinstance(content, str):
        return content
    if name.endswith(".json"):
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    documents = content if isinstance(content, list) else [content]
    body = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return HEAD.format(model=model.encode("unicode_escape").decode()) + body


def check(folder: Path, force: bool) -> None:
    """Raise UsageError where a folder holds something, and nothing may be overwritten, or is none."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", "Name another with --out.")
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if there and not force:
        more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
        raise UsageError(
            f"{folder} is not empty: it holds {', '.join(there[:SHOWN])}{more}.",
            "Name another with --out, or overwrite with --force.",
        )


def write(texts: Mapping[str, str], folder: Path, force: bool = False) -> list[Path]:
    """Have files appear in a folder, which need not be there; what else it holds stays. Returns their paths.

    Raises:
        UsageError: as `check`, or where a folder has a file's name.
        HubelError: where they cannot be written; then none of them is there that was not before.
    """
    check(folder, force)
    paths = [folder / name for name in texts]
    blocked = [path for path in paths if path.is_dir() or any(above.is_file() for above in path.parents if above != folder.parent)]
    if blocked:
        raise UsageError(f"{blocked[0]} cannot be written: something else has that name.", "Name another folder with --out.")
    stage = folder.with_name(f".{os.getpid()}-{folder.name}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir() or not any(folder.iterdir()):
            with atomic.replacing(folder, stage):
                _put(texts, stage)
            return paths
        try:
            _put(texts, stage)
            for name, path in zip(texts, paths, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                (stage / name).replace(path)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise HubelError(f"{folder} cannot be written: {error.strerror or error}.", "Name another folder with --out.") from None
    return paths


def _put(texts: Mapping[str, str], folder: Path) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
