"""What is read of a SavedModel that is not loaded."""

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from components import saved_model

NAMES = [f"{letter}{number}" for number in range(3) for letter in "dacb"]


def test_signatures_and_outputs_come_by_name(tmp_path):
    written = saved_model_pb2.SavedModel()
    graph = written.meta_graphs.add()
    for name in NAMES:
        for output in NAMES:
            graph.signature_def[name].outputs[output].dtype = types_pb2.DT_STRING if output == "b1" else types_pb2.DT_FLOAT
    (tmp_path / "saved_model.pb").write_bytes(written.SerializeToString())
    texts = saved_model.texts_of(tmp_path)
    assert list(texts) == sorted(NAMES)
    assert [list(outputs) for outputs in texts.values()] == [sorted(NAMES)] * len(NAMES)
    assert texts["a0"] == {name: name == "b1" for name in NAMES}
