"""Which version is stable, on whose word, and what TF Serving is told of it."""

import json
import re
import shutil

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from configs.errors import HubelError, UsageError
from serving import promotions


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


GRAPH = b"\x08\x01\x12\x00"  # a SavedModel with an empty graph


def appear(models, version, name="digits"):
    """A version as a push makes it appear."""
    with promotions.held(models, "a test"):
        promotions.pushed(models / name, version)
        lay(models, version, name)
        promotions.write(models)


def lay(models, version, name="digits"):
    """A version that nobody has put on record."""
    folder = models / name / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(GRAPH)


def told(models) -> dict:
    """What TF Serving reads: name -> (base path, versions, labels)."""
    config = text_format.Parse((models / "model.config").read_text(), model_server_config_pb2.ModelServerConfig())
    assert all(model.model_platform == "tensorflow" for model in config.model_config_list.config)
    return {
        model.name: (model.base_path, list(model.model_version_policy.specific.versions), dict(model.version_labels))
        for model in config.model_config_list.config
    }


def labels(models, name="digits") -> dict:
    return promotions.state(models / name).labels


def test_the_first_version_is_stable_and_each_later_one_a_canary_beside_it(models):
    appear(models, 1)
    assert told(models) == {"digits": (str(models / "digits"), [1], {"stable": 1})}
    appear(models, 2)
    assert told(models)["digits"][1:] == ([1, 2], {"stable": 1, "canary": 2})
    appear(models, 3)
    assert told(models)["digits"][1:] == ([1, 3], {"stable": 1, "canary": 3})
    appear(models, 1, "cable")
    assert list(told(models)) == ["cable", "digits"]


def test_promote_and_rollback_move_stable_and_each_change_is_on_record(models):
    for version in (1, 2):
        appear(models, version)
    change = promotions.promote(models / "digits", reason="two weeks at a tenth of the requests")
    assert (change.was, change.now, change.state.canary) == (1, 2, None)
    assert told(models)["digits"][1:] == ([1, 2], {"stable": 2})  # 1 stays loaded: a rollback must wait for nothing
    appear(models, 3)
    promotions.promote(models / "digits", 3)
    assert told(models)["digits"][1:] == ([2, 3], {"stable": 3})
    change = promotions.rollback(models / "digits")
    assert (change.was, change.now) == (3, 2)
    assert labels(models) == {"stable": 2}, "what was taken back is no canary"
    assert told(models)["digits"][1:] == ([1, 2], {"stable": 2})
    assert promotions.rollback(models / "digits").now == 1
    with pytest.raises(UsageError, match="nothing to roll digits back to: version 1 is stable"):
        promotions.rollback(models / "digits")
    kept = [(entry.by, entry.label, entry.version, entry.replaced) for entry in promotions.history(models)["digits"]]
    assert kept == [
        ("push", "stable", 1, None),
        ("push", "canary", 2, None),
        ("promote", "stable", 2, 1),
        ("push", "canary", 3, None),
        ("promote", "stable", 3, 2),
        ("rollback", "stable", 2, 3),
        ("rollback", "stable", 1, 2),
    ]
    assert promotions.history(models)["digits"][2].reason == "two weeks at a tenth of the requests"
    assert all(entry.when.startswith("20") for entry in promotions.history(models)["digits"])


def test_promoting_what_is_stable_already_is_no_change(models):
    appear(models, 1)
    before = (models / "promotions.json").read_bytes()
    (models / "model.config").unlink()
    change = promotions.promote(models / "digits", 1)
    assert (change.was, change.now) == (1, 1)
    assert (models / "promotions.json").read_bytes() == before
    assert told(models)["digits"][2] == {"stable": 1}, "it is written all the same"


def test_of_models_without_a_record_the_highest_is_stable_and_stays_so_at_the_next_push(models):
    for version in (1, 2, 5):
        lay(models, version)
    now = promotions.state(models / "digits")
    assert (now.labels, now.before, now.is_recorded) == ({"stable": 5}, 2, False)
    appear(models, 6)
    assert labels(models) == {"stable": 5, "canary": 6}
    assert promotions.rollback(models / "digits").now == 2
    assert [entry.by for entry in promotions.history(models)["digits"]] == ["earlier"] * 3 + ["push", "rollback"]


