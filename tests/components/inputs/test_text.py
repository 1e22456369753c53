"""Texts: checked, parted, looked up by the vocabulary of the training split, and served through the same graph."""

import dataclasses
import functools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import apache_beam as beam
import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import dataset_metadata
from tfx_bsl.tfxio import tf_example_record

import keras_models
from components import inputs, keys
from components.compat.beam import RUNNER
from components.example_gen import records
from components.infra_validator import parity
from components.inputs import checks, storing, text
from components.tasks.by_name import task_of
from components.trainer import export, training
from components.trainer.card import Card
from components.trainer.data import open_data
from components.transform.preprocessing import preprocessing_fn
from configs import load
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig
from configs.schema.model import ModelConfig
from configs.schema.run import RunConfig
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.slices.transform import TransformSlice
from configs.schema.text import TextConfig
from configs.schema.transform import TransformConfig
from keras_models import record
from keras_models.normalize import with_normalization
from tests import docs
from tests.components import digits

SENTENCES = ["Rain, rain and snow.", "Bread and butter!", "rain again", "Snow and bread: 2 pounds", "Straße am Äquator"] * 4
LABELS = [0, 1, 0, 1, 0] * 4
ASKED = {"unit": "word", "length": 5, "vocabulary": 4, "min_count": 2}


def stored(raw: bytes) -> storing.Stored:
    return inputs.storage_of("text").store(raw, DataConfig())


@pytest.mark.parametrize(
    ("raw", "why"), [(b"", "empty"), (b" \n\t", "empty"), (b"caf\xe9", "not UTF-8"), (b"a" * (2**20 + 1), "too large")]
)
def test_what_is_no_text_is_set_aside(raw, why):
    with pytest.raises(storing.Damaged, match=f"^{why}$"):
        stored(raw)


def test_a_text_is_kept_as_it_is_and_measured():
    kept = stored("Der Äquator,\n wohl".encode())
    assert kept.encoded == "Der Äquator,\n wohl".encode()
    assert kept.numbers == {keys.TEXT_CHARACTERS: 18, keys.TEXT_WORDS: 3}
    assert kept.measures == {"characters": 18, "words": 3}
    assert kept.content == stored("Der A\u0308quator, wohl ".encode()).content != stored(b"Der Aquator, wohl").content


def parted(texts, **asked) -> list[list[str]]:
    ragged = text.tokens(tf.constant(texts), TextConfig(**asked))
    return [[token.decode() for token in row] for row in ragged.to_list()]


@pytest.mark.parametrize("lower", [True, False])
def test_words_are_runs_of_letters_and_every_sign_is_a_token(lower):
    texts = [*SENTENCES[:5], "It's 3.5 km — n\u00e4mlich\u00a0so_weit", "日本 語", "a\u0301b", ""]
    sign = re.compile(r"[^\W_]|[_'\u2019]|[\u0300-\u036f]")

    def oracle(line):
        spaced = "".join(each if sign.match(each) or each.isspace() else f" {each} " for each in (line.lower() if lower else line))
        return spaced.split()

    assert parted(texts, lower=lower) == list(map(oracle, texts))


def test_characters_are_tokens_and_a_run_of_spaces_is_one():
    assert parted([" Äb \n\u3000c"], unit="character") == [["ä", "b", " ", "c"]]
    assert parted(["Äb"], unit="character", lower=False) == [["Ä", "b"]]


def graph_of(folder, sentences, asked) -> tft.TFTransformOutput:
    """What Transform makes of a training split, by TFT's own Beam implementation."""
    schema = schema_pb2.Schema()
    for name, kind in {keys.TEXT: schema_pb2.BYTES, keys.EXAMPLE_ID: schema_pb2.BYTES, keys.LABEL: schema_pb2.INT}.items():
        feature = schema.feature.add(name=name, type=kind, presence=schema_pb2.FeaturePresence(min_fraction=1, min_count=1))
        feature.shape.dim.add(size=1)
    config = TransformSlice(transform=TransformConfig(text=asked), reads="text", targets=[keys.LABEL])
    source = tf_example_record.TFExampleBeamRecord(physical_format="inmem", telemetry_descriptors=["test"], schema=schema)
    metadata = dataset_metadata.DatasetMetadata(schema)
    with beam.Pipeline(RUNNER) as pipeline, tft_beam.Context(temp_dir=str(folder / "tmp")):
        raws = pipeline | "Train" >> beam.Create(rows(sentences)) | "Decode" >> source.BeamSource()
        made = (raws, source.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config={"slice": config.model_dump_json()})
        )
        _ = made | tft_beam.WriteTransformFn(str(folder))
        _ = metadata | tft_beam.WriteMetadata(str(folder / tft.TFTransformOutput.RAW_METADATA_DIR), pipeline)
    return tft.TFTransformOutput(str(folder))


