"""The frame around a page: all is escaped, keys are told apart, what caps left out is counted, a browser has no complaint."""

import base64
import html
import io
import re
from pathlib import Path

import altair
import pytest
from PIL import Image

from reports import charts
from reports.charts import Chart
from reports.run import page
from reports.run.blocks import Cell, Command, Missing, Picture, Pictures, Prose, Section, Table, Tile, Verdict
from tests import browser
from tests.browser import DRAWN, WIDE

MARKUP = "<script>alert('&\"')</script>"
VERDICT = Verdict("good", "It was blessed.", ["accuracy .98 is above .9"])


def picture(width=8, height=8, caption="a 3", **more) -> Picture:
    into = io.BytesIO()
    Image.new("L", (width, height), 90).save(into, "PNG")
    return Picture(into.getvalue(), "png", f"image {caption}", caption, **more)


def chart(key="curve") -> Chart:
    data = charts.rows([{"epoch": epoch, "value": 1 / epoch} for epoch in range(1, 5)])
    drawn = altair.Chart(data).mark_line(style="strong").encode(x="epoch:Q", y="value:Q").properties(height=200)
    return Chart(key, "Loss", "Falls.", charts.spec(drawn, "Falls."), ("epoch", "value"), [("1", "1.0")])


def every_block() -> list[Section]:
    shaded = [["3", Cell("8", 0.9, "confused-3-5", "8 images of 3 called 5"), Cell("0", 0.0)], ["5", "0", "12"]]
    gallery = [picture(), picture(200, 20, "wide", mark="bad"), picture(mark="good")]
    return [
        Section(
            "data", "Data", "What was read.", [Prose("1,797 images."), Table(("class", "images"), [["zero", "178"]], "By class")]
        ),
        Section("curves", "Training", "", [chart(), chart("another")]),
        Section("confusion", "Confusion", "", [Table(("", "3", "5"), shaded, "Confusion", key="confusion-table")]),
        Section("mistakes", "Mistakes", "", [Pictures(gallery, "3 taken for 5", 9, "confused-3-5", folded=True), picture(40, 40)]),
        Section("again", "Again", "", [Command("hubel run digits_lenet5"), Missing("the trials", "There was no search.")]),
    ]


def text(page_html: str) -> str:
    return " ".join(
        html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", page_html, flags=re.DOTALL))).split()
    )


def test_every_text_is_escaped_wherever_it_stands():
    blocks = [
        Prose(MARKUP), Table((MARKUP,), [[Cell(MARKUP, 0.5, "", MARKUP)]], MARKUP, more=3), picture(caption=MARKUP),
        Pictures([picture(caption=MARKUP)], MARKUP), Command(MARKUP), Missing(MARKUP, MARKUP),
    ]  # fmt: skip
    made = page.html(
        MARKUP,
        Verdict("bad", MARKUP, [MARKUP]),
        [Section("s", MARKUP, MARKUP, blocks)],
        [Tile(MARKUP, MARKUP, MARKUP)],
        MARKUP,
        MARKUP,
    )
    assert "alert('" not in made
    assert made.count("&lt;script&gt;") > 15


def test_what_a_cap_left_out_is_counted():
    blocks = [Table(("class",), [["a"]], "classes", more=9_990), Pictures([picture()], "mistakes", more=1)]
    told = text(page.html("t", VERDICT, [Section("s", "S", "", blocks)]))
    assert "9,990 more rows are not shown." in told
    assert "1 more is not shown." in told


def test_pictures_are_the_bytes_that_were_given():
    given = picture(caption="seen")
    made = page.html("t", VERDICT, [Section("s", "S", "", [given])])
    [held] = re.findall(r'src="data:image/png;base64,([^"]+)" alt="image seen" width="8" height="8" class="small"', made)
    assert base64.b64decode(held) == given.data


def test_columns_of_numbers_stand_to_the_right_and_others_do_not():
    table = Table(("class", "images", "share", "from"), [["zero", "1,780", "9.9 %", "2 B"], ["one", "", "-3e-4", "none"]], "c")
    assert page.numeric_columns(table) == [False, True, True, False]
    assert page.numeric_columns(Table(("nothing",), [], "c")) == [False]


