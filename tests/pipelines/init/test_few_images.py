"""Whose features are proposed where there are few images."""

import json

import pytest

from components import keys
from pipelines.init import few_images
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord

NAMES = {keys.SERVING_DEFAULT: {"classes": "names", "scores": "scores"}}


@pytest.fixture
def push(tmp_path):
    """push(name, **card) -> the workspace, with one more model that was pushed."""
    place = Workspace(tmp_path)

    def made(name, **card):
        folder = tmp_path / "exports" / name
        (folder / keys.CARD_IN_EXPORT).parent.mkdir(parents=True)
        (folder / keys.CARD_IN_EXPORT).write_text(json.dumps({"task": "classification", "gives": NAMES, **card}))
        run = f"20260101-00000{len(list((tmp_path / 'exports').iterdir()))}"
        RunRecord(run, name, f"2026-01-01T00:00:0{run[-1]}", version=1, model_dir=str(folder)).save(place.run(name, run))
        return place

    return made


def test_the_newest_classifier_of_such_images_is_proposed(push):
    push("old", input_shape=[32, 40, 3])
    push("grey", input_shape=[28, 28, 1])
    place = push("codes", input_shape=[8, 8, 3], gives={keys.SERVING_DEFAULT: {"codes": "code"}})
    assert few_images.pushed(place, 3) == few_images.Source("old", 32, 40)
    assert few_images.pushed(place, 1) == few_images.Source("grey", 28, 28)


@pytest.mark.parametrize("length", [1, 3])
def test_a_classifier_of_texts_is_no_source_of_images_features(push, length):
    push("photos", input_shape=[32, 40, 3], reads="image")
    place = push("reviews", input_shape=[length], reads="text")
    assert few_images.pushed(place, 3) == few_images.Source("photos", 32, 40)
