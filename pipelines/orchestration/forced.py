"""A model that was not blessed, pushed because a person says so: the reason goes with it, in its card and in its lineage."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

from components import keys
from components.pusher import card, publish
from configs import paths
from configs.errors import HubelError
from pipelines.workspace import model_cards, runs
from pipelines.workspace.layout import Workspace
from serving import promotions

EXECUTION, PUSHED = "PushByForce", "PushedModel"  # types of ML Metadata's; the second is TFX's
FORCED = "forced"  # key of the card, and name of the Model artifact's property


def push(artifact: str, base: str, run: str, reason: str, verdict: str, metadata: str) -> dict[str, Any]:
    """Push the SavedModel of a Model artifact.

    Args:
        artifact: its folder. base: of the versions.
        run: that trained it. reason: of the person. verdict: why it was not blessed.
        metadata: ML Metadata's file.

    Returns:
        {version, model_dir, is_new: whether it was not live already, lineage: whether ML Metadata knows the artifact, and so the
        push}. The card in model_dir has, under `forced`, {reason, verdict, run, when, user}; so has the Model artifact as a custom
        property, and an execution of the type PushByForce joins it to a PushedModel.

    Raises:
        HubelError: where the artifact holds no SavedModel.
    """
    saved = Workspace.exported(artifact)
    if not (saved / "saved_model.pb").is_file():
        raise HubelError(f"What run {run} trained has no SavedModel any more: {saved}.", "Run the config again.")
    when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    said = {"reason": reason, "verdict": verdict, "run": run, "when": when, "user": promotions.user() or ""}

    def mark(stage: Path) -> None:
        card = stage / keys.CARD_IN_EXPORT
        card.write_text(json.dumps(json.loads(card.read_text()) | {FORCED: said}, indent=1))

    def cards(version: int, is_new: bool) -> dict[str, str]:
        return _cards(Workspace(Path(metadata).parent), saved, Path(base).name, run, said, version) if is_new else {}

    version, is_new = publish.push(saved, paths.place(base), mark, cards)
    folder = f"{base}/{version}"
    lineage = _recorded(Path(metadata), artifact, folder, said)
    return {"version": version, "model_dir": folder, "is_new": is_new, "lineage": lineage}


def _cards(place: Workspace, saved: Path, name: str, run: str, said: dict[str, str], version: int) -> dict[str, str]:
    """The model card, in both forms, with the reason; what the run left on record is on it."""
    record = next((record for record in runs.records(place, name) if record.run == run), None)
    known = model_cards.known(place, saved, record, version)
    return card.files(dataclasses.replace(known, technical={**known.technical, FORCED: said}))


def _recorded(metadata: Path, artifact: str, folder: str, said: dict[str, str]) -> bool:
    """Put it into ML Metadata; whether the artifact is known there."""
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    from pipelines.orchestration import local

    if not metadata.is_file():
        return False
    store = metadata_store.MetadataStore(local.stored_in(metadata))
    models = store.get_artifacts_by_uri(artifact)
    if not models:
        return False
    model = models[-1]
    model.custom_properties[FORCED].string_value = json.dumps(said)
    store.put_artifacts([model])
    pushed = metadata_store_pb2.Artifact(
        type_id=store.put_artifact_type(metadata_store_pb2.ArtifactType(name=PUSHED), can_add_fields=True, can_omit_fields=True),
        uri=folder,
        state=metadata_store_pb2.Artifact.LIVE,
    )
    pushed.custom_properties["pushed"].int_value = 1
    pushed.custom_properties["pushed_destination"].string_value = folder
    pushed.custom_properties["pushed_version"].string_value = folder.rpartition("/")[2]
    execution = metadata_store_pb2.Execution(
        type_id=store.put_execution_type(metadata_store_pb2.ExecutionType(name=EXECUTION)),
        last_known_state=metadata_store_pb2.Execution.COMPLETE,
    )
    for name, text in said.items():
        execution.custom_properties[name].string_value = text
    events = [metadata_store_pb2.Event(type=kind) for kind in (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.OUTPUT)]
    for event, key in zip(events, ("model", "pushed_model"), strict=True):
        event.path.steps.add().key = key
        event.path.steps.add().index = 0
    pipelines = [context for context in store.get_contexts_by_artifact(model.id) if context.type == "pipeline"]
    store.put_execution(execution, [(model, events[0]), (pushed, events[1])], pipelines)
    return True
