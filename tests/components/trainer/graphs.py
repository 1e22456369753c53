"""Reading a SavedModel's graph: which operations draw random numbers."""

import re
from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2

CONTROL = {"StatelessIf", "StatelessWhile", "StatelessCase", "StatelessPartitionedCall"}  # without state, not random
RANDOM = re.compile("Random|Stateless|Multinomial|TruncatedNormal|Bernoulli|Rng|Shuffle|Dropout", re.IGNORECASE)


def operations(saved_model: Path) -> set[str]:
    """Names of all operations, those inside library functions included."""
    parsed = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    found = set()
    for meta in parsed.meta_graphs:
        found |= {node.op for node in meta.graph_def.node}
        found |= {node.op for function in meta.graph_def.library.function for node in function.node_def}
    return found


def random_ops(saved_model: Path) -> set[str]:
    """Those that draw."""
    return {op for op in operations(saved_model) if RANDOM.search(op) and op not in CONTROL}
