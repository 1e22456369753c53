"""Who may ask, and what is noted of who asked: an API key, an identifier for each request, a line of JSON in the access log."""

import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping

REQUEST_ID = "x-request-id"
API_KEY = "x-api-key"
LOADING = "The server is loading its models."
REFUSED = "A valid API key is needed: send it as x-api-key, or as a bearer in Authorization."
GIVEN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)  # what a client may call its request; it stands in a log

log = logging.getLogger("serving.server.access")


class ApiKey:
    """The key that a client must send. It is in no message, no repr and no log."""

    def __init__(self, key: str | None):
        """Args: key: None for a server that anybody may ask."""
        self._digest = hashlib.sha256(key.encode()).digest() if key else None

    def __repr__(self) -> str:
        return f"ApiKey({'set' if self.is_set else 'none'})"

    @property
    def is_set(self) -> bool:
        """Whether there is one to send."""
        return self._digest is not None

    def allows(self, headers: Mapping[str, str]) -> bool:
        """Whether headers hold it. Compares in constant time.

        Args:
            headers: by name in lower case, or with names that are found in any case.
        """
        if self._digest is None:
            return True
        sent = headers.get(API_KEY)
        scheme, _, bearer = (headers.get("authorization") or "").partition(" ")
        if sent is None and scheme.lower() == "bearer":
            sent = bearer.strip()
        return hmac.compare_digest(hashlib.sha256((sent or "").encode(errors="surrogateescape")).digest(), self._digest)


def request_id(headers: Mapping[str, str]) -> str:
    """What the client calls its request, or a new identifier."""
    given = headers.get(REQUEST_ID) or ""
    return given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)


def note(entrypoint: str, call: str, status: str, start: float, **more: object) -> None:
    """Write a line of the access log. Neither headers nor bodies are in it.

    Args:
        entrypoint: "REST" or "GRPC". call: such as "POST /v1/models/m:predict". start: time.perf_counter() of its begin.
        more: what else is known, as JSON; None is left out.
    """
    if log.isEnabledFor(logging.INFO):
        seconds = time.perf_counter() - start
        row = {"entrypoint": entrypoint, "call": call, "status": status, "ms": round(seconds * 1000, 3), **more}
        log.info("%s", json.dumps({key: value for key, value in row.items() if value is not None}))
