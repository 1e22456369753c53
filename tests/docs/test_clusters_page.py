"""What the page on searches by several machines says of times, of the manifest and of its own commands is so."""

import re
import string

import pytest
import yaml

from configs import load
from pipelines.command_line import tuning_commands
from tests.docs.pages import ROOT
from tests.docs.test_pages import commands, fences, verb
from tuner import chief, far, oracle, roles, worker

PAGE = ROOT / "docs/clusters.md"
TEXT = PAGE.read_text(encoding="utf-8")
MANIFEST = (ROOT / "deploy/tune.yaml").read_text(encoding="utf-8")


@pytest.fixture
def config(tmp_path) -> str:
    """The config that the page shows, in a file."""
    [shown] = fences(PAGE, "yaml")
    (tmp_path / "search.yaml").write_text(shown)
    return str(tmp_path / "search.yaml")


def parsed(words: list[str]) -> dict:
    """What `hubel tune` makes of words; raises where it would refuse them."""
    command, rest = verb(tuple(words))
    return command.make_context("tune", list(rest)).params


def test_the_times_are_those_that_hold():
    assert (oracle.SILENCE, worker.WAIT, worker.BEAT, chief.LINGER, far.MOST_DEATHS) == (120, 3600, 10, 15, 3)
    assert worker.SAID < 10
    for words in (
        "**two minutes**",
        "**an hour**",
        "**ten seconds**",
        "**15 seconds**",
        "sign of life every ten seconds",
        "dies three times",
    ):
        assert words in TEXT


def test_chief_and_worker_of_the_page_are_given_one_config_and_one_workspace(config):
    roles_shown = [words for words in commands(PAGE) if "--role" in words and "..." not in words]
    assert [parsed(words)["role"] for words in roles_shown] == ["chief", "worker"]
    for words in roles_shown:
        asked = parsed(words)
        tuning_commands.check_role(asked["role"], asked["address"], asked["workers"])
    assert len({(parsed(words)["config"], parsed(words)["workspace"], parsed(words)["address"]) for words in roles_shown}) == 1
    tuning_commands.check(config, load.load(config))  # says what is searched
    [listed] = [words for words in commands(PAGE) if words[:2] == ["list", "trials"]]
    assert listed[2] == load.load(config).name


def test_the_manifest_is_filled_in_as_its_head_and_the_page_say(config):
    [line] = [line for block in fences(PAGE, "sh") for line in block.splitlines() if "envsubst" in line]
    assert f"#   {line}\n" in MANIFEST
    given = dict(re.findall(r"(\w+)=(\S+)", line.partition("envsubst")[0]))
    assert given.keys() == set(re.findall(r"\$\{(\w+)\}", MANIFEST))
    assert re.findall(r"^\| `([A-Z]+)` \|", TEXT, re.MULTILINE) == list(given)
    parts = list(yaml.safe_load_all(string.Template(MANIFEST).substitute({**given, "CONFIG": config})))
    told = [container["command"] for part in parts[1:] for container in part["spec"]["template"]["spec"]["containers"]]
    for words in told:
        asked = parsed(words[1:])
        tuning_commands.check_role(asked["role"], asked["address"], asked["workers"])
        tuning_commands.check(asked["config"], load.load(asked["config"], asked["assignments"]))
    labels = [part["spec"]["template"]["metadata"]["labels"]["app"] for part in parts[1:]]
    assert all(f"`app: {label}`" in TEXT for label in labels)


def test_without_a_role_nothing_listens_but_at_this_machine():
    assert chief.ALONE == "127.0.0.1:0"
    assert roles.chief_address() is None
