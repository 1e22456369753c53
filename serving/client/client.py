"""A client of TF Serving's APIs: arrays in, arrays out."""

import contextlib
import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from configs.errors import UsageError
from serving.client import codec, retrying
from serving.client.errors import Refused
from serving.client.place import Place

REST, GRPC = "rest", "grpc"
PORTS = {REST: 8501, GRPC: 8500}  # TF Serving's
CLASSIFIED = ("classes", "scores")  # what Classify answers
NO_LABEL = re.compile(r"unrecognized servable version label", re.IGNORECASE)


@dataclass(frozen=True)
class Tensor:
    """What an input or output is: `dtype` of NumPy, object for strings, and `shape`, None for any rank, with -1 for any size."""

    dtype: Any
    shape: tuple[int, ...] | None
    number: int  # its dtype in types_pb2.DataType


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class Client:
    """One model on one server. May be used by many threads; close it, or use it as a context manager.

    with Client("localhost:8501", "digits_lenet5") as client:
        client.predict({"image_bytes": [Path("digit.png").read_bytes()]}, "image_bytes")["classes"]
    """

    def __init__(
        self,
        server: str,
        model: str,
        *,
        protocol: str = REST,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 60.0,
        retries: int = 4,
        batch_size: int = 64,
        api_key: str | None = None,
        ca: str | Path | None = None,
    ):
        """Nothing is asked yet.

        Args:
            server: HOST:PORT, or https://HOST:PORT for TLS by the system's authorities; without a port TF Serving's.
            protocol: "rest" or "grpc".
            version, label: which version is asked; without either the one that the server takes for the newest.
            timeout: s of one call of a method, of all its requests and retries.
            retries: of a request, only where it was not answered: UNAVAILABLE, RESOURCE_EXHAUSTED, HTTP 502, 503 and 429, and where
                no connection came about. What was wrong with a request is never asked again.
            batch_size: rows of a request; more become several.
            api_key: sent as x-api-key. ca: PEM file of who signed the server's certificate; means TLS.

        Raises:
            UsageError: for what is no address, both a version and a label, or a file that holds no certificate.
        """
        if version is not None and label is not None:
            raise UsageError("A version and a label are given, and only one of them can be meant.", "Leave out one of them.")
        if protocol not in PORTS:
            raise UsageError(f"There is no protocol {protocol!r}.", "Choose rest or grpc.")
        if not model:
            raise UsageError("The model has no name.", "Name the one that is to be asked.")
        host, port, is_tls = address(server, PORTS[protocol])
        self.model, self.protocol, self.timeout = model, protocol, timeout
        self.retries, self.batch_size = retries, batch_size
        self._place = Place(model, version, label)
        self._signatures: dict[str, Signature] | None = None
        self.answering: int | None = None  # the version that answered last time when asked for signatures
        context, content = _trusted(ca)
        if protocol == GRPC:
            from serving.client.rpc import Rpc

            self._way: Any = Rpc(host, port, is_tls or ca is not None, content, api_key)
        else:
            from serving.client.rest import Rest

            context = context if context is not None else ssl.create_default_context() if is_tls else None
            self._way = Rest(host, port, context, api_key)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return self._way.address

    @property
    def signatures(self) -> dict[str, Signature]:
        """Signatures that the model has, as the server says when first asked.

        Raises:
            UsageError: where it has no such model, version or label. ServerError: where there is no answer.
        """
        if self._signatures is None:
            with self._known():
                self.answering, described = self._ask(lambda left: self._way.signatures(self._place, left))
            self._signatures = {name: _signature(each) for name, each in described.items() if each.inputs}
        return self._signatures

    def pin(self) -> int:
        """Ask from now on for the version that answers now, whatever comes after it. Returns its number."""
        if self._signatures is None or self.answering is None:
            _ = self.signatures
        self._place = Place(self.model, self.answering, None)
        return self._place.version

    def card(self) -> dict[str, Any] | None:
        """The card that hubel wrote beside the model, where the server tells it, as `hubel serve` does over REST; else None."""
        return self._ask(lambda left: self._way.card(self._place, left))

    def predict(
        self, inputs: Mapping[str, Any], signature: str = "serving_default", timeout: float | None = None
    ) -> dict[str, np.ndarray]:
        """What a signature answers.

        Args:
            inputs: by name, arrays or lists whose first axis is the batch; images and texts as bytes or str.
            timeout: s, for all requests and retries; None: the client's.

        Returns:
            Arrays by name, of the signature's dtypes; strings as objects, of bytes. Outputs without a batch are those of the first
            request.

        Raises:
            UsageError: where there is no such model, signature or input. ServerError: where there is no answer.
        """
        asked = self.signature(signature)
        if inputs.keys() != asked.inputs.keys():
            raise UsageError(
                f"The signature {signature} of {self.model} takes {', '.join(sorted(asked.inputs))}, and"
                f" {', '.join(sorted(inputs)) or 'nothing'} is given.",
                "Name its inputs, each of them.",
            )
        arrays = {}
        for alias, values in inputs.items():
            try:
                arrays[alias] = codec.array(values, asked.inputs[alias].number)
            except ValueError as error:
                raise UsageError(
                    f"The input {alias} of {signature} cannot be sent: {error}.", "Give what its dtype and shape say."
                ) from None
        sizes = {array.shape[0] for array in arrays.values() if array.ndim}
        rows = sizes.pop() if len(sizes) == 1 else None  # else they have no common batch
        end = self._end(timeout)
        if rows is None or rows <= self.batch_size:
            return self._predict(signature, asked, arrays, end)
        answers = []
        for start in range(0, rows, self.batch_size):
            part = {alias: array[start : start + self.batch_size] if array.ndim else array for alias, array in arrays.items()}
            answers.append(self._predict(signature, asked, part, end))
        return {alias: _joined([answer[alias] for answer in answers]) for alias in asked.outputs}

    def classify(
        self, examples: Iterable[bytes | Mapping[str, Any]], signature: str = "classify", timeout: float | None = None
    ) -> dict[str, np.ndarray]:
        """Classes of tf.Examples, by TF Serving's Classify.

        Args:
            examples: serialized, or mappings of a feature to its value or values, as codec.examples takes them.
            timeout: as of `predict`.

        Returns:
            Those of `classes`, bytes as objects [N, k], and `scores`, float32 [N, k], that the signature has.

        Raises:
            UsageError: where there is no such model or signature, or one is no tf.Example. ServerError: where there is no answer.
        """
        asked = self.signature(signature)
        answers = self._of_examples(self._way.classify, signature, examples, timeout)
        columns = zip(CLASSIFIED, zip(*answers, strict=True), strict=True)
        return {alias: _joined(list(parts)) for alias, parts in columns if alias in asked.outputs}

    def regress(
        self, examples: Iterable[bytes | Mapping[str, Any]], signature: str = "serving_default", timeout: float | None = None
    ) -> np.ndarray:
        """float32 [N]: a number of each tf.Example, by TF Serving's Regress. Arguments and errors are those of `classify`."""
        self.signature(signature)
        return _joined(self._of_examples(self._way.regress, signature, examples, timeout))

    def signature(self, name: str) -> Signature:
        """Raises UsageError where the model has none of that name, and as `signatures`."""
        if name not in self.signatures:
            raise UsageError(
                f"The model {self.model} at {self.address} has no signature {name}.", f"It has: {', '.join(self.signatures)}."
            )
        return self.signatures[name]

    def close(self) -> None:
        """Give back the connection."""
        self._way.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, timeout: float | None) -> float:
        return time.monotonic() + (self.timeout if timeout is None else timeout)

    def _of_examples(
        self, call: Callable[..., Any], signature: str, examples: Iterable[bytes | Mapping[str, Any]], timeout: float | None
    ) -> list[Any]:
        """The answer of each request."""
        try:
            written: Sequence[bytes] = codec.examples(examples)
        except ValueError as error:
            raise UsageError(
                f"The signature {signature} of {self.model} cannot be asked: {error}.", "Give tf.Examples, or mappings of features."
            ) from None
        end, starts = self._end(timeout), range(0, max(len(written), 1), self.batch_size)
        parts = [written[start : start + self.batch_size] for start in starts]
        return [self._ask(lambda left, part=part: call(self._place, signature, part, left), end) for part in parts]

    def _predict(self, name: str, asked: Signature, arrays: Mapping[str, np.ndarray], end: float) -> dict[str, np.ndarray]:
        given = {alias: (array, asked.inputs[alias].number) for alias, array in arrays.items()}
        wanted = {alias: tensor.number for alias, tensor in asked.outputs.items()}
        return self._ask(lambda left: self._way.predict(self._place, name, given, wanted, left), end)

    def _ask(self, attempt: Callable[[float], Any], end: float | None = None) -> Any:
        """By that time.monotonic(); None: within the client's time."""
        end = time.monotonic() + self.timeout if end is None else end
        return retrying.ask(attempt, self.address, end, self.retries)

    @contextlib.contextmanager
    def _known(self):
        """A model, version or label that the server does not have, as a UsageError."""
        try:
            yield
        except Refused as error:
            if error.code == "NOT_FOUND" or NO_LABEL.search(error.said):
                meant = self._place.version if self._place.version is not None else self._place.label
                which = f"{self.model}{'' if meant is None else f' {meant}'}"
                hint = "Check the name: a server of hubel's lists its models at /models, TF Serving has them in its config."
                if meant is not None:
                    hint = f"Name one that it serves: {self.model}/VERSION or {self.model}@LABEL, or without either the newest."
                raise UsageError(f"The server {self.address} has no model {which}: {error.said.rstrip('.')}.", hint) from None
            raise


