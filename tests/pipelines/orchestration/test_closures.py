"""What an edit costs: each stage depends on the modules that its list in closures/ names, and runs again for no others."""

from collections import defaultdict
from pathlib import Path

import pytest

from components import fingerprint
from configs import schema
from tests.pipelines.orchestration import closures

JUDGES = ("components.evaluator", "components.tasks.judges")


@pytest.fixture(scope="module")
def stages() -> closures.Stages:
    return closures.stages()


def test_each_stage_depends_on_what_its_list_names(stages):
    new, gone = defaultdict(list), defaultdict(list)
    for stage in stages:
        known, named = closures.modules(stage, stages), set(closures.written(stage))
        for module in known - named:
            new[module].append(stage)
        for module in named - known:
            gone[module].append(stage)
    problems = [f"{path.name} is of no stage" for path in closures.FOLDER.glob("*.txt") if path.stem not in stages]
    problems += [f"{name} is new in {', '.join(of)}: {closures.chain(name, stages[of[0]])}" for name, of in sorted(new.items())]
    problems += [f"{name} is gone from {', '.join(of)}" for name, of in sorted(gone.items())]
    assert not problems, "\n".join(
        ["An edit of a module runs each stage again that depends on it.", *problems, f"If that is meant: {closures.ACCEPT}"]
    )


def test_evaluator_and_converter_alone_depend_on_how_models_are_judged(stages):
    for stage, entries in stages.items():
        judging = {name for name in closures.modules(stage, stages) if name.startswith(JUDGES)}
        assert not judging or entries[0] in ("components.evaluator.component", "components.converter.component"), (
            f"{stage} depends on {sorted(judging)}"
        )


def test_no_stage_depends_on_the_config_as_a_whole(stages):
    assert not [stage for stage in stages if {"configs.schema.run", "configs.load"} & closures.modules(stage, stages)]


CHOOSES_BY_NAME = {  # module that imports what it is told -> how the digest hears of that
    "components.example_gen.sources": "the source's module is among those that ExampleGen's digest starts from",
    "components.inputs": "module_of and storing_module_of, among those that digests start from",
    "components.trainer.by_name": "modules_of, as well; doubts and looks change no model, and no digest has them",
    "components.tasks.by_name": "modules_of, among those that digests start from",
    "keras_models.building": "a network's module, among those that digests start from",
    "keras_models.layers": "models import a layer from its file; of one in a file, see settled.sources_of",
    "keras_models.published": "Keras's own",
    "serving.answers": "stages ask it for names alone",
    "serving.protos": "TensorFlow Serving's own",
    "serving.server.rest.schemas": "a docstring, for a description that InfraValidator does not ask for",
    "tuner.worker": "what a trial is: tuner.trial, which it imports; another is named by tests alone",
}


def test_what_is_imported_by_its_name_is_told_to_the_digest(stages):
    """Which sees import statements alone: an edit of what importlib imports would be served from the cache."""
    every = set().union(*(closures.modules(stage, stages) for stage in stages))
    assert {name for name in every if "import_module" in fingerprint._source(name).read_text()} == CHOOSES_BY_NAME.keys()


@pytest.fixture(scope="module")
def unedited(stages) -> dict[str, str]:
    """Digest of each stage."""
    return _digests(stages)


@pytest.fixture
def edited(stages, unedited, tmp_path, monkeypatch):
    """Stages whose digest changes with an edit: of a copy, the file of a module -> what is added at its end, or put in a place."""
    source, copies = fingerprint._source, {}
    monkeypatch.setattr(fingerprint, "_source", lambda name: copies.get(name) or source(name))

    def edit(module: str, added: str, after: str = "") -> set[str]:
        copy = tmp_path / f"{module}.py"
        text = source(module).read_text()
        assert after in text
        place = text.index(after) + len(after) if after else len(text)
        copy.write_text(f"{text[:place]}{added}{text[place:]}")
        copies[module] = copy
        return {stage for stage, digest in _digests(stages).items() if digest != unedited[stage]}

    return edit


