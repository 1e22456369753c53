"""The way of a RunConfig from `hubel run` to the wired pipeline: which files it enters, and how often it comes up again."""

import itertools
import sys
from pathlib import Path

import pytest
from PIL import Image

from configs import load
from configs.packages import PACKAGES
from configs.schema.run import RunConfig
from pipelines.command_line import commands
from pipelines.orchestration import pipeline, settled
from pipelines.orchestration.settled import Settled
from pipelines.process import supervise

ROOT = Path(__file__).parents[2]
WAY = [  # whose functions it is given to; made it is by configs/load.py, here of YAML and in the worker of JSON
    "pipelines/command_line/names.py",
    "pipelines/command_line/run_commands.py",
    "configs/load.py",
    "pipelines/workspace/unchanged.py",
    "pipelines/orchestration/settled.py",
    "pipelines/orchestration/pipeline.py",
    "pipelines/command_line/hints.py",
]
MOST = 7  # files
CLIMBS = 2  # at most


@pytest.fixture
def stays(tmp_path, monkeypatch):
    """The files that one was in, each time it came to another: whose functions it was given to."""
    for name in ("cat/1.png", "dog/2.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        Image.new("L", (32, 32), 99).save(tmp_path / "images" / name)
    visited, making = [], []

    def come(frame, event, _):
        if frame.f_code is load.validate.__code__:
            making.append(frame) if event == "call" else making.clear()
        path = Path(frame.f_code.co_filename)
        if event != "call" or making or not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in PACKAGES:
            return
        names = frame.f_code.co_varnames[: frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount]
        is_given = any(isinstance(frame.f_locals.get(name), (RunConfig, Settled)) for name in names) and names[0] != "self"
        file = str(path.relative_to(ROOT))
        if is_given and file not in visited[-1:]:
            visited.append(file)

    def worker(request, *_, **__):
        """In this process, up to the moment where the first stage would run."""
        given = request.arguments()
        known = settled.read(given["config"], given["tree"], settled.Workspace.at(given["workspace"]))
        pipeline.build(known)
        told = {"blessed": True, "version": 1, "reason": "", "metrics": {}, "intervals": {}, "slices": [], "comparison": ""}
        return {**known.told(), **told, "run": given["run_id"], "model_dir": None, "model_uri": None, "seconds": 1.0}

    monkeypatch.setattr(supervise, "ask", worker)
    source = f"data.source=folder:{tmp_path / 'images'}"
    # what is imported and read once a process is so before each call of a function costs ten times as much
    pipeline.build(settled.settle(load.load("digits_mlp.tiny", [source]), settled.Workspace.at(str(tmp_path / "before"))))
    command = ["run", "digits_mlp.tiny", "--set", source, "--workspace", str(tmp_path / "w")]
    sys.setprofile(come)
    try:
        assert commands.run(command) == 0
    finally:
        sys.setprofile(None)
    return visited


def test_a_config_enters_few_files_and_seldom_comes_up_again(stays):
    assert stays == WAY
    assert len(set(WAY)) <= MOST
    depths = [file.startswith("pipelines/") for file in WAY]
    assert sum(below < above for below, above in itertools.pairwise(depths)) <= CLIMBS
