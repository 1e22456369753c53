"""What a config cannot be run with is said once it is settled, by a look ahead and by a run alike: nothing has started then."""

import json
from types import SimpleNamespace

import pytest
from PIL import Image

from components import keys, tasks
from components.example_gen import sources
from components.example_gen.sources import Located
from components.trainer.origin import Origin
from configs import load
from configs.errors import UsageError
from keras_models import record
from pipelines.orchestration import pipeline, settled
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start
from tests.components import digits
from tests.pipelines.conftest import in_process

PUBLISHED = Origin("keras.applications:MobileNetV2", "keras.applications:MobileNetV2", None, "digest", normalizes=True)
MEMBERS = "model={name: ensemble, members: [a/1, b/1]}"
TEXT = "transform.text={length: 8}"
SEARCHED = ["tune.enabled=true", "tune.space={train.optimizer.learning_rate: {min: 0.001, max: 0.01}}"]
LABELLED, UNLABELLED = Located({}, "digest", ["a", "b"]), Located({}, "digest", [])


def of(config, assignments, place, located=LABELLED):
    cfg = load.load(config, assignments)
    return settled.of(cfg, Workspace.at(place), Start("image", PUBLISHED if cfg.transfer else None), located)


@pytest.mark.parametrize(
    ("config", "assignments", "words"),
    [
        ("digits_autoencoder", ["train.class_weight=balanced"], "train.class_weight weighs classes"),
        ("digits_autoencoder", ["train.label_smoothing=0.1"], "train.label_smoothing spreads labels"),
        ("digits_autoencoder", ["train.random_labels=0.1"], "train.random_labels draws classes anew"),
        ("digits_autoencoder", ["export.crops={}"], "export.crops averages the probabilities"),
        ("digits_autoencoder", ["augment=[{mixup: {}}]"], "mixup and cutmix mix what images are labelled with"),
        ("digits_anomalies", ["augment=[{cutmix: {}}]"], "mixup and cutmix mix what images are labelled with"),
        ("digits_lenet5", ["train.class_weight=balanced", "augment=[{mixup: {}}]"], "mixup and cutmix give it two"),
        ("digits_transfer", ["transfer.shots=5", "data.features={labels: [a, b]}"], "transfer.shots and nearest_neighbours are of"),
        ("digits_denoising_autoencoder", ["augment=[{rotate: {degrees: 5}}]"], "this config puts none on"),
        ("digits_pca", ["transform.normalize=per_channel"], "found of pixels / 255"),
        ("digits_sparse_coding", ["transform.normalize=none"], "reconstructs what it is given, pixels / 255"),
        ("digits_autoencoder", ["evaluate.thresholds={accuracy: {min: 0.5}}"], "names the metric 'accuracy'"),
        ("digits_transfer", [TEXT], "transform.text is of models that read text, and keras.applications:"),
        ("digits_deep_autoencoder", [TEXT], "transform.text is of models that read text"),
        (
            "digits_lenet5",
            [MEMBERS, TEXT],
            "transform.text is of models that read text, and ens",
        ),
        ("digits_lenet5", ["evaluate.slices={colour: {}}"], "names the feature 'colour'"),
        ("digits_lenet5", [*SEARCHED, "tune.objective=val_auroc"], "asks for val_auroc, and no epoch has it"),
        ("digits_vae", [*SEARCHED, "tune.objective=val_kl"], "nothing says which way it is better"),
        ("digits_mlp", [*SEARCHED, "tune.objective={name: val_accuracy, direction: min}"], "of which more is better"),
    ],
)
def test_what_a_task_has_not_is_refused_before_anything_starts(config, assignments, words, tmp_path):
    with pytest.raises(UsageError, match=words) as caught:
        pipeline.build(of(config, assignments, tmp_path, located=Located({}, "digest")))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("assignments", "what"),
    [
        (["evaluate.slices={label: {}}"], "evaluate.slices.label goes by classes"),
        (["data.stratify=true"], "data.stratify: true goes by classes"),
        (["data.downsample=2", "data.stratify=true"], "data.stratify: true and data.downsample go by classes"),
    ],
)
def test_what_goes_by_classes_is_refused_of_data_without_labels(assignments, what, tmp_path):
    of("digits_autoencoder", assignments, tmp_path)
    of("digits_autoencoder", assignments, tmp_path, located=Located({}, "digest"))  # nobody knows before it is read
    of("digits_autoencoder", [], tmp_path, located=UNLABELLED)
    with pytest.raises(UsageError, match=f"{what}, and tfds:digits has no labels") as caught:
        of("digits_autoencoder", assignments, tmp_path, located=UNLABELLED)
    assert caught.value.exit_code == 2


