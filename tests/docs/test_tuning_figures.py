"""The tables of docs/tuning.md show what was measured, and the arithmetic of its benchmarks is right."""

import pytest

from benchmarks import record, tuner, tuner_results
from benchmarks.tuner import Searched


@pytest.mark.parametrize(("name", "module"), [("tuner", tuner), ("tuner_results", tuner_results)])
def test_the_tables_are_those_of_the_rows(name, module):
    assert record.table_in(module.PAGE, name) == module.table()


def _trial(worker, started, seconds):
    return {"worker": worker, "started": started, "seconds": seconds}


def test_one_worker_is_timed_from_its_first_trial_to_its_last():
    assert tuner.paced([_trial("a", 10.0, 4.0), _trial("a", 20.0, 5.0)]) == (10.0, 25.0, 2.0)


def test_two_workers_are_timed_while_both_have_trials():
    trials = [_trial("a", 0.0, 10.0), _trial("a", 10.0, 10.0), _trial("b", 5.0, 10.0), _trial("b", 15.0, 10.0)]
    assert tuner.paced(trials) == (5.0, 20.0, pytest.approx(0.5 + 1.0 + 1.0 + 0.5))


def test_ratios_are_of_one_round_and_the_difference_has_an_interval_over_rounds():
    ours = [Searched(100.0, 2.0, 0.1, 9.0, [{}]), Searched(300.0, 4.0, 0.3, 9.0, [{}])]
    theirs = [Searched(200.0, 1.0, 0.2, 3.0, [{}]), Searched(200.0, 4.0, 0.2, 3.0, [{}])]
    mine, other = tuner.rows_of("speed", {"hubel": ours, "theirs": theirs}, "theirs")
    assert (mine["ratio"], mine["ratio_min"], mine["ratio_max"], mine["cpu_ratio"]) == ("1.00", "0.50", "1.50", "1.50")
    assert (other["ratio"], other["cpu_ratio"], other["difference"]) == ("1.00", "1.00", "0.0000")
    assert mine["difference"] == "0.0000"
    assert float(mine["difference_high"]) == pytest.approx(12.7062 * 0.1, abs=1e-3)  # t of one degree of freedom, s / sqrt(2)


def test_means_are_of_the_seeds_that_have_both_networks(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    blank = {"low": 0, "high": 1, "trials": 4, "trained_epochs": 9, "wall_minutes": 1, "cpu_minutes": 1, "date": "2026-01-01"}
    rows = [
        {"config": "a", "budget": "b", "seed": seed, "network": network, "accuracy": accuracy, "params": params, **blank}
        for seed, network, accuracy, params in (
            (0, tuner_results.SHIPPED, 0.90, 100), (0, tuner_results.WINNER, 0.94, 80),
            (1, tuner_results.SHIPPED, 0.92, 100), (1, tuner_results.WINNER, 0.94, 80),
            (2, tuner_results.SHIPPED, 0.10, 100),
        )
    ]  # fmt: skip
    record.add("tuner_results", rows, tuner_results.KEYS)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tuner_results.table().splitlines()[2:]]
    assert len(lines) == len(rows) + 3
    assert [line[4].split()[0] for line in lines[-3:]] == ["**0.9100**", "**0.9400**", "**0.0300**"]
    assert [line[5] for line in lines[-3:]] == ["100", "80", "-20"]
