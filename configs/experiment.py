"""Experiments: one config trained in several arms that differ in what each changes, and what is compared.

A file in configs/experiments/ describes one; each arm is a RunConfig like any other.
"""

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from configs import load as configs
from configs.errors import UsageError
from configs.schema.base import Slice
from configs.schema.evaluate import EvaluateConfig
from configs.schema.push import PushConfig
from configs.schema.run import RunConfig

SHIPPED = Path(__file__).parent / "experiments"
PREFIX = "experiment_"  # of the name under which arms run, so that no config's models and cache are mixed with theirs

ArmName = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,40}$")]
COUNTS = ("params", "epochs", "steps", "steps_to")  # figures that are not of a split
Figure = Annotated[str, Field(pattern=rf"^({'|'.join(COUNTS)}|(train|validation|test)_[a-z0-9_]+)$")]


class PlotConfig(Slice):
    x: Literal["epoch", "step"] | Figure = Field(
        "epoch", description="epoch, step: a curve for each arm; a figure: a point for each arm, a curve for each of y"
    )
    y: list[Figure] = Field(["train_accuracy"], min_length=1, description="figures; with epoch or step, of train and validation")
    log: list[Literal["x", "y"]] = Field([], description="axes that are logarithmic")

    @property
    def follows_training(self) -> bool:
        """Whether it shows epochs rather than ends."""
        return self.x in ("epoch", "step")

    @model_validator(mode="after")
    def _known_while_training(self):
        late = [name for name in self.y if not name.startswith(("train_", "validation_"))] if self.follows_training else []
        if late:
            raise ValueError(f"{late[0]} is known at the end alone; over {self.x} are shown figures of train and validation")
        return self


class ExperimentConfig(Slice):
    config: str = Field(description="name or file of the config that every arm starts from")
    common: dict[str, Any] = Field({}, description="what all arms change in it")
    arms: dict[ArmName, dict[str, Any]] = Field(min_length=2, description="name -> what this arm changes after that")
    seeds: int = Field(1, ge=1, le=100, description="trainings of each arm, with seeds one after another")
    steps_to: float | None = Field(None, gt=0, le=1, description="training accuracy to which optimizer steps are counted")
    show: list[Figure] = Field(["train_accuracy", "test_accuracy"], min_length=1, description="columns of the printed table")
    plot: PlotConfig = PlotConfig()


@dataclass(frozen=True)
class Arm:
    """One training of an experiment."""

    name: str
    title: str  # with the seed where there are several
    seed: int
    config: RunConfig


@dataclass(frozen=True)
class Experiment:
    """An experiment and its trainings, in order."""

    name: str
    about: str
    asked: ExperimentConfig
    arms: tuple[Arm, ...]

    @property
    def pipeline(self) -> str:
        """The name of the one pipeline that all arms are runs of, so that they share their data."""
        return PREFIX + self.name


def names() -> list[str]:
    """Names of the shipped experiments."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def find(name: str) -> Path:
    """The file of a shipped experiment's name or of a path. Raises UsageError where there is none."""
    shipped = SHIPPED / f"{name}.yaml"
    if re.fullmatch(r"[A-Za-z0-9_-]+", name) and os.path.isfile(shipped):
        return shipped
    if os.path.isfile(name):
        return Path(name)
    known = names()
    nearest = difflib.get_close_matches(name, known, 1)
    raise UsageError(
        f"There is no experiment {name[:100]!r}, neither shipped nor as a file.",
        f"Did you mean {nearest[0]!r}?" if nearest else f"Shipped experiments: {', '.join(known)}.",
    )


def load(name: str, assignments: Sequence[str] = (), seeds: int | None = None) -> Experiment:
    """Read an experiment and make the config of each arm.

    An arm's config is the base, then `common`, then what the arm changes, then the assignments. Arms are judged by no threshold and
    never pushed: what they are bad at is what is looked at.

    Args:
        name: of a shipped experiment, or a path.
        assignments: `dotted.path=value`, for every arm.
        seeds: instead of the file's.

    Raises:
        UsageError: for anything wrong with these, or two arms that are the same.
    """
    path = find(name)
    asked = configs.checked(ExperimentConfig, configs.read(path), str(path), "docs/experiments.md lists every key.")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", path.stem):
        raise UsageError(f"Experiment {path}: {path.stem!r} names it, and is no name.", "Rename the file, to letters and digits.")
    made, first = [], {}
    for arm, changes in asked.arms.items():
        base = configs.load(asked.config, assignments, (asked.common, changes), f"{path}, arm {arm}")
        fixed = {"name": PREFIX + path.stem, "evaluate": EvaluateConfig(), "push": PushConfig(enabled=False)}
        config = base.model_copy(update=fixed)
        other = first.setdefault(config.model_dump_json(), arm)
        if other != arm:
            raise UsageError(f"Experiment {path}: the arms {other} and {arm} are the same.", "Every arm gets --set last.")
        several = range(config.seed, config.seed + (seeds or asked.seeds))
        for seed in several:
            title = arm if len(several) == 1 else f"{arm}, seed {seed}"
            made.append(Arm(arm, title, seed, config.model_copy(update={"seed": seed})))
    return Experiment(path.stem, configs.header(path), asked, tuple(made))
