"""One version of a model, loaded as TF Serving loads it: a v1 Session over the SavedModel's own graph, so that codes and messages
of errors, init ops, assets and threads are TF Serving's, and `close` gives the memory back."""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from configs.errors import first_line
from serving.server import compat
from serving.server.status import NAMES, ServingError

DEFAULT_SIGNATURE = "serving_default"
SERVE = "serve"  # the tag of the graph that is served
FUNCTIONS = re.compile(r"\{\{function_node [^}]*\}\} ?")  # what TensorFlow puts before a reason, once for each function around it
CALLABLES = 128  # a client chooses outputs: so many choices are kept ready

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Replayed:
    """What a signature was asked before its version answered: how many requests, of which numbers of rows, ascending; and the s
    that it took."""

    requests: int
    batch_sizes: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Warmup:
    """What was replayed before a version answered, in all and by signature; `cold` are those that no request was for."""

    requests: int = 0
    seconds: float = 0.0
    signatures: Mapping[str, Replayed] = field(default_factory=dict)
    cold: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """{requests, seconds, signatures: {name: {requests, batch_sizes, seconds}}, cold: [name]}."""
        of_signatures = {
            name: {"requests": of.requests, "batch_sizes": list(of.batch_sizes), "seconds": round(of.seconds, 4)}
            for name, of in self.signatures.items()
        }
        return {
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "signatures": of_signatures,
            "cold": list(self.cold),
        }


class Servable:
    """A loaded version. May be used by many threads at once.

    Attributes:
        name, version: of the model. folder: of the SavedModel.
        signatures: SignatureDef by name, TF's own init op's too.
        seconds: that loading took.
        warmup: what was replayed; loading.py does that.
    """

    def __init__(
        self,
        name: str,
        version: int,
        folder: str | Path,
        *,
        timeout: float = 0,
        strict_shapes: bool = False,
        quick_start: bool = False,
    ):
        """Load it.

        Args:
            timeout: s after which a run is given up; 0 for never.
            strict_shapes: refuse arrays that do not fit the signature's shapes. TF Serving passes them on; most kernels refuse
                them, some of oneDNN's end the process.
            quick_start: leave to TensorFlow's optimizer (Grappler) the functions that signatures call and not, once more, what
                calls them: a signature's first request takes a third of the time, and each later one some 0.03 ms more. TF Serving
                does both.

        Raises:
            ServingError: where it cannot be loaded.
        """
        import tensorflow as tf

        self.name, self.version, self.folder = name, version, str(folder)
        self.warmup = Warmup()
        self._strict_shapes, self._timeout_ms = strict_shapes, round(timeout * 1000)
        self._callables: dict[tuple[tuple[str, ...], tuple[str, ...]], Callable[..., list[np.ndarray]]] = {}
        self._lock = threading.Lock()
        start = time.monotonic()
        graph = tf.Graph()
        options = tf.compat.v1.ConfigProto()
        options.gpu_options.allow_growth = True
        options.graph_options.rewrite_options.disable_meta_optimizer = quick_start
        self._session = tf.compat.v1.Session(graph=graph, config=options)
        try:
            with _as_status("it cannot be loaded: "), graph.as_default():
                meta = tf.compat.v1.saved_model.loader.load(self._session, [SERVE], self.folder)
            self.signatures = dict(sorted(meta.signature_def.items()))
            self.seconds = time.monotonic() - start
        except BaseException:
            self.close()
            raise

    def run(
        self,
        signature_name: str,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, np.ndarray]:
        """What a signature answers.

        Args:
            signature_name: "" for serving_default.
            feeds: array by alias of an input; texts and bytes have dtype object. An input with a default may be left out.
            outputs: aliases that are wanted; all by default.
            deadline: time.monotonic() after which it need not be started.

        Raises:
            ServingError: TF's own code and message where the graph refuses; TF Serving's where the signature does.
        """
        name = signature_name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        signature = self.signatures[name]
        given = self._completed(signature, feeds)
        wanted = self._wanted(signature, outputs)
        expire(deadline)
        tensors = {signature.inputs[alias].name: array for alias, array in given.items()}
        fetched = self.run_tensors(tensors, [signature.outputs[alias].name for alias in wanted])
        return {alias: fetched[signature.outputs[alias].name] for alias in wanted}

    def run_several(
        self, asked: Mapping[str, Sequence[str]], feeds: Mapping[str, np.ndarray], deadline: float | None = None
    ) -> dict[str, dict[str, np.ndarray]]:
        """What several signatures answer to the same inputs, in one run of the graph.

        Args:
            asked: aliases of outputs by signature. feeds, deadline: as of `run`; each signature has these inputs, and no others.

        Returns:
            Arrays by signature and alias.

        Raises:
            ServingError: as `run`.
        """
        signatures = {}
        for name in asked:
            if name not in self.signatures:
                raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
            signatures[name] = self.signatures[name]
        given = {name: self._completed(signature, feeds) for name, signature in signatures.items()}
        expire(deadline)
        tensors = {signatures[name].inputs[alias].name: array for name, arrays in given.items() for alias, array in arrays.items()}
        names = {name: {alias: signatures[name].outputs[alias].name for alias in wanted} for name, wanted in asked.items()}
        fetched = self.run_tensors(tensors, [tensor for outputs in names.values() for tensor in outputs.values()])
        return {name: {alias: fetched[tensor] for alias, tensor in outputs.items()} for name, outputs in names.items()}

    def run_tensors(self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str]) -> dict[str, np.ndarray]:
        """The same of tensors of the graph, by their names."""
        names, wanted = tuple(sorted(feeds)), tuple(sorted(set(fetches)))
        with _as_status():
            arrays = self._callable(names, wanted)(*(_bytes(np.asarray(feeds[name])) for name in names))
        return dict(zip(wanted, map(np.asarray, arrays), strict=True))

    def close(self) -> None:
        """Give back its memory. A run that has not ended fails: whoever closes waits for those first."""
        with self._lock:
            self._callables.clear()
        self._session.close()

    def _callable(self, feeds: tuple[str, ...], fetches: tuple[str, ...]) -> Callable[..., list[np.ndarray]]:
        key = feeds, fetches
        with self._lock:
            if key not in self._callables:
                if len(self._callables) >= CALLABLES:
                    del self._callables[next(iter(self._callables))]
                self._callables[key] = compat.callable_of(self._session, feeds, fetches, self._timeout_ms)
            return self._callables[key]

    def _completed(self, signature, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Feeds with the signature's defaults for those that are missing."""
        from tensorflow import make_ndarray

        known, sent = set(signature.inputs), set(feeds)
        if len(sent) > len(known) or (len(sent) < len(known) and not signature.defaults):
            raise ServingError(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {len(sent)}!={len(known)} len({_set(sent)}) != len({_set(known)})."
                f" Sent extra: {_set(sent - known)}. Missing but required: {_set(known - sent)}.",
            )
        if sent - known:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"input tensor alias not found in signature: {min(sent - known)}. Inputs expected to be in the set {_set(known)}.",
            )
        given = dict(feeds)
        for alias in sorted(known - sent):
            if alias not in signature.defaults:
                raise ServingError("INVALID_ARGUMENT", f"Missing named input: {alias}, which has no default value.")
            given[alias] = make_ndarray(signature.defaults[alias])
        if self._strict_shapes:
            for alias, array in given.items():
                _check_shape(alias, np.shape(array), signature.inputs[alias].tensor_shape)
        return given

    @staticmethod
    def _wanted(signature, outputs: Sequence[str] | None) -> list[str]:
        if not outputs:
            return sorted(signature.outputs)
        for place, alias in enumerate(outputs):
            if alias not in signature.outputs:
                known = f"Outputs expected to be in the set {_set(signature.outputs)}."
                raise ServingError("INVALID_ARGUMENT", f"output tensor alias not found in signature: {alias} {known}")
            if alias in outputs[:place]:
                raise ServingError("INVALID_ARGUMENT", f"duplicate output tensor alias: {alias}")
        return list(outputs)


