"""One server: models, batching, both protocols, from their start to the end of their last request."""

import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import HubelError, UsageError, first_line
from serving.server import batching, loading, model_config
from serving.server.access import ApiKey
from serving.server.batching import Batching, Parameters
from serving.server.grpc_end import GrpcEnd, GrpcSettings
from serving.server.manager import POLL, Manager
from serving.server.metrics import Metrics
from serving.server.observed import Observed, Observer
from serving.server.rolling import Rolling
from serving.server.servable import Servable
from serving.server.shadow import Shadow, Spec
from serving.server.status import ServingError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a server is told besides its models.

    Attributes:
        host: where both ends listen. rest_port, grpc_port: 0 for any that is free, None for none.
        poll: s between looks at the models' folders; 0 for one look.
        batching: how requests are put together; None: not at all.
        max_request: bytes of a request. concurrency: requests at once, of each end; one more is refused.
        timeout: s after which a request is given up.
        drain: s that requests have to end once the server is told to stop. linger: s before, in which it still answers although it
            is not ready: what is on its way is not lost, and balancers see it go.
        strict_shapes, quick_start: see Servable.
        certificate, key: files of TLS, of both ends; None for none.
        monitoring: whether metrics are answered at all. cors: whether browsers may ask from pages of other origins.
        playground: whether the REST end has one at /.
        statistics: folder for what is measured of requests and answers, see rolling.py; None: nothing is.
        shadows: which requests a second version is asked too, see shadow.py.
    """

    host: str = "127.0.0.1"
    rest_port: int | None = 8501
    grpc_port: int | None = 8500
    poll: float = POLL
    batching: Parameters | None = None
    max_request: int = 2**26
    concurrency: int = 64
    timeout: float = 30.0
    drain: float = 30.0
    linger: float = 0.5
    strict_shapes: bool = False
    quick_start: bool = False
    certificate: Path | None = None
    key: Path | None = None
    monitoring: bool = True
    cors: bool = False
    playground: bool = True
    statistics: Path | None = None
    shadows: tuple[Spec, ...] = ()


class Server:
    """Use: `start`, wait, `stop`."""

    def __init__(self, settings: Settings, api_key: ApiKey | None = None):
        """Bind both ports; nothing answers yet.

        Raises:
            UsageError: of a certificate without a key. HubelError: where a port is in use, or a file of TLS is none.
        """
        if (settings.certificate is None) != (settings.key is None):
            raise UsageError("TLS needs a certificate and its key.", "Give both --tls-cert and --tls-key.")
        if settings.rest_port is None and settings.grpc_port is None:
            raise UsageError("A server without a port answers nobody.", "Leave --rest-port or --grpc-port as it is.")
        self.settings, self._api_key = settings, api_key or ApiKey(None)
        self.metrics = Metrics(is_model=lambda name: self.manager.has(name))
        self._observers: list[Observer] = [Rolling(settings.statistics, self.metrics)] if settings.statistics else []
        self.shadow: Shadow | None = None
        self.manager = Manager(
            self._load, self._wrap, settings.poll, on_load=self.metrics.loaded, on_warmup=self.metrics.warmed
        )  # fmt: skip
        if settings.shadows:
            self.shadow = Shadow(self.manager, settings.shadows, self.metrics)
            self._observers.append(self.shadow)
        self._tls()  # whose words are better than gRPC's, which takes what is no certificate and then answers nobody
        self._stopping, self._is_answering = threading.Event(), False
        self._follower: threading.Thread | None = None
        self._ends: dict[str, Any] = {}
        try:
            if settings.rest_port is not None:
                self._ends["rest"] = self._rest_end(settings.rest_port)
            if settings.grpc_port is not None:
                self._ends["grpc"] = self._grpc_end(settings.grpc_port)
        except BaseException:
            self.stop()
            raise

    @property
    def ports(self) -> dict[str, int]:
        """By end, "rest" and "grpc"."""
        return {name: end.port for name, end in self._ends.items()}

    def start(
        self, config, follow: Path | None = None, every: float = POLL, read: Callable[[Path], Any] = model_config.read
    ) -> None:
        """Load the models of a ModelServerConfig, then answer what they do. Meanwhile the REST end says so: who is let in
        by the port and not answered would hang. A channel of gRPC waits for its server by itself.

        Args:
            follow: file whose changes are taken as a config is by HandleReloadConfigRequest. every: s between looks; 0 for none.
            read: what makes a config of that file.

        Raises:
            UsageError: for a config that none can be. HubelError: where a model cannot be loaded.
        """
        if "rest" in self._ends:
            self._ends["rest"].start(is_loading=True)
        try:
            self.manager.start(config)
        except ServingError as error:
            self.stop()
            if error.code == "UNKNOWN":
                raise HubelError(
                    f"{error.message}.", "Remove or mend that version, or serve another one by NAME/VERSION."
                ) from None
            raise UsageError(f"The config cannot be served: {error.message}.", "See docs/serving.md on model.config.") from None
        if "rest" in self._ends:
            self._ends["rest"].loaded()
        if "grpc" in self._ends:
            self._ends["grpc"].start()
            self._ends["grpc"].show_ready(True)
        self._is_answering = True
        if follow is not None and every:
            self._follower = threading.Thread(target=self._follow, args=(follow, every, read), name="config", daemon=True)
            self._follower.start()

    def stop(self) -> float:
        """Be ready no more, take no more requests, answer those that there are, unload. Returns the s that it took."""
        start = time.monotonic()
        self._stopping.set()
        self.manager.drain()
        if self._is_answering:
            if "grpc" in self._ends:
                self._ends["grpc"].show_ready(False)
            time.sleep(self.settings.linger)
        for ended in [end.stop(self.settings.drain) for end in self._ends.values()]:
            ended.wait(self.settings.drain + 5)
        self._ends = {}
        if self._follower is not None:
            self._follower.join()
        for observer in self._observers:
            observer.close()
        self.manager.stop()
        return time.monotonic() - start

    def _load(self, name: str, version: int, folder: str) -> Servable:
        s = self.settings
        sizes = s.batching.allowed_batch_sizes if s.batching else ()
        more = {"strict_shapes": s.strict_shapes, "quick_start": s.quick_start, "batch_sizes": sizes}
        return loading.load(name, version, folder, timeout=s.timeout, **more)

    def _wrap(self, servable: Servable) -> Servable | Batching | Observed:
        answers: Servable | Batching = servable
        if self.settings.batching is not None:
            answers = Batching(servable, self.settings.batching, self._note_batch, self.metrics.retried.add)
        return Observed(answers, self._observers) if self._observers else answers

    def _note_batch(self, name: str, rows: int, waited) -> None:
        self.metrics.batches.add()
        self.metrics.batch_sizes.add(rows, name)
        for seconds in waited:
            self.metrics.queuing.add(seconds * 1e6)

    def _grpc_end(self, port: int) -> GrpcEnd:
        s = self.settings
        settings = GrpcSettings(s.host, port, s.max_request, s.concurrency, s.certificate, s.key)
        return GrpcEnd(self.manager, self.metrics, settings, self._api_key)

    def _rest_end(self, port: int):
        """The face of serving/server/rest/end.py is GrpcEnd's: RestEnd(manager, metrics, settings, api_key) binds; `port`,
        `start()`, `stop(grace) -> Event`."""
        from serving.server.rest.end import RestEnd, RestSettings

        s = self.settings
        settings = RestSettings(
            host=s.host,
            port=port,
            max_body=s.max_request,
            max_bodies=4 * s.max_request,
            concurrency=s.concurrency,
            timeout=s.timeout,
            tls=self._tls(),
            cors=s.cors,
            metrics=s.monitoring,
            playground=s.playground,
        )
        return RestEnd(self.manager, self.metrics, settings, self._api_key)

    def _tls(self) -> ssl.SSLContext | None:
        """Of the certificate. Raises HubelError where the files are none."""
        if self.settings.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.settings.certificate, self.settings.key)
        except OSError as error:  # of ssl's too
            raise HubelError(
                f"TLS cannot be served with {self.settings.certificate} and {self.settings.key}: {first_line(error)}.",
                "They are to be PEM files of a certificate and of its key.",
            ) from None
        return context

    def _follow(self, path: Path, every: float, read: Callable[[Path], Any]) -> None:
        """The thread that looks at the config's file: a change is taken, or refused in the log while the last good one holds."""
        known = _stamp(path)
        while not self._stopping.wait(every):
            stamp = _stamp(path)
            if stamp == known:
                continue
            known = stamp
            try:
                self.manager.reload(read(path))
                log.info("%s has changed and is followed", path)
            except (ServingError, HubelError) as error:
                log.error("%s has changed and cannot be followed: %s", path, getattr(error, "message", error))


def _stamp(path: Path) -> tuple | None:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_mtime_ns, there.st_size, there.st_ino


def settings_of(values: dict[str, Any], report: Callable[[str], None] = log.info) -> Settings:
    """Settings of JSON values: paths as text, `batching` as the path of a parameters file, `shadows` as fields of Spec."""
    paths = {name: Path(values[name]).expanduser() for name in ("certificate", "key", "statistics") if values.get(name)}
    parameters = batching.read(Path(values["batching"]).expanduser()) if values.get("batching") else None
    if parameters:
        report(f"Batching: {parameters}")
    shadows = tuple(Spec(**spec) for spec in values.get("shadows", ()))
    return Settings(**(values | paths | {"batching": parameters, "shadows": shadows}))
