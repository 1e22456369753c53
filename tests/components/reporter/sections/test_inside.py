"""What a run's page shows of the inside of its network."""

import numpy as np
import pytest

from components import keys
from components.reporter import inside as drawing
from components.reporter.material import Absent, Artifact, Material
from components.reporter.sections import inside
from keras_models.explain import activation_maximisation, sanity
from keras_models.explain.base import Answer, Strip, Tile, method, names
from reports.run.blocks import Command, Missing, Picture, Pictures, Prose, Table


def bytes_of(blocks):
    groups = [block.pictures if isinstance(block, Pictures) else [block] for block in blocks]
    return sum(len(each.data) for group in groups for each in group if isinstance(each, Picture))


def test_a_classifier_without_convolutions_shows_its_filters_and_says_what_it_lacks(artifacts, classifier):
    material = Material({"examples": Artifact(artifacts.examples), "model": Artifact(classifier)}, told={"run": "20260101-000000"})
    section = inside.section(material)
    missing = [block for block in section.blocks if isinstance(block, Missing)]
    assert [block.what for block in missing] == ["Grad-CAM"]
    assert "has no convolution" in missing[0].why
    said = [block.text for block in section.blocks if isinstance(block, Prose)]
    assert any(text.startswith("First-layer filters") for text in said)
    assert any("The 10 of 60 test images" in text for text in said)
    captions = [block.caption for block in section.blocks if isinstance(block, Pictures) and block.caption]
    ids = material.examples(keys.TEST).ids
    assert len(captions) == 3
    assert all(any(caption.endswith(name) for name in ids) for caption in captions)
    [command] = [block for block in section.blocks if isinstance(block, Command)]
    assert command.line.startswith("hubel visualize ")
    assert command.line.endswith("@20260101-000000")
    assert bytes_of(section.blocks) < 200_000


def test_in_full_every_method_is_shown_or_told_why_not(artifacts, classifier, monkeypatch):
    monkeypatch.setattr(activation_maximisation, "DEFAULT", activation_maximisation.Regularisation(steps=2))
    for name, value in (("SQUARES", 2), ("CHANGES", 1), ("STAGES", 1)):
        monkeypatch.setattr(sanity, name, value)
    material = Material({"examples": Artifact(artifacts.examples), "model": Artifact(classifier)}, full=True)
    blocks = inside.section(material).blocks
    titles = {method(name).TITLE for name in names()}
    shown = {title for title in titles for block in blocks if isinstance(block, Prose) and block.text.startswith(f"{title} (")}
    missing = {block.what for block in blocks if isinstance(block, Missing)}
    assert shown | missing == titles
    assert {"Saliency", "Occlusion", "Activation maximisation"} <= shown
    assert {"Deconvnet", "Grad-CAM"} <= missing
    assert not any(isinstance(block, Command) for block in blocks)


def test_the_worst_are_those_whose_class_has_the_smallest_share(artifacts, classifier):
    material = Material({"examples": Artifact(artifacts.examples), "model": Artifact(classifier)})
    sample = material.examples(keys.TEST)
    logits = np.asarray(material.model(sample.seen), "float64")
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares = shares[np.arange(60), sample.labels] / shares.sum(1)
    worst = inside._worst(material, inside.Network(material.model))
    assert worst.tolist() == np.argsort(shares, kind="stable")[:10].tolist()


def test_an_autoencoder_has_filters_and_maps_and_nothing_that_was_decided(artifacts, autoencoder):
    section = inside.section(Material({"examples": Artifact(artifacts.examples), "model": Artifact(autoencoder)}))
    assert [block for block in section.blocks if isinstance(block, Missing)] == []
    said = [block.text for block in section.blocks if isinstance(block, Prose)]
    assert not any("Grad-CAM" in text for text in said)
    assert any(text.startswith("Feature maps") for text in said)


def test_without_a_model_the_stage_that_lacks_is_named():
    with pytest.raises(Absent, match="Trainer did not get so far"):
        inside.section(Material({}))


def test_a_figure_is_read_at_a_glance():
    told = [drawing.cell(value) for value in (None, 0.123456, 12345, "conv1", 1234567.0)]
    assert told == ["–", "0.123", "12,345", "conv1", "1.23e+06"]


def test_a_long_id_is_known_by_its_end():
    assert drawing.called("digits-train.tfrecord-00000-of-00001__985", "five") == "five …of-00001__985"
    assert drawing.called("digit-7") == "digit-7"


@pytest.mark.parametrize("side", [8, 300])
def test_tiles_are_pictures_with_words(side):
    over = np.zeros((side, side, 1), "float32")
    tiles = [
        Tile("the image", over[None], "pixels", box=(-1, -1, 3, 3)),
        Tile("for 3", np.random.default_rng(0).normal(size=(1, side, side, 1)), "signed", over=over),
        Tile("conv1", np.ones((20, side, side, 1)), "strength", [str(number) for number in range(20)]),
    ]
    blocks = list(drawing.blocks(Answer([Strip("digit-7", tiles)], [{"image": "digit-7", "infidelity": None}], ["A note."]), "T"))
    assert [type(block) for block in blocks] == [Pictures, Picture, Prose, Table]
    assert [each.alt for each in blocks[0].pictures] == ["digit-7: the image", "digit-7: for 3"]
    assert blocks[1].alt == "digit-7: conv1"
    assert blocks[3].rows == [["digit-7", "–"]]


def test_pairs_of_several_images_are_one_gallery():
    values = np.zeros((1, 8, 8, 1), "float32")
    strips = [Strip(name, [Tile("the image", values, "pixels"), Tile("for 3", values, "strength")]) for name in ("a", "b")]
    [gallery] = drawing.blocks(Answer(strips), "Grad-CAM")
    assert [each.caption for each in gallery.pictures] == ["a", "for 3", "b", "for 3"]
    assert [each.alt for each in gallery.pictures] == ["a: the image", "a: for 3", "b: the image", "b: for 3"]
