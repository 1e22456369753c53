"""PatchCore, judged as every detector by patches."""

from components.tasks.judges.patches import judge


class Judge(judge.Judge):
    """See judge.Judge."""