def expire(deadline: float | None) -> None:
    """Raise DEADLINE_EXCEEDED where it is later than that, on time.monotonic()'s clock."""
    if deadline is not None and time.monotonic() >= deadline:
        raise ServingError("DEADLINE_EXCEEDED", "The request's time was over before it could be run.")


@contextlib.contextmanager
def _as_status(before: str = "") -> Iterator[None]:
    """What TensorFlow raises, as a ServingError."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        raise ServingError(NAMES.get(error.error_code, "UNKNOWN"), f"{before}{FUNCTIONS.sub('', error.message)}") from None
    except MemoryError as error:
        raise ServingError("RESOURCE_EXHAUSTED", f"{before}out of memory: {first_line(error)}") from None
    except OSError as error:
        raise ServingError("NOT_FOUND", f"{before}{first_line(error)}") from None
    except RuntimeError as error:  # such as of a session that was closed
        code = "FAILED_PRECONDITION" if before else "UNAVAILABLE"
        raise ServingError(code, f"{before}{first_line(error)}") from None
    except Exception as error:  # such as a ValueError of an array that no tensor can hold, or of a graph with an op unknown here
        raise ServingError("INVALID_ARGUMENT", f"{before}{first_line(error)}") from None


def _bytes(array: np.ndarray) -> np.ndarray:
    """Texts as the objects that TensorFlow takes; arrays of fixed width would lose zeros at their ends."""
    return array.astype(object) if array.dtype.kind in "SU" else array


def _set(names) -> str:
    return f"{{{','.join(sorted(names))}}}"


def _check_shape(alias: str, shape: Sequence[int], declared) -> None:
    if declared.unknown_rank:
        return
    sizes = [dim.size for dim in declared.dim]
    if len(sizes) != len(shape) or any(size not in (-1, length) for size, length in zip(sizes, shape, strict=False)):
        raise ServingError("INVALID_ARGUMENT", f"Input {alias} has shape {list(shape)}; the signature says {sizes}.")
