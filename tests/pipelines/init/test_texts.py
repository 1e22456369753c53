"""`hubel init` of tables of texts: what it finds, and that the config it writes fits them and says what is missing."""

import pytest

from components import inputs
from components.example_gen import sources
from configs import load
from configs.errors import UsageError
from pipelines.data_sets import survey
from pipelines.init import kinds, proposal
from pipelines.workspace.layout import Workspace
from tests.components.example_gen.sources_of import png
from tests.pipelines.init.test_init import picture


def table(folder, columns="v1,v2", texts=120, long=3):
    """Texts of two classes, of which a few are long, one is empty and one has no label."""
    rows = [f'{("ham", "spam")[number % 3 == 0]},"Call, now {number}"' for number in range(texts - long - 2)]
    rows += [f"ham,{' '.join(['many'] * 40)} {number}" for number in range(long)] + ["spam,", "nan,no label"]
    path = folder / "sms.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    return path


def look(path, tmp_path, **read):
    return survey.look(f"csv:{path}", str(tmp_path / "datasets"), **read)


def test_a_table_of_texts_becomes_a_config_of_texts(tmp_path):
    path = table(tmp_path)
    read = proposal.read_by(f"csv:{path}", ["v1"], None, None, "v2")
    seen = look(path, tmp_path, **read)
    assert (seen["reads"], seen["noun"], seen["images"], seen["classes"]) == ("text", "text", 120, {"ham": 79, "spam": 40})
    assert (seen["unlabelled"], seen["damaged"]) == (1, {"empty": 1})
    assert seen["tokens"] == [2, 4, 41]  # no label; Call , now 1; the long ones
    made = proposal.propose("sms", f"csv:{path}", seen, "sms.yaml", read, **proposal.at_hand(seen, None))
    (tmp_path / "sms.yaml").write_text(made.text)
    cfg = load.load(str(tmp_path / "sms.yaml"))
    assert cfg.data.features == {"text": "v2", "label": "v1"}
    assert cfg.transform.text.length == 16
    assert cfg.model.name == "my_texts:mean_of_words"
    assert not cfg.augment
    assert 0.66 < cfg.evaluate.thresholds["accuracy"].min < 0.75
    assert "16 tokens: of the texts that were read 2.5 % are longer" in made.text
    said = "\n".join([*proposal.summary(seen, f"csv:{path}"), *made.notes])
    assert "hubel ships no network that reads texts yet" in said
    assert "120 texts" in said
    assert "1 text has no label (" in said
    assert "image" not in said + made.text


def test_of_the_networks_there_are_the_smallest_is_proposed(tmp_path):
    path = table(tmp_path, "label,text", long=20)
    seen = look(path, tmp_path)
    made = proposal.propose("sms", f"csv:{path}", seen, "sms.yaml", network="bag_of_words")
    assert "model: {name: bag_of_words}" in made.text
    assert "transform: {text: {length: 64}}" in made.text
    assert not any("ships no network" in note for note in made.notes)


def test_what_cannot_be_told_apart_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\nRain,x\nSnow,x\n")
    with pytest.raises(UsageError, match="has texts of one class alone, x"):
        proposal.propose("a", f"csv:{path}", look(path, tmp_path), "a.yaml")
    unlabelled = look(path, tmp_path, features={"label": None})
    with pytest.raises(UsageError, match="has texts without labels") as caught:
        proposal.propose("a", f"csv:{path}", unlabelled, "a.yaml")
    assert "--label" in caught.value.hint


def test_scripts_that_part_no_words_are_read_by_characters(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"{'今日は雨が降って風も強いですね' * 2}{n},{'ab'[n % 2]}\n" for n in range(40)))
    seen = look(path, tmp_path)
    assert seen["unit"] == "character"
    assert "unit: character" in proposal.propose("a", f"csv:{path}", seen, "a.yaml").text


