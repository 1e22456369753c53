"""The clients of benchmarks/serving.py, in a process of their own: for each line of JSON on stdin they ask for a while, and tell
a line of JSON.

A line is {protocol: "REST", "gRPC", or "HTTP/2" for gRPC by serving_load_http2.py, which knows no rate, port, path, request: base64
of a body or of a PredictRequest, clients, seconds, rate}: each of so many clients has a connection, and asks again once it is
answered; with a `rate`, of requests a second in all, whoever is free asks when the next one is due, whether or not others are
answered. Told is {answered, refused: {status: how many}, lost:
connections that the server closed before an answer, late: requests that were due and found nobody free, seconds, p50, p99: ms of
those answered, answer: base64 of one}.
"""

import asyncio
import base64
import collections
import json
import select
import socket
import sys
import time

READ = 2**16  # bytes at a time
END = b"\r\n\r\n"


class Tally:
    """What came of the requests."""

    def __init__(self):
        self.times, self.refused, self.lost, self.answer = [], collections.Counter(), 0, b""

    def told(self, seconds: float, late: int) -> dict:
        """As JSON."""
        import numpy as np

        p50, p99 = np.percentile(self.times, [50, 99]) if self.times else (0.0, 0.0)
        answer = base64.b64encode(self.answer).decode()
        counts = {"answered": len(self.times), "refused": dict(self.refused), "lost": self.lost, "late": late}
        return counts | {"seconds": seconds, "p50": 1000 * p50, "p99": 1000 * p99, "answer": answer}


class Due:
    """When a request is due: at a rate, or as soon as somebody is free."""

    def __init__(self, rate: float | None):
        self._rate, self._start, self._taken = rate, time.perf_counter(), 0

    def take(self) -> bool:
        """Whether one is, and if so take it."""
        if self.waiting() < 1:
            return False
        self._taken += 1
        return True

    def waiting(self) -> float:
        """How many are due and not taken; of no rate always one."""
        return (time.perf_counter() - self._start) * self._rate - self._taken if self._rate else 1


def rest(asked: dict) -> dict:
    """Over HTTP, by one thread that polls all connections."""
    body = base64.b64decode(asked["request"])
    head = (
        f"POST {asked['path']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request, address = head.encode() + body, ("127.0.0.1", asked["port"])
    poll, connections, free = select.epoll(), {}, collections.deque()

    def connect() -> int:
        connection = socket.create_connection(address, timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[connection.fileno()] = [connection, b"", 0.0]
        poll.register(connection.fileno(), select.EPOLLIN)
        return connection.fileno()

    def close(number: int) -> None:
        poll.unregister(number)
        connections.pop(number)[0].close()

    free.extend(connect() for _ in range(asked["clients"]))
    tally, due, start = Tally(), Due(asked.get("rate")), time.perf_counter()
    end = start + asked["seconds"]
    while (now := time.perf_counter()) < end or len(free) < len(connections):
        while free and now < end and due.take():
            state = connections[number := free.popleft()]
            state[1], state[2] = b"", time.perf_counter()
            state[0].sendall(request)
        if now > end + 60:
            raise SystemExit("an answer takes more than a minute")
        for number, _ in poll.poll(0.001):
            state = connections[number]
            part = state[0].recv(READ)
            if not part:  # closed by the server, such as after it refused
                tally.lost += number not in free
                if number in free:
                    free.remove(number)
                close(number)
                free.append(connect())
                continue
            state[1] += part
            top, blank, content = state[1].partition(END)
            if blank and len(content) >= _length(top):
                status = int(top.split(b" ", 2)[1])
                if status == 200:
                    tally.times.append(time.perf_counter() - state[2])
                    tally.answer = content
                else:
                    tally.refused[str(status)] += 1
                free.append(number)
    seconds, late = time.perf_counter() - start, int(due.waiting()) if asked.get("rate") else 0
    for number in list(connections):
        close(number)
    return tally.told(seconds, late)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


def over_http2(asked: dict) -> dict:
    """By serving_load_http2.py, a connection for each client."""
    import serving_load_http2

    tally = Tally()
    return tally.told(serving_load_http2.ask(asked, base64.b64decode(asked["request"]), tally), 0)


def over_grpc(asked: dict) -> dict:
    """By gRPC's asyncio, a channel for each client."""
    return asyncio.run(_over_grpc(asked))


async def _over_grpc(asked: dict) -> dict:
    import grpc

    request, tally, due = base64.b64decode(asked["request"]), Tally(), Due(asked.get("rate"))
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{asked['port']}", options) for _ in range(asked["clients"])]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    start = time.perf_counter()
    end = start + asked["seconds"]

    async def client(channel) -> None:
        call = channel.unary_unary(asked["path"])
        while time.perf_counter() < end:
            if not due.take():
                await asyncio.sleep(0.001)
                continue
            sent = time.perf_counter()
            try:
                tally.answer = await call(request, timeout=60)
                tally.times.append(time.perf_counter() - sent)
            except grpc.aio.AioRpcError as error:
                tally.refused[error.code().name] += 1

    await asyncio.gather(*map(client, channels))
    seconds, late = time.perf_counter() - start, int(due.waiting()) if asked.get("rate") else 0
    await asyncio.gather(*(channel.close() for channel in channels))
    return tally.told(seconds, late)


WAYS = {"REST": rest, "gRPC": over_grpc, "HTTP/2": over_http2}

if __name__ == "__main__":
    for line in sys.stdin:
        asked_for = json.loads(line)
        print(json.dumps(WAYS[asked_for["protocol"]](asked_for)), flush=True)
