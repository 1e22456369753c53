"""The statistics that a run's are compared with: the newest ones of other data.

TFX's LatestArtifactStrategy finds the current ones on the second run, which re-runs what reads them for nothing.
"""

import os

from tfx.dsl.components.common import resolver

CURRENT, EARLIER = "current", "earlier"


class LatestOtherStatistics(resolver.ResolverStrategy):
    """Inputs: `current` (ExampleStatistics of this run), `earlier` (all ExampleStatistics)."""

    def resolve_artifacts(self, store, input_dict):
        """At most one artifact under `earlier`: the newest that is not the current one and still there."""
        current = {artifact.id for artifact in input_dict[CURRENT]}
        others = [a for a in input_dict[EARLIER] if a.id not in current and os.path.isdir(a.uri)]
        return {**input_dict, EARLIER: sorted(others, key=lambda artifact: artifact.id)[-1:]}
