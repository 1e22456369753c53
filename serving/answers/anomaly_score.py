"""How unlike the images of training one is: a number, the larger the stranger."""

from serving.answers import number


class Answer(number.Answer):
    """Told as any number."""