def test_a_model_to_start_from_must_read_the_same(tmp_path):
    (tmp_path / keys.CARD_FILE).write_text(digits.card(reads="text").model_dump_json())
    place = Workspace.at(tmp_path / "w")
    runs.RunRecord("1", "letters", "2026", "done", version=1, model_uri=str(tmp_path)).save(place.run("letters", "1"))
    with pytest.raises(UsageError, match=r"model\.initial reads text, and this model reads image"):
        settled.tried(load.load("digits_lenet5", ["model.initial=letters"]), place)


def test_a_model_to_start_from_must_have_the_classes_of_the_data(tmp_path):
    (tmp_path / keys.CARD_FILE).write_text(digits.card(class_names=["b", "a"]).model_dump_json())
    place, start = Workspace.at(tmp_path), Start("image", initial=str(tmp_path))
    cfg = load.load("digits_mlp", [])
    settled.of(cfg, place, start, Located({}, "digest", ["b", "a"]))
    settled.of(cfg, place, start, Located({}, "digest"))  # nobody knows before it is read
    settled.of(load.load("digits_autoencoder", []), place, start, LABELLED)  # tells no classes apart
    with pytest.raises(
        UsageError, match="the classes b, a of label, and here they are a, b: class 0 is b there and a here"
    ) as caught:
        settled.of(cfg, place, start, LABELLED)
    assert caught.value.exit_code == 2


OWN_TEXTS = """
from keras import Input, Model, layers
from keras_models import register

@register("{name}", task="classification", reads="text", params=None, tiny={{}}, paper="", year=2026)
def build(length=4, vocabulary_size=9, num_classes=2{argument}):
    tokens = Input((length,), dtype="int32")
    return Model(tokens, layers.Dense(num_classes)(layers.Flatten()(layers.Embedding(vocabulary_size, 3)(tokens))))
"""


