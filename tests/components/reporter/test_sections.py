"""What a page says of a run that was blessed, refused or failed; names are text, and caps hold whatever the data."""

import dataclasses
import json
import re

import pytest

from components import keys
from components.reporter import verdict, writing
from components.reporter.material import Artifact, Failure, Material
from components.reporter.sections import data, search, training
from components.reporter.sections import lineage as of_lineage
from reports import charts
from reports.run import page
from reports.run.blocks import Missing, Pictures, Prose, Table
from tests import browser
from tests.components import digits

MARKUP = "<img src=x onerror=alert(1)>"


def examples(folder, names, **more) -> Artifact:
    """Of ExampleGen, as far as a page reads it: two images of each class in train, one in test."""
    counts = {split: dict.fromkeys(names, many) for split, many in (("train", 2), ("test", 1))}
    measures = {str(label): {"width": {"mean": 3840.0, "min": 3840, "max": 3840}} for label in range(len(names))}
    classes = {split: {str(label): many for label in range(len(names))} for split, many in (("train", 2), ("test", 1))}
    (folder / "summary.json").write_text(json.dumps({"classes": classes, "measures": measures}))
    held = {keys.CLASS_NAMES: names, keys.CLASSES: counts, keys.COUNTS: {s: sum(c.values()) for s, c in counts.items()}}
    return Artifact(folder, {name: json.dumps(value) for name, value in {**held, **more}.items()}, 1)


def judged(blessed=1, reason="", served=1) -> dict[str, Artifact]:
    evaluation = {
        keys.METRICS: json.dumps({"accuracy": 0.9749303, "example_count": 359, "pca_accuracy": 0.5}),
        keys.INTERVALS: json.dumps({"accuracy": [0.95305, 0.98676]}),
        keys.COMPARISON: "better than a coin; no worse than before",
    }
    return {
        "evaluation": Artifact(None, evaluation),
        "blessing": Artifact(None, {"blessed": blessed, keys.REASON: reason}),
        "infra_blessing": Artifact(None, {"blessed": served, keys.REASON: "" if served else "off by 1", keys.SERVERS: "embedded"}),
    }


CONFIG = {"evaluate": {"thresholds": {"accuracy": {"min": 0.95, "max": None}}}, "data": {"source": "tfds:digits"}, "seed": 7}


def test_a_blessed_run_says_which_bounds_it_kept():
    pushed = {"pushed_model": Artifact(None, {"pushed": 1, "pushed_version": "3"})}
    told = verdict.of(Material({**judged(), **pushed}, CONFIG))
    assert (told.kind, told.sentence) == ("good", "Blessed and pushed as version 3.")
    assert told.why == [
        "accuracy 0.9749 (95 %: 0.9530 to 0.9868) is at least 0.95",
        "Served it answers as it was trained, asked through the embedded server.",
        "better than a coin",
        "no worse than before",
    ]
    assert verdict.of(Material(judged(), CONFIG)).sentence == "Blessed; not pushed, because push.enabled is false."


def test_a_model_that_a_person_pushed_is_not_said_to_be_pushed_by_nobody():
    forced = {"forced": {"version": 4, "reason": "the camera is broken"}}
    told = verdict.of(Material(judged(0, "accuracy 0.9 is below 0.95"), CONFIG, forced))
    assert (told.kind, told.sentence) == ("bad", "Not blessed; pushed by force as version 4.")
    assert told.why[:2] == ["Evaluator: accuracy 0.9 is below 0.95", "Pushed as version 4 by a person: the camera is broken"]
    told = verdict.of(Material(judged(), CONFIG, forced))
    assert told.why[0] == "Pushed as version 4 by a person: the camera is broken"