def rows(sentences) -> list[bytes]:
    kept = [stored(sentence.encode()) for sentence in sentences]
    return [
        records.example(sentence.encoded, b"%d" % place, LABELS[place % len(LABELS)], measures=sentence.numbers, reads="text")
        for place, sentence in enumerate(kept)
    ]


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return graph_of(tmp_path_factory.mktemp("graph"), SENTENCES, ASKED)


@pytest.fixture(scope="module")
def data(graph, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    for name, sentences in (("train", SENTENCES), ("validation", SENTENCES[:5])):
        with tf.io.TFRecordWriter(str(folder / name), "GZIP") as writer:
            for row in rows(sentences):
                writer.write(row)
    config = RunConfig.model_validate({"name": "texts", "transform": {"text": ASKED}, "train": {"batch_size": 4}})
    cfg = TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields})
    files = ([str(folder / "train")], [str(folder / "validation")])
    return open_data(*files, graph, ["weather", "food"], [keys.LABEL], False, cfg, reads="text")


def test_the_vocabulary_is_of_the_training_split_the_most_frequent_first(data):
    learned = data.info.learned
    assert set(learned[text.VOCABULARY][:2]) == {"rain", "and"}
    assert set(learned[text.VOCABULARY][2:]) == {"snow", "bread"}
    assert learned[text.LENGTHS] == {"texts": 20, "tokens": 4 * (6 + 4 + 2 + 6 + 3), "longest": 6, "cut": 8}
    assert data.info.for_builder() == {"input_shape": (5,), "length": 5, "vocabulary_size": 6, "num_classes": 2}
    [said] = inputs.input_of("text").doubts(TransformConfig(text=ASKED), data.info)
    assert "8 of 20 training texts have more than transform.text.length = 5 tokens (the longest 6)" in said


def test_a_batch_is_ids_with_0_for_padding_and_1_for_what_is_not_known(data):
    places = {word: place for place, word in enumerate(data.info.learned[text.VOCABULARY], 2)}
    expected = [[places.get(token, 1) for token in row[:5]] + [0] * (5 - len(row[:5])) for row in parted(SENTENCES)]
    batches = list(data.plain.as_numpy_iterator())
    assert batches[0][0].dtype == np.int32
    assert np.concatenate([ids for ids, _ in batches]).tolist() == expected
    assert np.concatenate([targets[keys.LABEL] for _, targets in batches]).tolist() == LABELS
    shuffled = np.concatenate([ids for ids, _ in data.training(0, 1).as_numpy_iterator()]).tolist()
    assert sorted(shuffled) == sorted(expected)
    assert shuffled != expected


def example(folder, monkeypatch):
    """The network of docs/texts.md, by its path in a config."""
    page = (Path(docs.__file__).parents[2] / "docs/texts.md").read_text()
    (folder / "my_texts_vectors.py").write_text(re.search(r"my_texts\.py -->\n```python\n(.*?)```", page, re.DOTALL)[1])
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(record.ENTRIES, "mean_of_words", raising=False)
    return "my_texts_vectors:mean_of_words"


def test_a_builder_s_embedding_starts_from_a_file_s_vectors(graph, data, tmp_path, monkeypatch):
    (tmp_path / "words.txt").write_text("and 1 2 3\nRain 9 9 9\nsnow 4 5 6\nsnow 7 7 7\nfog 1 1 1\n")
    transform = TransformConfig(text={**ASKED, "vectors": str(tmp_path / "words.txt")})
    kind, name = inputs.input_of("text"), example(tmp_path, monkeypatch)
    stand_in = kind.stand_in(transform, 2)
    assert stand_in.of_data["vectors"].shape == (6, 3)
    learned = kind.learned(graph, transform)
    info = dataclasses.replace(data.info, **learned)
    words = info.learned[text.VOCABULARY]
    expected = np.zeros((6, 3), np.float32)
    expected[2 + words.index("and")], expected[2 + words.index("snow")] = (1, 2, 3), (4, 5, 6)
    cfg = RunConfig.model_validate({"name": "texts", "transform": transform.model_dump(), "model": {"name": name}})
    of_trainer = TrainerSlice(**{key: getattr(cfg, key) for key in TrainerSlice.model_fields})
    model = training.build(keras_models.get(name), dataclasses.replace(data, info=info), of_trainer)
    np.testing.assert_array_equal(model.get_weights()[0], expected)
    assert set(info.learned[text.OF_WORDS].pop("such_as")) == {"rain", "bread"}
    told = {"file": "words.txt", "dimensions": 3, "words": 4, "without": 2, "repeated": 1}
    assert info.learned[text.OF_WORDS] == told
    info.learned[text.OF_WORDS]["such_as"] = ["rain"]
    without, repeated, _cut = kind.doubts(transform, info)
    assert without == "2 of 4 words have no vector in words.txt and start at 0 ('rain', ...)."
    assert repeated == "words.txt has 1 rows of words that had one before; the first counts."
    assert json.loads(json.dumps(info.learned)) == info.learned
    monkeypatch.delitem(record.ENTRIES, "mean_of_words", raising=False)


