"""A loaded version answers and refuses as TF Serving's session does."""

import shutil
import threading
import time

import numpy as np
import pytest

from serving.server import inference
from serving.server.servable import CALLABLES, Servable
from serving.server.status import ServingError
from tests.serving import pushed


def x(*values):
    return {"x": np.array(values, np.float32)}


def test_it_answers(servable):
    assert (servable.name, servable.version) == ("half_plus_two", 123)
    assert servable.signatures["classify_x_to_y"].method_name == "tensorflow/serving/classify"
    assert servable.run("", x([1], [2]))["y"].tolist() == [[2.5], [3.0]]
    assert servable.run("serving_default", x([3]), ["y"])["y"].dtype == np.float32


def test_a_quick_start_answers_the_same(pushed_models, monkeypatch):
    from tensorflow.core.protobuf import config_pb2

    rows = {"pixels": pushed.pixels(4)}
    made, right = [], config_pb2.ConfigProto
    monkeypatch.setattr("tensorflow.compat.v1.ConfigProto", lambda: made.append(right()) or made[-1])
    answers = []
    for quick_start in (False, True):
        servable = Servable("classifier", 1, pushed_models / "classifier" / "1", quick_start=quick_start)
        try:
            answers.append(servable.run("pixels", rows))
        finally:
            servable.close()
    assert [options.graph_options.rewrite_options.disable_meta_optimizer for options in made] == [False, True]
    usual, quick = answers
    assert usual["classes"].tolist() == quick["classes"].tolist()
    np.testing.assert_allclose(usual["probabilities"], quick["probabilities"], rtol=1e-5, atol=1e-6)


def test_a_shape_that_the_kernel_takes_is_answered_whatever_was_declared(servable):
    assert servable.run("", x(1, 2))["y"].tolist() == [2.5, 3.0]
    assert servable.run("", x([1, 2], [3, 4]))["y"].tolist() == [[2.5, 3.0], [3.5, 4.0]]
    assert servable.run("", {"x": np.zeros((0, 1), np.float32)})["y"].shape == (0, 1)


@pytest.mark.parametrize(
    ("signature", "feeds", "outputs", "code", "said"),
    [
        ("none", x(1), None, "FAILED_PRECONDITION", 'Serving signature key "none" not found.'),
        ("", {}, None, "INVALID_ARGUMENT", "input size does not match signature: 0!=1"),
        ("", {"x": np.float32(1), "z": np.float32(1)}, None, "INVALID_ARGUMENT", "Sent extra: {z}"),
        ("", {"z": np.float32(1)}, None, "INVALID_ARGUMENT", "input tensor alias not found in signature: z"),
        ("", x(1), ["q"], "INVALID_ARGUMENT", "output tensor alias not found in signature: q"),
        ("", x(1), ["y", "y"], "INVALID_ARGUMENT", "duplicate output tensor alias: y"),
        ("", {"x": np.array([1], np.int32)}, None, "INVALID_ARGUMENT", "Type mismatch"),
        ("", {"x": np.array([b"1"], object)}, None, "INVALID_ARGUMENT", "Type mismatch"),
        ("regress_x_to_y", {"inputs": np.array([b"no example"], object)}, None, "INVALID_ARGUMENT", "parse"),
    ],
)
def test_what_it_refuses(servable, signature, feeds, outputs, code, said):
    with pytest.raises(ServingError) as refused:
        servable.run(signature, feeds, outputs)
    assert refused.value.code == code
    assert said in refused.value.message
    assert servable.run("", x(1))["y"].tolist() == [2.5]


def test_what_is_late_is_not_run(servable):
    assert servable.run("", x(1), deadline=time.monotonic() + 60)
    with pytest.raises(ServingError, match="DEADLINE_EXCEEDED"):
        servable.run("", x(1), deadline=time.monotonic())


