"""`hubel init` of tables of texts: what it finds, and that the config it writes fits them and says what is missing."""

import pytest

from components import inputs
from configs import load
from configs.errors import UsageError
from pipelines.data_sets import survey
from pipelines.init import kinds, proposal
from tests.pipelines.init.test_init import picture


def table(folder, columns="v1,v2", texts=120, long=3):
    """Texts of two classes, of which a few are long, one is empty and one has no label."""
    rows = [f'{("ham", "spam")[number % 3 == 0]},"Call, now {number}"' for number in range(texts - long - 2)]
    rows += [f"ham,{' '.join(['many'] * 40)} {number}" for number in range(long)] + ["spam,", "nan,no label"]
    path = folder / "sms.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    return path


def look(path, tmp_path, **read):
    return survey.look(f"csv:{path}", str(tmp_path / "datasets"), **read)


def test_a_table_of_texts_becomes_a_config_of_texts(tmp_path):
    path = table(tmp_path)
    read = proposal.read_by(f"csv:{path}", ["v1"], None, None, "v2")
    seen = look(path, tmp_path, **read)
    assert (seen["reads"], seen["noun"], seen["images"], seen["classes"]) == ("text", "text", 120, {"ham": 79, "spam": 40})
    assert (seen["unlabelled"], seen["damaged"]) == (1, {"empty": 1})
    assert seen["tokens"] == [2, 4, 41]  # no label; Call , now 1; the long ones
    made = proposal.propose("sms", f"csv:{path}", seen, "sms.yaml", read, **proposal.at_hand(seen, None))
    (tmp_path / "sms.yaml").write_text(made.text)
    cfg = load.load(str(tmp_path / "sms.yaml"))
    assert cfg.data.features == {"text": "v2", "label": "v1"}
    assert cfg.transform.text.length == 16
    assert cfg.model.name == "my_texts:mean_of_words"
    assert not cfg.augment
    assert 0.66 < cfg.evaluate.thresholds["accuracy"].min < 0.75
    assert "16 tokens: of the texts that were read 2.5 % are longer" in made.text
    said = "\n".join([*proposal.summary(seen, f"csv:{path}"), *made.notes])
    assert "hubel ships no network that reads texts yet" in said
    assert "120 texts" in said
    assert "1 text has no label (" in said
    assert "image" not in said + made.text


def test_of_the_networks_there_are_the_smallest_is_proposed(tmp_path):
    path = table(tmp_path, "label,text", long=20)
    seen = look(path, tmp_path)
    made = proposal.propose("sms", f"csv:{path}", seen, "sms.yaml", network="bag_of_words")
    assert "model: {name: bag_of_words}" in made.text
    assert "transform: {text: {length: 64}}" in made.text
    assert not any("ships no network" in note for note in made.notes)


def test_what_cannot_be_told_apart_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\nRain,x\nSnow,x\n")
    with pytest.raises(UsageError, match="has texts of one class alone, x"):
        proposal.propose("a", f"csv:{path}", look(path, tmp_path), "a.yaml")
    unlabelled = look(path, tmp_path, features={"label": None})
    with pytest.raises(UsageError, match="has texts without labels") as caught:
        proposal.propose("a", f"csv:{path}", unlabelled, "a.yaml")
    assert "--label" in caught.value.hint


def test_scripts_that_part_no_words_are_read_by_characters(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"{'今日は雨が降って風も強いですね' * 2}{n},{'ab'[n % 2]}\n" for n in range(40)))
    seen = look(path, tmp_path)
    assert seen["unit"] == "character"
    assert "unit: character" in proposal.propose("a", f"csv:{path}", seen, "a.yaml").text


@pytest.mark.parametrize(
    ("header", "kind"),
    [("id,text,target", "text"), ("a.png,text,target", "image"), ("path,title,label", "image"), ("text,label", "text")],
)
def test_a_table_is_of_texts_where_it_has_none_of_images(header, kind, tmp_path):
    from components.example_gen import csv

    picture(tmp_path / "a.png", 9)
    cell, _, rest = header.partition(",")
    header = f"id,{rest}" if cell == "a.png" else header
    (tmp_path / "a.csv").write_text(f"{header}\n{','.join([cell, *('x' for _ in header.split(',')[1:])])}\n")
    assert csv.holds(str(tmp_path / "a.csv"), {}) == kind
    assert csv.holds(str(tmp_path / "a.csv"), {"text": "x"}) == "text"
    assert csv.holds(str(tmp_path / "a.csv"), {"image": "x"}) == csv.holds(str(tmp_path / "a.csv"), {}, "folder") == "image"


def test_a_column_that_is_called_otherwise_can_be_named(tmp_path):
    (tmp_path / "a.csv").write_text("words,label\nRain,x\nSnow,y\n")
    with pytest.raises(UsageError, match="no column of images") as caught:
        look(tmp_path / "a.csv", tmp_path)
    assert "--text COLUMN" in caught.value.hint
    with pytest.raises(UsageError, match="--text is of texts"):
        proposal.read_by("csv:a.csv", [], "x", None, "y")


def test_every_kind_has_a_proposal():
    for kind in inputs.kinds():
        assert kinds.kind_of({"reads": kind}).body
    with pytest.raises(UsageError, match="no config for models that read melody"):
        kinds.kind_of({"reads": "melody"})
