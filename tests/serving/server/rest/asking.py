"""Asking a server of this machine."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

SECONDS = 60  # after which a server hangs


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content, parsed; bytes of strings that are no UTF-8 as surrogates, NaN and Infinity as Python has them."""
        return json.loads(self.content.decode("utf-8", "surrogateescape"))

    @property
    def error(self) -> str:
        assert list(self.json) == ["error"]
        return self.json["error"]


class Client:
    def __init__(self, port: int, end=None):
        self.port, self.end = port, end

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Args: body: bytes, or what is sent as JSON. headers: with _ for -."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def answered(self, path: str, body: Any) -> Any:
        """The JSON of an answer; a refusal fails the test."""
        answer = self.ask("POST", path, body)
        assert answer.status == 200, answer.content
        return answer.json

    def raw(self, content: bytes, half_closed: bool = False) -> bytes:
        """All that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as connection:
            connection.sendall(content)
            if half_closed:
                connection.shutdown(socket.SHUT_WR)
            parts = []
            while part := connection.recv(2**16):
                parts.append(part)
        return b"".join(parts)
