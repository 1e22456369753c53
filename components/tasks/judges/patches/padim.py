"""PaDiM, judged as every detector by patches."""

from components.tasks.judges.patches import shared


class Judge(shared.Judge):
    """See shared.Judge."""
