"""The HTTP end: TF Serving's REST API on a Manager, with probes, metrics and limits.

An event loop of its own thread reads and writes; parsing and the model run in as many threads as there may be requests at once.
"""

import asyncio
import functools
import logging
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from configs.errors import HubelError, first_line
from serving.server import access
from serving.server import metrics as counted
from serving.server.access import ApiKey
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest import body, described, descriptions, document, examples, openapi, playground, tensors, urls
from serving.server.servable import DEFAULT_SIGNATURE
from serving.server.status import ServingError

LIVE, READY, MODELS = openapi.LIVE, openapi.READY, openapi.MODELS
CARDS = [f"{MODELS}/{{name}}{which}/card" for which in ("", "/versions/{version}", "/labels/{label}")]
OPEN = (LIVE, READY)  # what needs no API key: a probe has none, nor has a browser that opens the playground
VERSION = "X-Model-Version"  # a header: which version answered; TF Serving does not say it
JSON, HTML = "application/json", "text/html"
NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
SHOWN = 200  # characters of a path in the log
APIS = {
    urls.PREDICT: "Predict",
    urls.CLASSIFY: "Classify",
    urls.REGRESS: "Regress",
    urls.STATUS: "GetModelStatus",
    urls.METADATA: "GetModelMetadata",
}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}

