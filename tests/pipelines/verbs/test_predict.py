"""What `predict` makes of the outputs of SavedModels that were made by hand."""

import base64
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components import keys
from configs.errors import UsageError
from pipelines.command_line import commands, options
from pipelines.verbs.predict import predict
from tests.components import digits
from tests.components.example_gen import deep_colour


@pytest.fixture
def answered(tmp_path):
    """-> the row that `predict` gives of one image and a model with these outputs."""
    Image.new("L", (8, 8)).save(tmp_path / "a.png")

    def ask(outputs, top=1, end="image_bytes", **told):
        module = tf.Module()

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def answer(image_bytes):
            return {name: tf.repeat(tf.constant([value]), tf.shape(image_bytes)[0], axis=0) for name, value in outputs.items()}

        folder = tmp_path / "model"
        tf.saved_model.save(module, str(folder), signatures={end: answer})
        (folder / keys.CARD_IN_EXPORT).parent.mkdir(exist_ok=True)
        (folder / keys.CARD_IN_EXPORT).write_text(digits.card(**told).model_dump_json())
        [row] = predict(str(folder), [str(tmp_path / "a.png")], top)["images"]
        return {name: value for name, value in json.loads(json.dumps(row)).items() if name not in ("file", "size", "resized")}

    return ask


def test_names_with_scores_are_the_best_classes(answered):
    outputs = {"classes": ["cat", "dog"], "scores": [0.75, 0.25], "probabilities": [0.25, 0.75]}
    assert answered(outputs) == {"classes": ["cat"], "scores": [0.75]}
    assert answered(outputs, top=5) == {"classes": ["cat", "dog"], "scores": [0.75, 0.25]}


@pytest.mark.parametrize(
    "outputs",
    [
        {"classes": [3, 1]},
        {"classes": [3.5, 1.5], "scores": [0.75, 0.25]},
        {"classes": ["cat", "dog"], "value": 2.0},  # no scores
        {"classes": 3, "text": "a word"},
        {"words": [["a", "b"], ["c", "d"]], "count": [4]},
    ],
)
def test_any_other_outputs_are_shown_as_they_are(answered, outputs):
    assert answered(outputs) == outputs


def test_bytes_that_are_no_text_are_said_to_be_none(answered):
    assert answered({"name": b"caf\xe9"}) == {"name": "caf\ufffd"}


