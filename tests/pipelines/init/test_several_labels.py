"""A table of images that have several classes each: what `hubel init` makes of it, and the whole way from there to answers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components import keys
from components.example_gen import sources
from configs import load
from configs.errors import UsageError
from configs.schema.data import DataConfig
from pipelines.data_sets import survey
from pipelines.init import proposal
from tests.pipelines.conftest import in_process

NAMES = ["beam", "column", "dot"]
SIDE = 16


def drawn(has, generator) -> Image.Image:
    """Noise with a bright beam, a bright column and a bright dot in the corner, those that it has."""
    image = generator.integers(0, 90, (SIDE, SIDE))
    if has[0]:
        image[7:9] += 150
    if has[1]:
        image[:, 7:9] += 80
    if has[2]:
        image[:4, :4] += 150
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def table(folder: Path, images: int, seed: int = 0) -> Path:
    """Images, and a table that says what each has; the last one is not known."""
    generator = np.random.default_rng(seed)
    lines = [f"file,{','.join(NAMES)}"]
    for number in range(images):
        has = (generator.random(3) < [0.5, 0.4, 0.3]).astype(int)
        drawn(has, generator).save(folder / f"{number}.png")
        cells = ["nan", "0", "1"] if number == images - 1 else map(str, has)
        lines.append(f"{number}.png,{','.join(cells)}")
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def proposed(path: Path, tmp_path: Path):
    source = proposal.source_of(str(path))
    seen = survey.look(source, str(tmp_path / "datasets"))
    return seen, proposal.propose("several", source, seen, "several.yaml")


def test_what_the_test_images_tell_is_said_of_the_figures_that_there_are(tmp_path):
    seen, made = proposed(table(tmp_path, 60), tmp_path)
    [note] = [note for note in made.notes if "test image" in note]
    tested = int(note.split()[0])
    rarest = min(seen["labels"], key=seen["labels"].get)
    about = round(seen["labels"][rarest] * tested / 59)
    share = f"{100 * tested / 60:.0f} %"
    rest_on = "AUROC and F1 of a class rest on those that have it and on those that have not"
    assert share != "20 %", "what the config says"
    assert note == f"{tested} test images ({share}): {rest_on}; {rarest} has about {about}."


def test_columns_of_which_rows_have_several_ones_become_classes(tmp_path):
    path = table(tmp_path, 60)
    lines = path.read_text().replace("nan", "0").splitlines()
    path.write_text("\n".join(lines))
    seen, made = proposed(path, tmp_path)
    values = np.array([list(map(int, line.split(",")[1:])) for line in lines[1:]])
    assert seen["labels"] == dict(zip(NAMES, values.sum(0).tolist(), strict=True))
    assert seen["several"]["several"] == int((values.sum(1) > 1).sum())
    file = tmp_path / "several.yaml"
    file.write_text(made.text)
    config = load.load(str(file))
    assert config.data.features == {"labels": NAMES}
    assert config.evaluate.thresholds["macro_auroc"].min == proposal.RANKED
    assert not config.evaluate.slices
    assert any("have several" in note for note in made.notes)
    assert "3 classes, several an image" in "\n".join(proposal.summary(seen, "x"))


def test_columns_of_which_each_row_has_one_are_still_asked_for(tmp_path):
    path = table(tmp_path, 12)
    rows = [f"{n}.png," + ",".join(str(int(n % 3 == place)) for place in range(3)) for n in range(12)]
    path.write_text("\n".join([f"file,{','.join(NAMES)}", *rows]))
    with pytest.raises(UsageError) as refused:
        survey.look(f"csv:{path}", str(tmp_path))
    assert "{label: [beam, column, dot]}" in refused.value.hint


def test_a_run_without_them_named_says_which_key_takes_them(tmp_path):
    path = table(tmp_path, 12)
    path.write_text(path.read_text().replace("nan", "0"))
    with pytest.raises(UsageError) as refused:
        sources.locate(DataConfig(source=f"csv:{path}"), tmp_path)
    assert "{labels: [beam, column, dot]}" in refused.value.hint


def test_a_class_that_all_images_have_is_pointed_out(tmp_path):
    path = table(tmp_path, 30)
    rows = [f"{n}.png,1,{n % 2},0" for n in range(30)]
    path.write_text("\n".join([f"file,{','.join(NAMES)}", *rows]))
    seen = survey.look(f"csv:{path}", str(tmp_path), {keys.LABELS: NAMES})
    notes = proposal.propose("several", f"csv:{path}", seen, "several.yaml").notes
    assert any("All images have the class beam" in note for note in notes)
    assert any("No image has the class dot" in note for note in notes)


@pytest.mark.whole
def test_from_a_table_of_zeros_and_ones_to_answers_about_new_images(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    path = table(data, 400)
    place, file = ("--json", "--workspace", tmp_path / "workspace"), tmp_path / "several.yaml"
    made = in_process("init", path, "--out", file, *place)
    assert made.code == 0, made.err
    outcome = in_process("run", file, "--set", "train.epochs=20", *place)
    assert outcome.code == 0, outcome.err
    ran = outcome.json
    assert ran["metrics"]["macro_auroc"] > 0.9
    figures = {"macro_auroc", "micro_auroc", "macro_f1", "micro_f1", "subset_accuracy", "cross_entropy"}
    assert figures <= ran["metrics"].keys()
    assert figures <= ran["intervals"].keys()
    assert {part["class"] for part in ran["slices"]} == set(NAMES)
    for part in ran["slices"]:
        assert {"auroc", "f1"} <= part["metrics"].keys()
        low, high = part["intervals"]["auroc"]
        assert low <= part["metrics"]["auroc"] <= high
    assert sum(ran["images"].values()) == 399
    assert ran["unlabelled"] == {"nan": 1}
    assert set(ran["classes"]["train"]) == set(NAMES)
    unseen, generator = tmp_path / "unseen", np.random.default_rng(9)
    unseen.mkdir()
    truth = [[int(bit) for bit in f"{number % 8:03b}"] for number in range(40)]  # all sets, as often
    for number, has in enumerate(truth):
        drawn(has, generator).save(unseen / f"{number:02d}.png")
    answered = in_process("predict", ran["model"], unseen, *place)
    assert answered.code == 0, answered.err
    right = []
    for row, has in zip(answered.json, truth, strict=True):
        assert row["scores"] == sorted(row["scores"], reverse=True)
        on = {name for name, is_on in zip(row["classes"], row["on"], strict=True) if is_on}
        right += [(name in on) == bool(is_there) for name, is_there in zip(NAMES, has, strict=True)]
    assert np.mean(right) > 0.8
