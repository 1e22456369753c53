"""A pushed model as far as a deployment looks at it: the description of its signatures, its card, and files of a size."""

import json
from pathlib import Path

from serving import promotions

LENET5 = {  # signature -> (inputs, outputs), of each whether it is of strings, and its shape
    "classify": ({"inputs": (True, [-1])}, {"classes": (True, [-1, -1]), "scores": (False, [-1, -1])}),
    "image_bytes": (
        {"image_bytes": (True, [-1])},
        {"classes": (True, [-1, 5]), "probabilities": (False, [-1, 10]), "scores": (False, [-1, 5])},
    ),
    "pixels": (
        {"pixels": (False, [-1, -1, -1, 1])},
        {"classes": (True, [-1, 5]), "probabilities": (False, [-1, 10]), "scores": (False, [-1, 5])},
    ),
    "serving_default": (
        {"examples": (True, [-1])},
        {"classes": (True, [-1, 5]), "probabilities": (False, [-1, 10]), "scores": (False, [-1, 5])},
    ),
}
CARD = {"name": "digits_lenet5", "reads": "image", "input_shape": [32, 32, 1], "predicts": "image_bytes", "params": 61_706}
TEXT = {"text": ({"text": (True, [-1])}, {"classes": (True, [-1, 5])}), "serving_default": LENET5["serving_default"]}
BYTES = 900_000  # of what a LeNet-5 exports, about


def lay(base: Path, version: int, signatures=LENET5, card=CARD, size: int = BYTES) -> Path:
    """Put a version below base; returns its folder."""
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf import saved_model_pb2

    described = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    graph = described.meta_graphs.add()
    graph.meta_info_def.tags.append("serve")
    graph.graph_def.node.add(name="x", op="NoOp")
    for name, sides in {**signatures, "__saved_model_init_op": ({}, {"op": (False, [])})}.items():
        signature = graph.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        for infos, tensors in zip((signature.inputs, signature.outputs), sides, strict=True):
            for alias, (is_string, shape) in tensors.items():
                infos[alias].dtype = types_pb2.DT_STRING if is_string else types_pb2.DT_FLOAT
                infos[alias].name = f"{name}_{alias}:0"
                if shape is None:
                    infos[alias].tensor_shape.unknown_rank = True
                else:
                    for side in shape:
                        infos[alias].tensor_shape.dim.add(size=side)
    folder = base / str(version)
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(described.SerializeToString())
    (folder / "variables/variables.data-00000-of-00001").write_bytes(bytes(size))
    (folder / "variables/variables.index").write_bytes(b"index")
    if card is not None:
        (folder / "assets.extra").mkdir()
        (folder / "assets.extra/hubel.json").write_text(json.dumps(card))
    return folder


def push(models: Path, name: str, version: int, **of) -> Path:
    """Put a version there as a push does: the first is stable, each later one a canary."""
    with promotions.held(models, "a test"):
        promotions.pushed(models / name, version)
        folder = lay(models / name, version, **of)
        promotions.write(models)
    return folder
