"""What is read of a SavedModel that is not loaded."""

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from components import saved_model
from configs.errors import HubelError

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


@pytest.mark.parametrize("content", [b"", b"no protobuf"])
def test_a_damaged_description_is_a_sentence(content, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(content)
    for read in (saved_model.texts_of, lambda folder: saved_model.signature_of(folder, "a0")):
        with pytest.raises(HubelError, match=r"is damaged: saved_model\.pb"):
            read(tmp_path)