@pytest.mark.parametrize(
    ("artifacts", "why"),
    [
        (judged(0, "accuracy 0.9749 is below the minimum 0.99"), "Evaluator: accuracy 0.9749 is below the minimum 0.99"),
        (judged(served=0), "InfraValidator: off by 1"),
    ],
)
def test_a_refused_run_says_who_refused_it_and_why(artifacts, why):
    told = verdict.of(Material(artifacts, CONFIG))
    assert (told.kind, told.sentence, told.why[0]) == ("bad", "Not blessed; nothing was pushed.", why)


def test_figures_of_others_are_no_tiles():
    assert [tile.name for tile in verdict.tiles(Material(judged(), CONFIG))] == ["accuracy", "test images"]


def test_a_failed_run_has_what_there_is_and_names_what_is_missing_and_who_would_have_made_it(tmp_path):
    failure = Failure("Transform", "Transform ran out of memory.", "Use smaller images.")
    made = Material({"examples": examples(tmp_path, ["zero", "one"])}, CONFIG, {"run": "20260101-120000"}, "digits", failure)
    told = writing.html(made)
    assert "The run failed in Transform; nothing was pushed." in told
    assert "Transform ran out of memory." in told
    assert "6 images of tfds:digits: 4 train, 2 test." in told
    missing = [block for section in writing.sections(made) for block in section.blocks if isinstance(block, Missing)]
    assert {(block.what, block.why) for block in missing} >= {
        ("drift and skew", "ExampleValidator did not get so far in this run."),
        ("training", "Trainer did not get so far in this run."),
        ("layers", "Trainer did not get so far in this run."),
    }
    assert told.count("Not here:") == len(missing)


def test_of_nothing_at_all_there_is_a_page():
    told = writing.html(Material({}, failure=Failure("ExampleGen", "There is nothing.")))
    assert "The run failed in ExampleGen" in told
    assert "ExampleGen did not get so far in this run." in told
    assert "code digest" in told


def test_names_with_markup_are_text(tmp_path):
    names = ["zero", MARKUP]
    aside = {keys.QUARANTINED: {MARKUP: 3}}
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "a.jsonl").write_text(json.dumps({"id": MARKUP, "reason": MARKUP}) + "\n")
    made = Material(
        {"examples": examples(tmp_path, names, **aside)}, CONFIG, {"passed_over": {MARKUP: 2}}, MARKUP, Failure(None, MARKUP)
    )
    told = writing.html(made).replace(charts.libraries(), "")
    assert "<img" not in told
    assert told.count("&lt;img src=x") > 5


def test_ten_thousand_classes_make_no_large_page_and_what_is_left_out_is_counted(tmp_path):
    names = [f"class {number}" for number in range(10_000)]
    held = examples(tmp_path, names)
    section = data.section(Material({"examples": held}, CONFIG))
    [by_class, looks] = [block for block in section.blocks if isinstance(block, Table) and block.folded]
    assert (len(by_class.rows), by_class.more) == (data.CLASSES, 10_000 - data.CLASSES)
    assert (len(looks.rows), looks.more) == (1 + data.CLASSES, 10_000 - data.CLASSES)
    assert len(page.html("many", verdict.of(Material({})), [section])) < 1_500_000
    assert "9,960 more rows are not shown." in page.html("many", verdict.of(Material({})), [section])


def test_what_was_set_aside_and_passed_over_stands_there_with_its_reason(tmp_path):
    (tmp_path / "quarantine").mkdir()
    lines = [json.dumps({"id": f"{number}.png", "reason": "empty"}) for number in range(30)]
    (tmp_path / "quarantine" / "a.jsonl").write_text("\n".join(lines))
    more = {keys.QUARANTINED: {"empty": 30}, keys.UNLABELLED: {"no folder": 4}, keys.CHANGES: {"turned": 5}}
    section = data.section(
        Material({"examples": examples(tmp_path, ["zero", "one"], **more)}, CONFIG, {"passed_over": {".txt": 2}})
    )
    tables = {block.caption: block for block in section.blocks if isinstance(block, Table)}
    assert tables["Set aside, passed over, or seen otherwise than stored"].rows == [
        ["damaged, set aside", "empty", "30"],
        ["without a label", "no folder", "4"],
        ["passed over", "its name ends in .txt", "2"],
        ["seen otherwise than stored", "turned", "5"],
    ]
    assert (len(tables["Damaged images"].rows), tables["Damaged images"].more) == (data.ASIDE, 10)