def test_of_several_frames_the_first_is_asked_about_and_that_is_said(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def answer(image_bytes):
        return {"grey": tf.map_fn(lambda each: tf.io.decode_image(each, 1)[..., :1, :1, 0], image_bytes, tf.uint8)}

    tf.saved_model.save(module, str(tmp_path / "model"), signatures={"image_bytes": answer})
    (tmp_path / "model" / keys.CARD_IN_EXPORT).parent.mkdir(exist_ok=True)
    (tmp_path / "model" / keys.CARD_IN_EXPORT).write_text(digits.card(turns=True).model_dump_json())
    greys = [Image.new("L", (8, 8), grey) for grey in (10, 90, 170)]
    for name in ("a.gif", "b.tif", "c.webp"):
        greys[0].save(tmp_path / name, save_all=True, append_images=greys[1:], **({"lossless": True} if name == "c.webp" else {}))
    greys[0].save(tmp_path / "d.png")
    (tmp_path / "e.avif").write_bytes(deep_colour.FILES["avif of 10"])
    value = predict(str(tmp_path / "model"), [str(tmp_path / name) for name in ("a.gif", "b.tif", "c.webp", "d.png", "e.avif")], 1)
    rows = value["images"]
    assert [row.get("frames") for row in rows] == [3, 3, 3, None, None]
    assert [row.get("changes") for row in rows] == [["first_of_several"]] * 3 + [None, ["16_bits_cut"]]
    assert [row["grey"] for row in rows[:4]] == [[[10]]] * 4
    assert value["changes"] == {"first_of_several": 3, "16_bits_cut": 1}
    depth, first, named = options.changed(value)
    assert depth == "1 image has more than 8 bits a colour in a format of which only the upper 8 are read; make them PNG."
    assert first == "3 images have several frames or pages, of which the first is read."
    assert named.startswith(f"Of several frames or pages: {tmp_path / 'a.gif'} (the first of 3), ")


def test_outputs_become_json_by_the_kinds_that_the_card_says(answered):
    outputs = {"labels": ["cat", "dog"], "sure": [0.75, 0.25], "all": [0.25] * 2, "seen": [[[0.0], [254.6]]], "z": [0.5]}
    gives = {"labels": "names", "sure": "scores", "all": "probabilities", "seen": "image", "z": "code"}
    row = answered(outputs, gives={"serving_default": gives}, predicts="serving_default")
    picture = base64.b64decode(row.pop("seen")["b64"])
    assert list(Image.open(io.BytesIO(picture)).getdata()) == [0, 255]
    assert row == {"labels": ["cat"], "sure": [0.75], "z": [0.5]}


def test_the_card_says_which_signature_is_asked(answered):
    told = {"gives": {"rank": {"value": "number"}}, "predicts": "rank"}
    assert answered({"value": 2.5}, end="rank_image_bytes", **told) == {"value": 2.5}
    with pytest.raises(UsageError, match="has no signature rank_image_bytes"):
        answered({"value": 2.5}, **told)


def test_of_a_model_pushed_before_the_score_is_asked(answered):
    assert answered({"anomaly_score": 2.5}, end="anomaly_score_image_bytes", task="reconstruction") == {"anomaly_score": 2.5}


def test_a_table_shows_each_output_as_its_kind_does(monkeypatch, capsys):
    good = {"file": "a.png", "size": [8, 8], "resized": False, "p": [0.25, 0.75], "z": [1.0, 2.0]}
    value = {"images": [good, {"file": "b", "error": "empty"}], "size": [8, 8, 1], "resized": 0, "passed_over": {}}
    value |= {"gives": {"p": "probabilities", "z": "code"}, "class_names": ["cat", "dog"]}
    value |= {"asked": "m", "run": None, "many": "images", "unshown": ["resized", "size"]}
    monkeypatch.setattr(options, "ask_of", lambda *asked: value)
    assert commands.predict.callback("m", ["a.png"], 1, "csv", None, False) == 0
    assert capsys.readouterr().out.splitlines() == ["file,p,z,error", "a.png,dog 0.7500,2 numbers,", "b,,,empty"]


def test_a_table_of_texts_says_where_each_stands(monkeypatch, capsys):
    first, second = {"text": "rain", "p": [0.25, 0.75]}, {"text": " ", "file": "a.txt", "line": 3, "error": "empty"}
    value = {"model": "m", "texts": [first, second], "gives": {"p": "probabilities"}, "class_names": ["cat", "dog"]}
    value |= {"asked": "m", "run": None, "many": "texts", "unshown": []}
    monkeypatch.setattr(options, "ask_of", lambda *asked: value)
    assert commands.predict.callback("m", ["a.txt"], 1, "csv", None, False, ["rain"]) == 0
    assert capsys.readouterr().out.splitlines() == ["text,p,file,line,error", "rain,dog 0.7500,,,", " ,,a.txt,3,empty"]


def test_in_a_table_sentences_stand_last_so_that_no_line_is_as_long_as_the_longest(monkeypatch, capsys):
    long = {"text": "rain " * 200, "p": [0.75, 0.25]}
    value = {"texts": [long, {"text": "snow", "p": [0.25, 0.75]}, {"text": "", "error": "It is empty."}]}
    value |= {
        "gives": {"p": "probabilities"},
        "class_names": ["cat", "dog"],
        "asked": "m",
        "run": None,
        "many": "texts",
        "unshown": [],
    }
    monkeypatch.setattr(options, "ask_of", lambda *asked: value)
    assert commands.predict.callback("m", ["a.txt"], 1, "table", None, False, ["rain"]) == 0
    assert [line.rstrip()[:40] for line in capsys.readouterr().out.splitlines()] == [
        "p           error         text",
        "cat 0.7500                rain rain rain",
        "dog 0.7500                snow",
        "            It is empty.",
    ]


def test_answers_that_are_pictures_are_written_in_the_image_s_own_frame(answered, tmp_path):
    mask = np.zeros((32, 32, 1), np.int64)
    mask[:16] = 1
    outputs, gives = {"mask": mask.tolist(), "seen": np.full((32, 32, 1), 9.0).tolist()}, {"mask": "mask", "seen": "image"}
    told = {"gives": {"serving_default": gives}, "predicts": "serving_default", "class_names": ["sky", "ground"]}
    told["transform"] = {"height": 32, "width": 32, "channels": 1, "resize": "fit", "normalize": "unit"}
    assert answered(outputs, **told)["mask"]["shares"] == {"sky": 0.5, "ground": 0.5}
    Image.new("L", (40, 20)).save(tmp_path / "a.png")  # 8 px of bars above and below: the whole upper half of it is ground
    out = tmp_path / "out"
    value = predict(str(tmp_path / "model"), [str(tmp_path / "a.png"), str(tmp_path / "none.png")], 1, out=str(out))
    good, bad = value["images"]
    assert good["written"] == {name: str(out / f"a.{name}.png") for name in ("mask", "seen")}
    assert "written" not in bad
    shown = np.asarray(Image.open(good["written"]["mask"]))
    assert shown.shape == (20, 40)
    np.testing.assert_array_equal(shown, np.repeat([1, 0], 10)[:, None].repeat(40, 1))
    assert Image.open(good["written"]["seen"]).size == (32, 32), "what the model made"
    for again, words in (({}, "there already"), ({"out": str(tmp_path / "a.png")}, "is a file")):
        with pytest.raises(UsageError, match=words):
            predict(str(tmp_path / "model"), [str(tmp_path / "a.png")], 1, **{"out": str(out), **again})
    assert predict(str(tmp_path / "model"), [str(tmp_path / "a.png")], 1, out=str(out), force=True)["images"][0]["written"]


def test_where_nothing_is_a_picture_nothing_is_written(answered, tmp_path):
    answered({"value": 2.5})
    with pytest.raises(UsageError, match=r"--out is for answers that are pictures, and .* gives number"):
        predict(str(tmp_path / "model"), [str(tmp_path / "a.png")], 1, out=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_table_says_where_pictures_are(monkeypatch, capsys):
    good = {"file": "a.png", "size": [8, 8], "m": {"b64": "", "shares": {"sky": 0.75, "sea": 0.25}}, "written": {"m": "out/a.png"}}
    value = {"images": [good, {"file": "b", "error": "empty"}], "gives": {"m": "mask"}, "class_names": ["sky", "sea"]}
    value |= {"asked": "m", "run": None, "many": "images", "unshown": ["resized", "size"]}
    monkeypatch.setattr(options, "ask_of", lambda *asked: value)
    assert commands.predict.callback("m", ["a.png"], 1, "csv", None, False, out="out") == 0
    assert capsys.readouterr().out.splitlines() == ["file,m,written,error", "a.png,sky 75%,out/a.png,", "b,,,empty"]
