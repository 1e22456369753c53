"""Principal components in closed form, and what linear autoencoders are held to."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import progress
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.tasks.judges.reconstruction import principal
from components.tasks.reconstruction import pca
from components.trainer import endpoints, training
from components.trainer.data import Data, DataInfo
from components.trainer.resume import Resume
from configs.errors import HubelError, UsageError
from keras_models import get, normalize
from tests.components import digits
from tests.components.verdict import refusals

IMAGES = digits.images()[0].astype(np.float32)
PARTS = {"train": IMAGES[:800], "validation": IMAGES[800:1000], "test": IMAGES[1000:1200]}
TASK, JUDGE = task_of("reconstruction.principal_components"), judge_of("reconstruction.principal_components")


def images(split):
    return tf.data.Dataset.from_tensor_slices((PARTS[split], {})).batch(64)


def data_of(train, validation) -> Data:
    info = DataInfo(train.shape[1:], [], len(train))
    plain, judged = (tf.data.Dataset.from_tensor_slices((part, {})).batch(64) for part in (train, validation))
    return Data(info, -(-len(train) // 64), lambda first, epochs: plain.repeat(epochs - first), plain, judged)


def built(data, name="pca", normalized="unit", **options):
    height, width, channels = data.info.input_shape
    transform = {"height": height, "width": width, "channels": channels, "normalize": normalized}
    cfg = digits.trainer_slice(
        digits.AUTOENCODER, model={"name": name, "options": options}, transform=transform, train={"epochs": 5}
    )
    return cfg, training.build(get(name), data, cfg)


def fitted(data, folder, **options):
    cfg, model = built(data, **options)
    return model, training.train(TASK, model, data, cfg, Resume(folder, None))


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A model of 8 components, its history, and the folder of its state."""
    folder = tmp_path_factory.mktemp("state") / "state"
    return *fitted(data_of(PARTS["train"], PARTS["validation"]), folder, code_size=8), folder


def test_it_is_pca_after_one_epoch(exact):
    model, history, _ = exact
    principal = pca.fit([PARTS["train"] / 255], 8)
    [figures] = history
    assert figures["loss"] == pytest.approx(principal.mean_squared_error([PARTS["train"] / 255]), rel=1e-6)
    assert figures["val_loss"] == pytest.approx(principal.mean_squared_error([PARTS["validation"] / 255]), rel=1e-6)
    flat = PARTS["test"].reshape(200, 64) / 255
    codes = normalize.inner(model).get_layer("encoder")(PARTS["test"] / 255)
    np.testing.assert_allclose(codes, (flat - principal.mean) @ principal.components.T, atol=1e-5)
    of_training = normalize.inner(model).get_layer("encoder")(PARTS["train"] / 255)
    assert (np.diff(np.var(of_training, axis=0)) < 0).all()
    given = model.predict(PARTS["test"], verbose=0).reshape(200, 64)
    np.testing.assert_allclose(
        given, (flat - principal.mean) @ principal.components.T @ principal.components + principal.mean, atol=1e-5
    )


def test_a_kill_after_it_leaves_it_as_it_is(exact):
    model, history, folder = exact
    again, history_again = fitted(data_of(PARTS["train"], PARTS["validation"]), folder, code_size=8)
    assert history_again == history
    np.testing.assert_array_equal(again.predict(PARTS["test"], verbose=0), model.predict(PARTS["test"], verbose=0))


def compared(model, folder):
    """The error of the test split that the exported model says, and what it is held to."""
    card = digits.card(architecture="pca", task="reconstruction.principal_components", transform=digits.AUTOENCODER["transform"])
    folder = folder / "Format-Serving"
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name in ("encode", "figures"):
        end = endpoints.of(TASK.signatures(model, card), card)[f"{name}_pixels"]
        archive.add_endpoint(name, end.function, end.specs)
    archive.write_out(str(folder), verbose=False)
    mse = float(np.mean(tf.saved_model.load(str(folder)).signatures["figures"](pixels=tf.constant(PARTS["test"]))["mse"]))
    [bound] = JUDGE.compare(folder, card, images)
    return mse, bound


