"""Clients of gRPC that cost little: HTTP/2 (RFC 9113) by hand over sockets, as serving_load.py speaks HTTP/1.1 by hand. Python's
gRPC needs several times the CPU time of that for a request, which the server that shares the cores then lacks.

A client has a connection and one call at a time, each a stream of its own. Nothing of HPACK (RFC 7541) is decoded: a call that is
answered has DATA, and one that is refused has a status in its trailers alone.
"""

import select
import socket
import struct
import time
from typing import Any

DATA, HEADERS, RESET, SETTINGS, PING, AWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8  # types of frames
END_STREAM, END_HEADERS, ACK = 1, 4, 1  # their flags
LARGEST = 2**31 - 1  # of a window
FRAME, ANY_WINDOW = 2**14, 2**16 - 1  # bytes of a frame, and of what may be sent before the other end allows more
READ = 2**16


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    """A frame's bytes."""
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def head(path: str, authority: str) -> bytes:
    """A block of fields that both ends may forget: :method and :scheme by their place in HPACK's table, the others as they are."""
    fields = ((":path", path), (":authority", authority), ("te", "trailers"), ("content-type", "application/grpc"))
    literal = b"".join(
        b"\0" + b"".join(struct.pack(">B", len(text)) + text.encode() for text in field) for field in fields
    )  # lengths below 127 are one byte
    return b"\x83\x86" + literal


class Connection:
    """One client's. `send` a call, then `take` what came until it tells that the call has ended."""

    def __init__(self, port: int, path: str, message: bytes):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head, self._body = head(path, f"127.0.0.1:{port}"), b"\0" + struct.pack(">I", len(message)) + message
        if len(self._body) > FRAME:
            raise SystemExit(f"A message of {len(message)} bytes is more than a frame holds")
        self._stream, self._came, self._may = -1, b"", ANY_WINDOW
        self.answer = b""
        settings = struct.pack(">HIHI", 1, 0, 4, LARGEST)  # no table of HPACK; a window for all of an answer
        more = frame(WINDOW, 0, 0, struct.pack(">I", LARGEST - ANY_WINDOW))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) + more)

    def send(self) -> None:
        """A call."""
        self._stream, self.answer = self._stream + 2, b""
        self._may -= len(self._body)
        if self._may < 0:
            raise SystemExit("The server allows no more bytes on a connection")
        call = frame(HEADERS, END_HEADERS, self._stream, self._head) + frame(DATA, END_STREAM, self._stream, self._body)
        self.socket.sendall(call)

    def take(self) -> bool:
        """Read what came. Returns whether the call has ended: `answer` is its message, or empty where it was refused. Raises
        ConnectionError where the server ended the connection."""
        part = self.socket.recv(READ)
        if not part:
            raise ConnectionError
        came, place, has_ended = self._came + part, 0, False
        while len(came) - place >= 9:
            size = int.from_bytes(came[place : place + 3], "big")
            if len(came) - place < 9 + size:
                break
            kind, flags, stream = struct.unpack_from(">BBI", came, place + 3)
            content = came[place + 9 : place + 9 + size]
            place += 9 + size
            if kind in (DATA, HEADERS, RESET) and stream == self._stream:
                self.answer += content if kind == DATA else b""
                has_ended |= kind == RESET or bool(flags & END_STREAM)
            elif kind in (SETTINGS, PING) and not flags & ACK:
                self.socket.sendall(frame(kind, ACK, 0, content if kind == PING else b""))
            elif kind == WINDOW and stream == 0:
                self._may += int.from_bytes(content, "big") & LARGEST
            elif kind == AWAY:
                raise ConnectionError
        self._came = came[place:]
        if has_ended:
            self.answer = self.answer[5:]  # after whether it is compressed, and its length
        return has_ended


def ask(asked: dict[str, Any], message: bytes, tally: Any) -> float:
    """Ask as serving_load.py is told to, as fast as answers come. Returns the s that it took; what came is in `tally`."""
    poll, connections, begun = select.epoll(), {}, {}
    start = time.perf_counter()
    for _ in range(asked["clients"]):
        connection = Connection(asked["port"], asked["path"], message)
        connections[number := connection.socket.fileno()] = connection
        poll.register(number, select.EPOLLIN)
        begun[number] = time.perf_counter()
        connection.send()
    end = start + asked["seconds"]
    while begun:
        if time.perf_counter() > end + 60:
            raise SystemExit("an answer takes more than a minute")
        for number, _ in poll.poll(0.1):
            connection = connections[number]
            try:
                has_ended = connection.take()
            except ConnectionError:
                tally.lost += number in begun
                begun.pop(number, None)
                poll.unregister(number)
                continue
            if not has_ended:
                continue
            now = time.perf_counter()
            if connection.answer:
                tally.times.append(now - begun[number])
                tally.answer = connection.answer
            else:
                tally.refused["not OK"] += 1
            del begun[number]
            if now < end:
                begun[number] = now
                connection.send()
    seconds = time.perf_counter() - start
    for connection in connections.values():
        connection.socket.close()
    return seconds
