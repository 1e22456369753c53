"""Commands that are printed for a person to copy: with the --workspace that this one was given, so that they work as they stand."""

import re
import shlex

import click

_QUOTED = re.compile(r"`hubel ([^`]+)`")


def command(text: str, workspace: str | None) -> str:
    """A command line, such as "hubel predict a IMAGE...".

    Args:
        workspace: as it was typed; None where it was not, and what stands in the environment, or the default, serves again.
    """
    return text if workspace is None else f"{text} --workspace {shlex.quote(workspace)}"


def sentence(text: str, workspace: str | None, root: click.Group) -> str:
    """The same of each `hubel ...` in a sentence, if it is a verb of `root` that has a workspace."""

    def completed(match: re.Match) -> str:
        asks = _has_workspace(match[1].split(), root) and "--workspace" not in match[1]
        return f"`{command(f'hubel {match[1]}', workspace if asks else None)}`"

    return _QUOTED.sub(completed, text)


def _has_workspace(words: list[str], root: click.Command | None) -> bool:
    while isinstance(root, click.Group) and words:
        root, words = root.commands.get(words[0]), words[1:]
    return root is not None and any(option.name == "workspace" for option in root.params)
