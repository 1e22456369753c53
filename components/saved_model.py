"""What a SavedModel's description says of its signatures; nothing is loaded."""

from pathlib import Path

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2


def signature_of(saved_model: Path, name: str) -> meta_graph_pb2.SignatureDef:
    """A signature; one without inputs and outputs where the model lacks it."""
    written = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    return written.meta_graphs[0].signature_def[name]


def texts_of(saved_model: Path) -> dict[str, dict[str, bool]]:
    """Signature -> output -> whether it is of strings, by name: a protobuf's map has no order."""
    written = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    return {
        name: {output: info.dtype == types_pb2.DT_STRING for output, info in sorted(signature.outputs.items())}
        for name, signature in sorted(written.meta_graphs[0].signature_def.items())
    }
