"""`hubel visualize` on a run's model: the page, its pictures, and whatever is asked wrongly."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_models.explain import activation_maximisation, sanity
from tests import browser
from tests.pipelines.conftest import in_process

MODEL = "digits_lenet5_tiny"


@pytest.fixture(scope="module", autouse=True)
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activation_maximisation, "DEFAULT", activation_maximisation.Regularisation(steps=4))
        for name, value in (("SQUARES", 8), ("CHANGES", 2), ("STAGES", 2)):
            patch.setattr(sanity, name, value)
        yield


@pytest.fixture(scope="module")
def everything(finished, tmp_path_factory):
    """(outcome, folder) of all methods on test images, with pictures."""
    folder = tmp_path_factory.mktemp("everything") / "out"
    return in_process("visualize", MODEL, "--json", "--png", "--workspace", finished, "--out", folder), folder


@pytest.fixture
def ask(finished, tmp_path):
    def asked(*arguments):
        return in_process("visualize", MODEL, *arguments, "--workspace", finished, "--out", tmp_path / "out")

    return asked


def test_without_images_every_method_looks_at_some_of_the_test_split(everything):
    outcome, folder = everything
    assert outcome.code == 0
    value = outcome.json
    methods = {row["method"]: row for row in value["methods"]}
    assert list(methods) == [
        *("filters", "feature_maps", "exciting_images", "activation_maximisation", "deconvnet", "grad_cam"),
        *("saliency", "smoothgrad", "integrated_gradients", "occlusion", "equivariance"),
    ]
    assert [row["method"] for row in value["missing"]] == ["guided_backpropagation"]
    assert "has no ReLU" in value["missing"][0]["why"]
    assert "3 of the run's test split" in value["notes"][0]
    assert all(0 <= row["infidelity"] <= 1 for row in methods["grad_cam"]["figures"])
    for row in methods["integrated_gradients"]["figures"]:
        assert abs(row["gap"]) < 0.02 * abs(row["difference"]) + 0.02
    page = Path(value["page"]).read_text()
    assert page.count('src="data:image/webp') > 50
    assert "<script src" not in page
    for name, row in methods.items():
        assert row["pictures"], name
        with Image.open(row["pictures"][0]) as opened:
            assert opened.format == "PNG"
    assert {Path(file).parent for row in methods.values() for file in row["pictures"]} == {folder}


def test_named_images_a_layer_and_a_unit(ask, scans):
    outcome = ask(scans / "0.png", scans / "1.png", "--layer", "c3", "--unit", "5", "--method", "saliency", "--json")
    [row] = outcome.json["methods"]
    assert (row["layer"], row["unit"]) == ("c3", 5)
    assert [figures["image"] for figures in row["figures"]] == ["0.png", "1.png"]
    assert {figures["explained"] for figures in row["figures"]} == {"unit 5 of c3"}


def test_a_class_is_a_unit_of_the_output(ask, scans):
    [row] = ask(scans / "0.png", "--unit", "7", "--method", "grad-cam", "--json").json["methods"]
    assert row["figures"][0]["explained"] == "seven"


def test_a_person_is_told_what_was_shown_and_how_far_it_is_to_be_trusted(ask, scans, tmp_path):
    outcome = ask(scans / "0.png", "--method", "occlusion")
    assert outcome.code == 0
    told = outcome.out.splitlines()
    assert any(line.startswith("  Occlusion: infidelity ") for line in told)
    assert told[-1].startswith(f"{tmp_path / 'out' / 'inside.html'} is written.")


def test_a_damaged_image_is_named_and_the_others_are_shown(ask, scans, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    outcome = ask(scans / "0.png", tmp_path / "broken.png", "--method", "saliency", "--json")
    assert [("error" in row) for row in outcome.json["images"]] == [False, True]
    assert "1 of 2 images cannot be read" in outcome.json["notes"][0]
    outcome = ask(tmp_path / "broken.png", "--force", "--json")
    assert outcome.code == 2
    assert "None of the 1 images can be read" in outcome.json["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--layer", "c4"], "has no layer 'c4'", "c1, s2, c3, s4"),
        (["--layer", "c1", "--unit", "6"], "There is no unit 6: c1 has units 0 to 5", ""),
        (["--unit", "eleven"], "logits has no unit 'eleven'", "It has units 0 to 9. Its classes are zero, one, two"),
        (["--method", "grad-can"], "There is no method 'grad-can'; did you mean 'grad_cam'", "deconvnet"),
        (["--method", "guided_backpropagation"], "has no ReLU to be guided at", "saliency"),
    ],
)
def test_what_is_asked_wrongly_lists_the_right_ones_and_leaves_nothing(ask, tmp_path, arguments, message, hint):
    error = ask(*arguments, "--json").json["error"]
    assert error["exit_code"] == 2
    assert message in error["message"]
    assert hint in error["hint"]
    assert not (tmp_path / "out").exists()


def test_a_page_is_not_overwritten_unasked(ask, scans):
    arguments = (scans / "0.png", "--method", "filters")
    assert ask(*arguments).code == 0
    refused = ask(*arguments)
    assert refused.code == 2
    assert "there already" in refused.err
    assert ask(*arguments, "--force").code == 0


def test_an_unknown_model_is_refused(finished):
    outcome = in_process("visualize", "nobody", "--workspace", finished, "--json")
    assert outcome.json["error"]["exit_code"] == 2
    assert "There is no trained model 'nobody'" in outcome.json["error"]["message"]


def test_without_a_test_split_it_says_so(finished, tmp_path):
    from pipelines.verbs import visualize
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(finished)
    trained = runs.trained(place, MODEL)
    model = str(place.exported(trained.artifact))
    value = visualize.visualize(
        model, trained.name, str(trained.artifact), [], [], None, None, [], 0, str(tmp_path / "out"), False, False
    )
    assert "the run's test split is not here any more" in value["notes"][0]
    assert [row["method"] for row in value["methods"]] == ["filters", "activation_maximisation"]
    assert np.all(["hubel visualize MODEL IMAGES" in row["hint"] for row in value["missing"]])


@pytest.mark.browser
def test_a_browser_shows_the_page_on_any_screen_without_a_complaint_or_a_request(everything, chromium, tmp_path):
    page = Path(everything[0].json["page"])
    with browser.started(chromium, tmp_path / "chromium") as chrome:
        for width, scheme in ((1440, "light"), (390, "dark")):
            chrome.open(page, width, scheme)
            assert chrome.run(browser.WIDE) <= 0
            assert (chrome.complaints, chrome.requests) == ([], [])
        assert chrome.violations() == []
