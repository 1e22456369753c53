"""`hubel predict --server`: what a model on a server answers, TF Serving's or `hubel serve`'s. Runs in the worker process.

What its outputs are its card says: the server's, where it tells one; else that of the workspace's same version, where that has the
same signatures; else names and types of outputs alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from components import earlier_cards, keys
from components.trainer.card import Card
from configs.errors import HubelError, UsageError
from pipelines.verbs import api_key, batches
from pipelines.verbs import predict as local
from pipelines.verbs.asking.base import Given
from pipelines.verbs.asking.by_name import asking_of
from pipelines.verbs.served import Served
from serving import layout
from serving.client import Client, Refused, Signature
from serving.client.client import GRPC, REST

SERVER, WORKSPACE, NONE = "server", "workspace", "none"  # where the card is from
OF_ALL = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "CANCELLED"}  # not of one file
MOST_BYTES = 2**25  # of a request: base64 makes a third more of it, and `hubel serve` takes 64 MiB


@dataclass(frozen=True)
class Uncarded:
    """What is known of a model without its card."""

    name: str
    reads: str
    gives: Mapping[str, Mapping[str, str]]
    predicts: str
    class_names: Sequence[str] = ()
    input_shape: Sequence[int] = ()
    turns: bool = True  # as hubel exports today
    reading: None = None


class OfServer(batches.Answering):
    """A signature of a model on a server."""

    most_bytes = MOST_BYTES

    def __init__(self, client: Client, signature: str):
        self._client, self._signature = client, signature

    def answer(self, columns):
        """Raises ServerError for what is wrong with more than this request."""
        try:
            return self._client.predict(columns, self._signature)
        except Refused as error:
            if error.code in OF_ALL or error.is_retried:
                raise
            raise batches.Refused(batches.words(error.said)) from None


class Remote(Served):
    """As one that is loaded here, with its signatures there."""

    def resizes(self, row):
        """None where it is not known."""
        return super().resizes(row) if self.size else None

    def frame(self, size):
        return super().frame(size) if isinstance(self.card, Card) else None

    def summary(self, rows):
        """Of a model whose size is not known, None for it and for how many were resized."""
        return super().summary(rows) if self.size else {**super().summary(rows), "size": None, "resized": None}


def predict(
    server: str,
    model: str,
    version: int | None,
    label: str | None,
    models: str,
    grpc: bool,
    api_key_file: str | None,
    ca: str | None,
    timeout: float,
    files: Sequence[str],
    top: int,
    texts: Sequence[str] = (),
    column: str | None = None,
    out: str | None = None,
    force: bool = False,
) -> dict:
    """What a model on a server says of what is given; the version that answers first answers all.

    Args:
        server, model, version, label, ca, timeout: as serving.client.Client.
        models: the workspace's folder of models. api_key_file: None for the environment's key.
        files, top, texts, column, out, force: as pipelines.verbs.predict.

    Returns:
        As pipelines.verbs.predict, and card: where what its outputs are is from.

    Raises:
        As pipelines.verbs.predict and serving.client.Client; UsageError for a model that has no signature of image files or texts.
    """
    key = api_key.read(api_key_file)
    asked = {"version": version, "label": label, "timeout": timeout, "api_key": key, "ca": ca}
    with Client(server, model, protocol=GRPC if grpc else REST, **asked) as client:
        signatures = client.signatures
        number = client.pin()
        card, source = _card(client, signatures, Path(models))
        functions = {name: OfServer(client, name) for name in signatures}
        served = Remote(f"{client.address}/{model}/{number}", card, functions)
        asking = asking_of(card.reads)
        examples = asking.examples(Given(files, texts, column), model, Path(out).expanduser() if out else None)
        return {**local.answered(served, asking, examples, top, out, force), "card": source}


def _card(client: Client, signatures: Mapping[str, Signature], models: Path) -> tuple[Any, str]:
    """The card of what answers, and where it is from."""
    are_texts = _are_texts(signatures)
    told, source = client.card(), SERVER
    if told is None:
        told, source = _of_workspace(client, are_texts, models), WORKSPACE
    if told is not None:
        try:
            card = Card.model_validate(told)
        except ValidationError:  # of a hubel that is older or newer by much
            return _guessed(client, signatures), NONE
        if not card.gives:
            card = earlier_cards.completed(card, are_texts)
        return earlier_cards.judging(card), source
    return _guessed(client, signatures), NONE


def _of_workspace(client: Client, are_texts: Mapping[str, Mapping[str, bool]], models: Path) -> dict[str, Any] | None:
    from serving import saved_model

    folder = layout.versions(models / client.model).get(client.answering)
    if folder is None:
        return None
    try:
        there = saved_model.signatures(folder)
        outputs = {
            name: {alias: info.dtype == 7 for alias, info in sorted(described.outputs.items())}
            for name, described in there.items()
            if described.inputs
        }
        return saved_model.card(folder) or None if outputs == are_texts else None
    except HubelError:
        return None


def _are_texts(signatures: Mapping[str, Signature]) -> dict[str, dict[str, bool]]:
    """Signature -> output -> whether it is of strings."""
    return {
        name: {alias: tensor.dtype is object or tensor.number == 7 for alias, tensor in described.outputs.items()}
        for name, described in signatures.items()
    }


def _guessed(client: Client, signatures: Mapping[str, Signature]) -> Uncarded:
    """What names and types of signatures say. Raises UsageError where none takes image files or texts."""
    are_texts = _are_texts(signatures)
    by_files = {
        name.removesuffix(keys.IMAGE_BYTES).rstrip("_") or keys.SERVING_DEFAULT: outputs
        for name, outputs in are_texts.items()
        if name.endswith(keys.IMAGE_BYTES) and list(signatures[name].inputs) == [keys.IMAGE_BYTES]
    }
    if by_files:
        return Uncarded(client.model, "image", earlier_cards.gives(by_files), earlier_cards.predicts(by_files))
    if keys.TEXT_END in signatures and list(signatures[keys.TEXT_END].inputs) == [keys.TEXT_END]:
        gives = earlier_cards.gives({keys.SERVING_DEFAULT: are_texts[keys.TEXT_END]})
        return Uncarded(client.model, "text", gives, keys.SERVING_DEFAULT)
    raise UsageError(
        f"The model {client.model} at {client.address} has no signature of image files or texts; it has {', '.join(signatures)}.",
        "serving.client asks any signature; see docs/clients.md.",
    )
