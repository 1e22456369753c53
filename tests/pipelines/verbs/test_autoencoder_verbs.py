"""The autoencoders' verbs on real digits: what they write, what they say, what they refuse."""

import csv
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

from components.example_gen import pictures
from configs.errors import HubelError, UsageError
from pipelines.command_line import autoencoder_commands
from pipelines.process import supervise
from pipelines.verbs import batches, code_space, code_verbs, image_verbs, images
from pipelines.verbs.served import Served
from reports import sheet
from tests.cheaper import loaded_once
from tests.components import digits
from tests.pipelines.conftest import hubel

CLASSES = digits.NAMES
THRESHOLD = 0.01
CODE_SIZE = 16
ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp")


def _exported(folder: Path, signatures) -> str:
    """A SavedModel of principal components with the signatures that `signatures(model, those of reconstruction)` says."""
    from components.tasks.by_name import task_of
    from components.trainer import export

    model, card = digits.principal_autoencoder(CODE_SIZE)
    plain = task_of("reconstruction")
    task = SimpleNamespace(
        signatures=lambda model, card: signatures(model, plain.signatures(model, card)),
        beside=lambda model: plain.beside(model),
        predicts="anomaly_score",
    )
    export.write(folder / "model" / "saved", model, task, card, SimpleNamespace(validation=[]))
    return str(folder / "model" / "saved")


