"""Codes of images as files, and images of codes: stored, drawn, or on the way between two. Runs in the worker process."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components import progress
from components.codes import ways
from configs.errors import UsageError, first_line
from pipelines.verbs import images as image_files
from pipelines.verbs import outputs
from pipelines.verbs.batches import read
from pipelines.verbs.images import BATCH
from pipelines.verbs.served import Served
from reports import sheet
from serving import formats
from serving.answers.image import uint8

CODES, FILES = "codes", ".json"  # name of a file of codes; ending of the one beside it that says which image each row is of
SHEET, COLUMNS, ON_SHEET = "sheet.png", 10, 200
MAX_NUMBERS = 2**28  # in the codes that one command holds: 1 GiB
MAX_CSV_BYTES = 2**30
NO_LABEL = -1


def encode(model: str, images: Sequence[str], out: str, force: bool, form: str) -> dict[str, Any]:
    """Write the codes of images.

    Args:
        form: "npy": float32 [N, k] as codes.npy, beside it codes.json with the files; "csv": codes.csv of file and numbers.

    Returns:
        {model, size, resized, code_size, codes: path, images: [{file, size, row: in codes} or {file, error}]}. Where no image can
        be read, nothing is written and `codes` is None.

    Raises:
        UsageError: without an image or the signature, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    paths = image_files.files(images, Path(out))
    name = f"{CODES}.{form}"
    folder = outputs.folder(out, [name] if form == "csv" else [name, CODES + FILES], force, paths)
    served = Served.load(model)
    codes, rows = codes_of(served, paths)
    files = [row["file"] for row in rows if "error" not in row]
    value = {**served.summary(rows), "code_size": codes.shape[1], "codes": None, "images": rows}
    if not files:
        return value
    if form == "csv":
        # Nine digits give the same float32 back.
        numbered = ([file, *(f"{number:.9g}" for number in code)] for file, code in zip(files, codes, strict=True))
        content = formats.table(["file", *range(codes.shape[1])], numbered)
    else:
        outputs.write(folder / (CODES + FILES), json.dumps({"model": served.card.name, "files": files}, indent=1).encode())
        content = formats.npy(codes)
    return {**value, "codes": outputs.write(folder / name, content)}


