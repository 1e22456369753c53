"""The worked examples of docs/architecture.md do what they say: they are put where hubel looks, and used as it uses its own."""

import dataclasses
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import jaccard_score
from tfx.utils import io_utils

import keras_models
from components import keys, targets
from components.evaluator import eval_config
from components.example_gen import naming, records, sources
from components.infra_validator import parity
from components.inputs.image import Moments
from components.schema_gen.names import class_names
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import export
from components.trainer.card import Card
from components.trainer.data import Data, DataInfo, open_data
from components.trainer.resume import Resume
from components.trainer.training import build, train
from configs import load
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig
from configs.schema.run import RunConfig
from configs.schema.slices.trainer import TrainerSlice
from keras_models import auxiliary, catalogue
from keras_models.parameters import total_params
from tests.cheaper import eagerly
from tests.components import stages
from tests.docs.pages import Place, examples

SMALL = ("transform.height=8", "transform.width=8", "transform.resize=stretch", "augment=[]", "train.early_stopping=null")


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = Place(tmp_path / "examples", monkeypatch)
    yield made
    made.leave()


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, 8, 8] and labels."""
    loaded = load_digits()
    return np.round(loaded.images * (255 / 16)).astype(np.uint8), loaded.target


def small(config: RunConfig) -> TrainerSlice:
    return TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields})


def data_of(digits, cfg: TrainerSlice, train_images=800, validation_images=200) -> Data:
    """What Trainer would open, of a few digits."""
    pixels, labels = digits[0][..., None].astype(np.float32), digits[1].astype(np.int64)

    def part(start, count):
        rows = (pixels[start : start + count], {keys.LABEL: labels[start : start + count]})
        return tf.data.Dataset.from_tensor_slices(rows).batch(cfg.train.batch_size)

    images = pixels[:train_images]
    mean, variance = [float(images.mean())], [float(images.var())]
    info = DataInfo((8, 8, 1), [str(number) for number in range(10)], train_images, Moments(mean, variance))
    plain = part(0, train_images)
    steps = -(-train_images // cfg.train.batch_size)
    return Data(info, steps, lambda first, epochs: plain.repeat(epochs - first), plain, part(train_images, validation_images))


def trained(cfg: TrainerSlice, digits, folder: Path):
    """Task, model, data and history, as Trainer gets them."""
    entry = keras_models.get(cfg.model.name)
    task, data = task_of(entry.task), data_of(digits, cfg)
    task.check(data.info)
    keras.utils.set_random_seed(cfg.seed)
    model = build(entry, data, cfg)
    history = train(task, model, data, cfg, Resume(folder / "state", None))
    return task, model, data, history


def exported(cfg: TrainerSlice, task, model, data, history, folder: Path) -> tuple[Path, Card]:
    """A Model artifact's folder, as Trainer leaves it."""
    card = Card(
        name=cfg.name,
        architecture=cfg.model.name,
        task=keras_models.get(cfg.model.name).task,
        params=model.count_params(),
        input_shape=data.info.input_shape,
        class_names=data.info.class_names,
        train_images=data.info.train_images,
        epochs=len(history),
        seed=cfg.seed,
        hyperparameters={},
        transform=cfg.transform,
        export=cfg.export,
    )
    card = card.model_copy(update={"calibrated": task.calibrate(model, data, card)})
    export.write(folder / "Format-Serving", model, task, card, data)
    return folder, card


def png(image: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "PNG")
    return encoded.getvalue()


def raw_records(digits, start: int, count: int) -> list[bytes]:
    pixels, labels = digits
    return [records.example(png(pixels[i]), str(i).encode(), int(labels[i])) for i in range(start, start + count)]


def test_the_page_has_all_examples():
    assert list(examples("docs/architecture.md")) == [
        "keras_models/classifiers/mlpconv.py",
        "configs/digits_mlpconv.yaml",
        "components/tasks/counting.py",
        "my_models.py",
        "components/example_gen/npz.py",
        "my_segmenter.py",
        "components/tasks/localization.py",
        "my_localizer.py",
        "keras_models/autoencoders/adversarial.py",
        "components/tasks/adversarial.py",
        "components/tasks/compression.py",
        "my_compressor.py",
        "components/tasks/captioning.py",
        "my_captioner.py",
    ]