def test_the_epoch_whose_weights_were_kept_is_the_best_one(tmp_path, monkeypatch):
    (tmp_path / "history.json").write_text(json.dumps([{"loss": 3.0, "val_loss": v} for v in (2.0, 1.0, 1.5)]))
    monkeypatch.setattr(Material, "card", digits.card())
    section = training.section(Material({"model_run": Artifact(tmp_path)}))
    assert section.blocks[0] == Prose("3 epochs trained; the weights are those of epoch 2, which has the least val_loss: 1.0000.")
    assert [block.key for block in section.blocks[1:]] == ["curve-loss"]


@pytest.mark.parametrize(
    ("written", "config", "said"),
    [
        ({"kept": 3}, {}, "those of epoch 3, whose val_loss is 1.5000, where the least is 1.0000."),
        ({"kept": 2}, {"train": {"keep": "last"}}, "those of epoch 2, which has the least val_loss: 1.0000."),
        ({"kept": 0}, {}, None),
        ({"kept": None}, {"train": {"keep": "last"}}, None),  # of a card written before: nobody says which
    ],
)
def test_the_epoch_whose_weights_were_kept_is_the_one_that_trainer_says(tmp_path, monkeypatch, written, config, said):
    (tmp_path / "history.json").write_text(json.dumps([{"loss": 3.0, "val_loss": v} for v in (2.0, 1.0, 1.5)]))
    monkeypatch.setattr(Material, "card", digits.card(**written))
    first, *_ = training.section(Material({"model_run": Artifact(tmp_path)}, config)).blocks
    assert (first.text.partition("the weights are ")[2] if isinstance(first, Prose) else None) == said


def test_of_a_closed_form_there_is_no_curve(tmp_path, monkeypatch):
    (tmp_path / "history.json").write_text("[]")
    monkeypatch.setattr(Material, "card", digits.card())
    [said] = training.section(Material({"model_run": Artifact(tmp_path)})).blocks
    assert "there is no curve" in said.text


def test_trials_stand_the_best_first_and_those_that_failed_last(tmp_path):
    study = tmp_path / "fingerprint"
    (study / "trials").mkdir(parents=True)
    goal = [{"name": "val_accuracy", "direction": "max", "weight": 1.0}]
    (study / "study.json").write_text(
        json.dumps({"objective": goal, "algorithm": "random", "fingerprint": "fingerprint", "runs": [], "started": 1.0})
    )
    for number, (status, value) in enumerate([("completed", 0.8), ("failed", None), ("completed", 0.9), ("pruned", 0.95)]):
        trial = {
            "id": str(number),
            "values": {"train.batch_size": 32},
            "status": status,
            "value": value,
            "epochs": 2,
            "seconds": 1.0,
        }
        curve = [{"val_accuracy": 0.5}, {"val_accuracy": value or 0.1}]
        (study / "trials" / f"{number}.json").write_text(
            json.dumps({**trial, "curve": curve, "reason": "it diverged" if value is None else ""})
        )
    made = Material({"hyperparameters": Artifact(tmp_path)}, tuning=tmp_path)
    section = search.section(made)
    [table] = [block for block in section.blocks if isinstance(block, Table)]
    assert [(row[0], row[1], row[2]) for row in table.rows] == [
        ("2", "completed", "0.9000"), ("0", "completed", "0.8000"), ("3", "pruned", "0.9500"), ("1", "failed", ""),
    ]  # fmt: skip
    assert (
        "4 trials by random, judged by val_accuracy (max) on the validation split: 2 completed, 1 pruned, 1 failed."
        in section.about
    )
    assert search.section(Material({}, tuning=tmp_path)) is None


