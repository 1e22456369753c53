"""Images: checked by the decoder that Transform and the served graph decode with; see components.example_gen.pictures."""

from components import keys
from components.example_gen import changes as words
from components.example_gen import pictures
from components.image_files import ENDINGS
from components.inputs import storing


class Storage(storing.Storage):
    """PNG or JPEG bytes, of which the graph decodes what a person sees."""

    noun, alike = "image", "have the pixels of"
    feature = keys.IMAGE_ENCODED
    numbers = (keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH, keys.IMAGE_CHANNELS, keys.IMAGE_BRIGHTNESS)
    endings = ENDINGS
    taken = ("ground", "white", "images")

    def store(self, raw, data):
        """`numbers`: px, px, upright; 1 or 3, over the ground; mean of all values in 0..255. `measures` beside these: width over
        height."""
        picture = pictures.read(raw, data.reading)
        measures = {
            "height": picture.height,
            "width": picture.width,
            "aspect": picture.width / picture.height,
            "channels": picture.channels,
            "brightness": picture.brightness,
        }
        size, turn = (picture.height, picture.width), pictures.orientation_of(raw) if pictures.TURNED in picture.changes else 1
        return storing.Stored(
            picture.encoded, picture.measures, measures, picture.content, picture.changes, picture.peak, size, turn
        )

    def doubts(self, changes, peak, data):
        return words.doubts(changes, peak, data.reading)