def test_the_model_is_found_built_and_trained(place, digits, tmp_path, monkeypatch):
    place.put("keras_models/classifiers/mlpconv.py", "configs/digits_mlpconv.yaml")
    monkeypatch.setattr(catalogue, "FAMILIES", place.folder / "keras_models")
    assert list(keras_models.catalog()) == ["mlpconv"]
    cfg = load.load(
        str(place.folder / "configs/digits_mlpconv.yaml"), [*SMALL, "train.epochs=15", "train.optimizer.learning_rate=0.01"]
    )
    entry = keras_models.get(cfg.model.name)
    assert total_params(keras_models.build(entry, {}, {})) == entry.params
    assert total_params(keras_models.build(entry, {}, entry.tiny)) < entry.params
    *_, history = trained(small(cfg), digits, tmp_path)
    assert history[-1]["val_accuracy"] > 0.8


def test_the_task_is_trained_judged_exported_and_served(place, digits, tmp_path):
    place.put("components/tasks/counting.py", "my_models.py")
    cfg = small(load.load("digits_lenet5", [*SMALL, "model.name=my_models:counter", "train.epochs=15"]))
    task, model, data, history = trained(cfg, digits, tmp_path)
    assert history[-1]["val_mean_absolute_error"] < 1.5 < history[0]["val_mean_absolute_error"]

    artifact, _ = exported(cfg, task, model, data, history, tmp_path / "artifact")
    served = tf.saved_model.load(str(artifact / "Format-Serving")).signatures
    answers = served[keys.IMAGE_BYTES](image_bytes=tf.constant([png(image) for image in digits[0][1000:1100]]))["value"]
    assert np.abs(answers.numpy()[:, 0] - digits[1][1000:1100]).mean() < 1.5
    assert parity.refusal(str(artifact), artifact / "Format-Serving", raw_records(digits, 1000, 8)) is None

    with pytest.raises(HubelError, match="needs labels"):
        task.check(DataInfo((8, 8, 1), [], 1))
    with pytest.raises(UsageError, match="accuracy"):
        eval_config.check(load.load("digits_lenet5").evaluate, judge_of("counting"))
    figures = judged(judge_of("counting"), artifact, raw_records(digits, 1000, 100), tmp_path)
    assert figures["mae"] == pytest.approx(np.abs(answers.numpy()[:, 0] - digits[1][1000:1100]).mean(), rel=1e-4)


def judged(judge, artifact: Path, examples_: list[bytes], folder: Path) -> dict[str, float]:
    """TFMA's figures for a SavedModel, from the EvalConfig that Evaluator makes."""
    import tensorflow_model_analysis as tfma

    from components.evaluator import slices
    from configs.schema.evaluate import EvaluateConfig

    data = folder / "test.tfrecord"
    with tf.io.TFRecordWriter(str(data)) as writer:
        for example in examples_:
            writer.write(example)
    config = eval_config.build(EvaluateConfig(), judge)
    shared = tfma.default_eval_shared_model(str(artifact / "Format-Serving"), eval_config=config)
    tfma.run_model_analysis(
        eval_shared_model=shared, eval_config=config, data_location=str(data), output_path=str(folder / "evaluation")
    )
    return slices.figures(str(folder / "evaluation"), has_baseline=False)[slices.WHOLE]


