"""What an image's file may be, against Pillow's own list."""

import ast
import io

import pytest
from PIL import Image

from components import image_files
from tests import sources

FLOATS = {".pfm"}  # Pillow's PPM reads it into floating-point numbers, which are set aside


def test_the_endings_are_those_of_the_formats_that_are_read():
    of_pillow = {ending: name for ending, name in Image.registered_extensions().items() if name in image_files.FORMATS}
    ours = {ending: name for name, endings in image_files.ENDINGS_OF.items() for ending in endings}
    assert ours == {ending: name for ending, name in of_pillow.items() if ending not in FLOATS}


@pytest.mark.parametrize("name", image_files.FORMATS)
def test_a_format_is_exact_where_classes_of_a_mask_come_back(name):
    image = Image.effect_noise((16, 16), 90).convert("L")
    stored = io.BytesIO()
    image.save(stored, name)
    stored.seek(0)
    with Image.open(stored) as again:
        assert (again.convert("L").tobytes() == image.tobytes()) >= (name in image_files.EXACT)


def lists_endings(node) -> bool:
    leaves = {leaf.value for leaf in getattr(node, "elts", ()) if isinstance(leaf, ast.Constant)}
    return len(leaves & image_files.ENDINGS) > 1


def test_no_other_file_lists_endings_of_images():
    assert sources.files_that(lists_endings) == {"components/image_files.py"}
