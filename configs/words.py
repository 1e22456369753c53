"""How many of something, for a person to read."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Such as "1 class" and "2,000 classes".

    Args:
        plural: of a noun that takes more than an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def classes(number: int) -> str:
    """As `count`."""
    return count(number, "class", "classes")