def test_the_source_is_read(place, digits, tmp_path, monkeypatch):
    place.put("components/example_gen/npz.py")
    monkeypatch.setattr(sources, "__file__", str(place.folder / "components/example_gen/sources.py"))
    assert sources.schemes() == ["npz"]
    archive = tmp_path / "digits.npz"
    np.savez(archive, images=digits[0], labels=digits[1])
    source, datasets = f"npz:{archive}", tmp_path / "datasets"

    sources.check(source, datasets)
    located = sources.locate(DataConfig(source=source), datasets)
    module = sources.module_of(source)
    contents = module.contents(located.address)
    assert contents.class_names == [str(number) for number in range(10)]
    assert contents.counts == {"all": len(digits[1])}
    read = [raw for shard in contents.shards["all"] for raw in module.images(located.address, shard)]
    assert [(raw.example_id, raw.label) for raw in read] == [(str(i).encode(), label) for i, label in enumerate(digits[1])]
    for raw, image in zip(read, digits[0], strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(raw.encoded()))), image)

    os.utime(archive)
    assert sources.locate(DataConfig(source=source), datasets) == located
    np.savez(archive, images=digits[0][::-1], labels=digits[1][::-1])
    assert sources.locate(DataConfig(source=source), datasets).digest != located.digest
    assert located.class_names == contents.class_names
    with pytest.raises(UsageError, match="names label, and an archive has"):
        sources.locate(DataConfig(source=source, features={"label": "labels"}), datasets)
    np.savez(archive, images=digits[0], labels=digits[1][:-1])
    with pytest.raises(HubelError, match="has 1797 images and 1796 labels"):
        sources.locate(DataConfig(source=source), datasets)
    with pytest.raises(UsageError, match="no file"):
        sources.check("npz:missing.npz", datasets)
    archive.write_bytes(b"rubbish")
    with pytest.raises(HubelError, match="no NumPy archive"):
        sources.check(source, datasets)


class Killed(Exception):
    pass


class KilledAfter(keras.callbacks.Callback):
    """Ends a training right after an epoch's state was written."""

    def __init__(self, epoch: int):
        super().__init__()
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self._epoch:
            raise Killed


@pytest.mark.whole  # the way of the task that counts and of that of masks, of one's own as well
def test_two_networks_and_two_optimizers_go_on_bit_by_bit_after_a_kill(place, digits, tmp_path, monkeypatch):
    place.put("keras_models/autoencoders/adversarial.py", "components/tasks/adversarial.py")
    monkeypatch.setattr(catalogue, "FAMILIES", place.folder / "keras_models")
    assignments = ["model.name=adversarial_autoencoder", "model.options={code_size: 2}", "train.epochs=3", "anomaly=null"]
    cfg = small(load.load("digits_autoencoder", [*SMALL, *assignments, "transform.normalize=unit"]))
    entry = keras_models.get(cfg.model.name)
    assert total_params(keras_models.build(entry, {}, {})) == entry.params
    _, whole, data, history = trained(cfg, digits, tmp_path / "whole")
    assert {"loss", "fooling", "critic", "val_loss"} == set(history[0])
    assert history[-1]["val_loss"] < history[0]["val_loss"]

    task = task_of("adversarial")
    killed = type(
        "Task", (type(task),), {"fit": lambda self, *given: super(type(self), self).fit(*given[:-1], [*given[-1], KilledAfter(0)])}
    )
    with pytest.raises(Killed):
        train(killed(), started(cfg, entry, data), data, cfg, Resume(tmp_path / "state", None))
    again = started(cfg, entry, data)
    for variable in auxiliary.learner(again).variables:
        variable.assign(keras.ops.zeros_like(variable))  # nothing may be left to chance
    assert train(task, again, data, cfg, Resume(tmp_path / "state", None)) == history
    mine, theirs = (auxiliary.learner(model) for model in (again, whole))
    pairs = [(mine.variables, theirs.variables)]
    pairs += [(a.variables, b.variables) for (a, _), (b, _) in zip(mine.optimizers, theirs.optimizers, strict=True)]
    for ours, wanted in pairs:
        assert len(ours) == len(wanted) > 0
        for weights, expected in zip(ours, wanted, strict=True):
            np.testing.assert_array_equal(weights, expected)

    artifact, _ = exported(cfg, task, whole, data, history, tmp_path / "artifact")
    assert parity.refusal(str(artifact), artifact / "Format-Serving", raw_records(digits, 1000, 4)) is None
    served = keras.saving.load_model(artifact / "model.keras")
    assert served.count_params() == whole.count_params(), "the critic is trained, not served"


def started(cfg: TrainerSlice, entry, data: Data) -> keras.Model:
    keras.utils.set_random_seed(cfg.seed)
    return build(entry, data, cfg)


