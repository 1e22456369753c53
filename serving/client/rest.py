"""TF Serving's REST API, asked by aiohttp: its event loop has a thread of its own, so that whoever has a loop, such as a notebook,
can ask too, and a deadline is one of the whole exchange."""

import asyncio
import json
import ssl
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import numpy as np
import orjson
from google.protobuf import json_format
from yarl import URL

from configs.errors import first_line
from serving import protos
from serving.client import codec, errors
from serving.client.errors import OF_HTTP, ServerError
from serving.client.place import Place

TOO_LARGE = 413


class Rest:
    """One server. May be used by many threads."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, api_key: str | None):
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{port}"
        self._base = f"{'http' if tls is None else 'https'}://{self.address}"
        self._tls, self._headers = tls, {"x-api-key": api_key} if api_key else {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._lock = threading.Lock()

    def signatures(self, place: Place, seconds: float) -> tuple[int, dict[str, Any]]:
        """The version that answers, and SignatureDef by name."""
        told = self._json(*self._get(f"/v1/models/{place.path}/metadata", seconds))
        try:
            version = int(told["model_spec"]["version"])
            written = told["metadata"]["signature_def"]["signature_def"]
            kind = protos.message("tensorflow.SignatureDef")
            return version, {
                name: json_format.ParseDict(written[name], kind(), ignore_unknown_fields=True) for name in sorted(written)
            }
        except (KeyError, TypeError, ValueError, json_format.ParseError) as error:
            raise errors.another_protocol(self.address, "REST", f"its metadata are none ({first_line(error)})") from None

    def predict(
        self, place: Place, signature: str, inputs: Mapping[str, tuple[np.ndarray, int]], outputs: Mapping[str, int], seconds: float
    ) -> dict[str, np.ndarray]:
        """Arrays by output; those of `inputs` and `outputs` come with their dtypes of types_pb2, of all outputs."""
        columns = {alias: codec.to_json(values, dtype) for alias, (values, dtype) in inputs.items()}
        told = self._posted(place, "predict", {"signature_name": signature, "inputs": columns}, seconds)
        try:
            answered = told["outputs"]
            if len(outputs) == 1:
                answered = {next(iter(outputs)): answered}
            return {alias: codec.from_json(alias, answered[alias], dtype) for alias, dtype in outputs.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise errors.another_protocol(self.address, "REST", f"an answer without its outputs ({first_line(error)})") from None

    def classify(self, place: Place, signature: str, examples: Sequence[bytes], seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Labels and scores, as codec.of_classes, of serialized tf.Examples."""
        return self._results(place, "classify", signature, examples, codec.of_classes, seconds)

    def regress(self, place: Place, signature: str, examples: Sequence[bytes], seconds: float) -> np.ndarray:
        """float32 [N], of serialized tf.Examples."""
        return self._results(place, "regress", signature, examples, lambda results: np.array(results, np.float32), seconds)

    def card(self, place: Place, seconds: float) -> dict[str, Any] | None:
        """The card that `hubel serve` gives; None where the server gives none: TF Serving has no such path."""
        status, content = self._get(f"/models/{place.path}/card", seconds)
        try:
            told = json.loads(content) if status == 200 else None
        except ValueError:
            return None
        return told if isinstance(told, dict) and "task" in told else None

    def close(self) -> None:
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            if self._session is not None:
                asyncio.run_coroutine_threadsafe(self._session.close(), loop).result(10)
                self._session = None
            loop.call_soon_threadsafe(loop.stop)

    def _results(self, place: Place, api: str, signature: str, examples: Sequence[bytes], read, seconds: float) -> Any:
        """What `read` makes of the results, one for each of the examples."""
        sent = {"signature_name": signature, "examples": [codec.example_to_json(example) for example in examples]}
        told = self._posted(place, api, sent, seconds)
        try:
            if len(told["results"]) != len(examples):
                raise ValueError(f"{len(told['results'])} results of {len(examples)} examples")
            return read(told["results"])
        except (KeyError, TypeError, ValueError) as error:
            raise errors.another_protocol(self.address, "REST", f"an answer without its results ({first_line(error)})") from None

    def _posted(self, place: Place, api: str, sent: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        body = orjson.dumps(sent, option=orjson.OPT_SERIALIZE_NUMPY)
        return self._json(*self._run(self._ask("POST", f"/v1/models/{place.path}:{api}", body), seconds))

    def _get(self, path: str, seconds: float) -> tuple[int, bytes]:
        return self._run(self._ask("GET", path, None), seconds)

    def _json(self, status: int, content: bytes) -> Any:
        """What an answer holds. Raises a ServerError for what is none."""
        try:
            told = _parsed(content)
        except ValueError:
            if status in (502, 503, 504):  # a balancer's page
                raise errors.refused(self.address, OF_HTTP[status], f"HTTP status {status}") from None
            raise errors.another_protocol(self.address, "REST", f"HTTP status {status}, and no JSON") from None
        if status == 200 and isinstance(told, dict):
            return told
        said = told.get("error") if isinstance(told, dict) else None
        said = said if isinstance(said, str) else f"HTTP status {status}"
        raise errors.refused(self.address, OF_HTTP.get(status, "UNKNOWN"), said, False if status == TOO_LARGE else None)

    async def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._session is None:
            # Limits and time-outs are the caller's; a name's percents are as they are sent
            connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=aiohttp.ClientTimeout())
        headers = {"Content-Type": "application/json"} if body is not None else {}
        url = URL(f"{self._base}{path}", encoded=True)
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, await response.read()

    def _run(self, asked, seconds: float) -> tuple[int, bytes]:
        """An exchange, within so many s. Raises Unreachable."""
        future = asyncio.run_coroutine_threadsafe(_within(asked, seconds), self._running())
        try:
            return future.result()
        except TimeoutError:
            raise errors.late(self.address, seconds) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise errors.untrusted(self.address, _of_tls(error.certificate_error)) from None
        except aiohttp.ClientSSLError as error:
            raise errors.untrusted(self.address, _of_tls(getattr(error, "os_error", error))) from None
        except aiohttp.ClientConnectorError as error:
            raise errors.unreachable(self.address, _strerror(error.os_error)) from None
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:  # what comes back is no HTTP
            raise errors.another_protocol(self.address, "REST", "what comes back is no HTTP/1.1") from error
        except aiohttp.ServerDisconnectedError:
            raise _gone(self.address) from None
        except (aiohttp.ClientError, OSError) as error:
            raise errors.unreachable(self.address, _strerror(error)) from None

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_forever, args=(self._loop,), name="serving-client", daemon=True).start()
            return self._loop


def _forever(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _within(asked, seconds: float):
    async with asyncio.timeout(seconds):
        return await asked


def _parsed(content: bytes) -> Any:
    """JSON with bare NaN and Infinity, and strings of whatever bytes. Raises ValueError."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content.decode("utf-8", "surrogateescape"))


def _gone(address: str) -> ServerError:
    """The connection was closed before an answer: by a server that ends, or one that wants TLS."""
    error = errors.unreachable(address, "it closes the connection without an answer")
    error.hint = f"Is it about to end, does it want TLS (https://{address}, or --tls-ca), or is it its gRPC port (--grpc)?"
    return error


def _of_tls(error: BaseException) -> str:
    return getattr(error, "verify_message", "") or getattr(error, "reason", "") or first_line(error)


def _strerror(error: BaseException) -> str:
    return getattr(error, "strerror", None) or first_line(error) or type(error).__name__
