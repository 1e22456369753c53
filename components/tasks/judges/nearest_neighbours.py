"""Nearest neighbours, judged as classifiers."""

from components.tasks.judges import classification


class Judge(classification.Judge):
    """See classification.Judge."""
