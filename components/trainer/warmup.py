"""Requests that lie beside a model and that a server replays before it answers, so that no client waits for a graph: of every
signature that takes what the model reads or codes, since a session builds a graph for each when it is first asked."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from components import examples, inputs, keys, progress
from components.trainer.card import Card
from components.trainer.data import Data
from components.trainer.endpoints import EXAMPLES, Endpoint

FILE = "tf_serving_warmup_requests"
IN_EXPORT = Path("assets.extra", FILE)
MOST = 1000  # records that TF Serving takes
MOST_BYTES = 2**26  # of the file, which a server reads before it answers


def write(path: Path, endpoints: Mapping[str, Endpoint], card: Card, data: Data) -> None:
    """Write requests of real validation examples: of each signature one for each of `export.warmup_batches`, and of the first one's
    end of raw bytes `export.warmup` in all. None of `export.warmup` 0.

    What is beyond MOST records or MOST_BYTES is left out, and said. A signature that is given what an example is labelled with, or
    takes bytes of another one's making, has none: no client asks it first.
    """
    kind = inputs.input_of(card.reads)
    seen = itertools.islice((example for batch, _ in data.validation for example in batch), card.export.warmup)
    sent = [kind.warmup(example, card) for example in seen]
    left_out, written, size = [], 0, 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, record in _records(endpoints, card, sent):
            if written == MOST or size + len(record) > MOST_BYTES:
                left_out.append(name)
                continue
            writer.write(record)
            written, size = written + 1, size + len(record)
    if left_out:
        progress.emit(
            "warning",
            text=f"{len(left_out)} warm-up requests were left out, of {', '.join(dict.fromkeys(left_out))}: a model has at most "
            f"{MOST:,} of them and {MOST_BYTES >> 20} MiB; fewer export.warmup_batches make them fewer",
        )


def read(path: Path) -> list[tuple[str, str, dict[str, tf.Tensor]]]:
    """Signature, API ("predict" or "classify") and arguments of each request of a file that `write` wrote; of what is no such file,
    as far as it can be read: a server says what is wrong with it."""
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    requests = []
    with contextlib.suppress(tf.errors.OpError, DecodeError):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.HasField("classify_log"):
                asked = log.classify_log.request
                serialized = [example.SerializeToString() for example in asked.input.example_list.examples]
                requests.append((asked.model_spec.signature_name, keys.CLASSIFY, {"inputs": tf.constant(serialized)}))
            elif log.HasField("predict_log"):
                asked = log.predict_log.request
                arguments = {name: tf.constant(tf.make_ndarray(value)) for name, value in sorted(asked.inputs.items())}
                requests.append((asked.model_spec.signature_name, "predict", arguments))
    return requests


def _records(endpoints: Mapping[str, Endpoint], card: Card, sent: Sequence[Mapping[str, tf.Tensor]]) -> Iterator[tuple[str, bytes]]:
    """Signature and serialized PredictionLog; those of which the least would be missed last.

    Args:
        sent: of each example, by end, what a client would send: a tensor [1, ...].
    """
    if not sent:
        return
    for size in sorted(set(card.export.warmup_batches)):
        for name, endpoint in endpoints.items():
            if (first := _asked(endpoint, card, sent[0])) is not None:
                yield name, _log(card.name, name, endpoint, tf.repeat(first, size, axis=0))
    raw = next(iter(sent[0]))
    for ends in sent[1:]:
        yield raw, _log(card.name, raw, endpoints[raw], ends[raw])


def _asked(endpoint: Endpoint, card: Card, ends: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
    """What a client would send to an endpoint [1, ...]; None where nothing here can say."""
    if endpoint.signature.given:
        return None
    if endpoint.end == EXAMPLES:
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[next(iter(ends.values())).numpy()[0]]))
        named = {inputs.input_of(card.reads).feature: feature}
        return tf.constant([tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString()])
    if endpoint.end is not None:
        return ends.get(endpoint.end)
    return tf.zeros([1, endpoint.spec.shape[-1]]) if endpoint.signature.takes == "code" else None


def _log(model: str, name: str, endpoint: Endpoint, tensor: tf.Tensor) -> bytes:
    from tensorflow_serving.apis import classification_pb2, predict_pb2, prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    if name == keys.CLASSIFY:
        classified = classification_pb2.ClassificationRequest()
        classified.model_spec.name, classified.model_spec.signature_name = model, name
        classified.input.example_list.examples.extend(examples.parsed(tensor.numpy()))
        log.classify_log.request.CopyFrom(classified)
        return log.SerializeToString()
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, name
    extra = {argument: given.example(len(tensor)) for argument, given in endpoint.signature.extra.items()}
    for argument, value in {endpoint.spec.name: tensor, **extra}.items():
        request.inputs[argument].CopyFrom(tf.make_tensor_proto(value.numpy()))
    log.predict_log.request.CopyFrom(request)
    return log.SerializeToString()
