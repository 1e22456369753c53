"""Answers held against those that are right, before any value is looked at: what InfraValidator and Converter begin with."""

from collections.abc import Collection, Mapping

import numpy as np


def form(
    answers: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray], compared: Collection[str] | None = None
) -> str | None:
    """The first output that is another one, or of another dtype or shape, in words; None where there is none.

    Args:
        compared: outputs whose shapes must be the same; None: all.
    """
    if sorted(answers) != sorted(wanted):
        return f"outputs are {sorted(answers)} where {sorted(wanted)} were trained"
    for output, right in wanted.items():
        given = answers[output]
        if given.dtype != right.dtype:
            return f"output {output} is {given.dtype} instead of {right.dtype}"
        if (compared is None or output in compared) and given.shape != right.shape:
            return f"output {output} has shape {given.shape} instead of {right.shape}"
    return None