@pytest.mark.parametrize(
    ("header", "kind"),
    [("id,text,target", "text"), ("a.png,text,target", "image"), ("path,title,label", "image"), ("text,label", "text")],
)
def test_a_table_is_of_texts_where_it_has_none_of_images(header, kind, tmp_path):
    from components.example_gen import csv

    picture(tmp_path / "a.png", 9)
    cell, _, rest = header.partition(",")
    header = f"id,{rest}" if cell == "a.png" else header
    (tmp_path / "a.csv").write_text(f"{header}\n{','.join([cell, *('x' for _ in header.split(',')[1:])])}\n")
    assert csv.holds(str(tmp_path / "a.csv"), {}) == kind
    assert csv.holds(str(tmp_path / "a.csv"), {"text": "x"}) == "text"
    assert csv.holds(str(tmp_path / "a.csv"), {"image": "x"}) == csv.holds(str(tmp_path / "a.csv"), {}, "folder") == "image"


def test_a_column_that_is_called_otherwise_can_be_named(tmp_path):
    (tmp_path / "a.csv").write_text("words,label\nRain,x\nSnow,y\n")
    with pytest.raises(UsageError, match="no column of images") as caught:
        look(tmp_path / "a.csv", tmp_path)
    assert "--text COLUMN" in caught.value.hint
    with pytest.raises(UsageError, match="--text is of texts"):
        proposal.read_by("csv:a.csv", [], "x", None, "y")


