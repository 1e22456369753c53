"""What objects are called: RFC 1123 has fewer names than models do."""

import hashlib
import re

from configs.errors import UsageError

LONGEST = 52  # characters: KServe and Kubernetes put up to 11 behind it, and 63 are what a label of a host name has
_VALID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # begins with a letter, as a Service's of RFC 1035 did until lately
RULE = f"small letters, digits and -, a letter first, no - last, at most {LONGEST} characters"


def of_objects(model: str, given: str | None = None) -> str:
    """The name of a model's objects: the one that was given, or the model's own as far as it is a name.

    Raises:
        UsageError: for a name that none can have, or a model of whose name nothing would be left.
    """
    if given is not None:
        if not _VALID.fullmatch(given) or len(given) > LONGEST:
            raise UsageError(f"--name {given!r} is no name of an object in a cluster: {RULE}.", "Choose another with --name.")
        return given
    name = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    if not name or not name.isascii():
        raise UsageError(
            f"Nothing of the model's name {model!r} can stand in an object's name: {RULE}.", "Give the objects one with --name."
        )
    name = name if name[0].isalpha() else f"model-{name}"
    if len(name) > LONGEST:  # two that begin alike must not become one
        digest = hashlib.sha256(model.encode()).hexdigest()[:8]
        name = f"{name[: LONGEST - 9].rstrip('-')}-{digest}"
    return name


def check_namespace(name: str) -> None:
    """Raise UsageError for what no namespace is called."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        raise UsageError(f"--namespace {name!r} is no name of a namespace.", "It has small letters, digits and -, 63 at most.")