def test_training_and_serving_make_the_same_of_what_is_no_utf_8(graph, data):
    odd = [b"caf\xe9 Rain", b"\xff\xfe", b"snow\x00 and \xf0\x9f", b"", b" \n"]
    card = SimpleNamespace(transform=TransformConfig(text=ASKED), learned=data.info.learned)
    given = {keys.TEXT: tf.constant(odd), keys.EXAMPLE_ID: tf.constant([b"1"] * 5), keys.LABEL: tf.zeros(5, tf.int64)}
    trained = graph.transform_raw_features({name: value[:, None] for name, value in given.items()})
    served = inputs.input_of("text").seen(tf.constant(odd), card)
    np.testing.assert_array_equal(trained[keys.TOKENS], served)
    assert served[0].numpy().tolist()[2] != 0, "caf, U+FFFD, rain: each is a token"
    assert served[3].numpy().tolist() == served[4].numpy().tolist() == [0] * 5
    assert parted([b"caf\xe9 x", b"\xff"], lower=False) == [["caf", "\ufffd", "x"], ["\ufffd"]]


def test_a_split_in_which_nothing_stands_often_enough_is_refused(tmp_path):
    empty = graph_of(tmp_path, SENTENCES[:4], {**ASKED, "min_count": 9})
    with pytest.raises(HubelError, match="No word stands 9 times") as caught:
        inputs.input_of("text").learned(empty, TransformConfig(text={**ASKED, "min_count": 9}))
    assert "transform.text.min_count" in caught.value.hint


def test_what_is_served_is_what_was_trained_through_every_end(data, tmp_path):
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    sums = keras.layers.Flatten()(keras.layers.Embedding(6, 3)(tokens))
    kind = inputs.input_of("text")
    net = keras.Model(tokens, keras.layers.Dense(2)(sums))
    model = with_normalization(net, name=kind.layer, dtype=kind.dtype, **kind.first_layer(TransformConfig(), data.info))
    told = {
        "name": "texts",
        "architecture": "mlp",
        "task": "classification",
        "params": 1,
        "train_images": 20,
        "epochs": 1,
        "seed": 0,
    }
    card = Card(
        **told, reads="text", input_shape=(5,), class_names=["weather", "food"], hyperparameters={}, transform={"text": ASKED},
        export={"warmup": 3}, learned=dict(data.info.learned),
    )  # fmt: skip
    export.write(tmp_path / "Format-Serving", model, task_of("classification"), card, data)
    served = tf.saved_model.load(str(tmp_path / "Format-Serving")).signatures
    assert set(served) == {"serving_default", "text", "classify"}
    asked = ["Snow AND bread", "", "nothing known"]
    ids = np.array([[data.info.learned[text.VOCABULARY].index(word) + 2 for word in ("snow", "and", "bread")] + [0, 0], [0] * 5,
                    [1, 1, 0, 0, 0]], np.int32)  # fmt: skip
    expected = tf.nn.softmax(model(ids)).numpy()
    np.testing.assert_allclose(served["text"](text=tf.constant(asked))["probabilities"], expected, 1e-6)
    raws = [records.example(sentence.encode(), b"1", reads="text") for sentence in asked]
    np.testing.assert_allclose(served["serving_default"](examples=tf.constant(raws))["probabilities"], expected, 1e-6)
    odd = [b"caf\xe9 rain", b"\xff", b"snow\x00\xf0\x9f"]  # what no source lets through, and a client may send
    replaced = [each.decode(errors="replace") for each in odd]
    for end, asks in {"text": odd, "examples": [records.example(each, b"1", reads="text") for each in odd]}.items():
        told = served["text" if end == "text" else "serving_default"](**{end: tf.constant(asks)})["probabilities"]
        np.testing.assert_array_equal(told, served["text"](text=tf.constant(replaced))["probabilities"])
        too_large = b"rain " * 2**18
        sent = too_large if end == "text" else records.example(too_large, b"1", reads="text")
        with pytest.raises(tf.errors.InvalidArgumentError, match="a text has at most 1,048,576 bytes"):
            served["text" if end == "text" else "serving_default"](**{end: tf.constant([asks[0], sent])})
    assert parity.refusal(str(tmp_path), tmp_path / "Format-Serving", rows(SENTENCES[:5])) is None
    net.layers[1].set_weights([w + 1 for w in net.layers[1].get_weights()])
    export.keep(tmp_path, model, task_of("classification"), card)  # another model than the one that would be served
    assert "output probabilities: off by" in parity.refusal(str(tmp_path), tmp_path / "Format-Serving", rows(SENTENCES[:5]))