def with_target(data: Data, name: str, class_names: list[str], of) -> Data:
    """The same images, with what `of` makes of a batch of them as the target."""

    def targeted(batches):
        return batches.map(lambda pixels, _: (pixels, {name: of(pixels)}))

    info = replace(data.info, class_names=class_names)
    plain, validation = targeted(data.plain), targeted(data.validation)
    return replace(
        data, info=info, training=lambda first, epochs: targeted(data.training(first, epochs)), plain=plain, validation=validation
    )


def test_a_network_learns_masks_and_is_judged_by_them(place, digits, tmp_path):
    place.put("my_segmenter.py")
    cfg = small(load.load("digits_lenet5", [*SMALL, "model.name=my_segmenter:segmenter", "train.epochs=6"]))
    task = task_of("segmentation")
    data = with_target(data_of(digits, cfg), keys.MASK, ["paper", "ink"], lambda pixels: tf.cast(pixels > 127, tf.int64))
    task.check(data.info)
    keras.utils.set_random_seed(cfg.seed)
    model = build(keras_models.get(cfg.model.name), data, cfg)
    history = train(task, model, data, cfg, Resume(tmp_path / "state", None))
    artifact, _ = exported(cfg, task, model, data, history, tmp_path / "artifact")

    images, ink = digits[0][1000:1060], digits[0][1000:1060] > 127
    served = tf.saved_model.load(str(artifact / "Format-Serving")).signatures
    answered = served[keys.IMAGE_BYTES](image_bytes=tf.constant([png(image) for image in images]))["masks"].numpy()[..., 0]
    assert (answered == ink).mean() > 0.97
    raw = [
        records.example(png(image), str(number).encode(), None, {keys.MASK: (png(mask.astype(np.uint8)), (0, 1))})
        for number, (image, mask) in enumerate(zip(images, ink, strict=True))
    ]
    assert parity.refusal(str(artifact), artifact / "Format-Serving", raw[:8]) is None
    figures = judged(judge_of("segmentation"), artifact, raw, tmp_path)
    assert figures["mean_iou"] == pytest.approx(jaccard_score(ink.ravel(), answered.ravel(), average="macro"), rel=1e-5)
    assert figures["pixel_accuracy"] == pytest.approx((answered == ink).mean(), rel=1e-5)
    judge = judge_of("segmentation")
    assert figures["void_masks"] == figures["void_pixels"] == 0
    assert not judge.remarks(None, figures)

    masks = ink.astype(np.uint8)
    masks[:6], masks[6:18, :3] = targets.VOID, targets.VOID  # of no class: six masks altogether, of twelve three rows of eight
    left_out = [
        records.example(png(image), str(number).encode(), None, {keys.MASK: (png(mask), (0, 1))})
        for number, (image, mask) in enumerate(zip(images, masks, strict=True))
    ]
    (tmp_path / "left_out").mkdir()
    figures = judged(judge, artifact, left_out, tmp_path / "left_out")
    known = masks != targets.VOID
    assert figures["mean_iou"] == pytest.approx(jaccard_score(masks[known], answered[known], average="macro"), rel=1e-5)
    assert figures["pixel_accuracy"] == pytest.approx((masks == answered)[known].mean(), rel=1e-5)
    assert figures["void_masks"] == pytest.approx(6 / 60)
    assert figures["void_pixels"] == pytest.approx((6 + 12 * 3 / 8) / 60)
    told = "17.5% of the pixels of test masks are of no class, and 10.0% of the masks altogether"
    assert judge.remarks(None, figures) == [f"{told}; mean_iou and pixel_accuracy leave them out."]
    outputs = {name: values.numpy() for name, values in served[judge.signature](tf.constant(left_out)).items()}
    each = [judge.each({name: values[at] for name, values in outputs.items()}, -1) for at in range(len(left_out))]
    rows = {name: np.array([row[name] for row in each]) for name in each[0]}
    of_rows = {name: metric.statistic.value(rows) for name, metric in judge.metrics.items()}
    assert of_rows == pytest.approx({name: figures[name] for name in judge.metrics}, rel=1e-5)


