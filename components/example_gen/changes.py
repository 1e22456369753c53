"""What was done to images on their way in, in words: see CHANGES of components.example_gen.pictures. Nothing heavy."""

from collections.abc import Mapping

from components.example_gen import pictures
from configs.schema.reading import Reading

DIM = 65536 // 16  # 16-bit images that stay below hold values of 12 bits or fewer
WORDS = {
    pictures.TURNED: "turned as their EXIF tags say",
    pictures.OVER_GROUND: "transparent and laid over data.ground",
    pictures.IN_ALPHA: "with their picture in the transparency alone",
    pictures.BLANK: "blank over data.ground",
    pictures.CMYK: "of CMYK",
    pictures.FIRST: "the first of several frames or pages",
    pictures.DEEP: "of 16 bits",
    pictures.CUT: "of more than 8 bits a colour read as 8",
    pictures.UNTURNED: "with an orientation in XMP alone, which is not followed",
}


def listed(changes: Mapping[str, int]) -> str:
    """How many images of each, in a line; names that an earlier hubel gave stay as they are."""
    return ", ".join(f"{count:,} {WORDS.get(name, name)}" for name, count in changes.items())


def white_for(peak: int, reading: Reading) -> int | None:
    """The `data.white` that 16-bit images with no colour above `peak` ask for; None where they are bright enough, or not there."""
    return max(1, 2 ** peak.bit_length() - 1) if 0 <= peak < DIM and (reading.white is None or reading.white > DIM) else None


def doubts(changes: Mapping[str, int], peak: int, reading: Reading) -> list[str]:
    """What a person should know of images that were read so, a sentence each.

    Args:
        changes: images by what was done to them. peak: the largest colour of 16-bit images, -1 without any.
    """
    told, white = [], white_for(peak, reading)

    def images(name: str, singular: str, several: str) -> str:
        return f"1 image {singular}" if changes[name] == 1 else f"{changes[name]} images {several}"

    if pictures.BLANK in changes:
        told.append(
            f"{images(pictures.BLANK, 'has its', 'have their')} picture in the transparency, in the colour of the ground under "
            f"it: nothing can be seen; set another data.ground than {reading.ground}"
        )
    elif pictures.IN_ALPHA in changes:
        told.append(
            f"{images(pictures.IN_ALPHA, 'has its', 'have their')} picture in the transparency alone; it is seen over "
            f"{reading.ground} (data.ground), and a client's ground must be the same"
        )
    if pictures.CUT in changes:
        told.append(
            f"{images(pictures.CUT, 'has', 'have')} more than 8 bits a colour in a format of which only the upper 8 are read; make "
            "them PNG"
        )
    if pictures.UNTURNED in changes:
        told.append(
            f"{images(pictures.UNTURNED, 'has', 'have')} an orientation in XMP alone, which is not followed, as in a browser: read "
            "as stored; where such an image lies on its side, write it as a tag of EXIF"
        )
    if white is not None:
        told.append(
            f"no value of the {changes[pictures.DEEP]} 16-bit images is above {peak} of {reading.white or 65535}, so that they are "
            f"nearly black; data.white: {white} makes that value white"
        )
    if reading.white is not None and peak > reading.white:
        told.append(f"values of 16-bit images reach {peak}; all above data.white = {reading.white} are white")
    if pictures.FIRST in changes:
        told.append(f"{images(pictures.FIRST, 'has', 'have')} several frames or pages, of which the first is read")
    return told
