"""What `hubel deploy` writes with several choices of options, for all that holds it to somebody's schema."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from serving.deployment import model, names, render
from serving.deployment.options import Options, Storage

CHOICES: dict[str, dict[str, dict[str, Any]]] = {
    "compose": {
        "plain": {"storage": Storage.parse("hostpath:/srv/models")},
        "other": {"storage": Storage.parse("image"), "image": "digits:1", "batching": True, "host": "::1", "rest_port": 80},
        "odd path": {"storage": Storage.parse("hostpath:/srv/$HOME of: mine")},
    },
    "kubernetes": {
        "plain": {},
        "other": {"namespace": "models", "batching": True, "replicas": 1, "storage": Storage.parse("pvc:models/of/team")},
        "host": {"storage": Storage.parse("hostpath:/srv/models")},
        "bucket": {"storage": Storage.parse("gs://bucket/models")},
        "image": {"storage": Storage.parse("image"), "image": "registry/digits:1"},
    },
    "kserve": {
        "plain": {},
        "other": {"namespace": "models", "batching": True, "image": "a/b:1", "storage": Storage.parse("pvc:models/of/team")},
        "bucket": {"storage": Storage.parse("s3://bucket/models")},
    },
}  # fmt: skip
EACH = [(target, choice) for target, choices in CHOICES.items() for choice in choices]


def changed(content: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of a file's content with something else at a place, which need not be there; None: without what is there."""
    part = wrong = copy.deepcopy(content)
    for step in path[:-1]:
        part = part[step]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return wrong


def folder(target: str, choice: str, models: Path, out: Path, asked: str = "digits_lenet5") -> Path:
    """Render a model of a folder of models into out/files; returns that."""
    known = model.read(asked, models)
    options = Options(names.of_objects(known.name), models=models, **CHOICES[target][choice])
    render.deploy(known, target, options, out / "files")
    return out / "files"


def parsed(place: Path) -> dict[str, Any]:
    """Name -> content of each file of YAML or JSON."""
    read = {".yaml": yaml.safe_load, ".json": json.loads}
    return {
        path.relative_to(place).as_posix(): read[path.suffix](path.read_text())
        for path in sorted(place.rglob("*"))
        if path.suffix in read
    }


def objects(place: Path) -> dict[str, dict[str, Any]]:
    """Of a cluster, by kind."""
    made = [content for name, content in parsed(place).items() if "/" not in name]
    assert len({each["kind"] for each in made}) == len(made)
    return {each["kind"]: each for each in made}
