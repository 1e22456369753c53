"""Principal components in closed form, judged as what is learned by gradient."""

from components.tasks.judges.reconstruction import linear


class Judge(linear.Judge):
    """See linear.Judge."""