@pytest.mark.whole  # the way of the task that counts and of that of masks, of one's own as well
def test_masks_and_sentences_of_a_table_are_learned_and_values_of_masks_have_names(place, digits, tmp_path):
    """From the CSV through ExampleGen, SchemaGen and Transform to the page's tasks; nameless masks are refused."""
    place.put("my_segmenter.py", "components/tasks/captioning.py", "my_captioner.py")
    task, values = task_of("segmentation"), np.array([10, 255], np.uint8)  # of paper and ink
    rows = []
    for number in range(60):
        Image.fromarray(digits[0][number]).save(tmp_path / f"{number}.png")
        mask = values[(digits[0][number] > 127).astype(int)]
        mask[0, 0] = 77 if number == 7 else 0
        Image.fromarray(mask).save(tmp_path / f"{number}_ink.png")
        rows.append(f"{number}.png,{number}_ink.png,a small {NAMES[digits[1][number]]},{'the digit' if number % 2 else ''}")
    (tmp_path / "table.csv").write_text("\n".join(["file,ink,said,too", *rows]))
    asked = {"mask": "ink", "text": ["said", "too"]}
    nameless = DataConfig(source=f"csv:{tmp_path / 'table.csv'}", features=asked, max_quarantined=0.1)
    located = sources.locate(nameless, tmp_path / "datasets")
    with pytest.raises(UsageError, match="at least 2 classes of mask apart") as refused:
        naming.check(*_opened(nameless, located), task.targets, task.classes, "a model for segmentation")
    line = "Name them: data.mask_classes: {0: NAME, 10: NAME, 255: NAME}; 255 is of no class where it has no name"
    assert refused.value.hint == line

    data = nameless.model_copy(update={"mask_classes": {255: "ink", 10: "paper"}, "mask_ignore": 0})
    naming.check(*_opened(data, located), task.targets, task.classes, "a model for segmentation")
    examples_ = stages.examples_of(data, tmp_path, least_classes=task.classes, targets=task.targets)
    set_aside = json.loads(examples_.get_string_custom_property(keys.QUARANTINED))
    assert set_aside == {"mask has the value 77, which data.mask_classes does not name": 1}
    schema = stages.schema_of(examples_, tmp_path)
    names = class_names(io_utils.SchemaReader().read(str(schema)))
    assert names == {keys.MASK: ["paper", "ink"]}, "in the order of the values"
    cfg = small(load.load("digits_lenet5", [*SMALL, "model.name=my_segmenter:segmenter", "train.epochs=3"]))
    graph = stages.graph_of(examples_, schema, cfg.transform, [keys.MASK, keys.CAPTIONS], tmp_path)
    files = {split: [f"{examples_.uri}/Split-{split}/*"] for split in (keys.TRAIN, keys.VALIDATION)}
    classes = targets.classes_of(task.targets, names)
    opened = open_data(files[keys.TRAIN], files[keys.VALIDATION], graph, classes, task.targets, False, cfg)
    task.check(opened.info)
    for pixels, learned in opened.plain:
        mask = learned[keys.MASK].numpy()[..., 0]
        assert (mask[:, 0, 0] == targets.VOID).all()
        np.testing.assert_array_equal(mask[:, 1:], (pixels.numpy()[:, 1:, :, 0] > 127).astype(int))
    with eagerly():
        history = train(task, started(cfg, keras_models.get(cfg.model.name), opened), opened, cfg, Resume(tmp_path / "state", None))
    assert history[-1]["val_loss"] < history[0]["val_loss"]

    task = task_of("captioning")
    named = [*SMALL, "model.name=my_captioner:captioner", "train.epochs=2", "transform.normalize=unit"]
    cfg = small(load.load("digits_autoencoder", named))
    opened = open_data(files[keys.TRAIN], files[keys.VALIDATION], graph, [], task.targets, False, cfg)
    sentences = {sentence for _, learned in opened.plain for sentence in learned[keys.CAPTIONS].numpy().ravel()}
    assert {b"the digit", b""} < sentences <= {b"the digit", b"", *(f"a small {name}".encode() for name in NAMES)}
    with eagerly():
        history = train(task, started(cfg, keras_models.get(cfg.model.name), opened), opened, cfg, Resume(tmp_path / "words", None))
    assert history[-1]["val_loss"] < history[0]["val_loss"]


