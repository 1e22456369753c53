"""What is decided and refused when a pipeline is put together, before anything runs."""

import json

import apache_beam
import pytest
from apache_beam.options.pipeline_options import StandardOptions

from components import keys
from components.compat import beam
from components.example_gen.sources import Located
from configs import load
from configs.errors import UsageError
from pipelines.orchestration import local, pipeline, settled
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start
from tests.components import digits


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [("model={name: lenet5, options: {}}", "this model is none"), ("anomaly.score=elbo", "this model is no density of images")],
)
def test_a_score_that_the_model_cannot_give(assignment, sentence, tmp_path):
    with pytest.raises(UsageError, match=sentence):
        settled.of(load.load("digits_anomalies", [assignment]), Workspace.at(tmp_path), Start("image"), None)


@pytest.mark.parametrize(("flags", "runner"), [("[]", "FnApiRunner"), ('["--runner=InteractiveRunner"]', "InteractiveRunner")])
def test_beam_s_runner_is_named_and_a_person_s_word_counts_more(flags, runner, tmp_path, monkeypatch):
    monkeypatch.setattr(StandardOptions, "DEFAULT_RUNNER", "DirectRunner")
    beam.install()
    asked = load.load("digits_mlp", [f"beam.flags={flags}"])
    built = pipeline.build(settled.of(asked, Workspace.at(tmp_path), Start("image"), Located({}, "digest")))
    made = apache_beam.Pipeline(argv=built.beam_pipeline_args)  # as TFX's executors make it
    assert type(made.runner).__name__ == runner


def test_a_network_of_a_file_may_have_any_of_our_layers():
    known = settled.sources_of(["/a/b.keras", "lenet5", "keras.applications:MobileNet"])
    assert {"keras_models.classifiers.lenet", "keras_models.layers.k_sparse", "keras_models.layers.whitening"} <= {*known}
    assert settled.sources_of(["lenet5"]) == ["keras_models.classifiers.lenet"]


def inputs(built, name) -> dict[str, list[str]]:
    """Of a component: key -> which outputs of which components it reads."""
    [node] = [component for component in built.components if component.id == name]
    return {
        key: [f"{channel.producer_component_id}.{channel.output_key}"]
        for key, channel in node.inputs.items()
        if channel.producer_component_id
    }


def test_the_gate_waits_for_evaluator_and_reads_nothing_of_it(tmp_path):
    """So that its other process loads the model while Evaluator judges."""
    asked = load.load("digits_mlp", [])
    built = pipeline.build(settled.of(asked, Workspace.at(tmp_path), Start("image"), Located({}, "digest")))
    names = [component.id for component in built.components]
    assert names.index("Evaluator") < names.index("InfraValidator") < names.index("Pusher")
    assert inputs(built, "InfraValidator") == {"model": ["Trainer.model"], "examples": ["ExampleGen.examples"]}
    made = dict(local._launchers(local._compiled(built), local._Planner))
    assert set(made["InfraValidator"].upstream) == {"Trainer", "ExampleGen"}  # what is judged anew needs no other gate


def custom(built, name) -> dict:
    [node] = [component for component in built.components if component.id == name]
    return json.loads(node.exec_properties["custom_config"])


@pytest.mark.parametrize("config", ["digits_mlp", "digits_anomalies"])
def test_tuner_is_given_what_trainer_is_given(config, tmp_path):
    space = "tune.space={train.optimizer.learning_rate: {choices: [0.001, 0.01]}}"
    asked = load.load(config, ["tune.enabled=true", space, "augment=[{rotate: {degrees: 5}}, {copies: 2}]"])
    (tmp_path / keys.CARD_FILE).write_text(digits.card().model_dump_json())
    start = Start("image", initial=str(tmp_path))
    built = pipeline.build(settled.of(asked, Workspace.at(tmp_path), start, Located({}, "digest")))
    trainer = inputs(built, "Trainer")
    assert trainer.pop("hyperparameters") == ["Tuner.best_hyperparameters"]
    assert inputs(built, "Tuner") == trainer
    assert trainer["base_model"] == ["InitialModel.result"]
    assert trainer["examples"] == ["AugmentedCopies.augmented_examples"]
    for key in ("slice", "materialized"):
        assert custom(built, "Tuner")[key] == custom(built, "Trainer")[key]


def test_variants_are_converted_between_the_gates_and_pusher_and_run_nothing_before_anew(tmp_path):
    def built(*assignments):
        asked = load.load("digits_mlp", list(assignments))
        return pipeline.build(settled.of(asked, Workspace.at(tmp_path), Start("image"), Located({}, "digest")))

    def keyed(of) -> dict:
        """What the cache's key has of each component."""
        nodes = {node.id: node for node in of.components}
        return {name: (inputs(of, name), dict(node.exec_properties)) for name, node in nodes.items() if hasattr(node, "spec")}

    plain, some = keyed(built()), keyed(built("export.variants=[int8, onnx]"))
    other = keyed(built("export.variants=[float16]", "export.max_loss={accuracy: 0.02}", "export.calibration=50"))
    assert list(some) == [*list(plain)[:-2], "Converter", "Pusher", "Reporter"]
    assert {name for name in plain if plain[name] != some[name]} == {"Pusher", "Reporter"}
    assert {name for name in some if some[name] != other[name]} == {"Converter", "Pusher", "Reporter"}  # who tell of the config
    assert some["Pusher"][0] == {
        "model": ["Converter.converted"],
        "model_blessing": ["Evaluator.blessing"],
        "infra_blessing": ["Converter.blessing"],
        "statistics": ["StatisticsGen.statistics"],
        "examples": ["ExampleGen.examples"],
        "evaluation": ["Evaluator.evaluation"],
        "anomalies": ["ExampleValidator.anomalies"],
    }
    assert some["Converter"][0] == {
        "model": ["Trainer.model"],
        "examples": ["ExampleGen.examples"],
        "model_blessing": ["Evaluator.blessing"],
        "infra_blessing": ["InfraValidator.blessing"],
    }
    read = json.loads(some["Converter"][1]["slice"])
    assert read == {"variants": ["int8", "onnx"], "max_loss": {}, "calibration": 100}
    assert "variants" not in custom(built("export.variants=[int8]"), "Trainer")["slice"]


@pytest.mark.parametrize(
    ("config", "assignment", "sentence"),
    [
        ("digits_lenet5", "export.crops={reflect: false}", "export.crops averages over parts"),
        ("digits_lenet5", "export.max_loss={mse: 1}", "'mse', which a converted model does not tell"),
    ],
)
def test_what_cannot_be_converted_is_refused_before_anything_starts(config, assignment, sentence, tmp_path):
    asked = load.load(config, ["export.variants=[int8]", assignment])
    with pytest.raises(UsageError, match=sentence):
        settled.of(asked, Workspace.at(tmp_path), Start("image"), Located({}, "digest"))
