"""A model that was not blessed, pushed because a person says so: the reason goes with it, in its card and in its lineage."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.types import standard_artifacts

from components import keys
from components.pusher import card, publish, statistics
from configs import paths
from configs.errors import HubelError
from pipelines.orchestration import local
from pipelines.workspace import model_cards, runs
from pipelines.workspace.layout import Workspace
from serving import promotions

EXECUTION, PUSHED = "PushByForce", "PushedModel"  # types of ML Metadata's; the second is TFX's
STATISTICS, EXAMPLES = "ExampleStatistics", "Examples"  # types of TFX's
FORCED = "forced"  # key of the card, and name of the Model artifact's property

Event = metadata_store_pb2.Event


def push(artifact: str, base: str, run: str, reason: str, verdict: str, metadata: str) -> dict[str, Any]:
    """Push the SavedModel of a Model artifact.

    Args:
        artifact: its folder. base: of the versions.
        run: that trained it. reason: of the person. verdict: why it was not blessed.
        metadata: ML Metadata's file.

    Returns:
        {version, model_dir, is_new: whether it was not live already, lineage: whether ML Metadata knows the artifact, and so the
        push, statistics: why it carries none of its training, "" where it does, or was live already}. The card in model_dir has,
        under `forced`, {reason, verdict, run, when, user}; so has the Model artifact as a custom property, and an execution of the
        type PushByForce joins it to a PushedModel.

    Raises:
        HubelError: where the artifact holds no SavedModel.
    """
    saved = Workspace.exported(artifact)
    if not (saved / "saved_model.pb").is_file():
        raise HubelError(f"What run {run} trained has no SavedModel any more: {saved}.", "Run the config again.")
    known = _Lineage(Path(metadata), artifact)
    when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    said = {"reason": reason, "verdict": verdict, "run": run, "when": when, "user": promotions.user() or ""}

    why_without: list[str] = []

    def mark(stage: Path) -> None:
        card = stage / keys.CARD_IN_EXPORT
        card.write_text(json.dumps(json.loads(card.read_text()) | {FORCED: said}, indent=1))
        why_without.append(known.carry_statistics(saved, stage))

    def cards(version: int, is_new: bool) -> dict[str, str]:
        return _cards(Workspace(Path(metadata).parent), saved, Path(base).name, run, said, version) if is_new else {}

    version, is_new = publish.push(saved, paths.place(base), mark, cards)
    folder = f"{base}/{version}"
    lineage = known.record(folder, said)
    return {
        "version": version,
        "model_dir": folder,
        "is_new": is_new,
        "lineage": lineage,
        "statistics": "".join(why_without),
    }


def _cards(place: Workspace, saved: Path, name: str, run: str, said: dict[str, str], version: int) -> dict[str, str]:
    """The model card, in both forms, with the reason; what the run left on record is on it."""
    record = next((record for record in runs.records(place, name) if record.run == run), None)
    known = model_cards.known(place, saved, record, version)
    return card.files(dataclasses.replace(known, technical={**known.technical, FORCED: said}))


class _Lineage:
    """What ML Metadata knows of a Model artifact: nothing, where it is of another workspace or was removed."""

    def __init__(self, metadata: Path, artifact: str):
        """Args: metadata: its file. artifact: folder of the model's."""
        self._store, self._model = None, None
        if metadata.is_file():
            self._store = metadata_store.MetadataStore(local.stored_in(metadata))
            self._model = next(reversed(self._store.get_artifacts_by_uri(artifact)), None)

    def carry_statistics(self, saved: Path, stage: Path) -> str:
        """Lay statistics of the training into the copy of a SavedModel, as Pusher does. Why there are none; "" where there are."""
        if self._model is None:
            return f"{statistics.WITHOUT}: the metadata knows nothing of it"
        [of_training] = self._behind([self._model.id], STATISTICS)[-1:] or [None]
        if of_training is None:
            return f"{statistics.WITHOUT}: the metadata has none of what it was trained on"
        examples = self._behind([of_training.id], EXAMPLES)
        return statistics.carry(saved, _artifact(of_training), list(map(_artifact, examples)), stage)

    def _behind(self, made: list[int], kind: str) -> list[metadata_store_pb2.Artifact]:
        """The artifacts of a type that are nearest among those from which others, by their ids, were made: a model that began as
        another one goes back to the statistics of both."""
        seen: set[int] = set()
        while made:
            seen |= {*made}
            makers = {event.execution_id for event in self._store.get_events_by_artifact_ids(made) if event.type == Event.OUTPUT}
            events = self._store.get_events_by_execution_ids(sorted(makers)) if makers else []
            made = sorted({event.artifact_id for event in events if event.type == Event.INPUT} - seen)
            if wanted := [artifact for artifact in self._store.get_artifacts_by_id(made) if artifact.type == kind]:
                return wanted
        return []

    def record(self, folder: str, said: dict[str, str]) -> bool:
        """Put the push into it; whether the artifact is known there."""
        if self._model is None:
            return False
        store, model = self._store, self._model
        model.custom_properties[FORCED].string_value = json.dumps(said)
        store.put_artifacts([model])
        type_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name=PUSHED), can_add_fields=True, can_omit_fields=True)
        pushed = metadata_store_pb2.Artifact(type_id=type_id, uri=folder, state=metadata_store_pb2.Artifact.LIVE)
        pushed.custom_properties["pushed"].int_value = 1
        pushed.custom_properties["pushed_destination"].string_value = folder
        pushed.custom_properties["pushed_version"].string_value = folder.rpartition("/")[2]
        execution = metadata_store_pb2.Execution(
            type_id=store.put_execution_type(metadata_store_pb2.ExecutionType(name=EXECUTION)),
            last_known_state=metadata_store_pb2.Execution.COMPLETE,
        )
        for name, text in said.items():
            execution.custom_properties[name].string_value = text
        events = [Event(type=Event.INPUT), Event(type=Event.OUTPUT)]
        for event, key in zip(events, ("model", "pushed_model"), strict=True):
            event.path.steps.add().key = key
            event.path.steps.add().index = 0
        pipelines = [context for context in store.get_contexts_by_artifact(model.id) if context.type == "pipeline"]
        store.put_execution(execution, [(model, events[0]), (pushed, events[1])], pipelines)
        return True


def _artifact(stored: metadata_store_pb2.Artifact) -> types.Artifact:
    """As TFX's components are given it."""
    made = {STATISTICS: standard_artifacts.ExampleStatistics, EXAMPLES: standard_artifacts.Examples}[stored.type]()
    made.set_mlmd_artifact(stored)
    return made
