"""What a server asks of a machine grows with the model, its versions, its images and its requests."""

from pathlib import Path

from serving.deployment import sizes
from serving.deployment.model import Model
from serving.deployment.sizes import MIB


def model_of(*versions: int, channels: int = 0) -> Model:
    card = {"reads": "image", "input_shape": [32, 32, channels]} if channels else {}
    return Model("m", Path("/m"), dict(enumerate(versions, 1)), {"stable": 1}, {}, card)


def test_of_a_small_model():
    of = sizes.of(model_of(MIB), 16 * MIB)
    assert of.cores == 1
    assert of.requested == 320 * MIB, (
        "256 of the server, 3 copies of the version and of one that comes, a request: rounded up to 64"
    )
    assert of.limit == 384 * MIB, "and two more requests of that size"
    assert of.amounts() == {"requests": {"cpu": "500m", "memory": "320Mi"}, "limits": {"cpu": "1", "memory": "384Mi"}}


def test_a_graph_that_decodes_has_room_for_the_largest_image():
    """2^25 pixels, of which each channel is a byte and, resized, a float32."""
    for channels in (1, 3):
        grey = sizes.of(model_of(MIB, channels=channels), 16 * MIB)
        assert grey.limit - sizes.of(model_of(MIB), 16 * MIB).limit >= 2**25 * channels * 5 - sizes.STEP
        assert grey.requested == sizes.of(model_of(MIB), 16 * MIB).requested


def test_larger_models_more_versions_and_larger_requests_take_more():
    several = sizes.of(model_of(100 * MIB, 100 * MIB), 16 * MIB)
    assert several.requested >= sizes.of(model_of(100 * MIB), 16 * MIB).requested + 300 * MIB
    assert several.cores == 2
    assert sizes.of(model_of(500 * MIB), 16 * MIB).cores == 4
    assert sizes.of(model_of(MIB), 256 * MIB).requested >= 512 * MIB
    for of in (several, sizes.of(model_of(MIB), MIB)):
        assert of.requested < of.limit
        assert not of.requested % sizes.STEP
