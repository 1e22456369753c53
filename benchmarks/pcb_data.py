"""DeepPCB as MVTec AD lies on disk: train/good, test/good, a folder of test for each number of defects, and ground_truth.

    .venv/bin/python -m benchmarks.pcb_data --data DIR pcb

DIR/raw/defect_deeppcb holds the publishers' files (Tang, He, Huang & Yang 2019, arXiv:1902.06197). They are pairs of a template
without a defect and a tested board of the same place, with a box around each defect. DeepPCB has no masks: a box is drawn as one,
with its own sides, so that a part of what counts as defect is copper and ground as they should be.

Templates of `--train` pairs are train/good. Of the others the template is test/good and the tested board a defect; its folder is
that of the kind that most of its boxes are of, since a board has defects of several kinds. Which pairs are trained on is drawn by a
hash of their names, so that pairs of one scan stand on both sides, as the templates of a product do.
"""

import argparse
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

KINDS = {1: "open", 2: "short", 3: "mousebite", 4: "spur", 5: "copper", 6: "pin_hole"}
TRAIN = 170


class Pair(NamedTuple):
    """A template, the tested board, and boxes of the board: (left, top, right, bottom, kind), px."""

    name: str
    template: Path
    tested: Path
    boxes: list[tuple[int, ...]]

    @property
    def kind(self) -> str:
        """The most frequent; of several the first of KINDS."""
        counts = Counter(box[4] for box in self.boxes)
        return KINDS[min(counts, key=lambda kind: (-counts[kind], kind))]


def pairs(raw: Path) -> Iterator[Pair]:
    """All of them, by a hash of their names."""
    boxes = sorted(raw.glob("PCBData/*/*_not/*.txt"), key=lambda path: hashlib.sha256(path.stem.encode()).hexdigest())
    for path in boxes:
        folder = path.parent.with_name(path.parent.name.removesuffix("_not"))
        rows = [tuple(map(int, line.split())) for line in path.read_text().splitlines() if line.strip()]
        yield Pair(path.stem, *(folder / f"{path.stem}_{which}.jpg" for which in ("temp", "test")), rows)


def drawn(size: tuple[int, int], boxes: list[tuple[int, ...]]):
    """A mask, PIL image: 255 in the boxes, right and bottom exclusive."""
    from PIL import Image

    mask = Image.new("L", size)
    for left, top, right, bottom, _ in boxes:
        mask.paste(255, (left, top, right, bottom))
    return mask


def write(raw: Path, folder: Path, train: int = TRAIN) -> None:
    """The folder, which appears when all of it is there."""
    from PIL import Image

    from configs import atomic

    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(folder) as stage:
        for number, pair in enumerate(pairs(raw)):
            split = "train" if number < train else "test"
            copied(pair.template, stage / split / "good" / f"{pair.name}.jpg")
            if split == "train" or not pair.boxes:
                continue
            copied(pair.tested, stage / "test" / pair.kind / f"{pair.name}.jpg")
            with Image.open(pair.tested) as opened:
                mask = drawn(opened.size, pair.boxes)
            path = stage / "ground_truth" / pair.kind / f"{pair.name}_mask.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            mask.save(path)


def copied(source: Path, to: Path) -> None:
    """As it is, into a folder that is made."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("--train", type=int, default=TRAIN, help="pairs whose template is trained on")
    parser.add_argument("folder", type=Path, help="is made")
    asked = parser.parse_args()
    raw = Path(asked.data or "") / "raw/defect_deeppcb"
    if not (raw / "PCBData").is_dir():
        parser.error(f"{raw}/PCBData is not there; name its folder with --data or HUBEL_TEST_DATA")
    if asked.folder.exists():
        parser.error(f"{asked.folder} is there already")
    write(raw, asked.folder, asked.train)


if __name__ == "__main__":
    main()
