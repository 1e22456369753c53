"""Parts of a training that few have, by their names: files of this folder.

No other file of Trainer's imports them, so that an edit of one trains those again that have it.
"""

import importlib
from types import ModuleType

from components import trainer
from configs.schema.slices.trainer import TrainerSlice

TRANSFER, PRETRAIN, SHOTS, MEMBERS, DOUBTS = "transfer", "pretrain", "shots", "members", "doubts"
LOOKS = "event_files.looks"


def names(cfg: TrainerSlice) -> list[str]:
    """Those that a config asks for. Of MEMBERS the pipeline knows; DOUBTS are sentences and LOOKS is what TensorBoard shows, of
    which no model is made."""
    asked = {
        TRANSFER: cfg.transfer,
        SHOTS: cfg.transfer and cfg.transfer.shots,
        PRETRAIN: cfg.train.pretrain,
    }
    return [name for name, value in asked.items() if value is not None]


def module(name: str) -> str:
    """The dotted path of a part."""
    return f"{trainer.__name__}.{name}"


def modules_of(cfg: TrainerSlice) -> list[str]:
    """Dotted paths of the parts that a config asks for, for source digests."""
    return [module(name) for name in names(cfg)]


def parts(cfg: TrainerSlice) -> list[ModuleType]:
    """Those that a config asks for."""
    return [part(name) for name in names(cfg)]


def part(name: str) -> ModuleType:
    """The module of a part."""
    return importlib.import_module(module(name))
