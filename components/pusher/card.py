"""The model card that a pushed model carries: what the artifacts of its run say, gathered for reports.model_card."""

import contextlib
import datetime
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from tfx import types

from components import fingerprint, keys
from components.example_gen import alike
from components.pusher import publish
from reports import model_card, model_card_page

SOFTWARE = ("hubel", "tensorflow", "keras", "tfx")  # beside Python
Artifacts = Mapping[str, types.Artifact]  # by the name of Pusher's input


def known(artifacts: Artifacts, saved: Path, described: Mapping[str, Any], run: str | None, version: int) -> model_card.Known:
    """What is known of a model that is being pushed.

    Args:
        artifacts: evaluation, examples, anomalies, model, model_blessing and infra_blessing; of the first three what is not there
            is not on record.
        saved: folder of the SavedModel.
        described: {config: resolved, terms, starts_from, data_digest}.
        run: id of hubel's run. version: as which it is pushed.
    """
    technical = saved / keys.CARD_IN_EXPORT
    evaluation, examples, anomalies = (artifacts.get(name) for name in ("evaluation", "examples", "anomalies"))
    return model_card.Known(
        {
            "blessed": True,  # what is not is never pushed here
            "parity": True,
            "reason": "",
            "servers": [name for name in _text(artifacts["infra_blessing"], keys.SERVERS).split(", ") if name] or None,
            keys.MISSED: _json(artifacts["model_blessing"], keys.MISSED, []),
            **(_judged(evaluation) if evaluation else {}),
            **(_read(examples) if examples else {}),
            **({name: _json(anomalies, name, {}) for name in (keys.DRIFT, keys.SKEW)} if anomalies else {}),
            **{name: described[name] for name in ("starts_from", "data_digest") if name in described},
        },
        json.loads(technical.read_text(encoding="utf-8")) if technical.is_file() else {},
        described.get("config") or {},
        datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        version,
        _software(),
        {
            "run": run,
            "model_sha256": publish.content(saved),
            "source_sha256": fingerprint.of_all_sources(),
            "artifacts": {name: artifact.id for name, artifact in sorted(artifacts.items())},
        },
        described.get("terms") or {},
    )


def files(of_model: model_card.Known) -> dict[str, str]:
    """Name in a version's folder -> text, of both forms of the card."""
    card = model_card.of(of_model)
    return {
        model_card.FILE: json.dumps(card, indent=1),
        model_card.PAGE: model_card_page.html(card),
    }


def _software() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in SOFTWARE:
        with contextlib.suppress(metadata.PackageNotFoundError):  # such as hubel's, run from a folder of its sources
            versions[name] = metadata.version(name)
    return versions


def _judged(evaluation: types.Artifact) -> dict[str, Any]:
    return {
        keys.METRICS: _json(evaluation, keys.METRICS, {}),
        keys.INTERVALS: _json(evaluation, keys.INTERVALS, {}),
        keys.SLICES: _json(evaluation, keys.SLICES, []),
        keys.DIFFERENCES: _json(evaluation, keys.DIFFERENCES, []),
        keys.COMPARISON: _text(evaluation, keys.COMPARISON),
    }


def _read(examples: types.Artifact) -> dict[str, Any]:
    folder = Path(examples.uri)
    return {
        "images": _json(examples, keys.COUNTS, {}),
        **{name: _json(examples, name, {}) for name in (keys.CLASSES, keys.CHANGES, keys.QUARANTINED, keys.UNLABELLED)},
        keys.DUPLICATES: examples.get_int_custom_property(keys.DUPLICATES),
        "leakage": alike.leakage(folder),
        "contradictions": alike.contradictions(folder),
    }


def _json(artifact: types.Artifact, name: str, default: Any) -> Any:
    text = _text(artifact, name)
    return json.loads(text) if text else default


def _text(artifact: types.Artifact, name: str) -> str:
    return artifact.get_string_custom_property(name) or ""
