"""A model card says what is known, as it is known, lists what is missing, and its page shows all of it, escaped, in a browser."""

import html
import json
import re

import pytest

from reports import model_card, model_card_page
from tests import browser
from tests.reports.cards import CONFIG, RUN, known

PARTS = (
    "model_details", "intended_use", "factors", "metrics", "evaluation_data", "training_data", "quantitative_analyses",
    "ethical_considerations", "caveats",
)  # fmt: skip


def kinds(card) -> dict[str, str]:
    return {caveat["kind"]: caveat["text"] for caveat in card["caveats"]}


def text(page: str) -> str:
    """What a person reads."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_it_has_the_parts_of_the_paper_in_their_order_and_is_json():
    card = json.loads(json.dumps(model_card.of(known()), allow_nan=False))
    assert card["schema"] == 1
    assert tuple(card)[1:10] == PARTS
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", model_card_page.html(card))
    assert [heading.lower().replace(" ", "_") for heading in headings] == [*PARTS[:-1], "caveats_and_limits"]


def test_figures_intervals_and_slices_are_those_that_it_is_given():
    analyses = model_card.of(known())["quantitative_analyses"]
    assert analyses["overall"] == {"metrics": RUN["metrics"], "intervals": RUN["intervals"]}
    assert analyses["slices"] == RUN["slices"]
    [worst] = analyses["worst"]
    assert (worst["called"], worst["metric"], worst["value"]) == ("stop", "accuracy", RUN["slices"][0]["metrics"]["accuracy"])
    assert worst["interval"] == RUN["slices"][0]["intervals"]["accuracy"]
    shown = text(model_card_page.html(model_card.of(known())))
    assert "accuracy 0.7083 0.6216 to 0.7822" in shown
    assert "stop 8 0.1818 0.0514 to 0.4770" in shown
    assert "The worst is stop : accuracy 0.1818 (0.0514 to 0.4770) of 8 examples." in shown


def test_what_is_stated_is_there_and_what_is_not_is_said():
    card = model_card.of(known(terms={"licence": "of TFDS", "citation": "Somebody 1998"}))
    assert card["model_details"]["owner"] == "The roads office"
    assert card["training_data"]["licence"] == "CC BY 4.0", "a person's word goes before the data's own"
    assert card["training_data"]["citation"] == "Somebody 1998"
    assert card["not_stated"] == ["contact", "licence", "citation", "out_of_scope", "ethics"]
    assert card["not_on_record"] == []
    assert kinds(card)["not_stated"].startswith("Not stated: contact, licence, citation, out_of_scope, ethics")
    assert text(model_card_page.html(card)).count("not stated") == 5


def test_of_nothing_there_is_a_card_that_says_so():
    card = model_card.of(model_card.Known({}, {}, {}, "2026-01-01"))
    assert {"metrics", "slices", "classes", "leakage", "config"} <= set(card["not_on_record"])
    assert {"not_judged", "no_figures", "not_stated", "not_on_record"} == kinds(card).keys()
    shown = text(model_card_page.html(card))
    assert "a model, not pushed" in shown
    assert "No figures are on record." in shown


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({}, "wide_intervals", "120 examples: accuracy 0.7083 may be 0.6216 to 0.7822"),
        ({}, "few_examples", "Fewer than 10 images of 1 class in test (stop: 8)"),
        ({}, "untested_classes", "yield"),
        ({}, "unjudged_slices", "1 slice by label has fewer than 50 test examples"),
        ({}, "augmented", "(rotate)"),
        ({}, "intervals", "that of seed 3"),
        ({}, "formats", "TIFF"),
        ({}, "not_a_number", "NaN"),
        ({"run": {"leakage": {"images": 6}}}, "leakage", "6 images"),
        ({"run": {"contradictions": {"images": 2}}}, "contradictions", "2 images"),
        ({"run": {"quarantined": {"truncated": 3}}}, "quarantined", "3 images of the source damaged and set aside (truncated: 3)"),
        ({"run": {"unlabelled": {"empty": 2}}}, "unlabelled", "2 images of the source without a label"),
        ({"run": {"skew": {"label": 0.4, "image/height": 0.02}}}, "skew", "label 0.4."),
        ({"run": {"drift": {"image/height": 0.25}}}, "drift", "image/height 0.25."),
        ({"run": {"slices": []}}, "no_slices", "evaluate.slices"),
        ({"run": {"intervals": {}}}, "no_interval", "accuracy, cross_entropy"),
        ({"run": {"blessed": False, "reason": "accuracy 0.1 is below 0.9"}}, "not_blessed", "accuracy 0.1 is below 0.9"),
        ({"run": {"starts_from": ["letters/2"]}}, "starts_from", "letters/2"),
        ({"config": {"evaluate": {}}}, "no_bounds", "no bound"),
        ({"config": {"data": {"allow_anomalies": True}}}, "anomalies", "allow_anomalies"),
        ({"technical": {"variants": [{"name": "int8", "reason": "it lost"}]}}, "variant_refused", "int8 was refused: it lost"),
    ],
)  # fmt: skip
def test_limits_follow_from_what_is_known(changes, kind, says):
    card = model_card.of(known(**changes))
    assert says in kinds(card)[kind]
    assert says in text(model_card_page.html(card))


def test_a_sound_model_has_no_caveat_of_its_data():
    narrow = {"accuracy": [0.70, 0.72], "cross_entropy": [0.98, 1.02]}
    even = {split: {"give way": 500, "stop": 500, "yield": 500} for split in ("train", "validation", "test")}
    slices = [{**part, "examples": 500} for part in RUN["slices"]]
    card = model_card.of(known(run={"intervals": narrow, "classes": even, "slices": slices}))
    assert kinds(card).keys() == {"intervals", "augmented", "input", "formats", "not_a_number", "not_stated"}


def test_a_model_pushed_by_force_says_why_first():
    forced = {"reason": "the camera is broken", "verdict": "accuracy 0.5 is below 0.9", "run": "r", "when": "now", "user": "ada"}
    card = model_card.of(known(run={"blessed": False, "reason": forced["verdict"]}, technical={"forced": forced}))
    assert card["verdict"]["forced"] == forced
    first = card["caveats"][0]
    assert first["kind"] == "forced"
    assert "by force by ada" in first["text"]
    assert first["text"].endswith("the camera is broken")
    assert "Pushed by force. the camera is broken" in text(model_card_page.html(card))


def test_what_people_and_files_say_cannot_leave_its_place():
    evil = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\udcff"
    run = {
        "classes": {"train": {evil: 3}, "test": {evil: 1}}, "quarantined": {evil: 1}, "comparison": evil, "starts_from": [evil],
        "slices": [{"slice": {evil: evil}, "class": None, "examples": 1, "metrics": {evil: 0.5}, "intervals": {}}],
    }  # fmt: skip
    forced = {"reason": evil, "verdict": evil, "run": evil, "when": evil, "user": evil}
    technical = {"name": evil, "class_names": [evil], "forced": forced, "variants": [{"name": evil, "reason": evil}]}
    card = model_card.of(known(run, technical, {"card": dict.fromkeys(model_card.TEXTS, evil), "train": {evil: evil}}))
    page = model_card_page.html(card)
    page.encode()
    json.dumps(card).encode()
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</title>") == page.count("</style>") == 1
    assert page.count("&lt;script&gt;alert(1)") > 20


def test_the_page_asks_nothing_of_anybody():
    page = model_card_page.html(model_card.of(known()))
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)


@pytest.mark.browser
def test_a_browser_shows_it_on_any_screen_without_a_complaint_or_a_request(chromium, tmp_path):
    forced = {"reason": "x" * 300, "verdict": "no", "run": "r", "when": "now", "user": "ada"}
    variants = [{"name": "int8", "bytes": 70_000, "parity": {"scores": 0.01}, "costs": {}, "reason": ""}]
    card = model_card.of(known(technical={"forced": forced, "variants": variants}, config={**CONFIG, "name": "y" * 300}))
    page = tmp_path / "card.html"
    page.write_text(model_card_page.html(card), encoding="utf-8")
    with browser.started(chromium, tmp_path / "profile") as chrome:
        for width, scheme in ((1440, "light"), (390, "dark")):
            chrome.open(page, width, scheme)
            assert chrome.run(browser.WIDE) <= 0
            assert (chrome.complaints, chrome.requests) == ([], [])
            assert chrome.violations() == []
