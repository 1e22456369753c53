"""Peak memory of ExampleGen, StatisticsGen and Transform over large pictures, which must not grow with their number.

    .venv/bin/python -m benchmarks.large_images --data DIR

DIR/raw/kodak holds the Kodak suite; crops of 512x512 px of it are written as PNGs (about 450 kB each), 5,000 and 10,000 of them,
and go through every stage before Trainer to 128x128 px in colour, stored, in a process each. Needs 15 GB in the temporary folder.
Every figure is a row of benchmarks/results/large_images.csv.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from benchmarks import record
from benchmarks.input_pipeline import measured, rows_of, told

SIZES = (5_000, 10_000)
SIDE = 512


def write_crops(kodak: Path, folder: Path, count: int) -> None:
    """`count` crops at places drawn with a fixed seed, as folder/a and folder/b."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    pictures = [Image.open(path).convert("RGB") for path in sorted(kodak.glob("*.png"))]
    for label in "ab":
        (folder / label).mkdir(parents=True)
    for index in range(count):
        picture = pictures[index % len(pictures)]
        left, top = (int(random.integers(0, side - SIDE + 1)) for side in picture.size)
        crop = picture.crop((left, top, left + SIDE, top + SIDE))
        crop.save(folder / "ab"[index % 2] / f"{index:05d}.png", compress_level=1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("HUBEL_TEST_DATA"))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked = parser.parse_args()
    kodak = Path(asked.data or "") / "raw/kodak"
    if not kodak.is_dir():
        parser.error(f"{kodak} is not there; name its folder with --data or HUBEL_TEST_DATA")
    measured_at = record.circumstances()
    print(f"{os.cpu_count()} cores, load {measured_at['load']}")
    peaks = []
    for size in asked.sizes:
        scratch = Path(tempfile.mkdtemp(prefix="hubel-large-"))
        try:
            write_crops(kodak, scratch / "pngs", size)
            read = sum(path.stat().st_size for path in (scratch / "pngs").rglob("*.png"))
            ingested = measured("ingest", scratch / "pngs", scratch / "workspace")
        finally:
            shutil.rmtree(scratch)
        record.add(
            "large_images",
            [{**row, **measured_at} for row in rows_of(size, {"ingest": ingested})],
            keys=("images", "what", "figure"),
        )
        peaks.append(ingested["mib"])
        whole = f"{ingested['seconds']:.0f} s, peak {ingested['mib']:.0f} MiB"
        print(f"{size} images, {read / 2**20:.0f} MiB: {whole}: {told(ingested['stages'])}", flush=True)
    print(f"peak at {asked.sizes[-1]} images / peak at {asked.sizes[0]}: {peaks[-1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
