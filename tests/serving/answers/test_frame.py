"""Masks in the frame of the image that was asked about, against Pillow, and files of answers."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from components.transform import pixels, placement
from configs.schema.reading import Reading
from configs.schema.transform import TransformConfig
from serving import answers, formats
from serving.answers import About

SIDES = {"height": 24, "width": 32, "channels": 1}


def seen(image, config):
    return pixels.from_bytes(np.array([formats.png(image)]), config, Reading())[0].numpy()


def told(value, frame) -> np.ndarray:
    made = answers.as_json({"m": value, "f": np.array(frame, np.float32)}, {"m": "mask", "f": "frame"}, About(["dark", "bright"]))
    assert list(made) == ["m"], "the frame is no answer of its own"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(made["m"]["b64"])))), made["m"]["shares"]


@pytest.mark.parametrize("resize", ["fit", "stretch", "crop"])
@pytest.mark.parametrize("size", [(48, 64), (90, 40), (40, 90), (12, 16), (7, 31)])
def test_a_mask_of_what_was_seen_lies_on_the_image(resize, size):
    config = TransformConfig(resize=resize, normalize="unit", **SIDES)
    height, width = size
    image = np.zeros((height, width, 1), np.uint8)
    image[height // 3 : 2 * height // 3, width // 4 : width // 2] = 255
    model_s = (seen(image, config)[..., :1] > 127).astype(np.int64)
    made, shares = told(model_s, placement.frame(np.array(size, np.int32), config).numpy())
    assert made.shape == size
    assert sum(shares.values()) == pytest.approx(1)
    is_seen = made != 255
    assert is_seen.all() if resize != "crop" else ("not seen" in shares) == (not is_seen.all())
    edges = np.zeros(size, bool)  # where rounding to the model's pixels may decide otherwise
    far = int(np.ceil(max(height / SIDES["height"], width / SIDES["width"], 1))) + 1
    for line, axis in ((height // 3, 0), (2 * height // 3, 0), (width // 4, 1), (width // 2, 1)):
        edges[(slice(None),) * axis + (slice(max(0, line - far), line + far),)] = True
    right = made == (image[..., 0] > 127)
    assert right[is_seen & ~edges].all()


def test_what_is_no_mask_s_stays_as_it_is():
    value, frame = np.full((4, 4, 1), 9.0), np.array([8, 8, 0.5, 0.5, 0, 0])
    made = answers.as_json({"i": value, "f": frame}, {"i": "image", "f": "frame"}, About())
    assert Image.open(io.BytesIO(base64.b64decode(made["i"]["b64"]))).size == (4, 4)
    assert made["f"] == frame.tolist()


def test_pictures_are_files_and_other_answers_are_not():
    gives = {"m": "mask", "i": "image", "h": "heat", "n": "names", "f": "frame"}
    assert answers.pictures(gives) == {"m": ".png", "i": ".png", "h": ".png"}
    outputs = {"m": np.zeros((2, 2), int), "n": np.array([b"cat"], object), "f": np.array([4, 6, 0.5, 1 / 3, 0, 0])}
    made = answers.as_files(outputs, gives, About())
    assert list(made) == ["m"]
    assert Image.open(io.BytesIO(made["m"])).size == (6, 4)
