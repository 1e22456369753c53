"""A model that no pipeline could use is refused before the data is looked at."""

import sys

import pytest

from components.example_gen import sources
from configs.errors import UsageError
from pipelines.orchestration import execute

NETS = """
import keras
from keras import layers


def unsaveable(input_shape=(28, 28, 1), num_classes=10):
    image = keras.Input(input_shape)
    x = layers.Lambda(lambda x: x / 255, name="scaled")(image)
    return keras.Model(image, layers.Dense(num_classes)(layers.Flatten()(x)))
"""


@pytest.mark.parametrize(
    ("assignments", "sentence"),
    [
        (["model.name=own_nets:unsaveable"], "its layer scaled (Lambda) cannot be stored in a .keras file"),
        (["model.name=vgg_d"], None),
        (["transform.height=12"], "an image of 12 x 32 px is too small: c3 leaves nothing of it"),
        (["model.options={poolng: max}"], "no option 'poolng'; did you mean 'pooling'?"),
    ],
)
def test_it_is_refused_before_data_is_read(assignments, sentence, tmp_path, monkeypatch):
    class Reached(Exception):
        """The data would have been read now."""

    def planned(*_):
        raise Reached

    (tmp_path / "own_nets.py").write_text(NETS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "planned", planned)
    try:
        with pytest.raises(UsageError if sentence else Reached) as caught:
            execute.plan("digits_lenet5", assignments, str(tmp_path))
    finally:
        sys.modules.pop("own_nets", None)
    assert (sentence or "") in str(caught.value)