@pytest.mark.parametrize(
    "sections",
    [
        [Section("a", "A", "", []), Section("a", "A", "", [])],
        [Section("a", "A", "", [chart("b")]), Section("b", "B", "", [])],
        [Section("a", "A", "", [Pictures([], "x", key="p"), Pictures([], "y", key="p")])],
    ],
)
def test_two_things_of_one_key_are_refused(sections):
    with pytest.raises(ValueError, match="is the key of two things on one page"):
        page.html("t", VERDICT, sections)


def test_without_a_chart_nothing_of_vega_is_carried():
    assert len(page.html("t", VERDICT, [Section("s", "S", "", [Prose("x")])])) < 20_000
    assert len(page.html("t", VERDICT, every_block())) > 500_000


def test_bytes_that_are_no_text_do_not_stop_it():
    assert "caf?.png" in page.html("t", VERDICT, [Section("s", "S", "", [Prose(b"caf\xe9.png".decode(errors="surrogateescape"))])])


@pytest.fixture(scope="module")
def chrome(chromium, tmp_path_factory):
    with browser.started(chromium, tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Path:
    """A page of every block."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(
        page.html("digits", VERDICT, every_block(), [Tile("accuracy", "0.98", "0.96 to 0.99")], "run 1", "made by hubel")
    )
    return path


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_a_browser_shows_it_on_any_screen_without_a_complaint_or_a_request(chrome, shown, width, scheme):
    chrome.open(shown, width, scheme, ready=DRAWN)
    assert chrome.run("document.querySelectorAll('.drawn svg').length") == 2
    tops = "[...document.querySelectorAll('.charts > figure')].map(each => each.getBoundingClientRect().top)"
    assert len(set(chrome.run(tops))) == (1 if width == 1440 else 2), "charts stand side by side where there is room"
    assert chrome.run(WIDE) <= 0
    assert (chrome.complaints, chrome.requests) == ([], [])
    chrome.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert chrome.violations() == []


@pytest.mark.browser
def test_a_cell_leads_to_its_images_by_the_keyboard(chrome, shown):
    chrome.open(shown, 1440, ready=DRAWN)
    assert chrome.run("document.getElementById('confused-3-5').open") is False
    chrome.run("document.querySelector('td a').focus()")
    chrome.press("Enter")
    chrome.wait("document.getElementById('confused-3-5').open")
    assert chrome.run("document.activeElement.tagName") == "SUMMARY"


def test_words_of_a_table_are_not_broken_on_the_smallest_screen():
    rows = [["AveragePooling2D", "0.943 (0.814 to 0.984)", "zero", "/a/path/that/is/longer/than/any/word"]]
    assert page.room(Table(["type", "precision", "class", "folder"], rows, "a table")) == [17, 7, 5, page.WORD + 1]
    assert page.room(Table(["a", "b"], [], "nothing")) == [1, 1]


@pytest.mark.browser
def test_it_is_whole_on_paper_too(chrome, shown, tmp_path):
    """What is folded is open there, and folded again afterwards; a table of many columns and long words has room."""
    browser.check(chrome, shown)
    columns = ["layer", "type", "output", "parameters", "multiply-adds", "receptive field", "stride", "activations, B"]
    row = [
        "z_mean_and_variance",
        "BatchNormalization",
        "4 x 4 x 32 + 4 x 4 x 32",
        "1,000,000",
        "10,000",
        "32 x 32",
        "2 x 2",
        "1,200",
    ]
    wide = tmp_path / "wide.html"
    wide.write_text(page.html("t", VERDICT, [Section("layers", "Layers", "", [Table(columns, [row], "Layers")])]))
    browser.check(chrome, wide)
    chrome.open(shown, 1440, ready=DRAWN)
    folded = "[...document.querySelectorAll('details')].filter(each => !each.open).length"
    before = chrome.run(folded)
    assert before > 0
    chrome.printed()
    chrome.wait(f"{folded} === 0")
    chrome.open(shown, 1440, ready=DRAWN)
    chrome.printed()
    chrome.wait(f"{folded} === 0")
    chrome.shown()
    chrome.wait(f"{folded} === {before}")
