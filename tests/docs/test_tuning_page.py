"""What the page on tuning says of commands, files, statuses and algorithms is so."""

import re
from pathlib import Path
from typing import get_args

import pytest

from configs import load
from configs.schema.tune import TuneConfig
from tests.docs.pages import ROOT
from tests.docs.test_pages import commands
from tests.pipelines.conftest import in_process
from tests.pipelines.test_tune import made_search
from tuner import records

PAGE = ROOT / "docs/tuning.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Path:
    """See tests.pipelines.test_tune."""
    return made_search(tmp_path_factory)


def first_column(title: str) -> list[str]:
    """Of the table whose head begins so."""
    lines = TEXT[TEXT.index(f"| {title} |") :].split("\n\n")[0].splitlines()[2:]
    return [line.split("|")[1].strip(" `") for line in lines]


def test_it_names_every_status_and_every_algorithm():
    assert sorted(first_column("status")) == sorted(get_args(records.Status))
    assert first_column("algorithm") == list(get_args(TuneConfig.model_fields["algorithm"].annotation))


def test_a_dry_run_that_is_shown_says_what_is_searched(tmp_path):
    shown = [words for words in commands(PAGE) if "--dry-run" in words and words[1] in load.names()]
    assert shown
    for words in shown:
        outcome = in_process(*words, "--workspace", tmp_path)
        assert outcome.code == 0, outcome.err
        assert "train.optimizer.learning_rate: " in outcome.out


def test_the_files_of_a_search_are_those_that_it_names(searched):
    [study] = records.studies(searched / "workspace/tuning/digits_mlp_tiny")
    named = re.findall(r"^workspace/tuning/NAME/FINGERPRINT/(\S+)", TEXT, re.MULTILINE)
    assert len(named) == 4
    assert all((study / name).exists() for name in named)


def test_the_json_has_what_it_names(searched):
    value = in_process("list", "trials", "digits_mlp_tiny", "--workspace", searched / "workspace", "--json").json
    [keys] = re.findall(r"`\{run, best: .*?trials: \[\{(.*?), \.\.\.\}\]\}`", TEXT)
    assert {*keys.split(", "), "spread", "executions", "curve", "epochs", "reason"} <= value["trials"][0].keys()