def _opened(data: DataConfig, located):
    """(slice, address, contents), as a run has them before it starts."""
    resolved, contents = sources.opened(data, located.address)
    return resolved, located.address, contents


def around(pixels) -> np.ndarray:
    """Boxes around the ink: [N, 4], top, left, bottom, right; from [N, 8, 8]."""
    ends = []
    for axis in (2, 1):
        there = (pixels > 127).any(axis)
        ends.append((there.argmax(1), there.shape[1] - there[:, ::-1].argmax(1)))
    (top, bottom), (left, right) = ends
    return np.stack([top, left, bottom, right], 1).astype(np.float32)


@pytest.mark.whole  # the way of the task that counts and of that of masks, of one's own as well
def test_a_network_finds_a_box_and_answers_in_the_image_s_own_px(place, digits, tmp_path):
    place.put("components/tasks/localization.py", "my_localizer.py")
    cfg = small(
        load.load(
            "digits_lenet5", [*SMALL, "model.name=my_localizer:localizer", "train.epochs=20", "transform.interpolation=nearest"]
        )
    )
    task = task_of("localization")

    def boxes(pixels):
        boxes_of = tf.numpy_function(lambda values: around(values[..., 0]), [pixels], tf.float32)
        return tf.pad(tf.ensure_shape(boxes_of, [None, 4])[:, None], [[0, 0], [0, 1], [0, 1]])[:, :1]

    data = with_target(data_of(digits, cfg), keys.OBJECTS, ["digit"], boxes)
    task.check(data.info)
    keras.utils.set_random_seed(cfg.seed)
    model = build(keras_models.get(cfg.model.name), data, cfg)
    history = train(task, model, data, cfg, Resume(tmp_path / "state", None))
    artifact, _ = exported(cfg, task, model, data, history, tmp_path / "artifact")

    images = digits[0][1000:1060]
    large = [np.repeat(np.repeat(image, 5, 0), 5, 1) for image in images]
    served = tf.saved_model.load(str(artifact / "Format-Serving")).signatures[keys.IMAGE_BYTES]
    small_, frame_boxes = (
        served(image_bytes=tf.constant([png(image) for image in some]))["boxes"].numpy()[:, 0] for some in (images, large)
    )
    np.testing.assert_allclose(frame_boxes, 5 * small_, atol=0.5)
    truth = around(images)
    raw = [
        records.example(png(image), str(n).encode(), None, {keys.OBJECTS: [(*box, 0)]}, {keys.IMAGE_HEIGHT: 8, keys.IMAGE_WIDTH: 8})
        for n, (image, box) in enumerate(zip(images, truth.tolist(), strict=True))
    ]
    assert parity.refusal(str(artifact), artifact / "Format-Serving", raw[:8]) is None
    figures = judged(judge_of("localization"), artifact, raw, tmp_path)
    assert figures["iou"] == pytest.approx(np.mean([_iou(*pair) for pair in zip(small_, truth, strict=True)]), abs=3e-3)
    assert history[-1]["val_loss"] < history[0]["val_loss"]
    assert figures["iou"] > 0.5


