"""A version whose answers are told to observers once they are known: those of both protocols, since all of them come this way.

Warm-up requests are told to nobody, nor is what failed.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from serving.server.servable import DEFAULT_SIGNATURE

Answers = Mapping[str, Mapping[str, np.ndarray]]  # signature -> output -> array

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who is told. `offer` is called by the thread that answers: it takes microseconds, and leaves the arrays as they are."""

    def offer(self, servable: Any, feeds: Mapping[str, np.ndarray], answers: Answers, seconds: float) -> None:
        """Of a request that was answered.

        Args:
            servable: what answered. answers: of each signature that was asked: of one, unless it is a MultiInference.
            seconds: that all of them took.
        """

    def close(self) -> None:
        """Nothing more will be told; the models are still loaded."""


class Observed:
    """A Servable, or what stands before it, and who is told. Has its attributes, `run`, `run_several` and `close`.

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
        self._tell(feeds, {signature_name or DEFAULT_SIGNATURE: answers}, time.perf_counter() - start)
        return answers

    def run_several(
        self, asked: Mapping[str, Sequence[str]], feeds: Mapping[str, np.ndarray], deadline: float | None = None
    ) -> dict[str, dict[str, np.ndarray]]:
        """As Servable.run_several; it is one request to who is told."""
        start = time.perf_counter()
        answers = self.unobserved.run_several(asked, feeds, deadline)
        self._tell(feeds, answers, time.perf_counter() - start)
        return answers

    def _tell(self, feeds: Mapping[str, np.ndarray], answers: Answers, seconds: float) -> None:
        for observer in self._observers:
            try:
                observer.offer(self.unobserved, feeds, answers, seconds)
            except Exception:
                if not self._is_broken:
                    log.exception("An observer of %s fails", self.unobserved.name)
                self._is_broken = True
