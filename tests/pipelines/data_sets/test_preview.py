"""`hubel datasets preview`: the pictures are what Transform and Trainer make, of training images alone."""

import base64
import html
import io
import re
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.transform import pixels
from components.transform.augment import steps as augment
from configs import load, policies
from configs.errors import HubelError
from pipelines.data_sets import marks, preview
from reports import sheet
from tests.pipelines.conftest import hubel, in_process
from tests.pipelines.test_bad_input import refused

SMALL = ["transform.height=16", "transform.width=16"]


def embedded(page: str) -> list[np.ndarray]:
    """The pictures of a page, in order."""
    texts = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in texts]


@pytest.fixture
def photos(tmp_path):
    """photos/{<b>, other, rare}: coloured, named to be escaped, one of them damaged."""
    random = np.random.default_rng(0)
    for name, count in (("<b>", 12), ("other", 12), ("rare", 4)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(random.integers(0, 256, (20, 24, 3), np.uint8)).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "photos/other/broken.png").write_bytes(b"no image")
    return tmp_path / "photos"


@pytest.fixture
def config(photos, tmp_path):
    path = tmp_path / "photos.yaml"
    path.write_text(
        f"name: photos\ndata: {{source: 'folder:{photos}'}}\ntransform: {{height: 16, width: 16, channels: 3}}\n"
        "augment: [{flip: {}}, {rotate: {degrees: 20}}]\n"
    )
    return str(path)


def made(config, tmp_path, *assignments, images=6, samples=2):
    value = preview.preview(config, list(assignments), str(tmp_path / "datasets"), str(tmp_path / "out"), images, samples)
    return value, (tmp_path / "out/preview.html").read_text(encoding="utf-8")


