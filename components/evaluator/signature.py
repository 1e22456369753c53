"""What a SavedModel's description says of its signatures."""

from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2


def outputs_of(saved_model: Path, signature: str) -> frozenset[str]:
    """Names of a signature's outputs; none where it lacks the signature. Nothing is loaded."""
    written = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    return frozenset(written.meta_graphs[0].signature_def[signature].outputs)
