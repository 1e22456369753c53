"""Which versions of which models are loaded: what TF Serving's server core, its file system source and its manager decide.

A thread looks at each model's folder every so many seconds. Of the numbers that it finds the policy aspires to some; the highest is
loaded first, and an old version goes only when a new one answers. Requests hold what they use: a version ends after its last one.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from configs.errors import first_line
from serving import layout
from serving.server import loading, model_config
from serving.server.servable import Servable
from serving.server.status import CODES, ServingError

POLL = 1.0  # s between looks at the folders
RETRIES = 5  # of a version that cannot be loaded, as TF Serving has it; these double from RETRY, where those are 60 s apart
RETRY = 1.0  # s
START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"  # states of ModelVersionStatus

log = logging.getLogger(__name__)


@dataclass
class Version:
    """One version and what is known of it; the manager's lock guards it."""

    number: int
    path: str
    state: str = START
    error: ServingError | None = None
    servable: Any = None  # what answers: a Servable, or what stands before it
    loaded: Servable | None = None
    uses: int = 0  # requests that hold it
    attempts: int = 0
    next_attempt: float = 0.0  # time.monotonic()
    tried: tuple = ()  # what the folder held when it was last tried


@dataclass
class Model:
    """A model of the config and its versions, by number."""

    name: str
    base_path: str
    policy: Any  # FileSystemStoragePathSourceConfig.ServableVersionPolicy
    labels: Mapping[str, int]
    versions: dict[int, Version] = field(default_factory=dict)
    is_configured: bool = True  # else it is being unloaded
    configs: int = 0  # how many it has had
    looked: bool = False  # at its folder, since the last of these
    aspired: dict[int, str] | None = None  # at the last look
    below: dict[int, str] = field(default_factory=dict)  # other folders of that look, which may stand in for them
    fallen: set[int] = field(default_factory=set)  # of these, what could not be loaded either
    trouble: str = ""  # with its folder; told once for each kind
    kind_of_trouble: type | None = None