def test_the_exact_model_is_blessed_and_a_crippled_one_is_not(exact, tmp_path):
    model, *_ = exact
    layer = normalize.inner(model).get_layer("decoder").get_layer("pixels")
    kernel, bias = layer.get_weights()
    verdicts = []
    for number, components in enumerate((kernel, kernel[::-1])):  # the order of the components turned round
        layer.set_weights([components, bias])
        mse, bound = compared(model, tmp_path / str(number))
        verdicts.append(refusals(JUDGE, {"mse": mse}, [bound]))
    layer.set_weights([kernel, bias])
    exactly = pca.fit([PARTS["train"] / 255], 8).mean_squared_error([PARTS["test"] / 255])
    assert (bound.value, bound.margin) == (pytest.approx(exactly, rel=1e-6), 0.01)
    within, [beyond] = verdicts
    assert within == []
    assert beyond.startswith(f"mse {mse:.5f} is no better than the {1.01 * exactly:.5f} of PCA with the same code size of 8")
    assert beyond.endswith("and a margin of 1 %)")
    assert refusals(JUDGE, {"mse": 1.009 * exactly}, [bound]) == []
    assert refusals(JUDGE, {"mse": 1.011 * exactly}, [bound])


def test_where_nothing_is_left_over_the_exact_model_is_blessed_and_one_that_is_a_hundredth_off_is_not(tmp_path):
    model, _ = fitted(data_of(PARTS["train"], PARTS["validation"]), tmp_path / "state", code_size=64)
    mse, bound = compared(model, tmp_path)
    assert mse > 1.01 * bound.value, "float32's error against float64's"
    assert refusals(JUDGE, {"mse": mse}, [bound]) == []
    kernel = normalize.inner(model).get_layer("decoder").get_layer("pixels").kernel
    kernel.assign(1.01 * kernel)
    off = float(np.square(model.predict(PARTS["test"], verbose=0) - PARTS["test"] / 255).mean())
    [refusal] = refusals(JUDGE, {"mse": off}, [bound])
    assert "PCA with the same code size of 64" in refusal
    assert refusal.endswith("(0.00000; below 1.3e-06 counts as none)")


def test_linear_autoencoders_are_held_to_the_same_bound():
    assert type(JUDGE).compare is type(judge_of(get("linear_autoencoder").task)).compare


def test_large_images_go_without_a_covariance(tmp_path):
    rows, columns = np.mgrid[:65, :64] / 64
    weights = np.random.default_rng(0).uniform(0, 80, (40, 3, 1, 1))
    large = np.float32((weights * [rows, columns, rows * columns]).sum(1) + 1)[..., None]  # in three dimensions
    assert large[0].size > pca.MAX_EXACT
    model, [figures] = fitted(data_of(large[:30], large[30:]), tmp_path / "state", code_size=3)
    assert figures["val_loss"] < 1e-9
    np.testing.assert_allclose(model.predict(large[30:], verbose=0), large[30:] / 255, atol=1e-4)


def test_what_it_cannot_be_found_of(tmp_path):
    with pytest.raises(HubelError, match="7 training images have no 8 principal components"):
        fitted(data_of(IMAGES[:7], IMAGES[20:30]), tmp_path / "state", code_size=8)


@pytest.mark.parametrize("task", ["reconstruction.principal_components", "reconstruction.sparse_coding"])
def test_what_is_found_of_pixels_as_they_are_refuses_another_normalisation(task):
    for kind in ("none", "per_image", "per_channel", "zca"):
        with pytest.raises(UsageError, match="pixels / 255") as caught:
            task_of(task).check_config(kind, [])
        assert caught.value.hint == "Set transform.normalize: unit."
    task_of(task).check_config("unit", [])


def test_the_pca_beside_a_model_is_announced_once(monkeypatch):
    said = []
    monkeypatch.setattr(progress, "_listeners", [said.append])

    def images(split):
        return tf.data.Dataset.from_tensors((digits.images()[0][:50].astype("float32"), {}))

    assert principal.principal(images, 3) is principal.principal(images, 3)
    assert said == [{"event": "note", "text": "fitting PCA: 3 components of 64 values"}]
