"""A model converted, each variant in processes of its own: one that writes the file, one that runs it as whoever uses it will."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components import keys, progress
from components.converter import checks, forms, network, verdict
from components.converter.verdict import Answers, Variant
from components.examples import NoSplit
from components.tasks.judges.base import Judge
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import HubelError, last_line
from configs.schema.variants import VariantsConfig

SECONDS = 3600  # for one of these processes
CONVERT = "convert.py"
Images = Callable[[str], tf.data.Dataset]  # split -> batches of pixels and targets, as of components.evaluator.reader


def variants(model: keras.Model, card: Card, images: Images, asked: VariantsConfig, to: Path, scratch: Path) -> list[Variant]:
    """Convert a model, and judge what came out on the test split.

    Args:
        to: folder that the files are written to, a refused one's not. scratch: what is needed on the way.

    Raises:
        HubelError: for a model that is no network of pixels, and a test split without images.
    """
    judge, made = judge_of(card.task), network.of(model, card)
    network.write(made, model, scratch / "saved")
    test = _Test(images(keys.TEST), made, judge, card, scratch)
    if not test.count:
        raise HubelError("There is no test image to judge converted models by.", "Give the test split some.")
    calibration = None
    told = []
    for name in asked.variants:
        progress.emit("step", what=f"Converting to {name}", done=len(told), of=len(asked.variants))
        if name == forms.CALIBRATED and calibration is None:
            calibration = _calibration(images, judge, card, asked.calibration, scratch / "calibration")
        told.append(_variant(name, test, calibration, checks.bounds(asked, judge), to, scratch))
    return told


class _Test:
    """Test images in files, what the model answers about them, and what the judge keeps of that."""

    def __init__(self, batches: tf.data.Dataset, made: network.Network, judge: Judge, card: Card, scratch: Path):
        self.network, self.judge, self.count = made, judge, 0
        answer, labels = tf.function(made.answer, autograph=False, reduce_retracing=True), []
        self.asked, plain = scratch / "asked", scratch / "plain"
        given: dict[str, tuple[Path, np.ndarray]] = {}  # output -> its file, and a batch of it
        with contextlib.ExitStack() as opened:
            asked, seen = (opened.enter_context(path.open("wb")) for path in (self.asked, plain))
            files = {output: opened.enter_context((scratch / f"model-{output}").open("wb")) for output in made.gives}
            for pixels, targets in batches.as_numpy_iterator():
                images = np.ascontiguousarray(judge.asked(pixels, card), np.float32)
                asked.write(images.tobytes())
                seen.write(pixels.astype(np.uint8).tobytes())  # whole numbers: they are resized images
                for output, value in answer(tf.constant(images)).items():
                    given[output] = Path(files[output].name), value.numpy()
                    files[output].write(given[output][1].tobytes())
                labels.append(targets[judge.label_key] if judge.label_key in targets else np.full(len(pixels), -1))
                self.count += len(pixels)
        self.shape = [self.count, *made.shape]
        if not self.count:
            return
        self.labels, self.pixels = np.concatenate(labels).astype(np.int64), _read(plain, "uint8", self.shape)
        self.answers = {name: _read(file, str(of.dtype), [self.count, *of.shape[1:]]) for name, (file, of) in given.items()}
        self.rows = verdict.rows_of(self.answers, self.pixels, self.labels, judge)


def _variant(
    name: str, test: _Test, calibration: np.ndarray | None, bounds: Mapping[str, float], to: Path, scratch: Path
) -> Variant:
    form = forms.FORMS[name]
    file, folder = to / f"{name}{form.ending}", scratch / name
    folder.mkdir()
    known: dict[str, Any] = {"name": name, "file": file.name}
    if name == forms.CALIBRATED and calibration is None:
        return Variant(**known, reason="int8 takes the ranges of its values from images of the training split, and there are none")
    asked = {"saved": str(scratch / "saved"), "form": name, "to": str(file), "calibration": None, "shape": None}
    if name == forms.CALIBRATED:
        asked |= {"calibration": str(scratch / "calibration"), "shape": list(calibration.shape)}
    if why := _process(CONVERT, asked, "converts it"):
        file.unlink(missing_ok=True)
        return Variant(**known, reason=why)
    known["bytes"] = file.stat().st_size
    answers, why = _run(form.runtime, file, test, folder)
    if not why:
        why = verdict.wrong(answers, test.answers)
    if not why:
        off, beyond = verdict.parity(answers, test.answers)
        rows = verdict.rows_of(answers, test.pixels, test.labels, test.judge)
        told = verdict.costs(rows, test.rows, test.judge, bounds)
        known |= {
            "images": test.count,
            "parity": off,
            "agreement": verdict.agreement(answers, test.answers, test.network.gives),
            "costs": told,
            "outputs": {
                output: {"kind": kind, "dtype": str(answers[output].dtype), "shape": list(answers[output].shape[1:])}
                for output, kind in test.network.gives.items()
            },
        }
        if name == forms.CALIBRATED:
            known["floats"] = _operations(json.loads((folder / "floats.json").read_text()))
        why = beyond if form.is_exact and beyond else verdict.refusal(told, bounds)
    if why:
        file.unlink()
    return Variant(**known, reason=why)


def _operations(tensors: Sequence[str]) -> list[str]:
    """What computes them, as their names say, such as Elu of net/down1_1/Elu_1: each once. Constants, and what int8 values become
    where such an operation wants them as float32, are none."""
    named = [re.sub(r"(_\d+|:\d+)+$", "", name.split(";")[-1].split("/")[-1]) for name in tensors]
    known = [name for name in dict.fromkeys(named) if not name.startswith(("tfl.", "arith."))]
    return known or (["the last operation"] if tensors else [])


def _run(runtime: str, file: Path, test: _Test, folder: Path) -> tuple[Answers, str]:
    """What a file answers about the test images, or why it does not."""
    asked = {"file": str(file), "images": str(test.asked), "shape": test.shape, "to": str(folder)}
    if why := _process(runtime, asked, "runs it"):
        return {}, why
    written = json.loads((folder / "answers.json").read_text())
    return {output: _read(folder / at["file"], at["dtype"], at["shape"]) for output, at in written.items()}, ""


def _read(file: Path, dtype: str, shape: Sequence[int]) -> np.ndarray:
    return np.memmap(file, np.dtype(dtype), "r", shape=tuple(shape)) if file.stat().st_size else np.zeros(shape, dtype)


def _process(script: str, asked: Mapping[str, Any], does: str) -> str:
    """Have a script of this folder do what it is asked, in a process of its own. Returns why it did not; empty where it did."""
    command = [sys.executable, "-I", str(Path(__file__).with_name(script))]
    try:
        ended = subprocess.run(
            command, input=f"{json.dumps(asked)}\n", capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the process that {does} did not end within {SECONDS} s"
    if ended.returncode == 0:
        return ""
    print(ended.stderr, file=sys.stderr)  # into the log
    return f"the process that {does} ended with code {ended.returncode}: {last_line(ended.stderr)}"


def _calibration(images: Images, judge: Judge, card: Card, many: int, to: Path) -> np.ndarray | None:
    """Images of the training split, drawn by the seed, as the model is asked about them: float32, in memory and in a file. None
    where there is none."""
    try:
        drawn = _drawn(images(keys.TRAIN), many, card.seed)
    except NoSplit:
        return None
    if not drawn:
        return None
    asked = np.ascontiguousarray(judge.asked(np.stack(drawn), card), np.float32)
    asked.tofile(to)
    return asked


def _drawn(batches: tf.data.Dataset, many: int, seed: int) -> list[np.ndarray]:
    """So many of all images, each with the same chance, in one reading: Vitter 1985, ACM TOMS 11(1), algorithm R."""
    generator, drawn = np.random.default_rng(seed), []
    for number, pixels in enumerate(_each(batches)):
        if number < many:
            drawn.append(pixels.copy())
        elif (place := int(generator.integers(0, number + 1))) < many:
            drawn[place] = pixels.copy()
    return drawn


def _each(batches: tf.data.Dataset) -> Iterator[np.ndarray]:
    return (image for pixels, _ in batches.as_numpy_iterator() for image in pixels)