def test_lineage_has_the_command_that_repeats_the_run():
    told = {"run": "20260101-120000", "runs": "/a place/runs", "workspace": " --workspace /w", "data_digest": "abc"}
    section = of_lineage.section(Material({"model": Artifact("/m", {}, 6, 1000.0, 1042.0)}, CONFIG, told, "digits"))
    command, known, stages, artifacts, config = section.blocks
    assert command.line == "hubel run '/a place/runs/20260101-120000/config.yaml' --workspace /w"
    rows = dict(known.rows)
    assert (rows["data digest"], rows["seed"], rows["config"]) == ("abc", "7", "digits")
    assert re.fullmatch("[0-9a-f]{64}", rows["code digest"])
    then = dict(of_lineage.section(Material({}, CONFIG, {**told, of_lineage.MADE_WITH: {"keras": "3.0"}}, "digits")).blocks[1].rows)
    assert (then["keras"], "code digest" in then) == ("3.0", False), "what is known of then, and nothing of now"
    assert [row[:2] for row in stages.rows] == [["Trainer", "42.0 s"]]
    assert artifacts.rows == [["model", "6", "/m"]]
    assert "source: tfds:digits" in config.text


def test_augmentation_shows_images_as_they_are_and_as_epochs_have_them(artifacts, classifier):
    from components.reporter.sections import augmentation
    from configs.schema.run import RunConfig

    config = RunConfig.model_validate(
        {**digits.MLP, "augment": [{"translate": {"height": 0.2, "width": 0.2, "border": "constant"}}]}
    )
    held = {"examples": Artifact(artifacts.examples), "model": Artifact(classifier)}
    made = Material(held, config.model_dump(mode="json"))
    section = augmentation.section(made)
    assert all(isinstance(block, Pictures) for block in section.blocks)
    assert [len(block.pictures) for block in section.blocks] == [1 + augmentation.EPOCHS] * augmentation.SHOWN
    assert len({block.pictures[0].caption for block in section.blocks}) == augmentation.SHOWN, "of as many classes"
    for block in section.blocks:
        assert block.pictures[0].mark == "good"
        assert len({picture.data for picture in block.pictures}) > 2, "they are moved"
    assert augmentation.section(dataclasses.replace(made, config={**made.config, "augment": []})) is None


@pytest.mark.browser
def test_a_browser_shows_failed_refused_and_odd_pages_on_a_phone(chromium, tmp_path):
    names = [f"a class of a name that is long enough to be broken {number} {MARKUP}" for number in range(200)]
    held = {"examples": examples(tmp_path, names)}
    told = {"run": "20260101-120000", "passed_over": {MARKUP: 2}, "runs": "/a/long/way/to/the/folder/of/runs", "workspace": ""}
    made = {
        "nothing": Material({}, failure=Failure("ExampleGen", "There is nothing.", "Give something.")),
        "failed": Material(held, CONFIG, told, "a_name_that_is_long_" * 5, Failure("Trainer", "It ran out of memory." * 20)),
        "refused": Material({**held, **judged(0, "accuracy 0.9749 is below the minimum 0.99")}, CONFIG, told, "digits"),
    }
    profile = tmp_path / "chromium"
    profile.mkdir()
    with browser.started(chromium, profile) as chrome:
        for name, material in made.items():
            page_of = tmp_path / f"{name}.html"
            page_of.write_text(writing.html(material))
            browser.check(chrome, page_of)


def test_shares_of_a_mask_s_pixels_are_a_table_by_class_and_split():
    pixels = {"train": {"sky": 30, "sea": 10, "": 60}, "test": {"sky": 5, "sea": 15}}
    made = data._by_pixel("mask", pixels)
    assert made.columns == ("class", "train", "test")
    expected = [["sky", "75.00%", "25.00%"], ["sea", "25.00%", "75.00%"], ["of no class, of all pixels", "60.00%", "0.00%"]]
    assert [list(row) for row in made.rows] == expected
