"""What a run made, and what a Trainer was given, is read back from ML Metadata's own record."""

import json

import ml_metadata
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.reporter import recorded
from components.reporter.material import Artifact


def store(path) -> ml_metadata.MetadataStore:
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return ml_metadata.MetadataStore(config)


def event(kind, artifact: int, name: str) -> mlmd.Event:
    made = mlmd.Event(type=kind, artifact_id=artifact)
    made.path.steps.add(key=name)
    made.path.steps.add(index=0)
    return made


def test_it_is_what_the_first_training_of_a_model_was_given(tmp_path):
    held = store(tmp_path / "metadata.db")
    kind = held.put_artifact_type(mlmd.ArtifactType(name="Any"))
    trainer = held.put_execution_type(mlmd.ExecutionType(name="Trainer"))
    uris = ["examples", "graph", "schema", "model", "other"]
    examples, graph, schema, model, other = held.put_artifacts(
        [mlmd.Artifact(type_id=kind, uri=str(tmp_path / name)) for name in uris]
    )

    def executed(seed: int, made: int, taken: dict[str, int]) -> None:
        run = mlmd.Execution(type_id=trainer)
        run.custom_properties["custom_config"].string_value = json.dumps({"slice": "{}", "seed": seed})
        run.custom_properties["train_args"].string_value = "{}"
        events = [event(mlmd.Event.INPUT, number, name) for name, number in taken.items()]
        [number] = held.put_executions([run])
        for each in [*events, event(mlmd.Event.OUTPUT, made, "model")]:
            each.execution_id = number
            held.put_events([each])

    executed(0, other, {"examples": examples})
    executed(1, model, {"examples": examples, "transform_graph": graph, "schema": schema})
    executed(2, model, {"examples": other})  # from the cache
    custom, taken = recorded.training(tmp_path / "metadata.db", Artifact(tmp_path / "model", id=model))
    assert custom == {"slice": "{}", "seed": 1}
    assert taken == {"examples": tmp_path / "examples", "transform_graph": tmp_path / "graph", "schema": tmp_path / "schema"}


def test_of_what_is_not_on_record_nothing_is_known(tmp_path):
    store(tmp_path / "metadata.db")
    assert recorded.training(tmp_path / "metadata.db", Artifact(tmp_path, id=7)) is None
    assert recorded.training(tmp_path / "none.db", Artifact(tmp_path, id=7)) is None


def test_a_run_has_what_it_made_or_found_in_the_cache_and_not_what_it_was_given_of_another(tmp_path):
    """The baseline is the newest model there is, and TFX attributes what an execution is given to its run, too."""
    held = store(tmp_path / "metadata.db")
    kinds = {name: held.put_context_type(mlmd.ContextType(name=name)) for name in ("node", "pipeline_run")}
    ran = {
        name: held.put_execution_type(mlmd.ExecutionType(name=f"components.any.{name}"))
        for name in ("Trainer", "Resolver", "Evaluator")
    }
    kind = held.put_artifact_type(mlmd.ArtifactType(name="Any"))

    def put(uri: str) -> mlmd.Artifact:
        made = mlmd.Artifact(type_id=kind, uri=str(tmp_path / uri))
        made.custom_properties["of"].string_value = uri
        [made.id] = held.put_artifacts([made])
        return made

    def executed(run: str, stage: str, *given: tuple[int, mlmd.Artifact, str]) -> None:
        contexts = [mlmd.Context(type_id=kinds[of], name=name) for of, name in (("node", stage), ("pipeline_run", f"digits@{run}"))]
        pairs = [(artifact, event(role, artifact.id, name)) for role, artifact, name in given]
        held.put_execution(mlmd.Execution(type_id=ran[stage]), pairs, contexts, reuse_context_if_already_exist=True)

    give, take, resolve = mlmd.Event.OUTPUT, mlmd.Event.INPUT, mlmd.Event.INTERNAL_OUTPUT
    own, newer, judged = put("own"), put("newer"), put("judged")
    executed("1", "Trainer", (give, own, "model"))
    executed("2", "Trainer", (give, newer, "model"))
    executed("3", "Trainer", (give, own, "model"))  # from the cache
    executed("3", "Resolver", (resolve, newer, "model"))
    executed("3", "Evaluator", (take, own, "model"), (take, newer, "baseline_model"), (give, judged, "evaluation"))
    of_run = recorded.of_run(tmp_path / "metadata.db", "digits", "3")
    assert {name: (artifact.id, artifact.text("of")) for name, artifact in of_run.items()} == {
        "model": (own.id, "own"),
        "evaluation": (judged.id, "judged"),
    }
    assert of_run["model"].began <= of_run["model"].ended
