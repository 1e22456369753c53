"""Writes the lists anew."""

from tests.pipelines.orchestration import closures

closures.accept(closures.stages())
