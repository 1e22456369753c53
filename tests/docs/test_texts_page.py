"""The page on texts: its network and its config train, are blessed and answer, from a table of sentences."""

import csv
import random

import pytest

from configs import load
from keras_models import contract, get
from tests.docs.pages import Place

WORDS = {
    "weather": ["rain", "snow", "wind", "storm", "sun", "cloud", "frost", "thunder", "fog", "hail"],
    "food": ["bread", "soup", "cheese", "rice", "pasta", "butter", "salad", "cake", "tea"],
}
SAID = ("There was {} and {} {}.", "We had {}, then {} {}!", "More {} {}, and some {}?")


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = Place(tmp_path, monkeypatch)
    made.put("my_texts.py", "sentences.yaml", page="docs/texts.md")
    drawn = random.Random(0)
    with (tmp_path / "sentences.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sentence", "topic"])
        for number in range(240):
            topic = list(WORDS)[number % 2]
            words = [*drawn.sample(WORDS[topic], 2), drawn.choice(["today", "yesterday", "again", "tonight"])]
            writer.writerow([f"{drawn.choice(SAID).format(*words)} ({number})", topic])
    monkeypatch.chdir(tmp_path)
    yield made
    made.leave()


def test_the_network_is_proved_before_any_data_is_read(place):
    from components.inputs import checks, input_of

    cfg = load.load("sentences.yaml")
    entry = get(cfg.model.name)
    assert entry.reads == "text"
    checks.check(entry.reads, cfg.model.name, cfg.data, cfg.transform, cfg.augment, cfg.export.crops is not None)
    tried = input_of(entry.reads).stand_in(cfg.transform, contract.EXAMPLES)
    assert dict(tried.of_data) == {"input_shape": (16,), "length": 16, "vocabulary_size": 20_002}
    contract.prove(entry, tried.of_data, cfg.model.options, tried.batch)


@pytest.mark.whole
def test_the_config_is_run_blessed_and_asked(place, tmp_path):
    from tests.pipelines.conftest import in_process

    place_of_models = tmp_path / "workspace"
    outcome = in_process("run", "sentences.yaml", "--json", "--workspace", place_of_models)
    assert outcome.code == 0, outcome.err
    assert outcome.json["blessed"] is outcome.json["parity"] is True
    assert outcome.json["metrics"]["accuracy"] > 0.95
    (tmp_path / "lines.txt").write_text("Snow and wind tonight.\n\nBread with cheese\n")
    asked = ("--text", "rain and fog", "lines.txt", "sentences.csv", "--column", "sentence")
    rows = in_process("predict", "sentences", *asked, "--json", "--workspace", place_of_models).json
    assert len(rows) == 243
    assert [row["classes"][0] for row in rows[:3]] == ["weather", "weather", "food"]
    assert [(row.get("file"), row.get("line")) for row in rows[:4]] == [
        (None, None), ("lines.txt", 1), ("lines.txt", 3), ("sentences.csv", 2),
    ]  # fmt: skip
