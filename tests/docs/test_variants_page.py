"""What docs/variants.md says of files and forms is so: its programs run on such files, and its tables have every form and key."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import PIL.Image
import tensorflow as tf

from components.converter import convert, forms, network, verdict
from keras_models import build, get
from keras_models.normalize import with_normalization
from tests.components import digits

PAGE = (Path(__file__).parents[2] / "docs" / "variants.md").read_text()


def test_the_programs_of_the_page_answer_as_the_network_does(tmp_path, monkeypatch, capsys):
    extra = tmp_path / "workspace/models/digits_lenet5/1/assets.extra"
    (extra / "variants").mkdir(parents=True)
    card = digits.card(input_shape=(32, 32, 1), transform={"height": 32, "width": 32, "channels": 1, "normalize": "unit"})
    (extra / "hubel.json").write_text(card.model_dump_json())
    model = with_normalization(build(get("lenet5"), {"input_shape": (32, 32, 1), "num_classes": 10}, {}), "unit")
    made = network.of(model, card)
    network.write(made, model, tmp_path / "saved")
    image = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    PIL.Image.fromarray(image).save(tmp_path / "digit.png")
    image.astype(np.float32).tofile(tmp_path / "images")
    for form, given in (("int8", str(tmp_path / "images")), ("onnx", None)):
        to = extra / "variants" / f"{form}{forms.FORMS[form].ending}"
        convert.main(str(tmp_path / "saved"), form, str(to), given, [1, 32, 32, 1])
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for program in programs:
        exec(compile(program, "variants.md", "exec"), {})  # noqa: S102 it is ours
    said = [line.split() for line in capsys.readouterr().out.splitlines() if line.split()[0] in digits.NAMES]
    wanted = made.answer(tf.constant(image.astype(np.float32)[None, :, :, None]))["probabilities"].numpy()[0]
    assert len(programs) == len(said) == 2
    for (name, probability), tolerance in zip(said, (0.05, 1e-5), strict=True):
        assert abs(float(probability) - wanted[digits.NAMES.index(name)]) < tolerance
    assert said[1][0] == digits.NAMES[wanted.argmax()]


def test_every_form_and_every_key_is_on_the_page():
    for name, form in forms.FORMS.items():
        assert f"| `{name}` | `{name}{form.ending}` |" in PAGE
    for kind in (verdict.Variant, verdict.Cost):
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in PAGE, field.name
    assert "`shipped`" in PAGE
    assert f"opset {convert.OPSET}" in PAGE
    assert json.dumps(verdict.TOLERANCE) == "0.0001"
    assert "1e-4 + 1e-4 |value|" in PAGE
