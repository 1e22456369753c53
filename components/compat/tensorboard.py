"""TensorBoard: which of its two file systems it reads with, and its server."""

import sys
import types
from collections.abc import Sequence

NOTHING = "tensorboard.compat.notf"  # where a module of that name is, TensorBoard takes its own stub for TensorFlow


def without_tensorflow() -> None:
    """Have TensorBoard not import TensorFlow, which takes seconds and hundreds of MB. Before anything of it is imported."""
    sys.modules.setdefault(NOTHING, types.ModuleType(NOTHING))


def launch(flags: Sequence[str]) -> str:
    """Have a thread serve, with TensorBoard's own plugins and no others that are installed. Returns the URL, which answers.

    Args:
        flags: of the command `tensorboard`.

    Raises:
        tensorboard.program.TensorBoardServerException: with a sentence as `msg`, such as of a port that is taken.
    """
    from tensorboard import default, program
    from tensorboard.plugins.projector import projector_plugin

    board = program.TensorBoard(plugins=[*default.get_static_plugins(), projector_plugin.ProjectorPlugin])
    board.configure(argv=["tensorboard", *flags])
    return board.launch()