def test_a_rollback_may_be_the_first_thing_on_record(models):
    for version in (1, 2):
        lay(models, version)
    change = promotions.rollback(models / "digits")
    assert (change.was, change.now) == (2, 1)
    assert labels(models) == {"stable": 1}


def test_a_version_that_nobody_put_on_record_answers_nobody_before_it_is_promoted(models):
    appear(models, 1)
    lay(models, 7)
    assert labels(models) == {"stable": 1}
    with pytest.raises(UsageError, match="digits has no canary to promote: version 1 is stable"):
        promotions.promote(models / "digits")
    assert promotions.promote(models / "digits", 7).was == 1
    assert told(models)["digits"][1:] == ([1, 7], {"stable": 7})


def test_a_stable_version_that_was_deleted_by_hand_falls_back_to_the_one_before_in_words(models):
    for version in (1, 2):
        appear(models, version)
    promotions.promote(models / "digits")
    appear(models, 3)
    shutil.rmtree(models / "digits/2")
    now = promotions.state(models / "digits")
    assert (now.labels, now.missing) == ({"stable": 1, "canary": 3}, 2)
    assert now.remarks("digits") == [
        "Version 2 of digits is on record as stable and is not there any more. Version 1, which was before it, is stable now."
    ]
    shutil.rmtree(models / "digits/1")
    [remark] = promotions.state(models / "digits").remarks("digits")
    assert "No version is stable now: `hubel promote digits/VERSION`" in remark
    assert labels(models) == {"canary": 3}, "what nobody promoted does not become stable by a deletion"


def test_a_number_that_is_free_again_is_of_another_model(models):
    for version in (1, 2):
        appear(models, version)
    promotions.promote(models / "digits")
    shutil.rmtree(models / "digits/2")
    appear(models, 2)
    assert labels(models) == {"stable": 1, "canary": 2}


def test_a_rollback_passes_over_what_is_not_there_and_says_so(models):
    for version in (1, 2, 3):
        appear(models, version)
        promotions.promote(models / "digits", version)
    shutil.rmtree(models / "digits/2")
    change = promotions.rollback(models / "digits")
    assert (change.was, change.now, change.skipped) == (3, 1, (2,))


def test_a_model_whose_folder_was_deleted_is_not_told_to_the_server_and_comes_back_as_new(models):
    appear(models, 1)
    appear(models, 1, "cable")
    shutil.rmtree(models / "digits")
    with promotions.held(models, "a test"):
        promotions.write(models)
    assert list(told(models)) == ["cable"]
    appear(models, 1)
    assert labels(models) == {"stable": 1}


def test_what_is_above_stable_and_taken_back_is_not_loaded(models):
    for version in (1, 2):
        appear(models, version)
    promotions.promote(models / "digits", 2)
    promotions.promote(models / "digits", 1)
    assert told(models)["digits"][1:] == ([1], {"stable": 1})
    assert promotions.state(models / "digits").kept == {1, 2}
    assert promotions.rollback(models / "digits").now == 2


@pytest.mark.parametrize("record", ["{", "[]", '{"digits": [{"label": "stable"}]}', '{"digits": 3}'])
def test_a_record_that_cannot_be_read_is_said_and_nothing_is_taken_for_stable(models, record):
    appear(models, 1)
    (models / "promotions.json").write_text(record)
    for ask in (promotions.state, promotions.promote, lambda base: promotions.pushed(base, 2)):
        with pytest.raises(HubelError, match=r"promotions\.json, cannot be read") as caught:
            ask(models / "digits")
        assert "move it away" in caught.value.hint
    assert (models / "promotions.json").read_text() == record


def test_who_finds_the_lock_held_waits_and_then_says_by_whom(models):
    models.mkdir()
    with promotions.held(models, "a push of digits"):
        assert promotions.is_held(models)
        with pytest.raises(HubelError, match=r"being changed by `a push of digits` \(process"), promotions.held(models, "x", 0.05):
            pass
    assert not promotions.is_held(models)


