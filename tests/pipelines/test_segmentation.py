"""Masks that are drawn here go the whole way: from a table through training, judging and the gates to a pushed model."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.metrics import jaccard_score

from components import keys
from components.tasks.segmentation import MASKS
from configs import load
from pipelines.orchestration import execute, settled
from pipelines.verbs.served import Served


def drawn(folder, many=48, side=36):
    """A table of grey images of a disc and a square on noise, and of their masks: 10 is ground, 20 disc, 30 square."""
    rows, draw = ["file,truth"], np.random.default_rng(0)
    down, right = np.mgrid[:side, :side]
    for number in range(many):
        (y, x), (top, left) = draw.integers(5, side - 5, 2), draw.integers(1, side - 8, 2)
        disc, square = (down - y) ** 2 + (right - x) ** 2 < 16, (np.abs(down - top - 3) < 4) & (np.abs(right - left - 3) < 4)
        mask = np.select([square, disc], [30, 20], 10)
        image = np.select([square, disc], [230, 128], 20) + draw.integers(-15, 16, (side, side))
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number}.png")
        Image.fromarray(mask.astype(np.uint8)).save(folder / f"{number}_mask.png")
        rows.append(f"{number}.png,{number}_mask.png")
    (folder / "table.csv").write_text("\n".join(rows))
    return f"csv:{folder / 'table.csv'}"


def told_of_classes(page: str) -> dict[str, list[str]]:
    """Class -> its IoU and Dice, as the page has them."""
    section = page.partition('id="by-class"')[2].partition("</section>")[0]
    cells = [re.sub("<[^>]+>", "", row) for row in re.findall("<tr>(.*?)</tr>", section, re.DOTALL)[1:]]
    rows = [[cell.strip() for cell in row.strip().split("\n")] for row in cells]
    return {name: [figure.split(" (")[0] for figure in figures[:2]] for name, *figures in rows}


@pytest.mark.whole
def test_masks_go_the_whole_way(place, tmp_path):
    """With a U-Net whose output is the middle, so that both ways of asking are gone: trained, judged, blessed, served, pushed."""
    cfg = tmp_path / "drawn.yaml"
    cfg.write_text(
        f"""
name: drawn
data: {{source: "{drawn(tmp_path)}", features: {{mask: truth}}, mask_classes: {{10: ground, 20: disc, 30: square}}}}
transform: {{height: 36, width: 36, channels: 1, resize: stretch}}
model: {{name: unet, options: {{filters: [8, 16], dropout: 0.0}}}}
train: {{epochs: 20, batch_size: 8, optimizer: {{learning_rate: 1.0e-2}}}}
export: {{warmup: 0}}
evaluate: {{thresholds: {{mean_iou: {{min: 0.5}}}}}}
"""
    )
    results = execute.launched(settled.settle(load.load(str(cfg)), place), True)
    verdict, infra = results["Evaluator"], results["InfraValidator"]
    assert verdict.property("blessing", "blessed") == 1, verdict.property("blessing", keys.REASON)
    assert infra.property("blessing", "blessed") == 1, infra.property("blessing", keys.REASON)
    figures = json.loads(verdict.property("evaluation", keys.METRICS))
    intervals = json.loads(verdict.property("evaluation", keys.INTERVALS))
    assert intervals.keys() == figures.keys() - {"example_count"}
    parts = json.loads(verdict.property("evaluation", keys.SLICES))
    (page, _), *_ = results["Reporter"].outputs["report"]
    assert told_of_classes(Path(page, "index.html").read_text()) == {
        part["class"]: [f"{part['metrics'][name]:.3f}" for name in ("iou", "dice")] for part in parts
    }
    assert np.mean([part["metrics"]["iou"] for part in parts]) == pytest.approx(figures["mean_iou"], rel=1e-6)
    pushed = Served.load(results["Pusher"].property("pushed_model", "pushed_destination"))
    assert pushed.card.class_names == ["ground", "disc", "square"]
    files = sorted(tmp_path.glob("*_mask.png"))
    encoded = tf.constant([(tmp_path / file.name.replace("_mask", "")).read_bytes() for file in files])
    answered = pushed.signatures[keys.IMAGE_BYTES](image_bytes=encoded)[MASKS].numpy()[..., 0]
    truth = np.stack([np.asarray(Image.open(file)) // 10 - 1 for file in files])
    assert jaccard_score(truth.ravel(), answered.ravel(), average="macro") > 0.8
