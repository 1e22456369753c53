"""Which files of a folder the verbs are asked about: those that training reads."""

import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from components import progress
from components.example_gen import folder
from configs.errors import UsageError
from pipelines.command_line import options
from pipelines.process import requests
from pipelines.verbs import images, outputs


@pytest.fixture
def photos(tmp_path):
    """Two classes of images with all kinds of names, and what else lies about."""
    root = tmp_path / "photos"
    for number, name in enumerate(["a/1.png", "a/2.webp", "a/3.jfif", "a/deep/4.JPE", "b/5.tif", "b/6.bmp", "b/7.gif", "b/8.png"]):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 30 * number).save(root / name)
    (root / "b" / "8.png").rename(root / "b" / "no ending")
    for name in ("a/._1.png", "a/.2.png", "b/.DS_Store", "b/x.xml", "b/y.heic", "notes.txt"):
        (root / name).write_bytes(b"no image")
    return root


@pytest.fixture
def told(monkeypatch):
    """Events, while they are told."""
    events = []
    monkeypatch.setattr(progress, "_listeners", [events.append])
    return events


def test_a_folder_is_asked_about_the_images_that_training_would_read(photos, told):
    listed, passed_over = folder._listed({"path": str(photos)})
    assert images.files([str(photos)]) == sorted(photos / path for paths in listed["all"].values() for path in paths)
    assert told == [{"event": "passed_over", "counts": {".xml": 1, ".heic": 1, ".txt": 1, "hidden": 3}}]
    assert told[0]["counts"] == passed_over


def test_masks_of_a_folder_are_passed_over_as_by_a_source(tmp_path, told):
    for number in range(3):
        for kind in "ab":
            (tmp_path / "p" / kind).mkdir(parents=True, exist_ok=True)
            Image.effect_noise((32, 32), 90).convert("RGB").save(tmp_path / "p" / kind / f"{number}.png")
            Image.new("L", (32, 32), 255 * (number % 2)).save(tmp_path / "p" / kind / f"{number}_mask.png")
    listed, passed_over = folder._listed({"path": str(tmp_path / "p")})
    assert images.files([str(tmp_path / "p")]) == sorted(
        tmp_path / "p" / path for paths in listed["all"].values() for path in paths
    )
    assert told[-1]["counts"] == passed_over == {"masks": 6}
    mask = tmp_path / "p" / "a" / "1_mask.png"
    assert images.files([str(mask)]) == [mask], "a file that is named is meant"


def test_a_file_that_is_named_is_meant(photos, told):
    named = [str(photos / "a/._1.png"), str(photos / "b/x.xml")]
    assert images.files(named) == list(map(Path, named))
    assert told == [{"event": "passed_over", "counts": {}}]


def test_what_a_verb_wrote_is_no_image_of_a_folder_around_it_and_of_no_source(photos, told, tmp_path):
    before, (listed, _) = images.files([str(photos)]), folder._listed({"path": str(photos)})
    for place in ("made", "a"):
        outputs.write(photos / place / "made.png", (photos / "a/1.png").read_bytes())
    assert images.files([str(photos)]) == before
    assert told[-1]["counts"]["hubel's own"] == 2
    after, passed_over = folder._listed({"path": str(photos)})
    assert after == listed
    assert passed_over["hubel's own"] == 2
    assert images.files([str(photos / "made")]) == [photos / "made" / "made.png"]


def test_a_folder_without_an_image_says_what_is_in_it(photos, told):
    os.remove(photos / "a/1.png")
    (photos / "c").mkdir()
    (photos / "c" / "1.heic").write_bytes(b"")
    with pytest.raises(UsageError, match=r"There is no image in .*/c \(1 \.heic\)\.") as caught:
        images.files([str(photos / "c")])
    assert ".webp" in caught.value.hint


def test_the_command_hears_what_was_passed_over(monkeypatch):
    def ask(request, log, listen):
        listen({"event": "passed_over", "counts": {".txt": 1}})
        listen({"event": "step", "what": "x"})
        listen({"event": "passed_over", "counts": {".txt": 2, "hidden": 1}})
        return {"images": []}

    monkeypatch.setattr("pipelines.process.supervise.ask", ask)
    value = options.quietly(requests.Predict("model", [], 1))
    assert value == {"images": [], "passed_over": Counter({".txt": 3, "hidden": 1})}
    assert options.remarks(value) == ["Passed over: 3 .txt, 1 hidden."]
    assert options.remarks({"images": []}) == []
