"""What a server, or the way to it, answers instead: each with a code of gRPC's, and what a person can do."""

import re

from configs.errors import HubelError, first_line

RETRIED = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED"})  # codes of what may be answered a moment later
WHERE = re.compile(r"\{\{(?:function_)?node [^}]*\}\}\s*")
OF_HTTP = {  # status -> code; of those that TF Serving gives to several codes, the one of requests that are wrong
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",  # of a balancer
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ServerError(HubelError):
    """There is no answer. `code` is gRPC's name of why, `said` what the server said, `is_retried` whether one may ask once more."""

    def __init__(self, code: str, said: str, message: str, hint: str = "", is_retried: bool = False):
        super().__init__(message, hint)
        self.code, self.said, self.is_retried = code, said, is_retried


class Unreachable(ServerError):
    """Nobody answers there, or somebody who does not speak that protocol."""


class Refused(ServerError):
    """The server answers that it does not answer this."""


def plain(said: str) -> str:
    """TensorFlow's words without where in the graph."""
    return WHERE.sub("", said)


def refused(address: str, code: str, said: str, is_retried: bool | None = None) -> Refused:
    """What a server refuses, in a sentence.

    Args:
        is_retried: None: as the code says.
    """
    short = first_line(plain(said)).rstrip(".")
    message, hint = f"The server {address} answers {code}: {short}.", ""
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        message = f"The server {address} wants an API key, or another one: {short}."
        hint = "Give the file of its key: --api-key-file, or HUBEL_SERVE_API_KEY; Client(api_key=...)."
    elif code == "NOT_FOUND":
        hint = "Check the model's name and version; /v1/models/NAME says which versions there are."
    elif code in RETRIED:
        hint = "Try again later; it may be busy, starting or about to end."
    elif code == "DEADLINE_EXCEEDED":
        hint = "Give it longer, with --timeout, or ask about less at a time."
    return Refused(code, said, message, hint, code in RETRIED if is_retried is None else is_retried)


def late(address: str, seconds: float) -> Unreachable:
    """No answer before the deadline."""
    return Unreachable(
        "DEADLINE_EXCEEDED",
        "",
        f"The server {address} has not answered within {seconds:.3g} s.",
        "Is it well? --timeout gives it longer.",
    )


def unreachable(address: str, why: str) -> Unreachable:
    """Nobody listens; a server that is being started may soon."""
    return Unreachable(
        "UNAVAILABLE",
        why,
        f"No server answers at {address}: {first_line(why).rstrip('.')}.",
        "Is it running, and is that its port?",
        True,
    )


def another_protocol(address: str, protocol: str, why: str) -> Unreachable:
    """Somebody answers, but not as `protocol`."""
    other = (
        "its gRPC port (TF Serving's is 8500): add --grpc"
        if protocol == "REST"
        else "its REST port (TF Serving's is 8501): leave out --grpc"
    )
    return Unreachable(
        "UNKNOWN",
        why,
        f"What answers at {address} is no server of TF Serving's {protocol} API: {first_line(why).rstrip('.')}.",
        f"It may be {other}; or it wants TLS: https://{address.rpartition('/')[2]}, or --tls-ca.",
    )


def untrusted(address: str, why: str) -> Unreachable:
    """TLS does not come about."""
    return Unreachable(
        "UNKNOWN",
        why,
        f"There is no TLS with the server {address}: {first_line(why).rstrip('.')}.",
        "--tls-ca names the PEM file of who signed its certificate, which must be for that host; a server without TLS wants none.",
    )
