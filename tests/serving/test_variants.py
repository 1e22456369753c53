"""What a served model was converted to, read from its folder alone."""

import json

from serving import variants


def version(folder, told, *files):
    (folder / variants.FOLDER).mkdir(parents=True)
    (folder / variants.CARD).write_text(told)
    for file in files:
        (folder / variants.FOLDER / file).write_bytes(b"TFL3")
    return folder


def test_those_that_lie_there_are_told(tmp_path):
    told = json.dumps({"name": "a", "variants": [{"name": "int8", "file": "int8.tflite"}, {"name": "onnx", "file": "onnx.onnx"}]})
    assert [variant["name"] for variant in variants.of(version(tmp_path, told, "int8.tflite"))] == ["int8"]


def test_a_card_without_them_or_none_or_a_damaged_one_tells_of_none(tmp_path):
    assert variants.of(tmp_path / "nowhere") == []
    assert variants.of(version(tmp_path / "earlier", '{"name": "a"}')) == []
    assert variants.of(version(tmp_path / "damaged", "{")) == []