def test_a_container_sees_another_path_and_a_relative_one_is_refused(models):
    appear(models, 1)
    config = text_format.Parse(promotions.text(models, "/models/"), model_server_config_pb2.ModelServerConfig())
    assert [model.base_path for model in config.model_config_list.config] == ["/models/digits"]
    with pytest.raises(UsageError, match="not absolute"):
        promotions.text(models, "models")


def test_no_model_is_a_config_too(models):
    assert text_format.Parse(promotions.text(models), model_server_config_pb2.ModelServerConfig()).HasField("model_config_list")


@pytest.mark.parametrize(
    ("model", "version"), [("digits", None), ("digits/2", 2), ("digits/9", 9), ("{models}/digits", None), ("{models}/digits/1", 1)]
)
def test_a_model_is_named_or_its_path_is_given(models, model, version):
    for each in (1, 2):
        appear(models, each)
    asked = model.format(models=models)
    elsewhere = models if asked == model else models / "elsewhere"
    assert promotions.base_of(asked, elsewhere) == (models / "digits", version)


@pytest.mark.parametrize("model", ["dogs", "dogs/1", "digits/x", "/1", "/", "3"])
def test_a_model_that_is_not_there_is_refused_with_those_that_are(models, model):
    appear(models, 1)
    with pytest.raises(UsageError, match="There is no served model") as caught:
        promotions.base_of(model, models)
    assert caught.value.hint == "There: digits."


def test_a_version_that_is_not_there_is_refused_with_those_that_are(models):
    appear(models, 1)
    with pytest.raises(UsageError, match="no version 9 of digits") as caught:
        promotions.promote(models / "digits", 9)
    assert caught.value.hint == "There are: digits/1."
    assert json.loads((models / "promotions.json").read_text())["digits"][-1]["by"] == "push"


def whole(models, version, name="digits"):
    """A version with its variables, as hubel exports it."""
    appear(models, version, name)
    folder = models / name / str(version)
    (folder / "variables").mkdir()
    (folder / "variables" / "variables.index").write_text("index")
    (folder / "variables" / "variables.data-00000-of-00001").write_text("weights")
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra" / "hubel.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: shutil.rmtree(folder / "variables"), "variables/ is missing"),
        (lambda folder: (folder / "variables/variables.index").unlink(), "variables/variables.index is missing"),
        (
            lambda folder: (folder / "variables/variables.data-00000-of-00001").unlink(),
            "a file variables/variables.data-* is missing",
        ),
        (lambda folder: (folder / "variables/variables.index").write_text(""), "variables/variables.index is empty"),
        (lambda folder: (folder / "saved_model.pb").write_text(""), "saved_model.pb is empty"),
    ],
    ids=["variables", "index", "shard", "empty index", "empty graph"],
)
def test_a_damaged_version_is_not_promoted_and_nothing_rolls_back_to_it(models, spoil, why):
    first, second = whole(models, 1), whole(models, 2)
    before = (models / "model.config").read_text()
    spoil(second)
    with pytest.raises(UsageError) as caught:
        promotions.promote(models / "digits")
    assert caught.value.message == f"Version 2 of digits is damaged: {why}. Nothing was changed."
    assert caught.value.hint == "These are not: digits/1; or push it again."
    assert (models / "model.config").read_text() == before
    assert labels(models) == {"stable": 1, "canary": 2}
    shutil.copytree(first, second, dirs_exist_ok=True)
    promotions.promote(models / "digits")
    spoil(first)
    with pytest.raises(UsageError, match=f"Version 1 of digits is damaged: {re.escape(why)}"):
        promotions.rollback(models / "digits")
    assert labels(models) == {"stable": 2}


def test_a_version_without_its_graph_is_damaged(models):
    whole(models, 1)
    (whole(models, 2) / "saved_model.pb").unlink()
    with pytest.raises(UsageError, match=r"Version 2 of digits is damaged: saved_model\.pb is missing"):
        promotions.promote(models / "digits", 2)
