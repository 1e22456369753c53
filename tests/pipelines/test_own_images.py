"""The way of a person's own images: a folder a class, `hubel init`, a run, and the folders' names in what is served."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components import progress
from configs import load
from pipelines.data_sets import survey
from pipelines.init import proposal
from pipelines.orchestration import execute, settled
from pipelines.workspace.layout import Workspace
from tests.components import digits

NAMES = ["a zero", "eins", "два"]
IMAGES = 40  # of each class


@pytest.mark.whole  # as test_odd_images.py has it of other images, and test_run.py of digits
def test_a_labelled_folder_becomes_a_model_that_answers_with_the_folders_names(tmp_path, monkeypatch, capsys):
    pixels, labels = digits.images()
    folder = tmp_path / "numbers"
    for label, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for index in np.flatnonzero(labels == label)[:IMAGES]:
            Image.fromarray(pixels[index][..., 0]).save(folder / name / f"{index}.png")
    source, file = proposal.source_of(str(folder)), tmp_path / "numbers.yaml"
    made = proposal.propose(proposal.name_of(source), source, survey.look(source, str(tmp_path / "datasets")), file.name)
    file.write_text(made.text, encoding="utf-8")
    (folder / "eins" / "notes.txt").write_text("no image")
    told = []
    monkeypatch.setattr(progress, "_listeners", [told.append])
    known = settled.settle(load.load(str(file), ["train.epochs=10"]), Workspace.at(str(tmp_path / "workspace")))
    results = execute.launched(known, served=False)
    assert {"event": "note", "text": f"passed over in {source}: 1 .txt"} in told
    assert 'Passed over: {".txt": 1}' in capsys.readouterr().err
    assert results["Evaluator"].property("blessing", "blessed") == 1
    model = Path(results["Trainer"].outputs["model"][0][0]) / "Format-Serving"  # what Pusher would copy
    served = tf.saved_model.load(str(model)).signatures["image_bytes"]
    unseen = [np.flatnonzero(labels == label)[IMAGES + 1 :] for label in range(len(NAMES))]
    asked = [tf.io.encode_png(pixels[index]).numpy() for of_class in unseen for index in of_class]
    answers = served(image_bytes=tf.constant(asked))["classes"].numpy()[:, 0]
    expected = [name.encode() for name, of_class in zip(NAMES, unseen, strict=True) for _ in of_class]
    assert {*answers} <= {name.encode() for name in NAMES}
    assert np.mean(answers == np.array(expected, object)) > 0.8