@pytest.fixture(scope="module", autouse=True)
def models_are_loaded_once():
    """Almost every test here asks one."""
    with loaded_once():
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An autoencoder without a threshold, a prior or noise."""
    asked = ("reconstruct", "encode", "decode", "anomaly_score", "inpaint")
    return _exported(tmp_path_factory.mktemp("plain"), lambda model, of_task: {name: of_task[name] for name in asked})


@pytest.fixture(scope="module")
def versatile(tmp_path_factory):
    """One that has all the signatures that only some families have, as these have them."""
    import tensorflow as tf

    from components.tasks.base import Extra, Signature

    def signatures(model, of_task):
        decode = of_task["decode"].function

        def anomalies_at(pixels, threshold):
            errors = tf.square(pixels / 255.0 - model(pixels, training=False))
            scores = tf.reduce_mean(errors, axis=[1, 2, 3])
            decided = {"is_anomaly": scores > threshold, "threshold": threshold}
            return {"anomaly_score": scores, "anomaly_map": errors, **decided}

        def generate(codes, label):
            return {"images": decode(codes)["images"] / 2 + 10.0 * tf.cast(label[:, None, None, None] + 1, tf.float32)}

        mapped = {"anomaly_map": "heat"}
        label = Extra(tf.TensorSpec([None], tf.int64), lambda many: tf.zeros([many], tf.int64))
        at = Extra(tf.TensorSpec([None], tf.float32), lambda many: tf.zeros([many]))
        return {
            "anomalies": Signature(lambda pixels: anomalies_at(pixels, tf.fill([tf.shape(pixels)[0]], THRESHOLD)), gives=mapped),
            "anomalies_at": Signature(anomalies_at, gives=mapped, extra={"threshold": at}),
            "decode": of_task["decode"],
            "denoise": of_task["reconstruct"],
            "generate": Signature(generate, gives={"images": "image"}, takes="code", code_size=CODE_SIZE, extra={"label": label}),
        }

    return _exported(tmp_path_factory.mktemp("versatile"), signatures)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """photos/{0..9}/*.png, 30 digits; photos/large.jpg; photos/broken.png, which is none."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for index in range(30):
        place = folder / str(digits.images()[1][index])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.images()[0][index, ..., 0]).save(place / f"{index}.png")
    Image.fromarray(digits.images()[0][40, ..., 0]).resize((24, 24)).save(folder / "large.jpg")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def photo_of(photos, index: int) -> str:
    return str(photos / str(digits.images()[1][index]) / f"{index}.png")


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32)


def good(value: dict) -> list[dict]:
    return [row for row in value["images"] if "error" not in row]


def test_reconstructions_are_the_signature_s_and_a_damaged_file_fails_alone(model, photos, tmp_path):
    value = image_verbs.remake("reconstruct", model, [str(photos)], str(tmp_path / "out"), False, True)
    assert (value["size"], value["resized"]) == ([8, 8, 1], 1)
    assert [Path(row["file"]).name for row in value["images"] if "error" in row] == ["broken.png"]
    assert len(good(value)) == 31
    served = Served.load(model)
    for row in good(value):
        made, seen = pixels(row["written"]), served.seen(Path(row["file"]).read_bytes())
        assert made.shape == (8, 8)
        assert np.square((made - seen[..., 0]) / 255).mean() < 0.03
    assert next(row for row in good(value) if row["file"].endswith("large.jpg"))["size"] == (24, 24)
    with Image.open(value["sheet"]) as sheet:
        assert sheet.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(sheet)[6:102:12, 6:102:12, 0], pixels(good(value)[0]["file"]))
        np.testing.assert_array_equal(np.asarray(sheet)[6:102:12, 114:210:12, 0], pixels(good(value)[0]["written"]))


def test_an_earlier_answer_is_neither_overwritten_nor_asked_about(model, photos, tmp_path):
    shutil.copytree(photos / "1", tmp_path / "in")
    asked = ("reconstruct", model, [str(tmp_path / "in")], str(tmp_path / "in/out"))
    first = image_verbs.remake(*asked, False, False)
    with pytest.raises(UsageError, match="there already"):
        image_verbs.remake(*asked, False, False)
    assert image_verbs.remake(*asked, True, False) == first
    with pytest.raises(UsageError, match="would be overwritten"):
        image_verbs.remake("reconstruct", model, [str(tmp_path / "in")], str(tmp_path / "in"), True, False)


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "mask.png"
    made = np.zeros((8, 8), np.uint8)
    made[2:5, 2:6] = 255
    Image.fromarray(made).save(path)
    return path


def test_inpainting_changes_what_the_mask_says_and_nothing_else(model, photos, mask, tmp_path):
    value = image_verbs.remake("inpaint", model, [photo_of(photos, 3)], str(tmp_path / "out"), False, True, str(mask))
    [row] = value["images"]
    given, made, missing = pixels(row["file"]), pixels(row["written"]), pixels(mask) > 0
    np.testing.assert_array_equal(made[~missing], given[~missing])
    assert np.square(made - given)[missing].mean() < np.square(given[~missing].mean() - given)[missing].mean()
    sheet = np.asarray(Image.open(value["sheet"]))
    assert sheet[6 + 12 * 3, 6 + 12 * 3].tolist() == list(image_verbs.MISSING)


def test_masks_are_found_by_name_and_must_fit(model, photos, mask, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    shutil.copy(mask, masks / "1.png")
    shutil.copy(mask, masks / "large.png")
    Image.new("L", (8, 4), 255).save(masks / "2.png")
    (masks / "3.png").write_bytes(b"no image")
    asked = [*(photo_of(photos, index) for index in range(4)), str(photos / "large.jpg")]
    value = image_verbs.remake("inpaint", model, asked, str(tmp_path / "out"), False, False, str(masks))
    words = ["no mask 0.png", None, "proportions: 4x8 px instead of 8x8", "not an image", None]
    for row, expected in zip(value["images"], words, strict=True):
        assert (expected in row["error"]) if expected else "written" in row, row
    for wrong in ("missing.png", str(photos / "../nothing")):
        with pytest.raises(UsageError, match="no such file"):
            image_verbs.remake("inpaint", model, asked, str(tmp_path / "other"), False, False, wrong)


def test_a_model_of_one_channel_answers_images_and_masks_of_every_format(model, photos, mask, tmp_path):
    for name, source in (("in", photo_of(photos, 3)), ("holes", mask)):
        (tmp_path / name).mkdir()
        for ending in ENDINGS:
            with Image.open(source) as given:
                given.save(tmp_path / name / f"{ending[1:]}{ending}")
    given, out, holes = (str(tmp_path / name) for name in ("in", "out", "holes"))
    value = image_verbs.remake("inpaint", model, [given], out, False, False, holes)
    made = {Path(row["file"]).stem: pixels(row["written"]) for row in good(value)}
    assert {f".{name}" for name in made} == set(ENDINGS)
    for name in ("bmp", "gif"):
        np.testing.assert_array_equal(made[name], made["png"])


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_codes_come_back_as_the_reconstructions_of_their_images(model, photos, tmp_path, form):
    value = code_verbs.encode(model, [str(photos)], str(tmp_path / "codes"), False, form)
    assert value["code_size"] == CODE_SIZE
    assert [row["row"] for row in good(value)] == list(range(31))
    back = code_verbs.decode(model, value["codes"], str(tmp_path / "back"), False, True)
    whole = image_verbs.remake("reconstruct", model, [str(photos)], str(tmp_path / "whole"), False, False)
    for decoded, row in zip(back["images"], good(whole), strict=True):
        assert decoded["file"] == row["file"]
        assert Path(decoded["written"]).name == Path(row["written"]).name
        assert np.abs(pixels(decoded["written"]) - pixels(row["written"])).max() <= 1
    assert Path(back["sheet"]).is_file()


def test_codes_of_others_are_numbered(model, tmp_path):
    codes = np.zeros((12, CODE_SIZE))
    np.save(tmp_path / "mine.npy", codes)
    np.savetxt(tmp_path / "mine.csv", codes, delimiter=",")
    for number, name in enumerate(("mine.npy", "mine.csv")):
        value = code_verbs.decode(model, str(tmp_path / name), str(tmp_path / str(number)), False, False)
        assert [Path(row["written"]).name for row in value["images"]] == [f"{row:02}.png" for row in range(12)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros((2, 3)), "codes of 3 numbers; those of a have 16"),
        (np.zeros(CODE_SIZE), r"holds no codes, but float64 of shape \(16,\)"),
        (np.full((1, CODE_SIZE), np.nan), "not finite"),
        (np.array([["a"] * CODE_SIZE]), "holds no codes"),
        (b"\x93NUMPY rubbish", "no .npy file"),
        (b"", "no .npy file"),
        ("1,2\n1,x\n", "line 2: not numbers"),
        ("1,2\n1\n", "line 2: 1 numbers instead of 2"),
        ("", "holds no codes"),
    ],
)
def test_what_is_no_file_of_codes_is_said(model, tmp_path, content, words):
    path = tmp_path / ("codes.csv" if isinstance(content, str) else "codes.npy")
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=words):
        code_verbs.decode(model, str(path), str(tmp_path / "out"), False, False)


def test_pickled_codes_are_never_run(model, tmp_path):
    np.save(tmp_path / "codes.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(UsageError, match=r"no \.npy file"):
        code_verbs.decode(model, str(tmp_path / "codes.npy"), str(tmp_path / "out"), False, False)


def test_generated_images_follow_seed_and_label(versatile, tmp_path):
    def made(name, seed, label=None, count=3):
        value = code_verbs.generate(versatile, count, seed, label, str(tmp_path / name), False, False)
        return np.array([pixels(row["written"]) for row in value["images"]])

    plain = made("a", 0)
    np.testing.assert_array_equal(plain, made("b", 0))
    assert (made("c", 1) != plain).any()
    np.testing.assert_allclose(made("d", 0, "two"), plain + 30, atol=1)
    with pytest.raises(UsageError, match="knows no such class"):
        made("e", 0, "eleven")


def test_interpolation_begins_and_ends_at_the_reconstructions(model, photos, tmp_path):
    ends = [photo_of(photos, 0), photo_of(photos, 1)]
    whole = image_verbs.remake("reconstruct", model, ends, str(tmp_path / "whole"), False, False)["images"]
    for spherical in (False, True):
        value = code_verbs.interpolate(model, ends, 5, spherical, str(tmp_path / f"way-{spherical}"), False)
        assert [step["share"] for step in value["steps"]] == [0, 0.25, 0.5, 0.75, 1]
        for step, row in ((0, whole[0]), (-1, whole[1])):
            np.testing.assert_allclose(pixels(value["steps"][step]["written"]), pixels(row["written"]), atol=1)
    with Image.open(code_verbs.interpolate(model, ends, 10, False, str(tmp_path / "row"), False)["sheet"]) as row:
        assert row.width > 12 * sheet.SHOWN
        assert row.height < 2 * sheet.SHOWN, "the whole way stands in one row, between its ends"
    with pytest.raises(UsageError, match="not an image"):
        code_verbs.interpolate(model, [ends[0], str(photos / "broken.png")], 5, False, str(tmp_path / "broken"), False)


def test_scores_are_the_signature_s_with_or_without_a_threshold(model, versatile, photos, tmp_path):
    plain = image_verbs.anomalies(model, [str(photos)], None, False, False, None)
    assert (plain["calibrated"], plain["threshold"], plain["scores"]) == (False, None, None)
    assert {row["is_anomaly"] for row in good(plain)} == {None}
    scores = [row["anomaly_score"] for row in good(plain)]

    own = image_verbs.anomalies(versatile, [str(photos)], str(tmp_path / "own"), False, True, None)
    assert (own["calibrated"], own["threshold"]) == (True, pytest.approx(THRESHOLD))
    median = float(np.median(scores))
    for value, threshold in (
        (own, THRESHOLD),
        (image_verbs.anomalies(versatile, [str(photos)], None, False, False, median), median),
        (image_verbs.anomalies(model, [str(photos)], None, False, False, median), median),
    ):
        np.testing.assert_allclose([row["anomaly_score"] for row in good(value)], scores, rtol=1e-4)
        decided = [row["is_anomaly"] for row in good(value)]
        assert 0 < sum(decided) < len(decided)
        sure = [(given, score) for given, score in zip(decided, scores, strict=True) if abs(score / threshold - 1) > 1e-3]
        assert all(given == (score > threshold) for given, score in sure)
    with open(own["scores"], newline="") as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines)}
    assert len(rows) == 32
    assert rows[str(photos / "broken.png")]["error"]
    worst = max(good(own), key=lambda row: row["anomaly_score"])
    sheet = np.asarray(Image.open(own["sheet"]))
    np.testing.assert_array_equal(sheet[6:102:12, 6:102:12, 0], Served.load(model).seen(Path(worst["file"]).read_bytes())[..., 0])
    assert pixels(worst["written"]).shape == (8, 8, 3)


def test_scores_are_in_order_and_summed_up_by_folder(here, versatile, photos, tmp_path):
    table = tmp_path / "scores" / "all.csv"
    _, said = here("anomalies", versatile, photos, "--csv", table, "--json")
    value = json.loads(said)
    assert value["csv"] == str(table)
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    scores = [float(row["anomaly_score"]) for row in rows if not row["error"]]
    assert scores == sorted(scores, reverse=True)
    assert [row["error"] != "" for row in rows] == [False] * 31 + [True], "what cannot be read stands last"
    assert {row["file"]: float(row["anomaly_score"]) for row in rows[:-1]} == {r["file"]: r["anomaly_score"] for r in good(value)}
    above = [row for row in good(value) if row["anomaly_score"] > value["threshold"]]
    summary = value["summary"]
    assert 0 < len(above) < 31
    assert (summary["images"], summary["unreadable"], summary["anomalies"]) == (31, 1, len(above))
    assert summary["median"] == pytest.approx(np.median(scores))
    assert [part["folder"] for part in summary["folders"]] == [str(photos), *(str(photos / str(digit)) for digit in range(10))]
    for part in summary["folders"]:
        mine = [row for row in above if str(Path(row["file"]).parent) == part["folder"]]
        assert part["anomalies"] == len(mine)
        assert part["unreadable"] == (part["folder"] == str(photos))

    _, text = here("anomalies", versatile, photos, "--csv", table, "--force")
    first = next(line for line in text.splitlines() if ".png" in line)
    assert first.split()[0] == rows[0]["file"]
    assert f"{len(above)} of 31 are above the threshold of {THRESHOLD:.6f}" in text
    assert f"All scores: {table}" in text
    assert any(line.split()[:2] == [str(photos / "3"), "3"] for line in text.splitlines()), text


def test_a_long_table_says_what_it_leaves_out(here, versatile, photos, monkeypatch):
    monkeypatch.setattr(autoencoder_commands, "SCORES_SHOWN", 5)
    monkeypatch.setattr(autoencoder_commands, "FOLDERS_SHOWN", 2)
    _, text = here("anomalies", versatile, photos)
    assert "... and 26 with lower scores; --csv FILE has all" in text
    assert "... and 9 folders of lower scores" in text
    _, one_folder = here("anomalies", versatile, photos / "3")
    assert "folder" not in one_folder


def test_a_csv_is_not_written_over_anything_unasked(here, model, photos, tmp_path):
    (tmp_path / "mine.csv").write_text("mine")
    for place, words in (
        (tmp_path / "mine.csv", "there already"),
        (tmp_path, "is a folder"),
        (photos / "large.jpg", "asked about"),
    ):
        with pytest.raises(UsageError, match=words):
            here("anomalies", model, photos, "--csv", place, *(["--force"] if words == "asked about" else []))
    assert (tmp_path / "mine.csv").read_text() == "mine"
    code, _ = here("anomalies", model, photos / "broken.png", "--csv", tmp_path / "none.csv")
    assert (code, (tmp_path / "none.csv").exists()) == (1, False)


def test_a_map_has_a_place_for_each_image(model, photos, tmp_path):
    for method in ("pca", "tsne"):
        value = code_space.embed(model, [str(photos)], method, 0, str(tmp_path / method), False)
        table, picture = value["files"]
        with open(table, newline="") as lines:
            rows = list(csv.DictReader(lines))
        places = np.array([[float(row["x"]), float(row["y"])] for row in rows])
        assert [row["file"] for row in rows] == [row["file"] for row in good(value)]
        assert places.shape == (31, 2)
        assert np.isfinite(places).all()
        assert np.asarray(Image.open(picture)).std() > 10
    pca = code_space.embed(model, [str(photos)], "pca", 0, str(tmp_path / "pca"), True)
    assert 0.2 < pca["explained"] < 1
    with pytest.raises(UsageError, match="a map needs 3"):
        code_space.embed(model, [photo_of(photos, 0), photo_of(photos, 1)], "pca", 0, str(tmp_path / "few"), False)


def test_the_nearest_are_those_of_the_nearest_codes(model, photos, tmp_path):
    asked = [photo_of(photos, 0), photo_of(photos, 1)]
    value = code_space.neighbours(model, asked, str(photos), 4, str(tmp_path / "near"), False, True)
    codes, rows = code_verbs.codes_of(Served.load(model), images.files([str(photos)]))
    files = [row["file"] for row in rows if "error" not in row]
    for row in value["images"]:
        distances = np.linalg.norm(codes - codes[files.index(row["file"])], axis=1)
        nearest = [files[at] for at in np.argsort(distances)[1:5]]
        assert [near["file"] for near in row["neighbours"]] == nearest, "an image is not its own neighbour"
        np.testing.assert_allclose([near["distance"] for near in row["neighbours"]], np.sort(distances)[1:5], rtol=1e-3)
    assert [Path(row["file"]).name for row in value["unreadable"]] == ["broken.png"]
    assert all(Path(file).is_file() for file in value["files"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model, photos, out: image_verbs.remake("denoise", model, [photos], out, False, False), "a denoising autoencoder"),
        (lambda model, photos, out: code_verbs.generate(model, 2, 0, None, out, False, False), "a variational autoencoder"),
    ],
    ids=["denoise", "generate"],
)
def test_what_a_model_cannot_do_is_said_with_the_kind_that_can(model, photos, tmp_path, call, words):
    with pytest.raises(UsageError, match=words) as caught:
        call(model, str(photos), str(tmp_path / "out"))
    assert "a is a pca, trained for reconstruction" in caught.value.message


def test_a_model_of_before_and_one_of_others(versatile, photos, mask, tmp_path):
    with pytest.raises(UsageError, match="to inpaint takes an autoencoder"):
        image_verbs.remake("inpaint", versatile, [str(photos)], str(tmp_path / "out"), False, False, str(mask))
    with pytest.raises(UsageError, match="no card"):
        Served.load(str(tmp_path))


@pytest.mark.parametrize(
    ("file", "words"),
    [("saved_model.pb", "cannot be loaded: .*saved_model.pb"), ("assets.extra/hubel.json", "The card of .* cannot be read")],
)
def test_a_damaged_model_is_a_sentence(versatile, tmp_path, file, words):
    damaged = Path(shutil.copytree(versatile, tmp_path / "damaged"))
    (damaged / file).write_bytes((damaged / file).read_bytes()[:100])
    with pytest.raises(HubelError, match=words):
        Served.load(str(damaged))


def test_denoising_is_another_name_for_what_a_denoising_model_does(versatile, model, photos, tmp_path):
    [given] = image_verbs.remake("denoise", versatile, [photo_of(photos, 0)], str(tmp_path / "a"), False, False)["images"]
    [plain] = image_verbs.remake("reconstruct", model, [photo_of(photos, 0)], str(tmp_path / "b"), False, False)["images"]
    np.testing.assert_allclose(pixels(given["written"]), pixels(plain["written"]), atol=1)


def test_a_photo_that_lies_is_turned_for_a_model_of_before_as_it_is_for_others(model, tmp_path):
    """Of 8x16 px and 16x8 px, so that the size tells; the model here has a card of before."""
    upright = Image.fromarray(np.kron(digits.images()[0][3, ..., 0], np.ones((2, 1), np.uint8)))
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 8
    folder = tmp_path / "photos"
    folder.mkdir()
    upright.save(folder / "a.png")
    upright.transpose(Image.Transpose.ROTATE_270).save(folder / "b.png", exif=exif)
    value = image_verbs.remake("reconstruct", model, [str(folder)], str(tmp_path / "out"), False, False)
    assert [row["size"] for row in value["images"]] == [(16, 8)] * 2
    made = [pixels(row["written"]) for row in value["images"]]
    assert np.array_equal(*made)
    served = Served.load(model)
    assert np.array_equal(served.seen((folder / "a.png").read_bytes()), served.seen((folder / "b.png").read_bytes()))
    photo, drawn = tmp_path / "photo.jpg", tmp_path / "mask.png"
    upright.transpose(Image.Transpose.ROTATE_270).convert("RGB").save(photo, exif=exif, quality=100)
    Image.fromarray(np.repeat([[0], [255]], 8, 0).repeat(8, 1).astype(np.uint8)).save(drawn)
    inpainted = image_verbs.remake("inpaint", model, [str(photo)], str(tmp_path / "filled"), False, False, str(drawn))
    assert "written" in inpainted["images"][0], "a mask has the proportions of what is seen"


def test_folders_are_searched_but_for_what_an_earlier_run_made(photos, tmp_path):
    every = images.files([str(photos)])
    assert len(every) == 32
    assert images.files([str(photos)], photos / "0") == [path for path in every if path.parent.name != "0"]
    for apart in (photos, photos.parent, photos / "none"):
        assert images.files([str(photos)], apart) == every
    assert images.files([photo_of(photos, 0)], photos / "0") == [Path(photo_of(photos, 0))], "a file that is named is meant"
    with pytest.raises(UsageError, match="no image"):
        images.files([str(tmp_path)])


def test_requests_are_bounded_in_files_and_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "MAX_BYTES", 10)
    monkeypatch.setattr(batches.Answering, "most_bytes", 10)
    paths, sent = [tmp_path / f"{number}.png" for number in range(5)], []
    for path, content in zip(paths, (b"12345", b"12345", b"1", b"", b"x" * 11), strict=True):
        path.write_bytes(content)

    def signature(image_bytes):
        sent.append(len(image_bytes))
        return {"length": tf.strings.length(image_bytes)}

    answers = list(images.answers(signature, paths, bytes))
    assert sent == [2, 1]
    assert [answer.error for answer in answers] == [None, None, None, "empty file", "larger than 0 MiB"]
    assert [int(answer.outputs["length"]) for answer in answers[:3]] == [5, 5, 1]
    monkeypatch.setattr(images, "BATCH", 1)
    assert len(list(images.answers(signature, paths, bytes))) == 5
    assert sent[2:] == [1, 1, 1]


@pytest.fixture
def here(monkeypatch):
    """The worker's functions in this process: (exit code, what was printed) of a command line."""

    def ask(request, log, listen=None, held=()):
        module, _, function = request.calls.partition(":")
        value = getattr(
            {"image_verbs": image_verbs, "code_verbs": code_verbs, "code_space": code_space}[module.rpartition(".")[2]], function
        )
        return json.loads(json.dumps(value(**request.arguments())))

    monkeypatch.setattr(supervise, "ask", ask)

    def run(verb, *arguments):
        command = next(made for made in autoencoder_commands.VERBS if made.name == verb)
        result = CliRunner().invoke(command, list(map(str, arguments)), standalone_mode=False, catch_exceptions=False)
        return result.return_value, result.stdout

    return run


def test_every_verb_says_what_it_did(here, model, versatile, photos, mask, tmp_path):
    big, out = photos / "large.jpg", tmp_path / "out"
    said = {
        "reconstruct": here("reconstruct", model, photos, "--out", out / "a", "--sheet"),
        "denoise": here("denoise", versatile, big, "--out", out / "b"),
        "inpaint": here("inpaint", model, big, "--mask", mask, "--out", out / "c"),
        "encode": here("encode", model, photos, "--out", out / "d"),
        "decode": here("decode", model, out / "d/codes.npy", "--out", out / "e"),
        "generate": here("generate", versatile, "--count", "2", "--label", "one", "--out", out / "f"),
        "anomalies": here("anomalies", model, photos),
        "interpolate": here("interpolate", model, photo_of(photos, 0), photo_of(photos, 1), "--steps", "3", "--out", out / "g"),
        "embed": here("embed", model, photos, "--out", out / "h"),
        "neighbours": here("neighbours", model, big, "--among", photos, "--count", "2"),
    }
    assert {code for code, _ in said.values()} == {0}
    assert set(said) == {verb.name for verb in autoencoder_commands.VERBS}
    for verb in ("reconstruct", "denoise", "inpaint", "encode", "anomalies", "embed", "neighbours"):
        assert "resized to the model's 8x8 px" in said[verb][1], verb
    for verb in ("reconstruct", "encode", "anomalies", "embed", "neighbours"):
        assert f"{photos / 'broken.png'}: not an image" in said[verb][1], verb
    assert f"31 images of 8x8 px in {out / 'a'}; all at a glance: {out / 'a/sheet.png'}" in said["reconstruct"][1]
    assert f"31 codes of {CODE_SIZE} numbers: {out / 'd/codes.npy'}" in said["encode"][1]
    assert "no threshold" in said["anomalies"][1]
    assert "anomaly" in here("anomalies", versatile, photos)[1].split("\n", 1)[1]


@pytest.mark.parametrize("threshold", ["nan", "inf", "-inf", "1e39"])
def test_a_threshold_is_a_finite_number(here, model, photos, threshold):
    with pytest.raises(click.BadParameter, match="is not a finite number of 32 bits") as caught:
        here("anomalies", model, photos, f"--threshold={threshold}")
    assert "--threshold" in caught.value.format_message()


def test_only_damaged_images_are_a_failure(here, model, photos, tmp_path):
    code, said = here("reconstruct", model, photos / "broken.png", "--out", tmp_path / "out", "--json")
    assert code == 1
    assert json.loads(said)["images"] == [{"file": str(photos / "broken.png"), "error": "not an image that TensorFlow decodes"}]


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("reconstruct", "--sheet"),
        ("encode", "--format=npy"),
        ("encode", "--format=csv"),
        ("anomalies", "--sheet"),
        ("neighbours", "--sheet"),
    ],
)
def test_of_nothing_that_can_be_read_no_file_is_left(here, model, photos, tmp_path, verb, options):
    broken, among = photos / "broken.png", ["--among", photos] if verb == "neighbours" else []
    code, said = here(verb, model, broken, *among, options, "--out", tmp_path / "out")
    assert code == 1
    assert f"{broken}: not an image that TensorFlow decodes" in said
    assert str(tmp_path / "out") not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.whole  # as command_line/test_commands.py has it of a classifier
def test_the_command_line_reaches_the_worker(model, photos, tmp_path):
    outcome = hubel("reconstruct", model, photos, "--out", tmp_path / "out", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert len(list((tmp_path / "out").glob("[!.]*"))) == len(good(outcome.json)) == 31
    refused = hubel("reconstruct", "no_such_model", photos, "--out", tmp_path / "out")
    assert refused.code == 2
    assert "no_such_model" in refused.err
    assert hubel("anomalies", model, photos, "--sheet").code == 2


def test_a_task_of_one_s_own_may_call_its_score_as_it_likes(photos, tmp_path):
    """By the kinds that the card says, whatever the names of signatures and outputs."""
    from components.tasks.base import Extra, Signature

    def at(pixels, limit):
        strange = tf.reduce_mean(pixels, [1, 2, 3]) / 255.0
        return {"strange": strange, "odd": strange > limit, "limit": limit}

    gives = {"strange": "anomaly_score", "odd": "is_anomaly", "limit": "threshold"}
    asked = Extra(tf.TensorSpec([None], tf.float32), lambda many: tf.zeros([many]))
    made = {
        "odd_ones": Signature(lambda pixels: at(pixels, tf.fill([tf.shape(pixels)[0]], 0.25)), gives=gives),
        "odd_ones_by": Signature(at, gives=gives, extra={"limit": asked}),
    }
    model = _exported(tmp_path, lambda model, of_task: made)
    value = image_verbs.anomalies(model, [str(photos)], None, False, False, None)
    assert (value["calibrated"], value["threshold"]) == (True, 0.25)
    scores = [row["anomaly_score"] for row in good(value)]
    assert [row["is_anomaly"] for row in good(value)] == [score > 0.25 for score in scores]
    stricter = image_verbs.anomalies(model, [str(photos)], None, False, False, float(np.median(scores)))
    assert sum(row["is_anomaly"] for row in good(stricter)) == sum(np.array(scores) > np.float32(np.median(scores)))


def test_what_says_nothing_of_anomalies_is_told_apart_by_that(photos, tmp_path):
    from components.tasks.base import Signature

    model = _exported(
        tmp_path, lambda model, of_task: {"encode": of_task["encode"], "rank": Signature(lambda x: {"r": x[:, 0, 0, 0]})}
    )
    with pytest.raises(UsageError, match="none of its signatures says how unlike its training images an image is") as caught:
        image_verbs.anomalies(model, [str(photos)], None, False, False, None)
    assert "kind anomaly_score" in caught.value.hint
