"""A pushed version carries its model card in both forms: what the artifacts say, nothing rounded; and it tells no models apart."""

import itertools
import json

import pytest
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import pipeline
from tfx.types import standard_artifacts

from components import keys, progress
from components.pusher import publish, remote
from components.pusher.component import Pusher
from configs import load
from pipelines.orchestration import local
from pipelines.workspace.layout import Workspace
from reports import model_card, model_card_page
from serving import layout
from tests.reports.cards import RUN, TECHNICAL, known

OF_EVALUATION = (keys.METRICS, keys.INTERVALS, keys.SLICES, keys.DIFFERENCES)


@pytest.fixture
def place(tmp_path):
    folder = Workspace.exported(tmp_path / "model")
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("a graph")
    (folder / keys.CARD_IN_EXPORT).write_text(json.dumps(TECHNICAL))
    (tmp_path / "examples" / "duplicates").mkdir(parents=True)
    twins = [{"split": "train", "id": "a.png"}, {"split": "test", "id": "b.png"}]
    (tmp_path / "examples" / "duplicates" / "0.jsonl").write_text(json.dumps({"images": twins}))
    made = Workspace.at(tmp_path / "workspace")
    made.root.mkdir()
    return made


@pytest.fixture
def push(place, tmp_path):
    seconds = itertools.count()

    def run(owner: str, accuracy: float = RUN["metrics"]["accuracy"]) -> bool:
        """The end of a pipeline, whose first stages are stood in for by the artifacts that they would write. Whether Pusher was
        found in the cache."""

        def imported(kind, name, **properties):
            (tmp_path / name).mkdir(exist_ok=True)
            written = {key: value if isinstance(value, int) else json.dumps(value) for key, value in properties.items()}
            return Importer(str(tmp_path / name), kind, custom_properties=written).with_id(name.title())

        of_evaluation = {name: RUN[name] for name in OF_EVALUATION} | {"metrics": {**RUN["metrics"], "accuracy": accuracy}}
        of_examples = {"counts": RUN["images"], "classes": RUN["classes"], "quarantined": {"torn": 2}, "duplicates": 1}
        nodes = {
            "model": imported(standard_artifacts.Model, "model"),
            "model_blessing": imported(standard_artifacts.ModelBlessing, "verdict", blessed=1, missed=[]),
            "infra_blessing": imported(standard_artifacts.InfraBlessing, "gate", blessed=1),
            "evaluation": imported(standard_artifacts.ModelEvaluation, "evaluation", **of_evaluation),
            "examples": imported(standard_artifacts.Examples, "examples", **of_examples),
            "anomalies": imported(standard_artifacts.ExampleAnomalies, "anomalies", drift={"label": 0.5}, skew={}),
        }
        config = load.load("digits_lenet5", [f"card.owner={owner}"]).model_dump(mode="json")
        described = {"config": config, "terms": {"citation": "Somebody 1998"}, "starts_from": [], "data_digest": "d1"}
        channels = {name: node.outputs["result"] for name, node in nodes.items()}
        pusher = Pusher(**channels, base=place.served("signs"), gone=[], described=described)
        built = pipeline.Pipeline(
            pipeline_name="signs",
            pipeline_root=str(place.pipeline("signs")),
            components=[*nodes.values(), pusher],
            enable_cache=True,
            metadata_connection_config=local.stored_in(place.metadata),
        )
        result = local.run(built, lambda node: None, lambda result: None, run=f"20260101-12000{next(seconds)}")["Pusher"]
        assert result.property("pushed_model", "pushed") == 1
        return result.cached

    return run


def carried(place, version=1) -> dict:
    return json.loads((place.served("signs") / str(version) / model_card.FILE).read_text())


def test_a_pushed_version_carries_what_the_artifacts_say(place, push):
    assert not push("ada")
    card = carried(place)
    assert card["quantitative_analyses"]["overall"] == {"metrics": RUN["metrics"], "intervals": RUN["intervals"]}
    assert card["quantitative_analyses"]["slices"] == RUN["slices"]
    assert card["training_data"]["by_class"] == RUN["classes"]
    assert card["training_data"]["leakage"]["images"] == 2
    assert card["training_data"]["citation"] == "Somebody 1998"
    assert (card["model_details"]["name"], card["model_details"]["version"], card["model_details"]["owner"]) == ("signs", 1, "ada")
    lineage, digest = card["model_details"]["lineage"], publish.content(place.exported(place.root.parent / "model"))
    assert (lineage["run"], lineage["model_sha256"]) == ("20260101-120000", digest)
    assert set(lineage["artifacts"]) == {"model", "model_blessing", "infra_blessing", "evaluation", "examples", "anomalies"}
    assert {"python", "tensorflow", "keras"} <= card["model_details"]["software"].keys()
    assert {"leakage", "quarantined", "drift", "few_examples"} <= {caveat["kind"] for caveat in card["caveats"]}
    assert card["verdict"]["blessed"] is True
    assert card["not_on_record"] == []
    assert (place.served("signs") / "1" / model_card.PAGE).read_text() == model_card_page.html(card)


def test_a_changed_card_pushes_no_equal_model_again_and_is_the_live_one_s(place, push):
    push("ada")
    assert push("ada"), "nothing has changed, whatever the run is called"
    assert carried(place)["model_details"]["lineage"]["run"] == "20260101-120000"
    assert not push("grace")
    assert not push("grace", accuracy=0.75)
    assert list(layout.numbered(place.served("signs"))) == [1]
    card = carried(place)
    assert card["model_details"]["owner"] == "grace"
    assert card["quantitative_analyses"]["overall"]["metrics"]["accuracy"] == 0.75
    assert "grace" in (place.served("signs") / "1" / model_card.PAGE).read_text()


def test_a_mistake_in_the_card_is_said_and_holds_up_no_push(place, push, tmp_path):
    (place.exported(tmp_path / "model") / keys.CARD_IN_EXPORT).write_text("{")
    said = []
    with progress.listening(said.append):
        push("ada")
    assert ["without its model card" in event["text"] for event in said if event["event"] == "warning"] == [True]
    assert list(layout.versions(place.served("signs"))) == [1]
    assert not (place.served("signs") / "1" / model_card.FILE).exists()


@pytest.mark.parametrize("is_away", [False, True])
def test_files_that_tell_of_a_version_appear_with_it_and_tell_no_models_apart(model, tmp_path, is_away):
    base = f"file://{tmp_path}/away/signs" if is_away else tmp_path / "away" / "signs"
    told = []

    def described(version, is_new):
        told.append((version, is_new))
        return {model_card.FILE: f"card {len(told)}", model_card.PAGE: model_card_page.html(model_card.of(known()))}

    file = tmp_path / "away" / "signs" / "1" / model_card.FILE
    assert publish.push(model, base, described=described) == (1, True)
    assert file.read_text() == "card 1"
    assert publish.push(model, base, described=described) == (1, False)
    assert file.read_text() == "card 2"
    assert told == [(1, True), (1, False)]
    assert publish.push(model, base) == (1, False)
    assert file.read_text() == "card 2"
    assert [name for name in remote._listed(str(tmp_path / "away/signs/1/assets.extra")) if name.startswith(".")] == []