def records(path, features, many=60):
    """TFRecords of so many examples. features: name -> the value of an example, by its number."""
    import tensorflow as tf

    def feature(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        if isinstance(value, list):
            return tf.train.Feature(float_list=tf.train.FloatList(value=value))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    with tf.io.TFRecordWriter(str(path)) as file:
        for number in range(many):
            held = {name: feature(value(number)) for name, value in features.items()}
            file.write(tf.train.Example(features=tf.train.Features(feature=held)).SerializeToString())
    return f"tfrecord:{path}"


def sentence(number):
    return (f"Rain and wind, {number}" if number % 2 else f"Bread, then cheese {number}").encode()


def path_of(number):
    return f"texts/{number}.txt".encode()


PNG = png(90)
TOPIC = {"topic": lambda number: b"weather" if number % 2 else b"food"}
LABEL = {"label": lambda number: number % 2}


@pytest.mark.parametrize(
    ("features", "kind", "chosen", "unused"),
    [
        ({"text": sentence, **LABEL}, "text", {}, []),
        ({"utterance": sentence, "where": path_of, **LABEL}, "text", {"text": "utterance"}, ["where"]),
        ({"image": path_of, "text": sentence, **LABEL}, "text", {}, ["image"]),
        ({"text": path_of, "body": sentence, **LABEL}, "text", {"text": "body"}, ["text"]),
        ({"title": lambda number: b"On the weather", "body": sentence, **LABEL}, "text", {"text": "body"}, ["title"]),
        ({"zh": lambda n: f"{'今日は雨が降って風も強い'}{n}".encode(), **LABEL}, "text", {"text": "zh"}, []),
        ({"image": lambda number: PNG, "text": sentence, **LABEL}, "image", {}, ["text"]),
        ({"photo": lambda number: PNG, "caption": sentence, **LABEL}, "image", {"image": "photo"}, ["caption"]),
        ({"image": path_of, "photo": lambda number: PNG, **LABEL}, "image", {"image": "photo"}, ["image"]),
        ({"image_floats": lambda number: [0.5] * 64, "note": sentence, **LABEL}, "image", {}, ["note"]),
    ],
)
def test_records_are_of_what_their_features_hold(features, kind, chosen, unused, tmp_path):
    source = records(tmp_path / "some.tfrecord", features)
    seen = survey.look(source, str(tmp_path / "datasets"))
    assert (seen["reads"], seen["features"], seen["columns"]["unused"]) == (kind, chosen, unused)
    assert (seen["images"], seen["damaged"], list(seen["classes"])) == (60, {}, ["0", "1"])
    made = proposal.propose("some", source, seen, "some.yaml", **proposal.at_hand(seen, Workspace.at(tmp_path)))
    (tmp_path / "some.yaml").write_text(made.text)
    cfg = load.load(str(tmp_path / "some.yaml"))
    assert cfg.data.features == chosen
    assert (cfg.transform.text is not None) == (kind == "text")
    assert sources.locate(cfg.data, tmp_path, kind).address["features"][kind] == seen["columns"][kind]
    said = "\n".join(made.notes)
    assert all(name in said for name in unused)
    assert all(f"{name} is taken for the {kind} by what it holds" in said for name in chosen.values())


def test_records_whose_label_nobody_knows_say_what_there_is(tmp_path):
    source = records(tmp_path / "some.tfrecord", {"utterance": sentence, **TOPIC})
    seen = survey.look(source, str(tmp_path / "datasets"))
    with pytest.raises(UsageError, match="has texts without labels") as caught:
        proposal.propose("some", source, seen, "some.yaml")
    assert caught.value.hint == "Name the column of the classes: --label. Not used: topic."
    read = proposal.read_by(source, ["topic"], None, None)
    seen = survey.look(source, str(tmp_path / "datasets"), **read)
    made = proposal.propose("some", source, seen, "some.yaml", read)
    assert list(seen["classes"]) == ["food", "weather"]
    assert "features: {text: utterance, label: topic}" in made.text


def test_records_without_images_or_texts_say_how_to_name_them(tmp_path):
    source = records(tmp_path / "some.tfrecord", {"size": lambda number: number, **LABEL})
    with pytest.raises(UsageError, match=r"None of the features .* is known as an image") as caught:
        survey.look(source, str(tmp_path / "datasets"))
    assert "--text NAME" in caught.value.hint


def test_a_tfds_data_set_of_texts_becomes_a_config_of_texts(tmp_path):
    import tensorflow_datasets as tfds

    class Sentences(tfds.core.GeneratorBasedBuilder):
        """Of two topics; beside each who said it."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            texts, label = tfds.features.Text(), tfds.features.ClassLabel(names=["food", "weather"])
            features = tfds.features.FeaturesDict({"sentence": texts, "label": label, "who": texts})
            return self.dataset_info_from_configs(features=features, supervised_keys=("sentence", "label"))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number in range(60):
                yield number, {"sentence": sentence(number).decode(), "label": number % 2, "who": "somebody else"}

    Sentences(data_dir=str(tmp_path / "datasets")).download_and_prepare()
    seen = survey.look("tfds:sentences", str(tmp_path / "datasets"))
    assert (seen["reads"], seen["images"], seen["classes"], seen["damaged"]) == ("text", 60, {"food": 30, "weather": 30}, {})
    made = proposal.propose("sentences", "tfds:sentences", seen, "a.yaml", **proposal.at_hand(seen, Workspace.at(tmp_path)))
    assert 'data: {source: "tfds:sentences"}' in made.text
    cfg = load.load(str(_written(tmp_path, made.text)))
    located = sources.locate(cfg.data, tmp_path / "datasets", "text")
    _, contents = sources.opened(cfg.data, located.address)
    raws = [raw for shard in contents.shards["train"] for raw in sources.images_of(cfg.data, located.address, shard)]
    expected = {(sentence(number), number % 2) for number in range(60)}
    assert {(raw.encoded(), raw.label) for raw in raws} == expected
    with pytest.raises(UsageError, match="has image features \\[\\] and labels"):
        sources.locate(cfg.data, tmp_path / "datasets")


def test_a_folder_of_texts_becomes_a_config_of_texts(tmp_path):
    for number in range(60):
        path = tmp_path / "reviews" / ("pos", "neg")[number % 2] / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sentence(number))
    (tmp_path / "reviews/README.md").write_text("by somebody")
    source = proposal.source_of(str(tmp_path / "reviews"))
    seen = survey.look(source, str(tmp_path / "datasets"))
    assert (seen["reads"], seen["classes"], seen["passed_over"]) == ("text", {"neg": 30, "pos": 30}, {".md": 1})
    made = proposal.propose("reviews", source, seen, "a.yaml", **proposal.at_hand(seen, Workspace.at(tmp_path)))
    cfg = load.load(str(_written(tmp_path, made.text)))
    assert cfg.transform.text.length == 16
    assert "image" not in "\n".join([*proposal.summary(seen, source), *made.notes])
    assert sources.locate(cfg.data, tmp_path / "datasets", "text").class_names == ["neg", "pos"]


def _written(folder, text):
    (folder / "a.yaml").write_text(text)
    return folder / "a.yaml"


def test_every_kind_has_a_proposal():
    for kind in inputs.kinds():
        assert kinds.kind_of({"reads": kind}).body
    with pytest.raises(UsageError, match="no config for models that read melody"):
        kinds.kind_of({"reads": "melody"})