def _iou(ours, theirs) -> float:
    """By counting fine cells."""
    grid = (np.arange(800) + 0.5) / 100
    inside = [(grid[:, None] >= box[0]) & (grid[:, None] < box[2]) & (grid >= box[1]) & (grid < box[3]) for box in (ours, theirs)]
    return float((inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum())


@pytest.mark.whole  # the way of the task that counts and of that of masks, of one's own as well
def test_an_image_becomes_bytes_and_bytes_an_image(place, digits, tmp_path):
    place.put("components/tasks/compression.py", "my_compressor.py")
    assignments = ["model.name=my_compressor:compressor", "model.options={size: 16}", "train.epochs=30"]
    cfg = small(load.load("digits_autoencoder", [*SMALL, *assignments, "transform.normalize=unit"]))
    task, model, data, history = trained(cfg, digits, tmp_path)
    assert history[-1]["val_loss"] < history[0]["val_loss"]
    artifact, _ = exported(cfg, task, model, data, history, tmp_path / "artifact")
    served = tf.saved_model.load(str(artifact / "Format-Serving")).signatures
    packed = served["image_bytes"](image_bytes=tf.constant([png(image) for image in digits[0][1000:1010]]))["bytes"]
    assert [len(stored) for stored in packed.numpy()] == [16] * 10
    images = served["decompress"](bytes=packed)["images"].numpy()
    errors = np.square((images[..., 0] - digits[0][1000:1010]) / 255).mean((1, 2))
    assert errors.mean() < np.square((digits[0][1000:1010] - digits[0][:800].mean(0)) / 255).mean()
    assert Card.exported(str(artifact / "Format-Serving")).gives["decompress"] == {"images": "image"}
    assert parity.refusal(str(artifact), artifact / "Format-Serving", raw_records(digits, 1000, 8)) is None
    figures = judged(judge_of("compression"), artifact, raw_records(digits, 1000, 10), tmp_path)
    assert figures["mse"] == pytest.approx(errors.mean(), rel=1e-4)
    assert figures["bits_per_pixel"] == 16 * 8 / 64


def captioned(data: Data) -> Data:
    """The same with two sentences in the place of each label."""

    def told(pixels, targets):
        name = tf.gather(tf.constant(NAMES), targets[keys.LABEL])
        return pixels, {keys.CAPTIONS: tf.stack([tf.strings.join(["a small ", name]), tf.strings.join(["the digit ", name])], 1)}

    plain, validation = data.plain.map(told), data.validation.map(told)
    training = lambda first, epochs: data.training(first, epochs).map(told)  # noqa: E731
    return dataclasses.replace(data, training=training, plain=plain, validation=validation)


NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.mark.whole  # the way of the task that counts and of that of masks, of one's own as well
def test_a_sentence_is_decoded_in_the_graph_and_judged_by_those_that_an_image_has(place, digits, tmp_path):
    place.put("components/tasks/captioning.py", "my_captioner.py")
    options = "model.options={words: 20, length: 5, units: 48}"
    assignments = [*SMALL, "model.name=my_captioner:captioner", options, "train.epochs=15", "transform.normalize=unit"]
    cfg = small(load.load("digits_autoencoder", assignments))
    task, data = task_of("captioning"), captioned(data_of(digits, cfg))
    model = started(cfg, keras_models.get(cfg.model.name), data)
    history = train(task, model, data, cfg, Resume(tmp_path / "state", None))
    artifact, card = exported(cfg, task, model, data, history, tmp_path / "artifact")
    assert card.calibrated["words"][:4] == ["a", "digit", "small", "the"]
    assert set(card.calibrated["words"][4:]) == set(NAMES)

    served = tf.saved_model.load(str(artifact / "Format-Serving")).signatures
    images, labels = (part[1000:1100] for part in digits)
    sentences = served["image_bytes"](image_bytes=tf.constant([png(image) for image in images]))["caption"].numpy()
    right = [sentence.decode() == f"a small {NAMES[label]}" for sentence, label in zip(sentences, labels, strict=True)]
    assert np.mean(right) > 0.7

    def record(number):
        name = NAMES[digits[1][number]]
        captions = {keys.CAPTIONS: [f"A small {name}", f"the digit {name} and no other"]}
        return records.example(png(digits[0][number]), str(number).encode(), None, captions)

    examples_ = [record(number) for number in range(1000, 1100)]
    figures = judged(judge_of("captioning"), artifact, examples_, tmp_path)
    matched = [
        len({*sentence.decode().split()} & {"a", "small", "the", "digit", NAMES[label]})
        for sentence, label in zip(sentences, labels, strict=True)
    ]
    assert figures["bleu_1"] == pytest.approx(sum(matched) / sum(len(sentence.split()) for sentence in sentences), rel=1e-5)
    assert parity.refusal(str(artifact), artifact / "Format-Serving", examples_[:8]) is None
