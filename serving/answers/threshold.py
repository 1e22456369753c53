"""The anomaly score above which an image is an anomaly: a number."""

from serving.answers import number


class Answer(number.Answer):
    """Told as any number."""
