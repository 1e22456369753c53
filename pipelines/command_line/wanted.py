"""What the arguments of a command line ask for, known before anything is parsed."""

import itertools


def wants_json(arguments: list[str]) -> bool:
    """Whether whatever happens is to be one JSON value on standard output."""
    return "--json" in arguments or "--format=json" in arguments or ("--format", "json") in itertools.pairwise(arguments)