def _digests(stages: closures.Stages) -> dict[str, str]:
    return {stage: fingerprint.of(*entries) for stage, entries in stages.items()}


def test_an_edited_baseline_runs_what_judges_again_and_nothing_else(edited):
    assert edited("components.evaluator.kernel_pca", "\nPOWER = 2\n") == {
        "evaluator.reconstruction",
        "evaluator.denoising",
        "evaluator.variational",
        "evaluator.anomaly",
        "converter.reconstruction",  # the judge's file is one
    }


@pytest.mark.parametrize("judge", ["judges.reconstruction.judge", "judges.reconstruction.principal"])
def test_an_edited_judge_runs_what_judges_again_and_nothing_else(edited, judge):
    assert {stage.split(".")[0] for stage in edited(f"components.tasks.{judge}", "\nMARGIN = 2\n")} == {"evaluator", "converter"}


def test_a_task_trains_its_own_models_again_and_no_others(edited):
    again = edited("components.tasks.classification", "\nRATE = 2\n")
    assert {"trainer.classification", "evaluator.classification", "infra_validator.classification"} <= again
    assert {stage.split(".")[-1] for stage in again} == {"classification", "transferred"}  # which is served as a classifier


@pytest.mark.parametrize(
    ("part", "having"),
    [
        ("transfer", {"transferred"}),
        ("shots", {"transferred"}),
        ("pretrain", {"pretrained"}),
        ("doubts", set()),
        ("event_files.looks", set()),
    ],
)
def test_what_few_trainings_have_trains_those_again_and_no_others(edited, part, having):
    assert edited(f"components.trainer.{part}", "\nRATE = 2\n") == {f"trainer.{name}" for name in having}


def test_an_ensemble_alone_has_members(stages):
    assert not [stage for stage in stages if "components.trainer.members" in closures.modules(stage, stages)]


def test_what_is_learned_trains_again(edited):
    assert {"trainer.reconstruction", "evaluator.reconstruction", "infra_validator.reconstruction"} <= edited(
        "components.tasks.reconstruction.task", "\nRATE = 2\n"
    )


def test_a_new_key_of_another_topic_runs_nothing_again(edited, tmp_path):
    """As a `serve:` would be: a topic of its own, and a key of RunConfig; and a key of `push`, which no stage reads."""
    key = '    served: bool = Field(True, description="whether")\n'
    assert edited("configs.schema.run", "    serve: dict = {}\n", "    beam: BeamConfig = BeamConfig()\n") == set()
    assert edited("configs.schema.push", key) == set()


TRAINED = {"trainer", "tuner", "evaluator", "infra_validator", "converter"}
READ_BY = {  # topic of configs/schema -> the stages that read it
    "anomaly": TRAINED,
    "augment": {*TRAINED, "transform"},  # AugmentedCopies is transform.copies
    "base": {"example_gen", "transform", *TRAINED},
    "beam": set(),
    "card": set(),
    "data": {"example_gen"},
    "evaluate": {"evaluator"},
    "export": TRAINED,
    "model": TRAINED,
    "push": set(),
    "reading": {"example_gen", "transform", *TRAINED},
    "run": set(),
    "text": {"transform", *TRAINED},
    "train": TRAINED,
    "transfer": TRAINED,
    "transform": {"transform", *TRAINED},
    "tune": {"tuner"},
    "variants": {"converter"},
}


@pytest.mark.parametrize("topic", READ_BY)
def test_a_new_key_runs_the_stages_again_that_read_its_topic(edited, topic):
    assert {stage.split(".")[0] for stage in edited(f"configs.schema.{topic}", "\nADDED = 1\n")} == READ_BY[topic]


def test_every_topic_has_its_readers_written_down():
    assert {path.stem for path in Path(schema.__path__[0]).glob("*.py")} - {"__init__"} == READ_BY.keys()