def suits(cfg, reads):
    checks.check(reads, cfg.model.name, cfg.data, cfg.transform, cfg.augment, cfg.export.crops is not None)


@pytest.mark.parametrize(
    ("reads", "asked", "words"),
    [
        ("text", {"transform": {"height": 8}}, "transform.height is of models that read image, and lenet5 reads text"),
        ("image", {"transform": {"text": {"length": 3}}}, "transform.text is of models that read text, and lenet5 reads image"),
        ("text", {"data": {"ground": "black"}}, "data.ground is of models that read image"),
        ("text", {"augment": "digits"}, "augment changes images, and lenet5 reads text"),
        ("text", {"export": {"crops": {}}}, "export.crops cuts images, and lenet5 reads text"),
    ],
)
def test_keys_of_another_kind_are_refused(reads, asked, words):
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        suits(RunConfig.model_validate({"name": "a", **asked}), reads)
    assert caught.value.exit_code == 2
    assert caught.value.hint.startswith("Take ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"learned": {text.VOCABULARY: ["bread", "rain", "snow", "and"]}}, "4 there, 4 here, of which 0 have the same id"),
        ({"learned": {text.VOCABULARY: ["x", "y"]}}, "2 there, 4 here, of which 0 have the same id"),
        ({"reads": "image", "learned": {}}, "model.initial reads image, and this model reads text"),
        (
            {"class_names": ["food", "weather"]},
            "the classes food, weather of label, and here they are weather, food: class 0 is food",
        ),
    ],
)
def test_weights_go_on_for_the_same_tokens_and_classes_alone(data, tmp_path, monkeypatch, changes, words):
    def built(*_, **__):
        tokens = keras.Input((5,), dtype="int32", name="tokens")
        net = keras.Model(tokens, keras.layers.Flatten()(keras.layers.Embedding(6, 3)(tokens)))
        return with_normalization(net, name="tokens", dtype="int32", kind="none")

    info = dataclasses.replace(data.info, learned={**data.info.learned, text.VOCABULARY: ["and", "snow", "bread", "rain"]})
    earlier, entry = built(), SimpleNamespace(reads="text")
    card = digits.card(**{"reads": "text", "learned": dict(info.learned), "class_names": data.info.class_names, **changes})
    export.keep(tmp_path, earlier, task_of("classification"), card)
    monkeypatch.setattr(training, "build", built)
    schema = digits.write_schema(tmp_path / "schema.pbtxt", data.info.class_names)
    fn_args = SimpleNamespace(base_model=str(tmp_path / "Format-Serving"), schema_path=str(schema))
    cfg = SimpleNamespace(seed=1, transfer=None, model=ModelConfig())
    given = (fn_args, entry, task_of("classification"), dataclasses.replace(data, info=info), cfg)
    if words is None:
        weights = training.begun(*given).get_weights()
        assert all(map(np.array_equal, weights, earlier.get_weights()))
        assert not all(map(np.array_equal, weights, built().get_weights()))
        return
    with pytest.raises(UsageError, match=words):
        training.begun(*given)


def test_a_text_s_own_keys_stand():
    suits(RunConfig.model_validate({"name": "a", "transform": {"text": ASKED, "batch_size": 9}}), "text")


@pytest.mark.parametrize(("reads", "asked"), [("text", {"transform": {"text": ASKED}}), ("image", {"transform": {"height": 8}})])
def test_the_config_that_a_run_records_is_one_to_run(reads, asked, tmp_path):
    (tmp_path / "config.yaml").write_text(load.dump(RunConfig.model_validate({"name": "a", **asked})))
    suits(load.load(str(tmp_path / "config.yaml")), reads)
