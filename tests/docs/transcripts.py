"""What a page's transcripts must do; the tests of several files ask it, so that they run side by side."""

import re
import shlex
from pathlib import Path

import pytest
import tensorflow as tf

from benchmarks import page_transcripts
from tests.pipelines.conftest import in_process


def masked(text: str) -> list[str]:
    """Lines without what differs between machines: numbers, what is left of a training, which class or file is first, skew."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"\s+about \d+ s left$|\s+(skew|drift) .*$", "", line)
        line = re.sub(r"^label=.*", "label", line)
        line = re.sub(r"^(\S+/\S+\.png)(,|\s).*", "an image", line)
        lines.append(" ".join(re.sub(r"\d[\d.,:-]*", "#", line).split()))
    return lines


def run(command: str, folder: Path) -> tuple[int, str]:
    """As page_transcripts.run, but hubel's verbs in this process; as a person types it, tests/pipelines/test_run.py has one."""
    program, *arguments = shlex.split(command)
    if program != "hubel" or set(command) & set("|&;<>$*"):
        return page_transcripts.run(command, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HUBEL_WORKSPACE", str(folder / page_transcripts.WORKSPACE))
        done = in_process(*arguments, together=True)
    return done.code, done.out


def answers_as_it_says(path: Path, folder: Path) -> None:
    """Run the page's commands in a folder."""
    for shown, now in page_transcripts.answers(path.read_text(encoding="utf-8"), folder, run):
        came = set(masked(now))
        # a training may stop itself earlier elsewhere, and a figure may lie on the other side of what is worth a word
        others = ("epoch", "try:", *(["no GPU"] if tf.config.list_physical_devices("GPU") else []))
        missing = [line for line in masked(shown) if line not in came and not line.startswith(others)]
        assert not missing, f"{path.name} has {missing}, and now:\n{now}\nrun .venv/bin/python -m benchmarks.page_transcripts"
