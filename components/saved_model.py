"""What a SavedModel's description says of its signatures; nothing is loaded."""

from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from configs.errors import HubelError


def signature_of(saved_model: Path, name: str) -> meta_graph_pb2.SignatureDef:
    """A signature; one without inputs and outputs where the model lacks it. Raises HubelError for a damaged file."""
    written = _description(saved_model)
    return written.meta_graphs[0].signature_def[name]


def texts_of(saved_model: Path) -> dict[str, dict[str, bool]]:
    """Signature -> output -> whether it is of strings, by name: a protobuf's map has no order. Raises HubelError for a damaged
    file."""
    written = _description(saved_model)
    return {
        name: {output: info.dtype == types_pb2.DT_STRING for output, info in sorted(signature.outputs.items())}
        for name, signature in sorted(written.meta_graphs[0].signature_def.items())
    }


def _description(saved_model: Path) -> saved_model_pb2.SavedModel:
    file = saved_model / "saved_model.pb"
    try:
        written = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except DecodeError:
        written = saved_model_pb2.SavedModel()
    if not written.meta_graphs:
        raise HubelError(
            f"The SavedModel {saved_model} is damaged: {file.name} is none.", "Push it again, or name another version."
        )
    return written
