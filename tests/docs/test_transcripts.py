"""The pages that go from images to a model: their commands run in their order and answer as the page says; levers can be set."""

import re

import pytest

from benchmarks import page_transcripts
from configs import load
from tests.docs.pages import ROOT
from tests.docs.test_anomalies_page import ANOMALIES
from tests.docs.transcripts import answers_as_it_says

page = pytest.mark.parametrize("path", page_transcripts.PAGES, ids=lambda path: path.name)


@page
def test_every_transcript_of_the_page_is_run(path):
    text = path.read_text(encoding="utf-8")
    blocks = page_transcripts.blocks(text)
    assert blocks
    assert len(blocks) == text.count("```console")
    assert all(block.startswith("$ ") for block in blocks)
    shown = [line for block in blocks for line in block.splitlines() if line.startswith("$ hubel ")]
    assert {line.split()[2] for line in shown} >= {"init", "run"}


def marked(command: str, code: int = 0) -> str:
    """A page of one transcript."""
    return f"<!-- transcript{f': exits {code}' if code else ''} -->\n```console\n$ {command}\nas it was\n```\n"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("echo a; echo b >&2", 0, ["a", "b"]),
        ("exit 3", 3, []),
        ("echo $HUBEL_WORKSPACE; pwd", 0, ["/home/you/workspace", "/home/you"]),
    ],
)
def test_a_command_is_run_in_the_folder(command, code, words, tmp_path):
    [(old, new)] = page_transcripts.answers(marked(command, code), tmp_path)
    assert old == f"$ {command}\nas it was\n"
    assert new.splitlines() == [f"$ {command}", *words]


@pytest.mark.parametrize(("command", "code"), [("false", 0), ("exit 3", 2), ("true", 3), ("false | cat", 0)])
def test_a_command_that_ends_otherwise_is_no_transcript(command, code, tmp_path):
    with pytest.raises(AssertionError, match="ended with"):
        list(page_transcripts.answers(marked(command, code), tmp_path))


def test_each_lever_is_a_key_that_can_be_set():
    section = (ROOT / "docs/own_images.md").read_text(encoding="utf-8").partition("## The figure is poor, now what")[2]
    levers = re.findall(r"`([a-z_]+(?:\.[a-z_]+)*=[^`]+)`", section)
    assert len(levers) >= 10
    for lever in levers:
        load.load("digits_lenet5", [lever])
    known = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    keys = {code for code in re.findall(r"`([a-z_]+\.[a-z_.]+)`", section) if not code.endswith(".yaml")}
    assert keys
    assert not [key for key in keys if f"`{key}`" not in known and not key.startswith("model.options.")]


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w.]+\.md)(?:#[\w-]+)?\)", index))
    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert "docs/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.whole
@pytest.mark.timeout(1200)  # several runs, one after another
@pytest.mark.parametrize("path", [path for path in page_transcripts.PAGES if path != ANOMALIES], ids=lambda path: path.name)
def test_each_command_runs_and_answers_as_the_page_says(path, tmp_path):
    answers_as_it_says(path, tmp_path)
