"""Nearest neighbours are shown as classifiers."""

from components.tasks.reports import classification


class Report(classification.Report):
    """See classification.Report."""
