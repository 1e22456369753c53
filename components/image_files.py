"""What an image file may be: how its name ends, the format that is read, and how large it may be."""

MAX_PIXELS = 2**25  # 33 megapixels; neither read nor, by the served graph, decoded beyond
ENDINGS_OF = {  # Pillow's name of each format that is read, by content and whatever a file is called -> usual endings of its files
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".mpo",),  # a JPEG with further ones behind it, from many cameras
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    "AVIF": (".avif", ".avifs"),
}
FORMATS = tuple(ENDINGS_OF)
EXACT = ("PNG", "BMP", "DIB", "GIF", "TIFF", "PPM")  # formats that keep every value, as a mask needs


def endings(formats=FORMATS) -> frozenset[str]:
    """Of files of these formats, in small letters with the dot."""
    return frozenset(ending for name in formats for ending in ENDINGS_OF[name])


ENDINGS, EXACT_ENDINGS = endings(), endings(EXACT)