def codes_of(served: Served, paths: Sequence[Path]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """float32 [N, k] of the images that can be read, and {file, size, row} or {file, error} of all.

    Raises:
        UsageError: without the signature, or for more numbers than are held at once.
    """
    function, code_size, output = served.of_images("encode"), served.code_size, served.output("encode", "code")
    if len(paths) * code_size > MAX_NUMBERS:
        raise UsageError(
            f"{len(paths):,} codes of {code_size:,} numbers are more than {MAX_NUMBERS:,} numbers.", "Name fewer images at a time."
        )
    codes, rows = [], []
    for number, answer in enumerate(image_files.answers(function, paths, served.prepared)):
        progress.emit("step", what="Encoding", done=number, of=len(paths))
        rows.append(image_files.row(answer))
        if answer.error is None:
            rows[-1]["row"] = len(codes)
            codes.append(answer.outputs[output])
    return np.array(codes, np.float32).reshape(len(codes), code_size), rows


def decode(model: str, codes: str, out: str, force: bool, with_sheet: bool) -> dict[str, Any]:
    """Write the images of codes, PNG of the model's size, named after the files that the codes are of, or numbered.

    Args:
        codes: a .npy file of numbers [N, k], or CSV of numbers, with or without a header and a column `file`.

    Returns:
        {model, size, code_size, images: [{row, file: None where nobody knows, written}], sheet: path or None}.

    Raises:
        UsageError: for another file, other codes than the model's, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    numbers, files = _read(Path(codes).expanduser())
    names = outputs.names(map(Path, files), ".png", [SHEET]) if files else _numbered(len(numbers))
    folder = outputs.folder(out, [*names, SHEET] if with_sheet else names, force, list(map(Path, files)))
    served = Served.load(model)
    served.of_codes("decode")
    if numbers.shape[1] != served.code_size:
        raise UsageError(
            f"{codes} holds codes of {numbers.shape[1]} numbers; those of {served.card.name} have {served.code_size}.",
            "Decode with the model that encoded them.",
        )
    rows = [{"row": row, "file": file} for row, file in enumerate(files or [None] * len(numbers))]
    sheet_at = _write(served, "decode", numbers, {}, folder, names, rows, with_sheet)
    return {"model": served.folder, "size": served.size, "code_size": served.code_size, "images": rows, "sheet": sheet_at}


def generate(model: str, count: int, seed: int, label: str | None, out: str, force: bool, with_sheet: bool) -> dict[str, Any]:
    """Write images of codes drawn here from N(0, 1), a variational model's prior; the served graph itself draws nothing.

    Args:
        label: class of a conditional model; None: of none.

    Returns:
        {model, size, code_size, seed, label, images: [{row, written}], sheet: path or None}.

    Raises:
        UsageError: for a model that is not variational, an unknown label, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    names = _numbered(count)
    folder = outputs.folder(out, [*names, SHEET] if with_sheet else names, force)
    served = Served.load(model)
    function = served.of_codes("generate")
    code_size = function.structured_input_signature[1]["z"].shape[-1]
    if count * code_size > MAX_NUMBERS:
        raise UsageError(f"{count:,} codes of {code_size:,} numbers are more than {MAX_NUMBERS:,} numbers.", "Lower --count.")
    drawn = np.random.default_rng(seed).standard_normal((count, code_size), np.float32)
    rows = [{"row": row} for row in range(count)]
    sheet_at = _write(served, "generate", drawn, _labelled(served, function, label), folder, names, rows, with_sheet)
    asked = {"model": served.folder, "size": served.size, "code_size": code_size, "seed": seed, "label": label}
    return {**asked, "images": rows, "sheet": sheet_at}


def interpolate(model: str, images: Sequence[str], steps: int, spherical: bool, out: str, force: bool) -> dict[str, Any]:
    """Write the images of codes on the way from the code of one image to that of another, ends included, and a sheet of them.

    Args:
        images: two files.
        spherical: along the great circle instead of the straight line, see components.codes.ways.

    Returns:
        {model, size, resized, images: [{file, size}], steps: [{share, written}], sheet: path}.

    Raises:
        UsageError: without the signatures, for an image that cannot be read, or where something would be overwritten.
        HubelError: where nothing can be written.
    """
    paths, names = list(map(Path, images)), _numbered(steps)
    folder = outputs.folder(out, [*names, SHEET], force, paths)
    served = Served.load(model)
    codes, rows = codes_of(served, paths)
    for row in rows:
        if "error" in row:
            raise UsageError(f"{row['file']}: {row['error']}.", "An interpolation needs two images.")
    shares = np.linspace(0, 1, steps)
    made = [{"share": float(share)} for share in shares]
    ends = [sheet.Block(f"given: {path.name}", [served.seen(read(path))]) for path in paths]
    way = ways.between(*codes, shares, spherical).astype(np.float32)
    sheet_at = _write(served, "decode", way, {}, folder, names, made, True, ends)
    return {**served.summary(rows), "images": rows, "steps": made, "sheet": sheet_at}


def _write(
    served: Served,
    name: str,
    codes: np.ndarray,
    extra: dict[str, Any],
    folder: Path,
    names: Sequence[str],
    rows: Sequence[dict[str, Any]],
    with_sheet: bool,
    ends: Sequence[sheet.Block] = (),
) -> str | None:
    """Write the image that the signature `name` makes of each code and say so in its row; the sheet's path. `extra` goes with every
    code."""
    import tensorflow as tf

    function, output = served.of_codes(name), served.output(name, "image")
    blocks = []
    for start in range(0, len(codes), BATCH):
        progress.emit("step", what="Decoding", done=start, of=len(codes))
        batch = tf.constant(codes[start : start + BATCH], tf.float32)
        given = {name: tf.fill([len(batch)], value) for name, value in extra.items()}
        images = uint8(function(z=batch, **given)[output].numpy())
        for at, image in enumerate(images, start):
            rows[at]["written"] = outputs.write(folder / names[at], formats.png(image))
            if len(blocks) < ON_SHEET:
                blocks.append(sheet.Block(names[at], [image]))
    if not with_sheet:
        return None
    blocks = [*ends[:1], *blocks, *ends[1:]]
    made = sheet.sheet(blocks, min(COLUMNS + len(ends), len(blocks)), sheet.SHOWN)
    return outputs.write(folder / SHEET, formats.png(made))


def _numbered(count: int) -> list[str]:
    return [f"{number:0{len(str(count - 1))}}.png" for number in range(count)]


def _labelled(served: Served, function: Callable, label: str | None) -> dict[str, Any]:
    """The further argument that a conditional model takes. Raises UsageError for a label that it does not know."""
    others = {name: spec for name, spec in function.structured_input_signature[1].items() if name != "z"}
    if not others:
        if label is not None:
            raise UsageError(f"{served.card.name} was not trained with labels, so it cannot be told one.", "Leave --label out.")
        return {}
    known = served.card.class_names
    if label is not None and label not in known:
        raise UsageError(f"--label {label}: {served.card.name} knows no such class.", f"There: {', '.join(known)}.")
    import tensorflow as tf

    number = NO_LABEL if label is None else known.index(label)
    return {name: tf.constant(number, spec.dtype) for name, spec in others.items()}


def _read(path: Path) -> tuple[np.ndarray, list[str]]:
    """Codes [N, k], and the files that they are of where they say so. Raises UsageError."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "`hubel encode` writes codes.")
    codes, files = _from_csv(path) if path.suffix.lower() == ".csv" else (_from_npy(path), _beside(path))
    if codes.ndim != 2 or not codes.size or codes.dtype.kind not in "fiu":
        raise UsageError(f"{path} holds no codes, but {codes.dtype} of shape {codes.shape}.", "Codes are numbers [N, k].")
    if codes.size > MAX_NUMBERS:
        raise UsageError(f"{path} holds more than {MAX_NUMBERS:,} numbers.", "Decode it in parts.")
    if not np.isfinite(codes).all():
        raise UsageError(f"{path} holds numbers that are not finite.", "Each code is a row of finite numbers.")
    return codes, files if len(files) == len(codes) else []


def _from_npy(path: Path) -> np.ndarray:
    try:
        numbers = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UsageError(f"{path} is no .npy file of numbers: {first_line(error)}", "`hubel encode` writes one.") from None
    if not isinstance(numbers, np.ndarray):
        raise UsageError(f"{path} is an archive of arrays.", "Save one array with numpy.save.")
    return numbers


def _beside(path: Path) -> list[str]:
    """Files that `encode` noted beside an array."""
    try:
        return [str(file) for file in json.loads(path.with_suffix(FILES).read_text(encoding="utf-8"))["files"]]
    except (OSError, ValueError, KeyError, TypeError):  # an array of somebody else's
        return []


def _from_csv(path: Path) -> tuple[np.ndarray, list[str]]:
    if path.stat().st_size > MAX_CSV_BYTES:
        raise UsageError(f"{path} is larger than {MAX_CSV_BYTES / 2**30:.0f} GiB.", "Decode it in parts, or use .npy.")
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
        reader = csv.reader(lines)
        codes, files, named = [], [], False
        for cells in reader:
            if reader.line_num == 1 and "file" in cells[:1]:
                named = True
                continue
            try:
                codes.append(np.array(cells[named:], np.float32))
            except ValueError:
                raise UsageError(f"{path}, line {reader.line_num}: not numbers.", "Each line is a code.") from None
            files += cells[:named]
            if len(codes[-1]) != len(codes[0]):
                raise UsageError(
                    f"{path}, line {reader.line_num}: {len(codes[-1])} numbers instead of {len(codes[0])}.", "Each line is a code."
                )
    return np.array(codes, np.float32), files
