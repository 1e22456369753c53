"""Writes the transcripts of the pages below by running what they show, in a folder for each that is thrown away afterwards.

    .venv/bin/python -m benchmarks.page_transcripts                  all of them
    .venv/bin/python -m benchmarks.page_transcripts own_images.md    one

Commands run in the order of the page and share one folder and one workspace. Only the folder is changed, to /home/you.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs/own_images.md", ROOT / "docs/anomalies.md"]
SHOWN_AS = "/home/you"
WORKSPACE = "workspace"  # in the folder
SHOWN = 60  # lines of an answer; of a longer one the rest is left out, and said

_BLOCK = re.compile(r"(<!-- transcript(?:: exits (\d))? -->\n```console\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit code of a command in a folder, and its standard error and output in the order they came."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": tools, "HUBEL_WORKSPACE": str(folder / WORKSPACE), "CUDA_VISIBLE_DEVICES": "-1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def answers(text: str, folder: Path, run: Callable[[str, Path], tuple[int, str]] = run) -> Iterator[tuple[str, str]]:
    """Run every command of a page's transcripts. Yields each block as it stands and as it comes out now.

    Args:
        folder: an empty one; the page's files are written into it.
        run: what runs one of them, as `run` above does.

    Raises:
        AssertionError: for a command that ends with another exit code than the page says.
    """
    for name, content in _FILE.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
    for _, code, block, _ in _BLOCK.findall(text):
        lines = []
        for command in (line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")):
            ended, output = run(command, folder)
            assert ended == int(code or 0), f"`{command}` ended with {ended}, not {code or 0}:\n{output}"
            said = _lines(output, folder)
            more = [f"... {len(said) - SHOWN} more lines"] if len(said) > SHOWN else []
            lines += [f"$ {command}", *said[:SHOWN], *more]
        yield block, "\n".join(lines) + "\n"


def _lines(said: str, folder: Path) -> list[str]:
    return [line.rstrip() for line in said.replace(str(folder.resolve()), SHOWN_AS).splitlines()]


def blocks(text: str) -> list[str]:
    """Every transcript of a page."""
    return [block for _, _, block, _ in _BLOCK.findall(text)]


def main(asked: list[str]) -> None:
    """Rewrite the transcripts of the pages of these names, or of all."""
    known = {page.name: page for page in PAGES}
    if unknown := set(asked) - set(known):
        raise SystemExit(f"there is no page {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    for page in (known[name] for name in asked or known):
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="hubel-page-") as folder:
            for old, new in answers(text, Path(folder)):
                text = text.replace(f"```console\n{old}```", f"```console\n{new}```")
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