def test_the_command_line_shows_digits(tmp_path):
    arguments = ("datasets", "preview", "digits_lenet5", "--images", "10", "--samples", "2", "--workspace", tmp_path)
    outcome = in_process(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    folder = tmp_path / "previews/digits_lenet5"
    expected = {"png": str(folder / "preview.png"), "html": str(folder / "preview.html"), "images": 10, "classes": 10}
    shown = {name: outcome.json[name] for name in expected}
    assert shown == expected
    assert (outcome.json["set_aside"], outcome.json["notes"]) == ({}, [])
    assert len(embedded((folder / "preview.html").read_text())) == 30
    with Image.open(folder / "preview.png") as picture:
        assert picture.width > 2 * 3 * sheet.SHOWN


def test_the_pictures_are_what_transform_and_trainer_make(config, photos, tmp_path):
    _, page = made(config, tmp_path)
    names = [html.unescape(name) for name in re.findall(r"<code>([^<]+\.png)</code>", page)]
    cfg = load.load(config)
    originals = pixels.from_bytes(tf.constant([(photos / name).read_bytes() for name in names]), cfg.transform)
    factor = sheet.SHOWN // 16
    shown = [image[::factor, ::factor] for image in embedded(page)]
    assert len(shown) == 3 * len(names)
    np.testing.assert_array_equal(shown[::3], originals.numpy())
    steps = policies.expand(cfg.augment, 3)
    for epoch in range(2):
        drawn = [augment.draw(steps, cfg.seed, tf.constant(epoch, tf.int64), tf.constant(n.encode()), (16, 16, 3)) for n in names]
        expected = augment.apply(steps, tf.cast(originals, tf.float32), tf.stack(drawn)).numpy()
        np.testing.assert_array_equal(shown[epoch + 1 :: 3], np.rint(expected).astype(np.uint8))


def test_a_denoising_autoencoder_s_noise_is_cut_where_it_is_shown_and_not_before(config, photos, tmp_path):
    steps = "augment=[{gaussian_noise: {stddev: 0.5}}, {rotate: {degrees: 20}}]"
    _, page = made(config, tmp_path, "model={name: denoising_autoencoder, options: {}}", steps, samples=1)
    cfg = load.load(config, [steps])
    names = [html.unescape(name) for name in re.findall(r"<code>([^<]+\.png)</code>", page)]
    originals = pixels.from_bytes(tf.constant([(photos / name).read_bytes() for name in names]), cfg.transform)
    drawn = [augment.draw(cfg.augment, 0, tf.constant(0, tf.int64), tf.constant(n.encode()), (16, 16, 3)) for n in names]
    seen = augment.apply(cfg.augment, tf.cast(originals, tf.float32), tf.stack(drawn), clips_noise=False).numpy()
    assert seen.min() < 0
    assert seen.max() > 255
    factor = sheet.SHOWN // 16
    shown = [image[::factor, ::factor] for image in embedded(page)]
    np.testing.assert_array_equal(shown[1::2], np.rint(np.clip(seen, 0, 255)).astype(np.uint8))


def test_classes_are_shown_alike_and_names_are_escaped(config, tmp_path):
    value, page = made(config, tmp_path)
    assert value["classes"] == 3
    captions = re.findall(r"<strong>(.+?)</strong>", page)
    assert captions == ["&lt;b&gt;"] * 2 + ["other"] * 2 + ["rare"] * 2
    assert "<b>" not in page


def test_the_same_images_are_chosen_each_time_and_all_are_of_the_training_split(config, tmp_path):
    first, again = made(config, tmp_path, images=28)[1], made(config, tmp_path, images=28)[1]
    assert first == again
    shown = len(re.findall("<figure>", first))
    assert 15 <= shown <= 24  # of 28 sound ones; 0.3 go to validation and test
    assert "broken.png" not in first


def test_limits_and_inliers_are_kept(config, tmp_path):
    value, _ = made(config, tmp_path, "data.inliers=[1]", images=30)
    assert value["classes"] == 1
    value, _ = made(config, tmp_path, "data.classes=[2, 1]", images=30)
    assert value["classes"] == 2
    value, _ = made(config, tmp_path, "data.limit=10", images=30)
    assert value["images"] < 10


def test_without_augmentation_only_the_originals_are_shown(config, tmp_path):
    value, page = made(config, tmp_path, "augment=[]")
    assert len(embedded(page)) == value["images"]
    assert "does not augment" in page


def test_every_kind_of_operation_and_a_policy_can_be_shown(config, tmp_path):
    steps = "augment=[photos, {pca_color: {}}, {cutout: {size: 0.2}}, {mixup: {}}]"
    value, page = made(config, tmp_path, steps)
    assert len(embedded(page)) == 3 * value["images"]


def test_unlabelled_images_need_no_class(photos, tmp_path):
    for number, path in enumerate(sorted(photos.glob("*/*.png"))):
        path.rename(photos / f"{number}.png")
    for folder in photos.glob("*/"):
        folder.rmdir()
    (tmp_path / "flat.yaml").write_text(f"name: flat\ndata: {{source: 'folder:{photos}'}}\nmodel: {{name: conv_autoencoder}}\n")
    value, page = made(str(tmp_path / "flat.yaml"), tmp_path, *SMALL)
    assert (value["images"], value["classes"]) == (6, 0)
    assert "<strong>" not in page


@pytest.fixture
def table(tmp_path):
    """A config of images with masks, boxes, several classes and sentences; the left half of each mask is of no class."""
    rows = []
    for number in range(30):
        Image.fromarray(np.full((16, 16), 100, np.uint8)).save(tmp_path / f"{number}.png")
        mask = np.full((16, 16), 9, np.uint8)
        mask[:, :8], mask[:4, 8:] = 255, 4
        Image.fromarray(mask).save(tmp_path / f"{number}m.png")
        box = '"[{""bbox"": [2, 3, 6, 9], ""category"": ""pond""}]"'
        rows.append(f"{number}.png,{number}m.png,{box if number % 2 else '[]'},{number % 2},{int(number % 3 == 0)},seen <{number}>")
    (tmp_path / "table.csv").write_text("\n".join(["file,truth,things,red,round,words", *rows]))
    features = "{mask: truth, objects: things, labels: [red, round], text: words}"
    path = tmp_path / "table.yaml"
    path.write_text(
        f"name: table\ndata: {{source: 'csv:{tmp_path}/table.csv', features: {features}, mask_classes: {{4: sky, 9: sea}}}}\n"
        "transform: {height: 16, width: 16, resize: stretch, interpolation: nearest}\nmodel: {name: lenet5}\n"
    )
    return str(path)


def test_masks_boxes_and_several_classes_are_shown_as_they_follow_their_images(table, tmp_path):
    value, page = made(table, tmp_path, "augment=[{flip: {vertical: true, horizontal: false}}]", images=8, samples=3)
    assert (value["images"], value["classes"]) == (8, 2)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert any("<strong>red, round</strong>" in caption for caption in captions)
    assert all("<br>sky, sea" in caption and "seen &lt;" in caption for caption in captions)
    assert "</span>pond, " in page
    flips = 0
    for caption, views in zip(captions, np.array(np.split(np.stack(embedded(page)), 8)), strict=True):
        has_box = "<br>pond" in caption
        for view in views:
            small = view[::6, ::6]
            is_turned = tuple(small[15, 12]) == tuple((100 + part) // 2 for part in marks.colour(0))
            flips += is_turned
            upright = small[::-1] if is_turned else small
            assert (upright[:4, 8:] == [(100 + part) // 2 for part in marks.colour(0)]).all()
            assert (upright[4:, 8:] == [(100 + part) // 2 for part in marks.colour(1)]).all()
            assert (small[:, 0] == 100).all(), "what is of no class stays as it is"
            framed = (view == marks.colour(1)).all(-1)
            assert framed.any() == has_box
            if has_box:
                rows, columns = (np.flatnonzero(framed.any(axis)) for axis in (1, 0))
                top, bottom = (4, 13) if is_turned else (3, 12)
                assert (rows[0], rows[-1], columns[0], columns[-1]) == (6 * top, 6 * bottom - 1, 12, 47)
    assert 0 < flips < 24


def test_images_that_a_run_sets_aside_are_counted_and_said(table, tmp_path):
    for number in range(0, 30, 2):
        mask = np.full((16, 16), 9, np.uint8)
        mask[0, 0] = 3
        Image.fromarray(mask).save(tmp_path / f"{number}m.png")
    arguments = ("datasets", "preview", table, "--images", "30", "--samples", "1", "--workspace", tmp_path)
    outcome = in_process(*arguments, "--json")
    why, aside = "mask has the value 3, which data.mask_classes does not name", sum(outcome.json["set_aside"].values())
    assert list(outcome.json["set_aside"]) == [why]
    assert outcome.json["looked_at"] == outcome.json["images"] + aside
    said = f"Of {outcome.json['looked_at']} images read to choose from {aside} are set aside, as by a run ({aside}: {why})."
    assert outcome.json["notes"] == [said]
    assert said in in_process(*arguments).out.splitlines()
    assert said in (tmp_path / "previews/table/preview.html").read_text()
    for number in range(1, 30, 2):
        Image.fromarray(mask).save(tmp_path / f"{number}m.png")
    with pytest.raises(HubelError, match=f"no sound training image in .*: {why}"):
        made(table, tmp_path)


def test_the_page_needs_nothing_beside_it(config, tmp_path):
    _, page = made(config, tmp_path)
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "<script" not in page


def test_a_folder_that_cannot_be_written_is_said(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HubelError, match="cannot be written") as caught:
        preview.preview(config, [], str(tmp_path / "datasets"), str(tmp_path / "file/out"), 4, 1)
    assert "--out" in caught.value.hint


def test_no_sound_training_image_is_said(tmp_path, config, photos):
    for path in photos.glob("*/*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(HubelError, match="no sound training image"):
        made(config, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no_such_config",), ("no config",)),
        (("digits_lenet5", "--set", "data.source=ftp:x"), ("ftp", "tfds:")),
        (("digits_lenet5", "--set", "data.source=folder:/no/such/folder"), ("/no/such/folder",)),
        (("digits_lenet5", "--out", __file__), ("is a file",)),
        (("digits_lenet5", "--images", "0"), ("--images",)),
    ],
)
def test_what_was_typed_wrong_exits_2(arguments, words, tmp_path):
    refused(hubel("datasets", "preview", *arguments, "--workspace", tmp_path / "workspace"), 2, *words)
    assert not (tmp_path / "workspace").exists()


@pytest.mark.browser
def test_a_browser_shows_every_picture(config, tmp_path, chromium):
    value, _ = made(config, tmp_path)
    shown = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"file://{value['html']}"],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    ).stdout
    assert shown.count("<img") == 3 * value["images"]
