"""Whether an anomaly score is above its threshold: bool."""

from serving.answers import number


class Answer(number.Answer):
    """Told as any number."""

    def decision(self, value):
        return bool(value)
