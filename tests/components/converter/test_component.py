"""What TFX is handed: the model with its files, and a blessing that is given where none was refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from tfx.types import standard_artifacts

from components import keys, progress
from components.converter import component
from components.trainer import artifact
from components.trainer.card import Card
from configs.schema.variants import VariantsConfig
from tests.components import digits

EVERY = ["float32", "float16", "int8_weights", "int8", "onnx"]


def done(model, examples, to: Path, *, blessed=(1, 1), **asked):
    """What the executor writes: the artifact of the model, and the blessing; and what it says on the way."""
    given = {"model": standard_artifacts.Model(), "examples": standard_artifacts.Examples()}
    given |= {"model_blessing": standard_artifacts.ModelBlessing(), "infra_blessing": standard_artifacts.InfraBlessing()}
    written = {"converted": standard_artifacts.Model(), "blessing": standard_artifacts.InfraBlessing()}
    given["model"].uri, given["examples"].uri = str(model), str(examples)
    given["examples"].split_names = json.dumps(list(keys.SPLITS))
    for name, value in zip(("model_blessing", "infra_blessing"), blessed, strict=True):
        given[name].set_int_custom_property("blessed", value)
    given["infra_blessing"].set_string_custom_property(keys.SERVERS, "embedded, TensorFlow Serving")
    for name, of in written.items():
        (to / name).mkdir(parents=True)
        of.uri = str(to / name)
    said = []
    with progress.listening(said.append):
        component.Executor().Do(
            {name: [of] for name, of in given.items()},
            {name: [of] for name, of in written.items()},
            {"slice": VariantsConfig.model_validate(asked).model_dump_json()},
        )
    return written["converted"], written["blessing"], said


@pytest.fixture(scope="module")
def converted(classifier, artifacts, tmp_path_factory):
    """Of the classifier, to everything."""
    return done(classifier, artifacts.examples, tmp_path_factory.mktemp("to"), variants=EVERY, max_loss={"accuracy": 0.1})


def test_each_variant_has_its_size_its_parity_and_what_it_costs(converted, classifier):
    model, blessing, said = converted
    told = json.loads(model.get_string_custom_property(keys.VARIANTS))
    saved = Path(model.uri, "Format-Serving")
    assert [variant["name"] for variant in told] == EVERY
    assert blessing.get_int_custom_property("blessed") == 1
    assert [path.name for path in Path(blessing.uri).iterdir()] == ["INFRA_BLESSED"]
    assert blessing.get_string_custom_property(keys.SERVERS) == "embedded, TensorFlow Serving", "as InfraValidator has it"
    for variant in told:
        file = saved / "assets.extra" / "variants" / variant["file"]
        assert variant["bytes"] == file.stat().st_size > 1000
        assert variant["images"] == digits.COUNTS[keys.TEST]
        assert (variant["shipped"], variant["reason"]) == (True, "")
        assert variant["outputs"] == {"probabilities": {"kind": "probabilities", "dtype": "float32", "shape": [10]}}
        assert list(variant["costs"]) == ["accuracy", "cross_entropy", "macro_f1"]
        assert variant["costs"]["accuracy"]["allowed"] == 0.1
        assert variant["costs"]["macro_f1"]["allowed"] is None
    off = {variant["name"]: variant["parity"]["probabilities"] for variant in told}
    assert max(off["float32"], off["onnx"]) < 1e-6 < off["float16"] < off["int8"] < 0.1
    on_card = json.loads((saved / keys.CARD_IN_EXPORT).read_text())
    assert on_card == json.loads((classifier / keys.CARD_FILE).read_text()) | {
        "variants": told,
        "gives": on_card["gives"],
        "predicts": on_card["predicts"],
    }
    assert Card.exported(str(saved)).name == "tiny"  # it reads as before
    assert (saved / "saved_model.pb").read_bytes() == (classifier / "Format-Serving" / "saved_model.pb").read_bytes()
    assert not [event for event in said if event["event"] == "warning"]


def test_figures_are_those_of_the_file_s_own_answers(converted, classifier):
    """An oracle of one's own: LiteRT asked here, Keras asked here, and their shares counted."""
    images, labels = digits.images()
    places = list(digits.rows(keys.TEST))
    pixels, labels = images[places].astype(np.float32), labels[places]
    told = {variant["name"]: variant for variant in json.loads(converted[0].get_string_custom_property(keys.VARIANTS))}["int8"]
    file = Path(converted[0].uri, "Format-Serving", "assets.extra", "variants", told["file"])
    runner = Interpreter(model_path=str(file)).get_signature_runner()
    assert runner.get_input_details()["pixels"]["shape"].tolist() == [1, 8, 8, 1]
    quantised = np.concatenate([runner(pixels=image[None])["probabilities"] for image in pixels])
    exact = artifact.load(str(classifier)).predict(pixels, verbose=0)
    exact = np.exp(exact) / np.exp(exact).sum(1, keepdims=True)
    hits, of_model = quantised.argmax(1) == labels, exact.argmax(1) == labels
    cost = told["costs"]["accuracy"]
    assert (cost["value"], cost["of_model"]) == (hits.mean(), of_model.mean())
    assert cost["loss"] == pytest.approx(of_model.mean() - hits.mean())
    assert told["agreement"] == (quantised.argmax(1) == exact.argmax(1)).mean()
    assert told["parity"]["probabilities"] == pytest.approx(np.abs(quantised - exact).max(), abs=1e-6)
    loss = told["costs"]["cross_entropy"]
    assert loss["interval"][0] <= loss["loss"] <= loss["interval"][1]


