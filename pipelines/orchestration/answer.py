"""What a run answers, read from the artifacts that it made or found in the cache. Knows no config."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import keys
from components.example_gen import summary
from configs.schema.slices.trainer import TrainerSlice
from pipelines.orchestration import training
from pipelines.orchestration.local import NodeResult


def of(results: Mapping[str, NodeResult], asked: TrainerSlice) -> dict[str, Any]:
    """The part of the JSON contract's `run` that components know.

    Args:
        results: of pipelines.orchestration.launch.launch.
        asked: what Trainer was given.
    """
    examples, trainer, verdict, infra = (results[name] for name in ("ExampleGen", "Trainer", "Evaluator", "InfraValidator"))
    folder = Path(examples.outputs["examples"][0][0])
    converter = results.get("Converter")  # there where the config asks for variants
    gates = [infra, *([converter] if converter else [])]
    return {
        **_pushed(results.get("Pusher")),
        "architecture": training.architecture(Path(trainer.outputs["model"][0][0])),  # which a search may have chosen
        "blessed": verdict.property("blessing", "blessed") == 1 and all(g.property("blessing", "blessed") == 1 for g in gates),
        "parity": infra.property("blessing", "blessed") == 1,
        "servers": [name for name in (infra.property("blessing", keys.SERVERS) or "").split(", ") if name],
        "missed": _json(verdict.property("blessing", keys.MISSED), []),
        "training": training.summary(asked, *(Path(trainer.outputs[key][0][0]) for key in ("model_run", "model"))),
        "reason": next(filter(None, (node.property("blessing", keys.REASON) for node in (verdict, *gates))), ""),
        "variants": _json(converter and converter.property("converted", keys.VARIANTS), []),
        "comparison": verdict.property("evaluation", keys.COMPARISON) or "",
        "metrics": _json(verdict.property("evaluation", keys.METRICS), {}),
        "intervals": _json(verdict.property("evaluation", keys.INTERVALS), {}),
        "differences": _json(verdict.property("evaluation", keys.DIFFERENCES), []),
        "slices": _json(verdict.property("evaluation", keys.SLICES), []),
        "images": _json(examples.property("examples", keys.COUNTS), {}),
        "classes": _json(examples.property("examples", keys.CLASSES), {}),
        "pixels": _json(examples.property("examples", keys.MAPS), {}),
        "measures": summary.measures(folder, _json(examples.property("examples", keys.CLASS_NAMES), [])),
        "changes": _json(examples.property("examples", keys.CHANGES), {}),
        "duplicates": examples.property("examples", keys.DUPLICATES, 0),
        "leakage": summary.leakage(folder),
        "contradictions": summary.contradictions(folder),
        "drift": _json(results["ExampleValidator"].property("anomalies", keys.DRIFT), {}),
        "skew": _json(results["ExampleValidator"].property("anomalies", keys.SKEW), {}),
        "unlabelled": _json(examples.property("examples", keys.UNLABELLED), {}),
        "quarantined": _json(examples.property("examples", keys.QUARANTINED), {}),
        "examples": str(folder),
        "model_uri": trainer.outputs["model"][0][0],
        "components": [{"name": r.name, "cached": r.cached, "seconds": round(r.seconds, 2)} for r in results.values()],
    }


def _pushed(pusher: NodeResult | None) -> dict[str, Any]:
    """Which version is live, and its folder; None where nothing was pushed."""
    if pusher is None or pusher.property("pushed_model", "pushed") != 1:
        return {"version": None, "model_dir": None}
    version = pusher.property("pushed_model", "pushed_version")
    return {"version": int(version) if version else None, "model_dir": pusher.property("pushed_model", "pushed_destination")}


def _json(text: str | None, default: Any) -> Any:
    return json.loads(text) if text else default
