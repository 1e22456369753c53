"""What a run refuses of its data before anything starts."""

import shutil

import pytest
from PIL import Image

from configs.errors import UsageError
from pipelines.orchestration import execute


def planned(root, tmp_path, *assignments, config="digits_mlp"):
    return execute.plan(config, [f"data.source=folder:{root}", *assignments], str(tmp_path / "workspace"))


@pytest.fixture
def root(tmp_path):
    for name in ("cat/1.png", "dog/2.png"):
        (tmp_path / "p" / name).parent.mkdir(parents=True)
        Image.new("L", (8, 8), 99).save(tmp_path / "p" / name)
    return tmp_path / "p"


def test_a_classifier_needs_two_classes_before_anything_starts(root, tmp_path):
    assert planned(root, tmp_path)["components"]
    for assignments, has in (
        (['data.inliers=["dog"]'], "images of one class, 'dog', to train on"),
        (["data.inliers=[0]"], "images of one class, 'cat', to train on"),
    ):
        with pytest.raises(UsageError, match=has):
            planned(root, tmp_path, *assignments)
    shutil.rmtree(root / "dog")
    with pytest.raises(
        UsageError, match="images of one class, 'cat', to train on, and a model for classification tells at least 2"
    ):
        planned(root, tmp_path)
    (root / "cat" / "1.png").rename(root / "1.png")
    with pytest.raises(UsageError, match="images without labels to train on"):
        planned(root, tmp_path)
    assert not (tmp_path / "workspace").exists()


def test_an_autoencoder_does_not(root, tmp_path):
    shutil.rmtree(root / "dog")
    assert planned(root, tmp_path, config="digits_linear_autoencoder")["components"]