def test_one_that_loses_too_much_is_refused_and_blesses_nothing(classifier, artifacts, tmp_path, monkeypatch):
    litert = component.work._run

    def wrong(runtime, file, test, folder):
        answers, why = litert(runtime, file, test, folder)
        sure = {"probabilities": np.tile(np.eye(10, dtype=np.float32)[:1], (60, 1))}
        return (sure if "float16" in file.name else answers), why

    monkeypatch.setattr(component.work, "_run", wrong)
    bound = {"accuracy": 1.0, "cross_entropy": 0.5}
    model, blessing, said = done(classifier, artifacts.examples, tmp_path, variants=["int8_weights", "float16"], max_loss=bound)
    kept, refused = json.loads(model.get_string_custom_property(keys.VARIANTS))
    assert (kept["shipped"], refused["shipped"]) == (True, False)
    loss = refused["costs"]["cross_entropy"]["loss"]
    assert loss > 1
    assert f"is {loss:.3g} worse than the model's" in refused["reason"]
    assert refused["reason"].endswith("(export.max_loss: 0.5)")
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_string_custom_property(keys.REASON) == f"variant float16: {refused['reason']}"
    assert [path.name for path in Path(model.uri, "Format-Serving", keys.VARIANTS_IN_EXPORT).iterdir()] == ["int8_weights.tflite"]
    assert [e["text"] for e in said if e["event"] == "warning"] == [f"variant float16 is refused: {refused['reason']}"]


@pytest.mark.parametrize("blessed", [(0, 1), (1, 0)])
def test_what_is_not_blessed_is_not_converted(classifier, artifacts, tmp_path, blessed):
    model, blessing, _ = done(classifier, artifacts.examples, tmp_path, blessed=blessed, variants=["float32"])
    assert model.get_string_custom_property(keys.VARIANTS) == "[]"
    assert not list(Path(model.uri).iterdir())
    assert (blessing.get_int_custom_property("blessed"), blessing.get_string_custom_property(keys.REASON)) == (0, "")


def test_an_autoencoder_gives_images_and_codes_and_is_held_to_its_error(autoencoder, artifacts, tmp_path):
    model, blessing, said = done(autoencoder, artifacts.examples, tmp_path, variants=["int8"])
    [told] = json.loads(model.get_string_custom_property(keys.VARIANTS))
    assert {name: output["kind"] for name, output in told["outputs"].items()} == {"images": "image", "codes": "code"}
    assert next(iter(told["costs"])) == "psnr"
    assert set(told["costs"]) == {"mse", "psnr", "ssim"}
    assert told["agreement"] is None
    assert told["floats"] == ["Elu"]  # which is said
    assert any("Elu of int8 have no kernel of int8" in event.get("text", "") for event in said) is told["shipped"]
    images = digits.images()[0][list(digits.rows(keys.TEST))].astype(np.float32)
    given = artifact.load(str(autoencoder)).predict(images, verbose=0)
    assert told["costs"]["mse"]["of_model"] == pytest.approx(np.square(images / 255 - given).mean(), rel=1e-5)
    assert told["costs"]["psnr"]["allowed"] == 0.5
    assert blessing.get_int_custom_property("blessed") == (told["costs"]["psnr"]["loss"] <= 0.5)
