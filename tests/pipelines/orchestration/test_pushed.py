"""Two models by turns under one name: what is said to be live is what TF Serving would answer with, the highest version."""

import pytest
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import pipeline
from tfx.types import standard_artifacts

from components.pusher.component import Pusher
from pipelines.orchestration import local
from pipelines.workspace.layout import Workspace
from serving import layout


@pytest.fixture
def place(tmp_path):
    for name in "AB":
        folder = Workspace.exported(tmp_path / name)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(f"the graph of {name}")
        (tmp_path / "blessings" / name).mkdir(parents=True)
    made = Workspace.at(tmp_path / "workspace")
    made.root.mkdir()
    return made


@pytest.fixture
def pushing(place, tmp_path):
    """The end of a pipeline that pushes what was trained and blessed by another stage."""

    def of(name: str, gone=()) -> pipeline.Pipeline:
        def imported(kind, folder, node):
            return Importer(str(folder), kind, custom_properties={"blessed": 1}).with_id(node)

        model = imported(standard_artifacts.Model, tmp_path / name, "Model")
        verdict = imported(standard_artifacts.ModelBlessing, tmp_path / "blessings" / name, "Verdict")
        gate = imported(standard_artifacts.InfraBlessing, tmp_path / "blessings" / name, "Gate")
        blessings = {"model_blessing": verdict.outputs["result"], "infra_blessing": gate.outputs["result"]}
        pusher = Pusher(model=model.outputs["result"], **blessings, base=place.served("both"), gone=list(gone))
        return pipeline.Pipeline(
            pipeline_name="both",
            pipeline_root=str(place.pipeline("both")),
            components=[model, verdict, gate, pusher],
            enable_cache=True,
            metadata_connection_config=local.stored_in(place.metadata),
        )

    return of


@pytest.fixture
def pushed(pushing):
    def run(name: str, **more) -> tuple[int, bool]:
        """The version that is said to be live, and whether that was found in the cache."""
        result = local.run(pushing(name, **more), lambda node: None, lambda result: None)["Pusher"]
        return int(result.property("pushed_model", "pushed_version")), result.cached

    return run


def live(place) -> tuple[int, str]:
    version, folder = max(layout.versions(place.served("both")).items())
    return version, (folder / "saved_model.pb").read_text()[-1]


def test_what_is_said_to_be_live_is(place, pushing, pushed):
    for number, name in enumerate("ABAB", 1):
        [planned] = [node for node in local.plan(pushing(name), place.metadata) if node["name"] == "Pusher"]
        assert not planned["cached"]
        assert pushed(name) == (number, False)
        assert live(place) == (number, name)
        [planned] = [node for node in local.plan(pushing(name), place.metadata) if node["name"] == "Pusher"]
        assert planned["cached"]
        assert pushed(name) == (number, True)  # what is live already is not pushed again
        assert live(place) == (number, name)
    assert len(layout.versions(place.served("both"))) == 4
    assert not list(place.pipeline("both").glob("*/.system/driver_execution/*"))


def test_what_was_pushed_by_hand_is_not_what_a_run_pushed(place, pushed):
    assert pushed("A") == (1, False)
    (place.served("both") / "7").mkdir()
    (place.served("both") / "7" / "saved_model.pb").write_text("the graph of C")
    assert pushed("A") == (8, False)
    assert live(place) == (8, "A")
