"""What of `export.variants` cannot be, asked before anything starts."""

from components import inputs
from components.converter import forms
from components.tasks.judges.base import Judge
from components.tasks.judges.by_name import judge_of
from configs.errors import UsageError
from configs.schema.variants import VariantsConfig

TAKE_OUT = "Take export.variants out."


def check(asked: VariantsConfig, task: str, reads: str, crops: bool) -> None:
    """Raise UsageError for what a model of that task, which reads that kind of input, cannot be converted to, or is not judged by.

    Args:
        crops: whether its answers are means over crops.
    """
    judge = judge_of(task)
    for name in asked.max_loss:
        if name not in _told(judge):
            raise UsageError(
                f"export.max_loss names the metric {name!r}, which a converted model does not tell.",
                f"This model's task has: {', '.join(_told(judge))}.",
            )
    if not asked.variants:
        return
    if not inputs.input_of(reads).converts:
        raise UsageError(
            f"export.variants: a converted model takes pixels, and this one reads {reads}, which its own graph turns into numbers.",
            TAKE_OUT,
        )
    if crops:
        raise UsageError(
            "export.variants: a converted model looks at an image once, and export.crops averages over parts of a larger one.",
            "Take one of the two out.",
        )
    for name in asked.variants:
        forms.check_installed(name)
    if not bounds(asked, judge):
        raise UsageError(
            "export.variants: nothing says how much worse than the model a variant may be.",
            f"Say it, such as export.max_loss: {{{_told(judge)[0]}: 0.01}}.",
        )


def bounds(asked: VariantsConfig, judge: Judge) -> dict[str, float]:
    """Metric -> how much worse than the model a variant may be; the config's own go over the judge's."""
    return {**judge.may_lose, **asked.max_loss}


def _told(judge: Judge) -> list[str]:
    return [name for name in judge.metrics if judge.converted is None or name in judge.converted]
