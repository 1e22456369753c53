"""`hubel datasets preview` of texts: what ExampleGen would read and a model would see of it, counted, measured and shown."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from components.tasks.judges import by_name as judges
from configs.errors import UsageError
from pipelines.data_sets import preview
from pipelines.data_sets.seen import base, by_name
from tests import docs
from tests.pipelines.conftest import in_process

LENGTH = 4
TEXTS = ["Rain, again", "snow and wind & <b>fog</b>", "bread", "two loaves of bread, please"]


@pytest.fixture
def config(tmp_path, monkeypatch):
    """60 texts of two classes: one without a label, one empty, one long."""
    rows = [f'"{TEXTS[number % 4]} {number}",{("weather", "food")[number % 4 > 1]}' for number in range(57)]
    rows += ["no label,", ",food", f"{'wine ' * 3000},food"]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    page = (Path(docs.__file__).parents[2] / "docs/texts.md").read_text()
    (tmp_path / "my_texts.py").write_text(re.search(r"example: my_texts.py -->\n```python\n(.*?)```", page, re.DOTALL)[1])
    (tmp_path / "texts.yaml").write_text(
        f"name: texts\ndata: {{source: 'csv:{tmp_path}/texts.csv', max_quarantined: 0.1}}\n"
        f"transform: {{text: {{length: {LENGTH}, min_count: 2}}}}\nmodel: {{name: 'my_texts:mean_of_words'}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return str(tmp_path / "texts.yaml")


def made(config, tmp_path, *assignments, examples=8):
    return preview.preview(config, list(assignments), str(tmp_path / "datasets"), str(tmp_path / "out"), examples)


def test_texts_are_counted_as_example_gen_reads_them(config, tmp_path):
    from configs import load
    from tests.components import stages

    value = made(config, tmp_path)
    label = judges.judge_of("classification").label_key
    examples = stages.examples_of(load.load(config).data, tmp_path, learns_labels=bool(label), least_classes=2, reads="text")
    written = {
        name: json.loads(examples.get_string_custom_property(name)) for name in ("classes", "counts", "quarantined", "unlabelled")
    }
    assert value["unlabelled"] == sum(written["unlabelled"].values()) == 1
    assert value["counts"]["train"] + value["counts"]["validation"] + value["counts"]["test"] == 59
    assert sum(written["counts"].values()) == 58
    assert written["quarantined"] == {"empty": 1}
    apart = {
        (split, name): count - written["classes"][split][name]
        for split, of in value["by_split"].items()
        for name, count in of.items()
        if count != written["classes"][split][name]
    }
    assert list(apart.values()) == [1], "the empty one, which only reading shows"
    assert {name for _, name in apart} == {"food"}


def test_what_a_model_sees_of_each_is_shown_and_what_it_does_not_is_counted(config, tmp_path):
    value = made(config, tmp_path, examples=60)
    rows = value["examples"]
    assert len(rows) == value["images"] == value["counts"]["train"] - sum(value["set_aside"].values())
    assert (value["classes"], value["noun"], value["png"]) == (2, "text", None)
    assert {row["classes"][0] for row in rows} == {"weather", "food"}
    for row in rows:
        tokens = re.findall(r"[\w']+|[^\w\s]", row["text"].lower()) if "wine" not in row["text"] else ["wine"] * 3000
        assert (row["tokens"], row["cut"]) == (len(tokens), max(0, len(tokens) - LENGTH))
        assert row["seen"] == " ".join(tokens[:LENGTH])
    lengths = value["lengths"]
    assert lengths["texts"] == len(rows)
    assert lengths["tokens"][0] == min(row["tokens"] for row in rows)
    assert lengths["tokens"][2] == max(row["tokens"] for row in rows)
    assert lengths["cut"] == sum(row["cut"] > 0 for row in rows)
    assert lengths["beyond"] == sum(row["cut"] for row in rows)
    texts = [row["text"].lower() for row in rows if "wine" not in row["text"]]
    counts = Counter(token for text in texts for token in re.findall(r"[\w']+|[^\w\s]", text))
    has_long = len(texts) < len(rows)
    assert value["vocabulary"]["different"] == len(counts) + has_long
    assert value["vocabulary"]["known"] == sum(count > 1 for count in counts.values()) + has_long
    assert value["vocabulary"]["unknown"] == sum(count == 1 for count in counts.values())
    page = (tmp_path / "out/preview.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;fog" in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    for note in value["notes"]:
        assert note.replace("&", "&amp;") in page


def test_the_command_line_shows_a_table_and_says_what_it_cuts(config, tmp_path):
    arguments = ("datasets", "preview", config, "--examples", "60", "--workspace", tmp_path / "ws")
    outcome = in_process(*arguments)
    assert outcome.code == 0, outcome.err
    value = in_process(*arguments, "--json").json
    lines = outcome.out.splitlines()
    assert f"{value['images']} training texts of 2 classes:" in lines
    assert all(note in lines for note in value["notes"])
    every = " +".join(["all", *map(str, value["counts"].values())])
    assert any(re.fullmatch(f"{every} *", line) for line in lines)
    wide = sum(len(row["text"]) > 120 for row in value["examples"])
    assert ("1 line is cut at 120 characters; the page has more." in lines) == (wide == 1)
    assert all(len(line) < 200 for line in lines)
    assert sum(bool(re.match(r"(weather|food) +\d", line)) for line in lines) == value["images"] + 2


def test_texts_are_chosen_alike_of_each_class_and_the_same_each_time(config, tmp_path):
    first, again = made(config, tmp_path), made(config, tmp_path)
    assert first == again
    assert [row["classes"] for row in first["examples"]] == [["food"]] * 4 + [["weather"]] * 4


def test_what_is_set_aside_is_said(config, tmp_path):
    value = made(config, tmp_path, "data.validation=0.01", "data.test=0.01", "data.stratify=false")
    assert value["set_aside"] == {"empty": 1}
    assert value["notes"][0].endswith("1 is set aside, as by a run (1: empty).")
    assert value["notes"][1] == "1 text without a label is left out."


@pytest.mark.parametrize(
    ("assignments", "why"),
    [
        (["transform.height=16"], "transform.height is of models that read image"),
        (["augment=[{flip: {}}]"], "augment changes images"),
        (["transform.text.length=0"], "transform.text.length"),
    ],
)
def test_what_no_run_would_take_is_refused(assignments, why, config, tmp_path):
    with pytest.raises(UsageError, match=why):
        made(config, tmp_path, *assignments)
    assert not (tmp_path / "out").exists()


def test_samples_are_of_images(config, tmp_path):
    outcome = in_process("datasets", "preview", config, "--samples", "2", "--workspace", tmp_path / "ws", "--json")
    assert outcome.code == 2
    assert "--samples is of augmented images" in outcome.json["error"]["message"]


def test_a_kind_without_a_file_is_shown_by_what_is_measured_of_it(config, tmp_path, monkeypatch):
    monkeypatch.setattr(by_name, "_module", lambda kind: base)
    value = made(config, tmp_path)
    assert {"id", "classes", "characters", "words"} <= set(value["examples"][0])
    table = (tmp_path / "texts.csv").read_text().splitlines()
    for row in value["examples"]:
        [text] = next(csv.reader([table[int(row["id"].split("#")[1]) - 1]]))[:1]
        assert (row["characters"], row["words"]) == (len(text), len(text.split()))
    assert "<td" in (tmp_path / "out/preview.html").read_text(encoding="utf-8")
