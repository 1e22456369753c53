"""The page of a detector that is held against masks: as that of `anomaly`, and how its maps rank pixels."""

from components.tasks.reports import anomaly


class Report(anomaly.Report):
    """Around the report of the task within."""
