"""`hubel drift` of a model that a run pushed, and that was asked for images in service."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.pipelines.conftest import in_process

NAME = "digits_lenet5_tiny"


@pytest.fixture
def asked(finished, tmp_path):
    """A workspace whose model was asked for real digits; `change` is done to each before."""
    from sklearn.datasets import load_digits

    from serving.server import loading
    from serving.server.metrics import Metrics
    from serving.server.observed import Observed
    from serving.server.rolling import Rolling

    (tmp_path / "models").symlink_to(finished / "models")

    def ask(change=lambda image: image, count=150):
        servable = loading.load(NAME, 1, tmp_path / "models" / NAME / "1")
        observer = Rolling(tmp_path / "serving", Metrics(), share=10.0)
        observed = Observed(servable, [observer])
        for image in load_digits().images[-count:]:
            buffer = io.BytesIO()
            Image.fromarray(change((image * 255 / 16).astype(np.uint8))).save(buffer, "PNG")
            observed.run("image_bytes", {"image_bytes": np.array([buffer.getvalue()], object)})
            while observer._waiting > 8:
                pass
        observer.close()
        servable.close()
        return tmp_path

    return ask


def told(place, *arguments):
    return in_process("drift", NAME, "--json", "--workspace", place, *arguments)


def test_a_pushed_model_carries_its_training_and_what_is_like_it_is_alike(asked):
    place = asked()
    value = told(place, "--least", "100", "--threshold", "answers/score=0.3", "--threshold", "answers/class=0.3").json
    rows = {row["feature"]: row for row in value["features"]}
    assert set(rows) == {"image/height", "image/width", "image/channels", "image/brightness", "answers/class", "answers/score"}
    assert (value["verdict"], value["model"], value["version"], value["requests"]) == ("alike", NAME, 1, 150)
    assert rows["image/height"]["distance"] == rows["image/channels"]["distance"] == 0.0
    assert all(row["distance"] is not None for row in rows.values())
    done = in_process("drift", f"{NAME}/1", "--workspace", place)
    assert done.code == 0
    assert "No verdict" in done.lines[-1]
    assert "a verdict takes 200" in done.lines[-1]


@pytest.mark.whole
def test_inverted_images_have_drifted(asked):
    place = asked(lambda image: 255 - image)
    done = told(place, "--least", "100", "--exit-code")
    assert done.code == 3
    assert done.json["verdict"] == "drifted"
    assert "image/brightness" in done.json["reason"]
    done = in_process("drift", NAME, "--least", "100", "--workspace", place)
    assert done.code == 0
    assert done.lines[-1].startswith(f"{NAME} version 1 has drifted: ")
    assert done.lines[0].split()[:2] == ["feature", "training"]
    assert told(place, "--since", "2001-01-01", "--least", "100").json["verdict"] == "drifted"
    assert told(place, "--since", "2999-01-01").json["requests"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "--since yesterday is no time"),
        (["--threshold", "image/brightness=2"], "is no threshold"),
        (["--threshold", "0.2"], "is no threshold"),
        (["--threshold", "x=0.2"], "names x, which is not measured"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(finished, arguments, said):
    done = in_process("drift", NAME, *arguments, "--workspace", finished)
    assert done.code == 2
    assert said in done.err


def test_a_version_that_is_not_there_is_refused_with_those_that_are(finished):
    done = in_process("drift", f"{NAME}/9", "--workspace", finished)
    assert (done.code, done.err.splitlines()) == (2, [f"There is no version 9 of {NAME}.", f"There are: {NAME}/1."])


def test_of_a_model_that_was_asked_nothing_there_is_no_verdict(finished):
    done = told(finished)
    assert done.code == 0
    assert (done.json["verdict"], done.json["reason"]) == ("unknown", "nothing was measured in service yet")
