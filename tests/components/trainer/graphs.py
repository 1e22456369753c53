"""Reading a SavedModel's graph: which operations draw random numbers."""

import re
from pathlib import Path

from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.client import pywrap_tf_session

CONTROL = {"StatelessIf", "StatelessWhile", "StatelessCase", "StatelessPartitionedCall"}  # without state, not random
RANDOM = re.compile(
    "Random|Stateless|Stateful(Uniform|StandardNormal)|Multinomial|TruncatedNormal|Bernoulli|Rng[A-Z]|Shuffle|Dropout|Distorted|Sampler|"
    "Sampling|Stochastic|Fractional(Avg|Max)Pool|KMC2|PlusPlus|SeedGenerator"
)
SEEDS = {"seed", "seed1", "seed2", "seeds", "rng", "alg", "algorithm"}  # what operations that draw are given


def operations(saved_model: Path) -> set[str]:
    """Names of all operations, those inside library functions included."""
    parsed = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    names = set()
    for meta in parsed.meta_graphs:
        names |= {node.op for node in meta.graph_def.node}
        names |= {node.op for function in meta.graph_def.library.function for node in function.node_def}
    return names


def random_ops(saved_model: Path) -> set[str]:
    """Those that draw."""
    return {op for op in operations(saved_model) if RANDOM.search(op) and op not in CONTROL}


def seeded() -> set[str]:
    """Every operation that TensorFlow has and gives a seed, a generator or an algorithm for random numbers."""
    listed = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return {op.name for op in listed.op if SEEDS & {part.name.lower() for part in (*op.attr, *op.input_arg)}}