NOTED = web.RequestKey("noted", dict)  # what else a request's line in the log has

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RestSettings:
    """Of the end.

    Attributes:
        host, port: where it listens; port 0 for any that is free.
        max_body: bytes of a request, and of what its gzip holds; more is 413.
        max_bodies: bytes of all requests that are read or answered at a time; more is 503. Parsed they take about ten times that.
        concurrency: requests that are answered at once; one more is 503.
        timeout: s for an answer, then 504, as TF Serving has it; and s for a client to take it.
        read_timeout: s for a body to come; then 408.
        slowest: bytes that a second more is given for, on their way in and out.
        idle_timeout: s that a connection may wait with no request, or with a part of a request's head.
        tls: of the certificate; None for plain HTTP.
        cors: whether browsers may ask from pages of other origins.
        metrics: whether the page of metrics is there.
        playground: whether the playground is, at /.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    max_body: int = 2**27
    max_bodies: int = 2**28
    concurrency: int = 64
    timeout: float = 30.0
    read_timeout: float = 30.0
    slowest: int = 2**16
    idle_timeout: float = 75.0
    tls: ssl.SSLContext | None = None
    cors: bool = False
    metrics: bool = True
    playground: bool = True


class RestEnd:
    """An HTTP server on a Manager."""

    def __init__(self, manager: Manager, metrics: Metrics, settings: RestSettings, api_key: ApiKey | None = None):
        """Bind the port; `start` answers.

        Raises:
            HubelError: where the port is in use, or the host is none of this machine's.
        """
        self._settings = settings
        self._handlers = _Handlers(manager, metrics, settings, api_key or ApiKey(None))
        try:
            family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
            self._socket = socket.create_server((settings.host, settings.port), family=family, backlog=1024)
        except OSError as error:
            raise HubelError(
                f"The port {settings.port} of {settings.host} is in use, or not to be had: {error.strerror or error}.",
                "Choose another with --rest-port.",
            ) from None
        self.port: int = self._socket.getsockname()[1]
        self._begun, self._ended = threading.Event(), threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._grace = 0.0
        self._failure: BaseException | None = None

    def start(self, is_loading: bool = False) -> None:
        """Answer, in a thread. Of models that are being loaded, nothing but that, before `loaded`."""
        self._handlers.is_loading = is_loading
        threading.Thread(target=self._run, name="rest", daemon=True).start()
        self._begun.wait()
        if self._failure is not None:
            raise self._failure

    def loaded(self) -> None:
        """Answer what the models do."""
        self._handlers.is_loading = False

    def stop(self, grace: float) -> threading.Event:
        """Take no more connections and end requests that last longer than `grace` s. Returns what is set once all have ended."""
        self._grace = grace
        self._handlers.is_draining = True
        if self._loop is None or self._stop is None:
            self._socket.close()
            self._ended.set()
        elif not self._ended.is_set():
            self._loop.call_soon_threadsafe(self._stop.set)
        return self._ended

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            log.exception("The REST end failed")
        finally:
            self._handlers.close()
            self._begun.set()
            self._ended.set()

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        runner = web.AppRunner(
            self._handlers.application(),
            access_log=None,
            auto_decompress=False,  # body.py does, bounded
            keepalive_timeout=self._settings.idle_timeout,
            lingering_time=2.0,
            max_line_size=2**14,
            shutdown_timeout=1.0,  # of what is left after the grace
        )
        await runner.setup()
        site = web.SockSite(runner, self._socket, ssl_context=self._settings.tls, backlog=1024)
        await site.start()
        self._begun.set()
        await self._stop.wait()
        self._loop.remove_reader(self._socket)  # what asyncio has accepted as its server closes is never answered
        await asyncio.sleep(0.02)
        await site.stop()
        end = self._loop.time() + self._grace
        while self._handlers.active and self._loop.time() < end:
            await asyncio.sleep(0.02)
        await runner.cleanup()


class _Handlers:
    """What is answered, by the path."""

    def __init__(self, manager: Manager, metrics: Metrics, settings: RestSettings, api_key: ApiKey):
        self._manager, self._metrics, self._settings, self._api_key = manager, metrics, settings, api_key
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="rest")
        self._budget = body.Budget(settings.max_bodies)
        self._pages = playground.files() if settings.playground else {}
        self._in_flight, self._lock = 0, threading.Lock()
        self.is_draining = self.is_loading = False
        self.active = 0  # requests that are being read, answered or sent; the loop's thread counts

    def application(self) -> web.Application:
        """The routes; all that is none of the others is the API's, or not there."""
        application = web.Application(middlewares=[self._gate])
        application.router.add_get(LIVE, self._live)
        application.router.add_get(READY, self._ready)
        for path in self._pages:
            application.router.add_get(path, self._file)
        application.router.add_get(MODELS, self._models)
        for path in CARDS:
            application.router.add_get(path, self._card)
        application.router.add_get(openapi.DESCRIPTION, self._description)
        if self._settings.metrics:
            application.router.add_get(counted.PATH, self._page)
        application.router.add_route("*", "/{path:.*}", self._api)
        return application

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    @web.middleware
    async def _gate(self, request: web.Request, handler: Callable) -> web.StreamResponse:
        """Around every request: the API key, its id, its line in the log, and a response whatever happens."""
        start, name = time.perf_counter(), access.request_id(request.headers)
        more: dict[str, Any] = {}
        request[NOTED] = more
        self.active += 1
        try:
            return await self._answered(request, handler, start, name, more)
        finally:
            self.active -= 1

    async def _answered(
        self, request: web.Request, handler: Callable, start: float, name: str, more: dict[str, Any]
    ) -> web.StreamResponse:
        try:
            is_open = request.path in OPEN or request.path in self._pages
            if not (is_open or request.method == "OPTIONS" or self._api_key.allows(request.headers)):
                self._metrics.refused.add("REST", "api_key")
                raise ServingError("UNAUTHENTICATED", access.REFUSED)
            if self.is_loading and not (is_open or request.path in (MODELS, counted.PATH)):
                raise ServingError("UNAVAILABLE", access.LOADING)
            response, code = await handler(request), "OK"
        except ServingError as error:
            response, code = _told(error), error.code
        except web.HTTPException as error:  # the router's, such as for another method of a probe
            response, code = _response(urls.error_body(error.reason), status=error.status), "INVALID_ARGUMENT"
        except Exception:
            log.exception("A request failed: %s", name)
            response, code = _told(ServingError("INTERNAL", f"The server failed; its log says why, at request {name}")), "INTERNAL"
        if "version" in more:
            response.headers[VERSION] = str(more["version"])
        if code == "UNAUTHENTICATED":
            response.headers["WWW-Authenticate"] = "Bearer"
        if self._settings.cors and urls.is_api(request.raw_path):
            response.headers.update(CORS)
        response.headers[access.REQUEST_ID], response.headers["Server"] = name, "hubel"
        if self.is_draining:
            response.force_close()
        await self._send(request, response)
        sent = len(response.body) if response.body else 0
        access.note(
            "REST", _call(request), code, start, http=response.status, request_id=name, peer=request.remote, sent=sent, **more
        )
        return response

    async def _send(self, request: web.Request, response: web.Response) -> None:
        """Write a response; who does not take it is let go."""
        try:
            async with asyncio.timeout(self._settings.timeout + len(response.body or b"") / self._settings.slowest):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            request[NOTED]["lost"] = "not taken"
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            request[NOTED]["lost"] = "gone"

    async def _live(self, request: web.Request) -> web.Response:
        return _response(b'{"live":true}')

    async def _ready(self, request: web.Request) -> web.Response:
        is_ready = self._manager.ready and not self.is_draining
        return _response(orjson.dumps({"ready": is_ready}), status=200 if is_ready else 503)

    async def _file(self, request: web.Request) -> web.Response:
        return self._pages[request.path].response(request)

    async def _models(self, request: web.Request) -> web.Response:
        return _response(orjson.dumps({"models": self._manager.overview()}))

    async def _card(self, request: web.Request) -> web.Response:
        """What is known of a model that hubel wrote, of the version or label that is asked for."""
        parts = request.match_info
        request[NOTED]["model"] = parts["name"]
        version = urls.number(parts["version"]) if "version" in parts else None

        def read() -> bytes:
            with self._manager.lease(parts["name"], version, parts.get("label")) as servable:
                return descriptions.card(servable)

        return _response(await self._within(read))

    async def _description(self, request: web.Request) -> web.Response:
        return _response(await self._within(functools.partial(described.description, self._manager, self._api_key.is_set)))

    async def _page(self, request: web.Request) -> web.Response:
        return _response(self._metrics.page().encode(), counted.CONTENT_TYPE)

    async def _api(self, request: web.Request) -> web.Response:
        path = request.raw_path
        if not urls.is_api(path):
            return _response(NOT_FOUND, HTML, 404)
        if request.method == "OPTIONS":
            origin = request.headers.get("Origin", "")
            return web.Response(status=200 if "http://" in origin or "https://" in origin else 400)
        call = urls.call(request.method, path)
        request[NOTED]["model"] = call.name
        with self._metrics.request(call.name, APIS[call.verb], "REST"), self._budget.share() as share:
            if call.verb == urls.STATUS:
                return _response(descriptions.status(self._manager.status(call.name, call.version)))
            content = b""
            if call.verb != urls.METADATA:
                content = await self._read(request, share)
            request[NOTED]["received"] = len(content)
            is_gzip = request.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip")
            deadline = time.monotonic() + self._settings.timeout
            noted = request[NOTED]
            return _response(await self._within(functools.partial(self._answer, call, content, is_gzip, share, deadline, noted)))

    async def _read(self, request: web.Request, share: body.Share) -> bytes:
        pace = body.Pace(self._settings.read_timeout, self._settings.slowest)
        return await body.read(_chunks(request), request.content_length, self._settings.max_body, share, pace)

    async def _within(self, answer: Callable[[], bytes]) -> bytes:
        """What `answer` returns, in a thread, where there is room and in time."""
        with self._lock:
            if self._in_flight >= self._settings.concurrency:
                self._metrics.refused.add("REST", "concurrency")
                raise ServingError(
                    "UNAVAILABLE", f"The server answers {self._settings.concurrency} requests at a time; try again later."
                )
            self._count(1)
        future = asyncio.wrap_future(self._threads.submit(self._counted, answer))
        future.add_done_callback(_retrieved)
        done, _ = await asyncio.wait({future}, timeout=self._settings.timeout)
        if not done:  # it holds its place until it ends
            raise ServingError("DEADLINE_EXCEEDED", f"There was no answer in {self._settings.timeout:g} s")
        return future.result()

    def _counted(self, answer: Callable[[], bytes]) -> bytes:
        try:
            return answer()
        finally:
            with self._lock:
                self._count(-1)

    def _count(self, by: int) -> None:
        self._in_flight += by
        self._metrics.in_flight.put(self._in_flight, "REST")

    def _answer(
        self, call: urls.Call, content: bytes, is_gzip: bool, share: body.Share, deadline: float, noted: dict[str, Any]
    ) -> bytes:
        """A call's response. In a thread."""
        if call.verb == urls.METADATA:
            with self._manager.lease(call.name, call.version, call.label) as servable:
                return descriptions.metadata(call.name, servable.version, servable.signatures)
        if is_gzip and content:
            content = body.inflated(content, self._settings.max_body, share)
        asked = document.parse(content)
        if call.verb == urls.PREDICT:
            return self._predict(call, asked, deadline, noted)
        return self._of_examples(call, asked, deadline, noted)

    def _predict(self, call: urls.Call, asked: dict, deadline: float, noted: dict[str, Any]) -> bytes:
        name = tensors.signature_name(asked)
        with self._manager.lease(call.name, call.version, call.label) as servable:
            noted["version"] = servable.version
            signature = servable.signatures.get(name or DEFAULT_SIGNATURE)
            if signature is None:
                raise document.invalid(f'Serving signature name: "{name}" not found in signature def')
            inputs = dict(signature.inputs)
            if not inputs:
                raise document.invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
            form, feeds = tensors.feeds(asked, inputs)
            with self._metrics.runtime(call.name, APIS[call.verb]):
                outputs = servable.run(name, feeds, None, deadline)
        return tensors.response(form, outputs)

    def _of_examples(self, call: urls.Call, asked: dict, deadline: float, noted: dict[str, Any]) -> bytes:
        from tensorflow_serving.apis import classification_pb2, regression_pb2

        from serving.server import inference

        is_classify = call.verb == urls.CLASSIFY
        request = classification_pb2.ClassificationRequest() if is_classify else regression_pb2.RegressionRequest()
        request.model_spec.signature_name = document.utf8(tensors.signature_name(asked)).decode(errors="replace")
        examples.read(asked, request.input)
        with self._manager.lease(call.name, call.version, call.label) as servable:
            request.model_spec.name = servable.name
            noted["version"] = servable.version
            with self._metrics.runtime(servable.name, APIS[call.verb]):
                result = (inference.classify if is_classify else inference.regress)(servable, request, deadline).result
        self._metrics.count_examples(servable.name, inference.count_examples(request.input))
        return examples.classified(result) if is_classify else examples.regressed(result)


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    """A body as it comes. Raises ServingError where it cannot be taken apart."""
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except ConnectionError:
        raise ServingError("CANCELLED", "The client is gone") from None
    except (web.RequestPayloadError, ValueError) as error:
        raise document.invalid(f"The body cannot be read: {first_line(error)}") from None


def _retrieved(future: asyncio.Future) -> None:
    if not future.cancelled():
        future.exception()


def _call(request: web.Request) -> str:
    return f"{request.method} {request.raw_path.partition('?')[0][:SHOWN]}"


def _response(content: bytes, content_type: str = JSON, status: int = 200) -> web.Response:
    return web.Response(body=content, status=status, content_type=content_type)


def _told(error: ServingError) -> web.Response:
    return _response(urls.error_body(error.message), status=urls.http_status(error))