def address(server: str, port: int) -> tuple[str, int, bool]:
    """Host, port and whether TLS is asked for, of HOST, HOST:PORT, [IPV6]:PORT, or a URL of http or https without a path.

    Args:
        port: where none is given.

    Raises:
        UsageError: for anything else.
    """
    scheme, _, rest = server.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        host, given = parts.hostname, parts.port
    except ValueError:
        host = given = None
    is_bare = host and not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if scheme not in ("", "http", "https") or not is_bare:
        raise UsageError(f"{server!r} is no address of a server.", "It is HOST:PORT, such as localhost:8501, or https://HOST:PORT.")
    return host, port if given is None else given, scheme == "https"


def _trusted(ca: str | Path | None) -> tuple[ssl.SSLContext | None, bytes | None]:
    """Of a PEM file: what HTTP needs of it, and its content, which gRPC takes."""
    if ca is None:
        return None, None
    try:
        content = Path(ca).expanduser().read_bytes()
        return ssl.create_default_context(cadata=content.decode("ascii")), content
    except (OSError, ValueError) as error:  # ssl's are both
        said = getattr(error, "strerror", None) or "it holds no certificate"
        raise UsageError(f"The file {ca} of certificates cannot be used: {said}.", "--tls-ca is a PEM file.") from None


def _signature(described: Any) -> Signature:
    return Signature(_tensors(described.inputs), _tensors(described.outputs))


def _tensors(infos: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        alias: Tensor(
            codec.DTYPES.get(info.dtype),
            None if info.tensor_shape.unknown_rank else tuple(dim.size for dim in info.tensor_shape.dim),
            info.dtype,
        )
        for alias, info in sorted(infos.items())
    }


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts[0].ndim else parts[0]
