"""Draws small folders of images and tables as people really have them; each function fills a folder, smaller than real ones."""

import random
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 32  # px
KINDS = ("circle", "cross", "triangle")
STORED = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF orientation -> Pillow's Transpose that makes a file which needs it


def drawing(kind: str, number: int) -> Image.Image:
    """White on black, a little different each time."""
    dice = random.Random(f"{kind}-{number}")
    left, top = dice.randint(2, 8), dice.randint(2, 8)
    right, bottom = SIDE - dice.randint(2, 8), SIDE - dice.randint(2, 8)
    made = Image.new("L", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(made)
    if kind == "circle":
        draw.ellipse([left, top, right, bottom], fill=255)
    elif kind == "cross":
        draw.line([left, top, right, bottom], fill=255, width=4)
        draw.line([left, bottom, right, top], fill=255, width=4)
    else:
        draw.polygon([(left, bottom), (right, bottom), ((left + right) // 2, top)], fill=255)
    return made


def noisy(kind: str, number: int) -> Image.Image:
    """RGB with a little noise, so that no two files are equal."""
    noise = np.random.default_rng(zlib.crc32(f"{kind}{number}".encode())).integers(0, 12, (SIDE, SIDE, 1))
    return Image.fromarray(np.clip(np.asarray(drawing(kind, number).convert("RGB")).astype(int) + noise, 0, 255).astype(np.uint8))


def put(path: Path, image: Image.Image, **options) -> None:
    """Save an image and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


def alpha(root: Path, each: int = 12) -> None:
    """The picture in the alpha channel: rgba/ la/ palette/ gif/ webp/; seen/ as a viewer shows them on white."""
    for kind in KINDS:
        for number in range(each):
            ink, black = drawing(kind, number), Image.new("L", (SIDE, SIDE), 0)
            name = f"{kind}/{number:03d}"
            rgba = Image.merge("RGBA", (black, black, black, ink))
            put(root / f"rgba/{name}.png", rgba)
            put(root / f"la/{name}.png", Image.merge("LA", (black, ink)))
            put(root / f"webp/{name}.webp", rgba, lossless=True)
            palette = Image.new("P", (SIDE, SIDE), 0)
            palette.putpalette([0] * 768)
            palette.paste(1, mask=ink)
            put(root / f"palette/{name}.png", palette, transparency=0)
            put(root / f"gif/{name}.gif", palette, transparency=0)
            white = Image.new("RGB", (SIDE, SIDE), "white")
            white.paste((0, 0, 0), mask=ink)
            put(root / f"seen/{name}.png", white)


def endings(root: Path, each: int = 20) -> None:
    """circle half .jpg, a quarter .JPEG and .jpe; cross half .tif; triangle .jfif alone; a text file in each."""
    for kind in KINDS:
        for number in range(each):
            usual = "jpe" if number >= 0.75 * each else "JPEG" if number >= 0.5 * each else "jpg"
            ending = {"triangle": "jfif", "cross": "tif" if number >= 0.5 * each else "jpg"}.get(kind, usual)
            put(root / f"{kind}/{number:03d}.{ending}", noisy(kind, number), format="TIFF" if ending == "tif" else "JPEG")
        (root / kind / "notes.txt").write_text("drawn by hand\n")


LAYOUTS = {
    "sets": ("training_set", "test_set"),
    "seg": ("seg_train", "seg_test"),
    "capitals": ("Training", "Testing"),
    "dev": ("train", "dev"),
    "valid": ("train", "valid", "test"),
    "wrapped": ("flower_photos",),
}


def layouts(root: Path) -> None:
    """circle and cross below LAYOUTS' folders: 30 of each in the first, 10 in each further one."""
    for layout, folders in LAYOUTS.items():
        for place, folder in enumerate(folders):
            for kind in ("circle", "cross"):
                first, last = (0, 30) if place == 0 else (20 + 10 * place, 30 + 10 * place)
                for number in range(first, last):
                    put(root / layout / folder / kind / f"{kind}{number:03d}.png", noisy(kind, number))


def numbers(root: Path, each: int = 12) -> None:
    """Folders 1..12 whose brightness is about 20 times the number, and the same files as a table."""
    lines = ["file,label"]
    for label in range(1, 13):
        for number in range(each):
            pixels = np.full((SIDE, SIDE), 20 * label, np.uint8)
            pixels[number : number + 3, 4:20] = 0
            put(root / f"folders/{label}/{number:02d}.png", Image.fromarray(pixels))
            lines.append(f"folders/{label}/{number:02d}.png,{label}")
    (root / "same.csv").write_text("\n".join(lines) + "\n")


def tables(root: Path) -> None:
    """60 drawings and tables of them with labels as pandas, Kaggle and Windows write them."""
    names = [f"{number:03d}.png" for number in range(60)]
    for number, name in enumerate(names):
        put(root / "images" / name, noisy(KINDS[number % 3], number))

    def write(file, header, line):
        (root / file).write_text("\n".join([header, *(line(number, name) for number, name in enumerate(names))]) + "\n")

    written = ["0.0", "1.0", "-1.0", "", "nan", "NA"]
    write("pandas.csv", "Path,label", lambda i, n: f"images/{n},{written[i % 6]}")
    write("mixed.csv", "Path,label", lambda i, n: f"images/{n},{('1', '1.0', '2')[i % 3]}")
    write("floats.csv", "Path,label", lambda i, n: f"images/{n},{float(i % 12)}")
    write("breed.csv", "id,breed", lambda i, n: f"{n[:-4]},{('beagle', 'pug')[i % 2]}")
    write("signs.csv", "Filename;Width;ClassId", lambda i, n: f"images/{n};32;{i % 3}")
    write("one_hot.csv", "image,MEL,NV,BCC", lambda i, n: f"images/{n},{i % 3 == 0:d},{i % 3 == 1:d},{i % 3 == 2:d}")
    write("missing.csv", "file,label", lambda i, n: f"images/{n},{'' if i % 5 == 0 else ('circle', 'cross')[i % 2]}")
    write("windows.csv", "file,label", lambda i, n: f"images\\{n},{i % 2}")
    write("elsewhere.csv", "file,label", lambda i, n: f"/kaggle/input/set/images/{n},{i % 2}")
    write("other_case.csv", "file,label", lambda i, n: f"images/{n[:-4]}.PNG,{i % 2}")


def many_classes(root: Path) -> None:
    """100 classes of 4 images, 30 classes of 2."""
    for name, classes, each in (("hundred", 100, 4), ("thirty", 30, 2)):
        for label in range(classes):
            for number in range(each):
                pixels = np.random.default_rng(1000 * label + number).integers(0, 60, (SIDE, SIDE)) + 2 * label % 180
                put(root / f"{name}/class{label:03d}/{number}.png", Image.fromarray(pixels.astype(np.uint8)))


def turned(root: Path, each: int = 40) -> None:
    """photos/: bars that lie or stand, stored with the EXIF tags 1 to 8 in turn; new/: 16 unseen ones, each tag in each class."""

    def bar(kind, number):
        dice = random.Random(f"{kind}{number}")
        middle, half = dice.randint(14, 34), dice.randint(3, 6)
        made = Image.new("RGB", (48, 64), (30, 30, 30))
        box = [4, middle - half, 43, middle + half] if kind == "lying" else [middle - half, 4, middle + half, 59]
        ImageDraw.Draw(made).rectangle(box, fill=(220, 220, 220))
        return made

    def store(path, image, tag):
        exif = Image.Exif()
        if tag > 1:
            exif[0x0112] = tag
            image = image.transpose(Image.Transpose(STORED[tag]))
        put(path, image, quality=92, exif=exif)

    for kind in ("lying", "standing"):
        for number in range(each):
            store(root / f"photos/{kind}/{number:02d}.jpg", bar(kind, number), 1 + number % 8)
        for number in range(90, 98):
            store(root / f"new/{kind}_{number}_tag{number - 89}.jpg", bar(kind, number), number - 89)


def deep(root: Path, each: int = 20) -> None:
    """twelve_in_sixteen/: 16-bit PNG that hold 12-bit values; eight/: the same in 8 bits."""
    for number in range(each):
        ramp = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1)) * (0.5 + number / (2 * each))
        put(root / f"twelve_in_sixteen/{number:02d}.png", Image.fromarray((4095 * ramp).astype(np.uint16)))
        put(root / f"eight/{number:02d}.png", Image.fromarray((255 * ramp).astype(np.uint8)))


PATHS = ("data [v1]", "data * star", "what?", "two  blanks", "ä ö ß", "图片 😀", "100% #1", "{a,b}")


def paths(root: Path, each: int = 25) -> None:
    """circle and cross in folders whose names mean something to a shell, or are of another script."""
    for folder in PATHS:
        for kind in ("circle", "cross"):
            for number in range(each):
                put(root / folder / kind / f"{kind} {number:02d}.png", noisy(kind, number))


def masks(root: Path, each: int = 60) -> None:
    """images/ with masks beside them: grey/, palette/ (as PASCAL VOC has them), one of another size, one damaged."""
    for number in range(each):
        kind, value = KINDS[number % 3], 1 + number % 3
        ink = np.asarray(drawing(kind, number)) > 128
        put(root / f"images/{number:02d}.png", noisy(kind, number))
        grey = Image.fromarray((ink * value).astype(np.uint8))
        put(root / f"grey/{number:02d}.png", grey)
        palette = grey.copy().convert("P")
        palette.putdata(list(np.asarray(grey).ravel()))
        palette.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0] * 756)
        put(root / f"palette/{number:02d}.png", palette)
    put(root / f"grey/{each - 3:02d}.png", Image.new("L", (SIDE // 2, SIDE), 1))
    (root / f"grey/{each - 2:02d}.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