def test_many_threads_ask_at_once(servable):
    wrong = []

    def ask(value):
        for step in range(50):
            answer = servable.run("", x(value + step))["y"][0]
            if answer != (value + step) / 2 + 2:
                wrong.append((value, step, answer))

    threads = [threading.Thread(target=ask, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_shapes_are_held_to_the_signature_where_that_is_asked_for(models):
    strict = Servable("m", 1, models / "half_plus_two" / "123", strict_shapes=True)
    assert strict.run("", x([1]))["y"].tolist() == [[2.5]]
    for value in (1, [1, 2]):
        with pytest.raises(ServingError, match=r"INVALID_ARGUMENT: Input x has shape .*; the signature says \[-1, 1\]"):
            strict.run("", x(value))
    strict.close()
    with pytest.raises(ServingError, match="CANCELLED"):
        strict.run("", x([1]))


def test_what_is_no_whole_model_is_refused_in_words(models, tmp_path):
    with pytest.raises(ServingError, match="NOT_FOUND: it cannot be loaded: SavedModel file does not exist"):
        Servable("m", 1, tmp_path)
    copy = shutil.copytree(models / "half_plus_two" / "123", tmp_path / "1")
    for path in (copy / "variables").iterdir():
        path.unlink()
    with pytest.raises(ServingError, match="it cannot be loaded"):
        Servable("m", 1, copy)
    (copy / "saved_model.pb").write_bytes((copy / "saved_model.pb").read_bytes()[:200])
    with pytest.raises(ServingError, match="it cannot be loaded"):
        Servable("m", 1, copy)


def test_choices_of_outputs_are_kept_in_bounds(models):
    loaded = Servable("m", 1, models / "half_plus_two" / "123")
    loaded._callables.update({((), (str(place),)): None for place in range(CALLABLES)})
    assert loaded.run("", x([1]))["y"].tolist() == [[2.5]]
    assert len(loaded._callables) == CALLABLES
    loaded.close()


def test_tensors_survive_a_message():
    for array in (
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([[b"a\0", b""], [b"\xff", b"b"]], object),
        np.array(True),
        np.arange(3, dtype=np.uint8),
        np.array([1.5, np.nan, np.inf], np.float16),
        np.zeros((0, 4), np.int64),
        np.array([2**63], np.uint64),
        np.array([1j], np.complex64),
    ):
        copy = inference.array_of(inference.proto_of(array), "x")
        assert copy.dtype == array.dtype
        assert copy.shape == array.shape
        np.testing.assert_array_equal(copy, array)
    assert len(inference.proto_of(np.zeros(3, np.float32)).float_val) == 3


def test_a_message_that_is_no_tensor_is_refused():
    from tensorflow.core.framework import tensor_pb2, types_pb2

    def message(dtype, *sizes, **values):
        tensor = tensor_pb2.TensorProto(dtype=dtype, **values)
        for size in sizes:
            tensor.tensor_shape.dim.add().size = size
        return tensor

    for tensor in (
        message(types_pb2.DT_INVALID, 1),
        message(types_pb2.DT_FLOAT, -1, float_val=[1]),
        message(types_pb2.DT_FLOAT, 10**6, 10**6, float_val=[1]),
        message(types_pb2.DT_STRING, 2**40, string_val=[b"a"]),
        message(types_pb2.DT_FLOAT, 2, tensor_content=b"\0\0\0"),
        message(types_pb2.DT_RESOURCE, 1),
        message(types_pb2.DT_STRING, 1, tensor_content=b"a"),
    ):
        with pytest.raises(ServingError, match="INVALID_ARGUMENT: tensor parsing error: x"):
            inference.array_of(tensor, "x")
    assert inference.array_of(message(types_pb2.DT_STRING, 2), "x").tolist() == [b"", b""]
    assert inference.array_of(message(types_pb2.DT_FLOAT, 3, float_val=[2]), "x").tolist() == [2, 2, 2]


def test_a_large_tensor_is_refused_only_where_its_message_is_small(monkeypatch):
    from tensorflow.core.framework import tensor_pb2, types_pb2

    monkeypatch.setattr(inference, "MAX_FILLED", 100)
    for dtype, name, value in ((types_pb2.DT_INT64, "int64_val", 0), (types_pb2.DT_STRING, "string_val", b"")):
        tensor = tensor_pb2.TensorProto(dtype=dtype, **{name: [value] * 50})
        tensor.tensor_shape.dim.add().size = 50
        assert inference.array_of(tensor, "x").tolist() == [value] * 50
        getattr(tensor, name).pop()
        with pytest.raises(ServingError, match="too large for what the message holds"):
            inference.array_of(tensor, "x")
