"""What a model was converted to, as a person reads it."""

from pipelines.command_line import variants_view

COST = {"value": 0.98, "of_model": 0.981, "loss": 0.001, "interval": [-0.002, 0.004], "within_noise": True, "allowed": 0.01}
INT8 = {
    "name": "int8", "file": "int8.tflite", "bytes": 74032, "parity": {"probabilities": 0.0213}, "agreement": 0.9944,
    "costs": {"macro_f1": {**COST, "allowed": None}, "accuracy": COST}, "reason": "", "shipped": True,
}  # fmt: skip
ONNX = {
    "name": "onnx", "file": "onnx.onnx", "bytes": None, "parity": {}, "agreement": None, "costs": {},
    "reason": "it ended with code 1", "shipped": False,
}  # fmt: skip


def test_a_line_each_and_why_one_is_refused(capsys):
    variants_view.terminal([INT8, ONNX])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "variant"
    assert "74,032" in lines[1]
    for cell in ("int8", "2.1e-02", "99.4 %", "accuracy 0.9800", "+0.0010", "-0.0020 to +0.0040"):
        assert cell in lines[1]
    assert "refused" not in lines[1]
    assert lines[2].split() == ["onnx", "refused"]
    assert lines[3] == "onnx is refused: it ended with code 1"


def test_in_a_cell_stand_those_that_were_shipped():
    assert variants_view.brief([INT8, ONNX]) == "int8 74,032 B"
