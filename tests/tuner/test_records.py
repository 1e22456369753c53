"""What a search leaves: written whole, read as it was, ranked by its objective."""

import json
import math
import os

import pytest

from configs.errors import HubelError
from tuner import contract, records
from tuner.records import StudyRecord, TrialRecord


def study(**changed):
    objective = [{"name": "val_accuracy", "direction": "max", "weight": 1.0}]
    told = {
        "config": "digits",
        "algorithm": "random",
        "objective": objective,
        "space": {},
        "seed": 0,
        "fingerprint": "a",
        "started": 5.0,
    }
    return StudyRecord.model_validate({**told, **changed})


def trial(trial_id, value=None, status="completed", **more):
    return TrialRecord(id=trial_id, values={"train.batch_size": 32}, status=status, value=value, **more)


def test_what_is_written_is_read_as_it_was_in_the_order_of_creation(tmp_path):
    second = trial("0001", 0.5, curve=[{"loss": 1.5}, {"loss": math.inf}], executions=[0.25, 0.75], spread=0.35, reason="a\nb")
    records.write_study(tmp_path, study())
    records.write_trial(tmp_path, second)
    records.write_trial(tmp_path, trial("0000", status="running"))
    (tmp_path / "trials/.1-0002.json").write_text("{")  # as a kill leaves it
    asked, [first, again] = records.read(tmp_path)
    assert asked == study()
    assert first == trial("0000", status="running")
    assert again.model_copy(update={"curve": second.curve}) == second
    assert [list(figures) for figures in again.curve] == [["loss"], ["loss"]]
    assert again.curve[0]["loss"] == 1.5
    assert math.isnan(again.curve[1]["loss"]), "what is no number is null in JSON"
    json.loads((tmp_path / "trials/0001.json").read_text(), parse_constant=pytest.fail)


def test_what_a_diverged_trial_came_to_is_told_as_strict_json(tmp_path):
    records.write_study(tmp_path, study())
    records.write_trial(tmp_path, trial("0000", status="failed", executions=[math.nan], curve=[{"val_loss": math.inf}]))
    [told] = json.loads(json.dumps(contract.of(tmp_path), allow_nan=False))["trials"]
    assert (told["executions"], told["curve"]) == ([None], [{"val_loss": None}])


def test_a_key_of_a_later_hubel_is_passed_over_and_a_damaged_file_is_named(tmp_path):
    records.write_study(tmp_path, study())
    records.write_trial(tmp_path, trial("0000", 1.0))
    path = tmp_path / "trials/0000.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "later": 1}))
    assert records.read_trial(tmp_path, "0000") == trial("0000", 1.0)
    path.write_text(path.read_text()[:20])
    with pytest.raises(HubelError, match=r"trials/0000\.json is damaged"):
        records.read(tmp_path)
    with pytest.raises(HubelError, match=r"There is no .*0007\.json"):
        records.read_trial(tmp_path, "0007")


def test_the_best_is_the_furthest_in_the_direction_of_those_that_were_trained_to_their_end():
    trials = [trial("0", 0.5), trial("1", 0.9, "pruned", budget=9), trial("2", 0.75), trial("3", 0.9, "failed")]
    trials += [trial("4", math.nan), trial("5", 0.75), trial("6", 0.8, short=True, budget=9)]
    trials += [trial("7", 0.99, short=True, budget=3), trial("8", 1.0, hint=True, origin="b")]
    assert [ranked.id for ranked in records.ranking(study(), trials)] == ["2", "5", "0", "1", "6", "7"]
    assert records.best(study(), trials[6:]).id == "6", "of more epochs than the other, though less"
    assert [early.id for early in records.better_but_short(study(), trials)] == ["1", "6", "7"]
    assert records.best(study(), trials[-1:]) is None, "what was reached elsewhere is no answer"
    assert [told.id for told in contract.ordered(study(), trials)] == ["2", "5", "0", "1", "6", "7", "3", "4", "8"]
    down = study(objective=[{"name": "val_loss", "direction": "min", "weight": 1.0}])
    assert records.best(down, trials).id == "0"
    both = study(objective=[{"name": n, "direction": "max", "weight": 1.0} for n in ("val_accuracy", "val_auc")])
    assert (both.direction, both.objective_name) == ("min", "objective")
    assert records.best(study(), trials[3:5]) is None


def test_what_a_search_has_spent_is_the_time_in_which_a_trial_ran():
    spans = [(0, 10), (5, 10), (20, 5), (21, 2)]
    trials = [trial(str(n), 1.0, started=begin, seconds=seconds, epochs=2) for n, (begin, seconds) in enumerate(spans)]
    elsewhere = trial("9", 1.0, started=100, seconds=50, epochs=7, origin="another")
    assert records.spent([*trials, elsewhere, trial("8", status="running", started=60)]) == 20
    assert records.trained_epochs([*trials, elsewhere]) == 8
    assert records.counts([*trials, elsewhere, trial("8", status="running")]) == {
        "completed": 4,
        "pruned": 0,
        "failed": 0,
        "running": 1,
    }


def test_the_study_that_was_worked_on_last_comes_first(tmp_path):
    for name, worked_on in {"a": 30, "b": 10, "c": 20}.items():
        records.write_study(tmp_path / name, study(fingerprint=name))
        os.utime(tmp_path / name / "study.json", (0, 0))
        records.write_trial(tmp_path / name, trial("0000", 1.0))
        os.utime(tmp_path / name / "trials/0000.json", (worked_on, worked_on))
    (tmp_path / "nothing").mkdir()
    assert [folder.name for folder in records.studies(tmp_path)] == ["a", "c", "b"]
    assert records.studies(tmp_path / "none") == []
