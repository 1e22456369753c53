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
from pipelines.orchestration import pipeline, settled
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
