"""A version whose answers are told to observers once they are known: those of both protocols, since all of them come this way.

MultiInference asks tensors of several signatures at once; that is told to nobody. Neither are warm-up requests, nor what failed.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from serving.server.servable import DEFAULT_SIGNATURE

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who is told. `offer` is called by the thread that answers: it takes microseconds, and leaves the arrays as they are."""

    def offer(
        self, servable: Any, signature: str, feeds: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray], seconds: float
    ) -> None:
        """Of a request that was answered.

        Args:
            servable: what answered. signature: its name. seconds: that the answer took.
        """

    def close(self) -> None:
        """Nothing more will be told; the models are still loaded."""


class Observed:
    """A Servable, or what stands before it, and who is told. Has its attributes, `run`, `run_tensors` and `close`.

    Attributes:
        unobserved: the same without observers.
    """

    def __init__(self, servable: Any, observers: Sequence[Observer]):
        self.unobserved, self._observers = servable, observers
        self._is_broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unobserved, name)

    def run(
        self,
        signature_name: str,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, np.ndarray]:
        """As Servable.run. What goes wrong with an observer is logged once, and no client hears of it."""
        start = time.perf_counter()
        answers = self.unobserved.run(signature_name, feeds, outputs, deadline)
        seconds = time.perf_counter() - start
        for observer in self._observers:
            try:
                observer.offer(self.unobserved, signature_name or DEFAULT_SIGNATURE, feeds, answers, seconds)
            except Exception:
                if not self._is_broken:
                    log.exception("An observer of %s fails", self.unobserved.name)
                self._is_broken = True
        return answers