def test_vectors_are_of_the_cache_s_keys_by_what_their_file_holds(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(record, "ENTRIES", dict(record.ENTRIES))
    for name, argument in (("takes_vectors", ", vectors=None"), ("takes_none", "")):
        (tmp_path / f"{name}.py").write_text(OWN_TEXTS.format(name=name, argument=argument))
    file, place = tmp_path / "vectors.txt", Workspace.at(tmp_path / "w")

    def tried(name, content):
        file.write_text(content)
        text = f"transform.text={{length: 4, vocabulary: 9, vectors: {file}}}"
        cfg = load.load("digits_lenet5", ["transform=null", "augment=[]", text, f"model.name={name}:build"])
        return settled.of(cfg, place, settled.tried(cfg, place), LABELLED)

    def learning(known):
        return pipeline._learning(known, None, None, SimpleNamespace(outputs={"transform_graph": None}), None, None).custom

    first, touched = tried("takes_vectors", "rain 1 2\n"), tried("takes_vectors", "rain 1 2\n")
    other = tried("takes_vectors", "rain 1 3\n")
    assert learning(first) == learning(touched) != learning(other)
    assert {**learning(first), "vectors": None} == {**learning(other), "vectors": None}
    assert "vectors.txt" not in first.transform.model_dump_json(), "Transform's graph does not depend on them"
    with pytest.raises(
        UsageError, match=r"transform\.text\.vectors is given, and the builder of takes_none:build takes no vectors"
    ):
        tried("takes_none", "rain 1 2\n")
    with pytest.raises(UsageError, match=r"line 1 of .* where a finite number stands"):
        tried("takes_vectors", "rain a b\n")


OWN_MASKER = """
from keras import Input, Model, layers
from keras_models import register

@register("masker", task="masking", params=None, tiny={}, paper="", year=2026)
def build(input_shape=(8, 8, 1), num_classes=2):
    image = Input(input_shape)
    return Model(image, layers.Conv2D(num_classes, 1)(image))
"""
MASKING = """
from components import keys
from components.tasks import base
from components.tasks.judges import base as judges

class Task(base.Task):
    targets, classes = (keys.MASK,), 2
    pair = compile = signatures = None

class Judge(judges.Judge):
    signature, metrics, each = "serving_default", {}, None
"""


def test_masks_whose_classes_have_no_names_are_refused_with_the_line_that_names_them(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/masking.py").write_text(MASKING)
    (tmp_path / "own_masker.py").write_text(OWN_MASKER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(tmp_path / "own")])
    monkeypatch.setattr(record, "ENTRIES", dict(record.ENTRIES))
    rows = ["file,truth"]
    for number in range(4):
        for name, value in ((f"{number}.png", 90), (f"{number}m.png", 7)):
            image = Image.new("L", (8, 8), value)
            image.putpixel((0, 0), 3)
            image.save(tmp_path / name)
        rows.append(f"{number}.png,{number}m.png")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    data = f"{{source: 'csv:{tmp_path}/table.csv', features: {{mask: truth}}}}"
    (tmp_path / "masks.yaml").write_text(f"name: masks\ndata: {data}\nmodel: {{name: 'own_masker:build'}}\n")
    place = Workspace.at(tmp_path / "w")

    def tried(*assignments):
        cfg = load.load(str(tmp_path / "masks.yaml"), list(assignments))
        return settled.of(cfg, place, Start("image"), sources.locate(cfg.data, place.datasets))

    with pytest.raises(
        UsageError, match=r"for masking tells at least 2 classes of mask apart, and .* none of its classes"
    ) as caught:
        tried()
    assert caught.value.hint == "Name them: data.mask_classes: {3: NAME, 7: NAME}"
    with pytest.raises(UsageError, match="one of it has a name, 'sky'"):
        tried("data.mask_classes={3: sky, 7: sky}")
    assert tried("data.mask_classes={3: sky, 7: sea}").task == "masking"


def test_members_must_have_the_classes_of_the_data(tmp_path):
    card = digits.card()
    (tmp_path / keys.CARD_FILE).write_text(card.model_dump_json())
    (tmp_path / keys.KERAS_FILE).write_text("weights")
    transform = json.dumps({**card.transform.model_dump(mode="json"), "normalize": "none"})
    cfg = load.load("digits_lenet5", ["model={name: ensemble, members: [a/1, a/2]}", f"transform={transform}"])
    start = Start("image", members={"a/1": str(tmp_path), "a/2": str(tmp_path)})
    settled.of(cfg, Workspace.at(tmp_path), start, Located({}, "digest", card.class_names))
    with pytest.raises(UsageError, match=r"a/1 has the classes zero, one, .*, and the data has a, b"):
        settled.of(cfg, Workspace.at(tmp_path), start, LABELLED)


def test_a_network_without_stages_cannot_be_pretrained(tmp_path):
    with pytest.raises(UsageError, match=r"train\.pretrain trains pairs of layers one after another, and mlp has none"):
        settled.tried(load.load("digits_mlp", ["train.pretrain={epochs: 2}"]), Workspace.at(tmp_path))


@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
def test_a_run_and_a_look_ahead_end_alike(flags, tmp_path):
    for number in range(4):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("L", (32, 32), number).save(tmp_path / "images" / f"{number}.png")
    asked = ["--set", f"data.source=folder:{tmp_path / 'images'}", "--set", "train.label_smoothing=0.1"]
    outcome = in_process("run", "digits_autoencoder.tiny", *asked, *flags, "--workspace", str(tmp_path / "w"))
    assert outcome.code == 2
    assert "train.label_smoothing spreads labels over classes" in outcome.err
    assert not (tmp_path / "w" / "metadata.db").exists()
