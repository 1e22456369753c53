"""Writes the transcripts of README.md by running what they show, in a workspace of its own that is thrown away afterwards.

    .venv/bin/python benchmarks/readme_transcript.py      all of them
    .venv/bin/python benchmarks/readme_transcript.py run  one, by its name in README.md

Only one thing is changed: the folder of the checkout is written as /home/you/hubel.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SHOWN_AS = "/home/you/hubel"
MAKE = "make --no-print-directory --old-file=setup"  # .venv is there: it runs this file

_BLOCK = re.compile(r"(<!-- transcript: (\w+) -->\n```console\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[str]:
    """The lines after `$ ` of a transcript."""
    return [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]


def blocks(text: str) -> dict[str, str]:
    """Name -> transcript of every block."""
    return {name: block for _, name, block, _ in _BLOCK.findall(text)}


def transcript(block: str, workspace: str) -> str:
    """The block's commands run anew, each followed by what it printed (standard error and output in the order they came)."""
    lines = []
    for command in commands(block):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", re.sub(r"^make\b", MAKE, command)],
            cwd=ROOT,
            env={**os.environ, "HUBEL_WORKSPACE": workspace},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = done.stdout.replace(workspace, f"{SHOWN_AS}/workspace").replace(str(ROOT), SHOWN_AS)
        lines += [f"$ {command}", *(line.rstrip() for line in said.splitlines())]
        if done.returncode:
            raise SystemExit(f"`{command}` ended with {done.returncode}; README.md is as it was:\n{done.stdout}")
    return "\n".join(lines) + "\n"


def main(asked: list[str]) -> None:
    """Rewrite the blocks of these names, or all."""
    text = README.read_text(encoding="utf-8")
    known = blocks(text)
    if unknown := set(asked) - set(known):
        raise SystemExit(f"README.md has no transcript {', '.join(sorted(unknown))}; it has {', '.join(known)}")
    wanted = set(asked or known)
    wanted |= {"run"} if "predict" in wanted else set()  # what is asked has to be trained first
    with tempfile.TemporaryDirectory(prefix="hubel-readme-") as workspace:
        made = {name: transcript(block, workspace) for name, block in known.items() if name in wanted}
    README.write_text(_BLOCK.sub(lambda m: f"{m[1]}{made.get(m[2], m[3])}{m[4]}", text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