class Manager:
    """Models by name. All may be used by many threads at once."""

    def __init__(
        self,
        load: Callable[[str, int, str], Servable] = loading.load,
        wrap: Callable[[Servable], Any] = lambda servable: servable,
        poll: float = POLL,
        retry: float = RETRY,
        on_load: Callable[[str, str, float], None] = lambda folder, status, seconds: None,
        on_warmup: Callable[[Servable], None] = lambda servable: None,
    ):
        """
        Args:
            load: name, version, folder -> what is loaded; raises ServingError.
            wrap: what requests get instead of it, such as one that batches; has its attributes, `run`, `run_several` and `close`.
            poll: s between looks; 0 for one look alone, when the config comes.
            retry: s before a version that cannot be loaded is tried once more; doubles each time.
            on_load, on_warmup: told of each attempt to load (code, s), and of each version that was loaded.
        """
        self._load, self._wrap, self._poll, self._retry = load, wrap, poll, retry
        self._on_load, self._on_warmup = on_load, on_warmup
        self._models: dict[str, Model] = {}
        self._labels: dict[tuple[str, str], int] | None = None  # None before there were any
        self._changed = threading.Condition()
        self._reloading = threading.Lock()
        self._wake = threading.Event()
        self._stopped = self._draining = False
        self._thread = threading.Thread(target=self._watch, name="manager", daemon=True)
        self._unloads: list[threading.Thread] = []

    def start(self, config) -> None:
        """Load what a ModelServerConfig says and go on looking.

        Raises:
            ServingError: where the config cannot be, or one of its models has no version that can be loaded.
        """
        try:
            self.reload(config)
        except ServingError:
            self.stop()
            raise

    def reload(self, config) -> None:
        """Take another config: models that it omits are unloaded, new ones loaded before this returns.

        Raises:
            ServingError: as TF Serving's HandleReloadConfigRequest. What was wrong with one new model leaves the others loaded.
        """
        with self._reloading:
            checked = model_config.checked(config)
            with self._changed:
                new = [name for name in checked if name not in self._models or not self._models[name].is_configured]
                for model in self._models.values():
                    model.is_configured = model.name in checked
                for name, entry in checked.items():
                    model = self._models.setdefault(name, Model(name, "", None, {}))
                    model.base_path, model.policy, model.is_configured = entry.base_path, entry.model_version_policy, True
                    model.configs, model.looked, model.trouble = model.configs + 1, False, ""
                    model.fallen = set()
                if self._labels is not None:  # a label that is not asked for any more is gone whatever else happens
                    kept = {(name, label) for name, entry in checked.items() for label in entry.version_labels}
                    self._labels = {key: version for key, version in self._labels.items() if key in kept}
            if not self._thread.is_alive() and not self._stopped:
                self._thread.start()
            self._wake.set()
            with self._changed:
                wanted = {name: set(entry.version_labels.values()) for name, entry in checked.items()}
                self._changed.wait_for(
                    lambda: self._stopped or all(self._decided(name, wanted[name], name in new) for name in checked)
                )
                failed = {name: why for name in new if (why := self._why_not(self._models[name]))}
                if failed:
                    said = ", ".join(f"{name}: {why}" for name, why in sorted(failed.items()))
                    raise ServingError("UNKNOWN", f"Some models did not become available: {{{said}}}")
                self._label(checked)

    def drain(self) -> None:
        """Be `ready` no more; what is loaded answers on."""
        self._draining = True

    def stop(self) -> None:
        """Unload everything, after the requests that use it have ended."""
        with self._changed:
            self._stopped = True
            versions = [(model, version) for model in self._models.values() for version in model.versions.values()]
            for model, version in versions:
                if version.state == AVAILABLE:
                    self._unload(model, version)
            self._changed.notify_all()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        for thread in self._unloads:
            thread.join()

    @contextlib.contextmanager
    def lease(self, name: str, version: int | None = None, label: str | None = None) -> Iterator[Any]:
        """What answers for a model, held until the block ends: the highest version that is available, or the named one.

        Raises:
            ServingError: INVALID_ARGUMENT for no name or an unknown label, NOT_FOUND for an unknown model or version.
        """
        with self._changed:
            held = self._wanted(name, version, label)
            held.uses += 1
        try:
            yield held.servable
        finally:
            with self._changed:
                held.uses -= 1
                if not held.uses and held.state != AVAILABLE:
                    self._changed.notify_all()

    def status(self, name: str, version: int | None = None, label: str | None = None):
        """GetModelStatusResponse of a model's versions, the highest first; the last state of those that are unloaded too.

        Args:
            label: heeded as TF Serving heeds it over gRPC: an unknown one is refused. Over REST it does not.
        """
        from tensorflow_serving.apis import get_model_status_pb2

        if not name:
            raise ServingError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        response = get_model_status_pb2.GetModelStatusResponse()
        with self._changed:
            number = self._labelled(name, label) if label else version
            versions = self._models[name].versions if name in self._models else {}
            if number is None and not versions:
                raise ServingError("NOT_FOUND", f"Could not find any versions of model {name}")
            if number is not None and number not in versions:
                raise ServingError("NOT_FOUND", f"Could not find version {number} of model {name}")
            for known in sorted(versions, reverse=True) if number is None else [number]:
                entry, error = versions[known], versions[known].error
                written = response.model_version_status.add(version=known, state=entry.state)
                if error is not None:
                    written.status.error_code, written.status.error_message = CODES[error.code], error.message
        return response

    def overview(self) -> list[dict[str, Any]]:
        """A row for each version that is known, as JSON: model, version, state, error, labels, and of a loaded one `seconds`, how
        long that took, and `warmup`, as of Warmup.as_json."""
        rows = []
        with self._changed:
            labels = self._labels or {}
            for model in sorted(self._models.values(), key=lambda model: model.name):
                for version in sorted(model.versions.values(), key=lambda version: -version.number):
                    row: dict[str, Any] = {"model": model.name, "version": version.number, "state": version.state}
                    row["error"] = version.error.message if version.error else ""
                    row["labels"] = sorted(
                        label for (name, label), n in labels.items() if (name, n) == (model.name, version.number)
                    )
                    if version.loaded is not None:
                        row["seconds"] = round(version.loaded.seconds, 3)
                        row["warmup"] = version.loaded.warmup.as_json()
                    rows.append(row)
        return rows

    def has(self, name: str) -> bool:
        """Whether a model of that name is, or was, in the config."""
        return name in self._models

    @property
    def ready(self) -> bool:
        """Whether each model of the config has a version that answers."""
        with self._changed:
            configured = [model for model in self._models.values() if model.is_configured]
            return not (self._stopped or self._draining) and bool(configured) and all(map(_has_available, configured))

    # What follows with `model` or `version` as arguments is called with the lock held, unless it says otherwise.

    def _wanted(self, name: str, number: int | None, label: str | None) -> Version:
        if not name:
            raise ServingError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        if label:
            number = self._labelled(name, label)
        versions = self._models[name].versions if name in self._models else {}
        available = [version for version in versions.values() if version.state == AVAILABLE]
        if number is not None:
            available = [version for version in available if version.number == number]
        if not available:
            asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
            raise ServingError("NOT_FOUND", f"Servable not found for request: {asked}")
        return max(available, key=lambda version: version.number)

    def _labelled(self, name: str, label: str) -> int:
        if self._labels is None:
            raise ServingError("UNAVAILABLE", f"Unrecognized servable version label: {label}")
        if (name, label) not in self._labels:
            raise ServingError("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
        return self._labels[name, label]

    def _label(self, checked: Mapping[str, Any]) -> None:
        """Let labels name versions, all at once."""
        labels = {}
        for name, entry in checked.items():
            for label, number in entry.version_labels.items():
                version = self._models[name].versions.get(number)
                if version is None or version.state != AVAILABLE:
                    raise ServingError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label {label} to version {number} of model {name}, which is not currently available for"
                        " inference",
                    )
                labels[name, label] = number
        self._labels = labels

    def _decided(self, name: str, numbers: set[int], is_new: bool) -> bool:
        """Whether a model's folder was looked at and each version that was aspired to, or has a label now, was tried."""
        model = self._models[name]
        if not model.looked:
            return False
        if self._stand_in(model):
            return False
        waited = [version for version in model.versions.values() if is_new or version.number in numbers]
        return all(version.state in (AVAILABLE, END) or version.error is not None for version in waited)

    def _why_not(self, model: Model) -> str:
        """Why a model does not answer; "" where it does."""
        if _has_available(model):
            return ""
        failed = [version for version in model.versions.values() if version.error is not None]
        if failed:
            worst = max(failed, key=lambda version: version.number)
            return f"version {worst.number} {worst.error.code}: {worst.error.message}"
        return model.trouble or f"no versions in {model.base_path}"

    def _watch(self) -> None:
        """The thread."""
        while not self._stopped:
            self._wake.clear()
            try:
                while self._step():
                    pass
            except Exception:  # such as of a file system that fails in a new way: the next look may succeed
                log.exception("The models' folders could not be looked at")
            self._wake.wait(min(self._poll or 60, self._pause()))

    def _pause(self) -> float:
        """s until some version is to be tried again."""
        with self._changed:
            due = [
                version.next_attempt
                for model in self._models.values()
                for version in model.versions.values()
                if version.state == LOADING
            ]
        return max(min(due, default=float("inf")) - time.monotonic(), 0.01)

    def _step(self) -> bool:
        """Look at all folders and do what is most wanted. Returns whether something was done, after which one looks again. Without
        the lock."""
        with self._changed:
            models = list(self._models.values())
        for model in models:
            if self._stopped:
                return False
            of_config = model.configs
            aspired = self._aspired(model)
            with self._changed:
                if model.configs != of_config:  # what was aspired to is not any more
                    return True
                model.looked = True
                if aspired is not None:
                    self._settle(model, aspired | self._stand_in(model))
                version = None if self._stopped else self._next_load(model)
                if version is not None:
                    version.state = LOADING
                    version.attempts += 1
                self._changed.notify_all()
            if version is not None:
                self._try(model, version)
                return True
        return False

    def _aspired(self, model: Model) -> dict[int, str] | None:
        """Number -> folder of the versions that should be there; None where its folder cannot be looked at, or is not to be once
        more. Without the lock."""
        import tensorflow as tf

        if not model.is_configured:
            return {}
        if model.looked and not self._poll:
            return model.aspired
        try:
            names = sorted(name.rstrip("/") for name in tf.io.gfile.listdir(model.base_path))
        except (tf.errors.OpError, OSError) as error:
            trouble = f"Could not find base path {model.base_path} for servable {model.name}: {first_line(error)}"
            if not model.trouble or type(error) is not model.kind_of_trouble:  # the words vary with the moment
                log.error("%s", trouble)
            model.trouble, model.kind_of_trouble = trouble, type(error)
            return None
        model.trouble = ""
        numbers: dict[int, str] = {}
        for name in names:
            number = layout.number(name)
            if number is not None:
                numbers.setdefault(number, f"{model.base_path}/{name}")
        wanted = model_config.chosen(model.policy, numbers)
        model.aspired = {number: path for number, path in numbers.items() if number in wanted}
        is_latest = (model.policy.WhichOneof("policy_choice") or "latest") == "latest"
        model.below = {number: path for number, path in numbers.items() if number not in wanted} if is_latest else {}
        return model.aspired

    def _settle(self, model: Model, aspired: Mapping[int, str]) -> None:
        """Note what is new, unload what may go."""
        for number, path in aspired.items():
            version = model.versions.get(number)
            came_back = version is not None and version.state == END and version.error is None
            if version is None or came_back:
                model.versions[number] = Version(number, path)
            elif version.state == END and version.tried != _contents(path):
                log.info("%s version %s has changed since it could not be loaded: it is tried again", model.name, number)
                model.versions[number] = Version(number, path)
        for version in model.versions.values():
            if version.number not in aspired and (version.state in (START, LOADING) or version.error is not None):
                version.state, version.error = END, None
        available = [version for version in model.versions.values() if version.state == AVAILABLE]
        unaspired = sorted((v for v in available if v.number not in aspired), key=lambda version: version.number)
        if aspired and len(unaspired) == len(available):
            unaspired = unaspired[:-1]  # the newest old one answers until a new one does
        for version in unaspired:
            self._unload(model, version)

    def _stand_in(self, model: Model) -> dict[int, str]:
        """Of the policy `latest`, where all that is aspired to has failed and nothing answers: the highest version below that has
        not failed. TF Serving loads none, and does not start."""
        tried = [model.versions.get(number) for number in model.aspired or ()]
        if not tried or _has_available(model) or not all(version is not None and version.error is not None for version in tried):
            return {}
        left = max(model.below.keys() - model.fallen, default=None)
        return {} if left is None else {left: model.below[left]}

    def _next_load(self, model: Model) -> Version | None:
        waiting = [version for version in model.versions.values() if version.state in (START, LOADING)]
        due = [version for version in waiting if version.next_attempt <= time.monotonic()]
        return max(due, key=lambda version: version.number, default=None)

    def _try(self, model: Model, version: Version) -> None:
        """Load a version. Without the lock."""
        start, tried = time.monotonic(), _contents(version.path)
        try:
            loaded = self._load(model.name, version.number, version.path)
        except Exception as error:
            if not isinstance(error, ServingError):
                log.exception("%s version %s", model.name, version.number)
                error = ServingError("UNKNOWN", f"{type(error).__name__}: {first_line(error)}")
            self._on_load(version.path, error.code, time.monotonic() - start)
            with self._changed:
                version.error, version.tried = error, tried
                model.fallen |= {version.number} & model.below.keys()
                is_last = version.attempts > RETRIES or not self._poll
                if version.state == LOADING:
                    version.state = END if is_last else LOADING
                wait = self._retry * 2 ** (version.attempts - 1)
                version.next_attempt = time.monotonic() + wait
                others = [v.number for v in model.versions.values() if v.state == AVAILABLE]
                self._changed.notify_all()
            serving = f"version {max(others)} goes on serving" if others else "no version serves"
            then = "given up until its folder changes" if is_last else f"tried again in {wait:.0f} s"
            log.error(
                "%s version %s: %s: %s (attempt %s, %s); %s",
                model.name, version.number, error.code, error.message, version.attempts, then, serving,
            )  # fmt: skip
            return
        self._on_load(version.path, "OK", loaded.seconds)
        self._on_warmup(loaded)
        _note_loaded(model.name, version.number, loaded)
        if version.number in model.below:
            log.error("%s version %s answers in the place of %s", model.name, version.number, ", ".join(map(str, model.aspired)))
        answers = self._wrap(loaded)
        with self._changed:
            version.loaded, version.servable, version.error = loaded, answers, None
            is_wanted = version.state == LOADING and not self._stopped
            version.state = AVAILABLE
            if not is_wanted:
                self._unload(model, version)
            self._changed.notify_all()

    def _unload(self, model: Model, version: Version) -> None:
        version.state = UNLOADING
        thread = threading.Thread(target=self._close, args=(model, version), name=f"unload-{model.name}-{version.number}")
        thread.daemon = True  # a request that hangs must not keep the process
        self._unloads = [*(known for known in self._unloads if known.is_alive()), thread]
        thread.start()

    def _close(self, model: Model, version: Version) -> None:
        """Wait for the last request, then free the memory. Without the lock."""
        with self._changed:
            self._changed.wait_for(lambda: not version.uses)
            servable, version.servable, version.loaded = version.servable, None, None
        try:
            servable.close()
        finally:
            with self._changed:
                version.state = END
                self._changed.notify_all()
            log.info("%s version %s is unloaded", model.name, version.number)


def _note_loaded(name: str, number: int, loaded: Servable) -> None:
    """Write into the log what was loaded, and what was replayed of which signature."""
    warmup = loaded.warmup
    log.info(
        "%s version %s is available: loaded in %.2f s, %s warm-up requests replayed in %.2f s",
        name, number, loaded.seconds, warmup.requests, warmup.seconds,
    )  # fmt: skip
    for signature, of in warmup.signatures.items():
        sizes = ", ".join(map(str, of.batch_sizes))
        log.info(
            "%s version %s: %s: %s warm-up requests of %s rows in %.3f s", name, number, signature, of.requests, sizes, of.seconds
        )
    if warmup.signatures and warmup.cold:
        log.info("%s version %s: without a warm-up request: %s", name, number, ", ".join(warmup.cold))


def _has_available(model: Model) -> bool:
    return any(version.state == AVAILABLE for version in model.versions.values())


def _contents(path: str) -> tuple:
    """What tells whether a folder changed: names, sizes and times of its files; of one that is not here, nothing."""
    files_of = []
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                there = os.stat(os.path.join(folder, name))
                files_of.append((os.path.relpath(os.path.join(folder, name), path), there.st_size, there.st_mtime_ns))
    return tuple(sorted(files_of))
