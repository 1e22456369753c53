"""Kinds of input are files; nobody but they, and what is made for images alone, knows what is read."""

import dataclasses
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_models
from components import fingerprint, inputs, keys
from components.inputs import checks
from components.inputs.image import Moments
from components.trainer.card import Card
from components.trainer.info import DataInfo
from components.transform import pixels
from configs.errors import UsageError
from configs.packages import PACKAGES
from configs.schema.run import RunConfig
from configs.schema.slices.transform import TransformSlice
from keras_models import usable
from tests.components import digits

ROOT = Path(__file__).parents[3]
KNOWS_IMAGES = {  # who may name the feature of an image's bytes
    "components/keys.py",
    "components/inputs/image.py",
    "components/inputs/storing/image.py",
    "components/example_gen/tfrecord.py",  # as a name in files of other people
    "serving/features.py",  # which imports no kind; tests/serving/test_features.py
}


def test_a_kind_is_a_file():
    assert "image" in inputs.kinds()
    for kind in inputs.kinds():
        told, kept = inputs.input_of(kind), inputs.storage_of(kind)
        assert told.feature == kept.feature
        assert told.feature not in kept.numbers
        assert type(told).__module__ == inputs.module_of(kind) == f"components.inputs.{kind}"
        assert type(kept).__module__ == inputs.storing_module_of(kind)
    assert len({inputs.input_of(kind).feature for kind in inputs.kinds()}) == len(inputs.kinds())


@pytest.mark.parametrize("name", ["sound", "base", "checks", "../image", "", "Image"])
def test_another_kind_is_refused_by_name(name):
    for ask in (inputs.input_of, inputs.storage_of):
        with pytest.raises(UsageError, match="There is no kind of input") as caught:
            ask(name)
        assert "image" in caught.value.hint


def test_only_the_kind_itself_names_the_feature_of_an_image_s_bytes():
    packages = ("components", "pipelines", "tuner", "keras_models", "configs", "serving", "reports")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    knowing = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if re.search(rf"IMAGE_ENCODED|{re.escape(keys.IMAGE_ENCODED)}", path.read_text(encoding="utf-8"))
    }
    assert knowing == KNOWS_IMAGES


def test_no_stage_imports_a_kind_but_by_its_name():
    """A kind's file is of the runs that read it: an edit of another kind re-runs nothing."""
    for stage in ("example_gen", "statistics_gen", "schema_gen", "example_validator", "evaluator", "infra_validator", "trainer"):
        entry = f"components.{stage}.component"
        closure = fingerprint._closure([entry], set(PACKAGES))
        assert not {f"components.inputs.{kind}" for kind in inputs.kinds()} & closure, stage
    keeping = fingerprint._closure(["components.example_gen.component", inputs.storing_module_of("image")], set(PACKAGES))
    assert "components.example_gen.pictures" in keeping
    assert not {"components.inputs.image", "components.inputs.base", "components.transform.pixels"} & keeping


def test_a_network_reads_images_unless_its_record_says_otherwise():
    assert {record.reads for record in keras_models.catalog().values()} <= set(inputs.kinds())
    assert keras_models.check("lenet5").reads == keras_models.get("lenet5").reads == "image" == inputs.DEFAULT


def test_a_card_of_before_is_of_a_model_that_reads_images():
    told = digits.card().model_dump()
    del told["reads"], told["learned"]
    assert Card.model_validate(told).reads == "image"


def test_what_a_builder_s_input_must_be_is_the_kind_s():
    image = keras.Input((4, 4, 1))
    entry = keras_models.get("lenet5")
    with pytest.raises(UsageError, match="the input must be int32, as what it reads; it is float32"):
        usable.check(entry, keras.Model(image, keras.layers.Flatten()(image)), {}, "int32")


def test_keys_that_mean_nothing_for_the_kind_are_refused():
    cfg = RunConfig(name="a", transform={"height": 8}, data={"ground": "black"}, augment="digits")
    checks.check("image", cfg.model.name, cfg.data, cfg.transform, cfg.augment, cfg.export.crops is not None)


def test_images_are_decoded_in_one_function_however_often_their_graph_is_traced(monkeypatch):
    traced, from_bytes = [], pixels.from_bytes
    monkeypatch.setattr(pixels, "from_bytes", lambda *given, **more: traced.append(given) or from_bytes(*given, **more))
    transform = {"height": 7, "width": 9, "channels": 1, "normalize": "unit"}  # of no other test
    prepare = inputs.input_of("image").prepare

    def graph(ground):
        cfg = TransformSlice(transform=transform, reading={"ground": ground})
        return tf.function(lambda raw: prepare(raw, cfg), autograph=False).get_concrete_function(tf.TensorSpec([None], tf.string))

    made = [graph(ground) for ground in ("white", "black", "white")]
    assert len(traced) == 2  # one for each way of reading
    image = tf.io.encode_png(np.full((7, 9, 1), 200, np.uint8))[None].numpy()
    answers = [graph(tf.constant(image))[keys.PIXELS].numpy() for graph in made]
    assert (answers[0] == answers[2]).all()


def test_what_a_kind_learned_is_its_own():
    """A kind that learns nothing has nothing to fill in."""
    fields = {field.name for field in dataclasses.fields(DataInfo)}
    assert fields == {"input_shape", "class_names", "train_images", "of_input", "noise", "builder", "learned"}
    nothing = DataInfo((3,), ["a", "b"], 1)
    assert nothing.for_builder() == {"input_shape": (3,), "num_classes": 2}
    assert inputs.input_of("image").covariance(nothing) is inputs.input_of("text").covariance(nothing) is None
    transform = TransformSlice(transform={"normalize": "per_channel"}).transform
    learned = DataInfo((3,), [], 1, Moments([1.0], [4.0]))
    assert inputs.input_of("image").first_layer(transform, learned)["mean"] == [1.0]
