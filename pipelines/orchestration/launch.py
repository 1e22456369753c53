"""A pipeline that is wired, launched: what is said on the way, and what failed in plain words. Knows no config."""

import errno
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfx.orchestration import pipeline
from tfx.utils import path_utils

from components import progress
from components.infra_validator import parity
from configs.errors import FULL, HubelError, first_line, last_line
from pipelines.orchestration import local
from pipelines.orchestration.local import NodeResult

TRAINER, MODEL = "Trainer", "model"  # and its output
BEFORE_THE_GATE = ("Transform", "AugmentedCopies", "Tuner", TRAINER)  # what executes one of them has a new model to validate
GATE = "InfraValidator"


def launch(built: pipeline.Pipeline, notes: Sequence[str], root: Path, run: str | None = None) -> Mapping[str, NodeResult]:
    """Run every component of a pipeline. Returns the results by name.

    Args:
        notes: what is said before the first.
        root: of the workspace, for sentences.
        run: as of local.run.

    Raises:
        HubelError: with what failed in plain words.
    """
    names = [node.id for node in built.components]
    for text in notes:
        progress.emit("note", text=text)
    progress.emit("nodes", names=names)
    running = []

    def before(node: str) -> None:
        running[:] = [node]
        progress.emit("node", name=node)

    def after(result: NodeResult) -> None:
        progress.emit("node_done", name=result.name, cached=result.cached, seconds=result.seconds)
        if GATE in names and result.name == TRAINER and not result.cached:
            parity.load(Path(path_utils.serving_model_path(result.outputs[MODEL][0][0])))

    def executes(node: str) -> None:
        if GATE in names and node in BEFORE_THE_GATE:
            parity.begin()

    try:
        return local.run(built, before, after, executes, run)
    except Exception as error:
        raise plain(error, running[0] if running else None, root) from error


def plain(error: Exception, node: str | None, root: Path) -> HubelError:
    """Any exception of a component as one sentence."""
    chain, seen = error, set()
    while chain is not None and id(chain) not in seen:
        if isinstance(chain, HubelError):
            return chain
        seen.add(id(chain))
        text = str(chain)
        if getattr(chain, "errno", None) in FULL or "No space left on device" in text or "disk is full" in text:
            return HubelError(f"The disk is full; {node} could not write in {root}.", "Free some space (`hubel gc`) and run again.")
        if getattr(chain, "errno", None) in (errno.EACCES, errno.EROFS, errno.EPERM):
            return HubelError(f"{node} may not write {getattr(chain, 'filename', None) or root}.", "Check its permissions.")
        if isinstance(chain, MemoryError):
            return HubelError(
                f"{node} ran out of memory.", "Use smaller images, or smaller transform.batch_size and train.batch_size."
            )
        chain = chain.__cause__ or chain.__context__
    line = first_line(error)
    line = last_line(error) if line == "in user code:" else line  # TensorFlow puts the message after its traceback
    return HubelError(f"{node or 'The pipeline'} failed: {type(error).__name__}: {line}", "The log has the whole story.")
