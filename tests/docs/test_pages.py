"""What the documents name is there: commands and their options, files, links, config keys."""

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from components.example_gen import sources
from configs import load
from configs.schema.run import RunConfig
from pipelines.command_line.commands import cli
from tests.docs.pages import PAGES, ROOT, examples

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def fences(path: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(path.read_text(encoding="utf-8")) if language in languages]


def inline(path: Path) -> list[str]:
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(path))]


def commands(path: Path) -> list[list[str]]:
    """The words after `hubel` of every command that a document shows."""
    lines = [line.removeprefix("$ ") for block in fences(path, "sh", "console") for line in block.splitlines()]
    written = [shlex.split(line, comments=True) for line in [*lines, *inline(path)] if re.match(r"(\.venv/bin/)?hubel ", line)]
    return [words[1:] for words in written]


EVERY_COMMAND = sorted({tuple(words) for path in PAGES for words in commands(path)})


def verb(words: tuple[str, ...]) -> tuple[click.Command, list[str]]:
    """The command that words name, and the words after its name."""
    command, rest = cli, list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"hubel has no {' '.join(words)}"
        command = command.commands[rest.pop(0)]
    return command, rest


def test_commands_are_found_at_all():
    assert {"run", "list", "show", "predict", "gc", "doctor"} <= {words[0] for words in EVERY_COMMAND}


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_a_command_that_is_named_parses(words):
    command, rest = verb(words)
    needs_more = any(isinstance(parameter, click.Argument) and parameter.required for parameter in command.params) and not rest
    if not isinstance(command, click.Group) and not needs_more:
        command.make_context(" ".join(words), list(rest))


def test_every_verb_has_help_and_is_documented():
    named = {words[0] for words in EVERY_COMMAND}
    for name, command in cli.commands.items():
        assert name in named
        for called in [[name], *([name, sub] for sub in getattr(command, "commands", ()))]:
            assert CliRunner().invoke(cli, [*called, "--help"]).exit_code == 0


@page
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not target.startswith("http"):
            file, _, anchor = target.partition("#")
            linked = (path.parent / file).resolve() if file else path
            assert linked.is_file(), target
            assert not anchor or anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@page
def test_files_that_are_named_exist(path):
    shown = {name for document in ("docs/architecture.md", "docs/data.md") for name in examples(document)}
    for code in inline(path):
        if re.fullmatch(r"[\w./-]+/[\w./-]*\.(py|md|toml|sh)", code) and code not in shown:
            assert (ROOT / code).is_file(), code


@page
def test_python_is_python(path):
    for block in fences(path, "python"):
        compile(block, path.name, "exec")


def test_configs_that_are_shown_are_valid(tmp_path):
    shown = [yaml.safe_load(block) for path in PAGES for block in fences(path, "yaml")]
    assert len(shown) >= 3
    for number, tree in enumerate(shown):
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump({"name": "shown", **tree}))
        load.load(str(file))


def test_keys_that_commands_set_exist(tmp_path):
    for words in EVERY_COMMAND:
        assigned = [words[at + 1] for at, word in enumerate(words) if word == "--set" and at + 1 < len(words)]
        named = words[1] if words[1:2] and words[1] in load.names() else "digits_lenet5"
        load.load(named, [text for text in assigned if text != "KEY=VALUE"])


@pytest.fixture(scope="module")
def configuration() -> dict:
    return runpy.run_path(str(ROOT / "docs/configuration.py"))


def test_the_page_of_keys_is_current(configuration):
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == configuration["page"](), (
        "run .venv/bin/python docs/configuration.py"
    )


def test_the_page_of_keys_has_every_key_of_the_schema(configuration):
    listed = {row.path for row in configuration["rows"]()}
    given = load.load("digits_lenet5", ["augment=[]", "train.schedule={name: cosine}"]).model_dump(mode="json")
    free = ("evaluate.", "model.options", "tune.space")
    written = {key for key in leaves(given) if not key.startswith(free)}
    assert written <= listed
    assert {row.partition(".")[0].removesuffix("[]") for row in listed} == set(RunConfig.model_fields)


def leaves(tree: dict, prefix: str = "") -> set[str]:
    """Dotted paths of everything in a tree of mappings that is no mapping."""
    paths = set()
    for key, value in tree.items():
        paths |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}"}
    return paths


def test_every_key_says_what_it_means(configuration):
    assert not [row.path for row in configuration["rows"]() if not row.meaning]
    assert set(configuration["MEANINGS"]) <= {row.path for row in configuration["rows"]()}


def test_the_transcripts_start_from_commands():
    script = runpy.run_path(str(ROOT / "benchmarks/readme_transcript.py"))
    blocks = script["blocks"]((ROOT / "README.md").read_text(encoding="utf-8"))
    assert list(blocks) == ["run", "predict"], "and none of the tests, whose number is another one with each change"
    assert script["commands"](blocks["run"]) == ["make run"]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"run", "test"} <= set(targets)


def test_a_transcript_is_what_its_commands_print_now_and_a_failure_leaves_the_page(tmp_path, monkeypatch):
    script = runpy.run_path(str(ROOT / "benchmarks/readme_transcript.py"))
    page, block = tmp_path / "README.md", "<!-- transcript: run -->\n```console\n$ {}\nas it was\n```\n"
    monkeypatch.setitem(script["main"].__globals__, "README", page)
    page.write_text(block.format("echo $HUBEL_WORKSPACE; pwd"), encoding="utf-8")
    script["main"](["run"])
    assert script["blocks"](page.read_text(encoding="utf-8"))["run"] == (
        "$ echo $HUBEL_WORKSPACE; pwd\n/home/you/hubel/workspace\n/home/you/hubel\n"
    )
    page.write_text(block.format("false"), encoding="utf-8")
    with pytest.raises(SystemExit, match="ended with 1"):
        script["main"]([])
    assert page.read_text(encoding="utf-8") == block.format("false")


def test_every_source_is_on_the_page_of_data():
    section = (ROOT / "docs/data.md").read_text(encoding="utf-8").partition("## Sources")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `([a-z]+):", section, re.MULTILINE)) == sources.schemes()
