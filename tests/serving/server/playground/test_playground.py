"""What the playground shows in a browser is what REST answers; it asks nobody else, and nobody is shut out."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.server import model_config
from serving.server.access import ApiKey
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.rest.end import RestEnd, RestSettings
from tests import browser
from tests.browser import WIDE
from tests.components import digits
from tests.once import made_once
from tests.serving.server.playground import models
from tests.serving.server.rest.asking import Client

CLASSIFIER = "classifier"
KEY = "s3cret"
BEGUN = "document.querySelector('#input').childElementCount > 0"
READ = (  # of a copy: Chromium complains of a canvas that is read twice
    "(canvas => {{ const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d'); copy.drawImage(canvas, 0, 0);"
    "return copy.getImageData(0, 0, canvas.width, canvas.height); }})({}.querySelector('canvas'))"
)
SHOWN = READ.format("document.querySelector('#result figure')")
ANSWERED = "document.querySelector('#result details') && !document.querySelector('#result.busy')"
REFUSED = "!document.querySelector('#failure').hidden"


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    """A trained classifier and the models of models.py."""
    of_digits = digits.trained(tmp_path_factory, "classifier", digits.MLP, materialized=False) / "Format-Serving"
    folder = made_once(tmp_path_factory, "played", models.write)
    base = tmp_path_factory.mktemp("classifier") / CLASSIFIER
    base.mkdir()
    (base / "1").symlink_to(of_digits, target_is_directory=True)
    manager = Manager(poll=0)
    places = {CLASSIFIER: base, models.PICTURES: folder / models.PICTURES, models.TEXTS: folder / models.TEXTS}
    manager.start(model_config.of_models({name: str(place) for name, place in places.items()}))
    yield manager
    manager.stop()


@pytest.fixture(scope="module")
def serving(manager):
    """Starts another end of that -> who asks it."""
    ends = []

    def start(key=None, **settings) -> Client:
        ends.append(RestEnd(manager, Metrics(manager.has), RestSettings(port=0, **settings), key and ApiKey(key)))
        ends[-1].start()
        return Client(ends[-1].port, ends[-1])

    yield start
    for end in ends:
        assert end.stop(5).wait(20)


@pytest.fixture(scope="module")
def client(serving):
    return serving()


@pytest.fixture(scope="module")
def chrome(chromium, tmp_path_factory):
    """A browser for all tests here: its start is what costs."""
    with browser.started(chromium, tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """A folder of a digit, a bright picture of another size, and what is no image."""
    folder = tmp_path_factory.mktemp("images")
    Image.fromarray(digits.images()[0][3][..., 0]).save(folder / "it's a digit.png")
    bright = np.zeros((24, 40), np.uint8)
    bright[12:] = 240
    Image.fromarray(bright).save(folder / "bright.png")
    (folder / "scan.tiff").write_bytes(b"II*\0 nothing that a browser shows")
    return folder


def opened(chrome, client, model: str, width: int = 1200, scheme: str = "light") -> None:
    """Show the page anew, and a model."""
    chrome.open(f"http://127.0.0.1:{client.port}/", width, scheme, ready=BEGUN)
    chosen(chrome, "model", model)
    chrome.wait(f"document.title.startsWith('{model} ') && {BEGUN}")


def chosen(chrome, field: str, value: str) -> None:
    chrome.run(f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('change'))".replace("'", '"'))


def rest(client, model: str, signature: str, instance):
    """What REST answers of an example."""
    return client.answered(f"/v1/models/{model}:predict", {"signature_name": signature, "instances": [instance]})["predictions"][0]


def b64(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


def bars(chrome) -> dict[str, str]:
    """Names and values of what the page shows as bars."""
    rows = "[...document.querySelectorAll('ol.bars li')].map(row => [row.children[0].textContent, row.children[2].textContent])"
    return dict(chrome.run(rows))


def shares(answer) -> dict[str, str]:
    return {name: f"{score:.4f}" for name, score in zip(answer["classes"], answer["scores"], strict=True)}


def slide(chrome, label: str, *values: float) -> None:
    """Move a slider to each of the values, faster than anything is answered."""
    selector = json.dumps(f"[aria-label='{label}']")
    chrome.run(
        f"(() => {{ const range = document.querySelector({selector}); for (const value of {[*values]})"
        "{ range.value = value; range.dispatchEvent(new Event('input')); } })()"
    )


def pixels(chrome, caption: str) -> np.ndarray:
    """Red values of the canvas of a figure: uint8 [height, width]."""
    width, values = chrome.run(
        "(() => { const figure = [...document.querySelectorAll('figure')]"
        f".find(each => each.querySelector('figcaption').textContent.startsWith({json.dumps(caption)}));"
        f"const {{ data, width }} = {READ.format('figure')}; return [width, [...data].filter((_, place) => place % 4 === 0)]; }})()"
    )
    return np.array(values, np.uint8).reshape(-1, width)


def sound(chrome, client) -> None:
    """Nothing is wrong in any state of the page."""
    assert chrome.complaints == []
    assert {re.match(r"http://[^/]+/", address)[0] for address in chrome.requests} == {f"http://127.0.0.1:{client.port}/"}
    assert chrome.run(WIDE) <= 0
    assert chrome.violations() == []


# ------------------------------------------------------------------ its files


def test_the_files_come_with_a_policy_and_once(client):
    index = client.ask("GET", "/")
    assert (index.status, index.headers["content-type"]) == (200, "text/html; charset=utf-8")
    paths = re.findall(r'(?:href|src)="([^"]+)"', index.content.decode())
    assert len(paths) == 3
    modules = {path: client.ask("GET", f"/{path}") for path in paths}
    imported = re.findall(r'from "\./([\w.]+)"', modules["playground/playground.js"].content.decode())
    assert len(imported) > 5
    modules |= {name: client.ask("GET", f"/playground/{name}") for name in imported}
    for answer in [index, *modules.values()]:
        assert answer.status == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    again = client.ask("GET", "/", If_None_Match=index.headers["etag"])
    assert (again.status, again.content) == (304, b"")
    assert client.ask("GET", "/playground/nothing.js").status == 404
    assert client.ask("GET", "/playground/../end.py").status == 404
    assert client.ask("POST", "/", b"").status == 404


def test_no_element_is_made_of_what_somebody_says():
    from serving.server.rest import playground

    scripts = "".join(file.content.decode() for path, file in playground.files().items() if path.endswith(".js"))
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://", scripts)


def test_without_it_and_with_a_key(serving):
    assert serving(playground=False).ask("GET", "/").status == 404
    keyed = serving(KEY)
    assert keyed.ask("GET", "/").status == 200
    assert keyed.ask("GET", "/models").status == 401


def test_the_version_that_answered_is_said(client):
    body = {"signature_name": "text", "instances": ["a"]}
    assert client.ask("POST", f"/v1/models/{models.TEXTS}:predict", body).headers["x-model-version"] == "1"
    assert "x-model-version" not in client.ask("POST", f"/v1/models/{models.TEXTS}/versions/2:predict", body).headers


# ------------------------------------------------------------------ what it shows


@pytest.mark.browser
def test_a_file_is_classified_as_over_rest(chrome, client, images):
    opened(chrome, client, CLASSIFIER)
    sound(chrome, client)
    chrome.choose("#files", [images / "it's a digit.png", images / "bright.png"])
    chrome.wait(ANSWERED)
    answer = rest(client, CLASSIFIER, "image_bytes", b64((images / "it's a digit.png").read_bytes()))
    assert bars(chrome) == shares(answer)
    assert re.match(rf"{answer['classes'][0]} .*Version 1 answered in \d+ ms", chrome.run("said.textContent"))
    line = chrome.run("document.querySelector('#result details pre').textContent")
    assert line.startswith(f"curl -s http://127.0.0.1:{client.port}/v1/models/{CLASSIFIER}:predict -d ")
    assert r"""$(base64 -w 0 'it'\''s a digit.png')""" in line
    chrome.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    chrome.run("[...document.querySelectorAll('#result button')].find(each => each.textContent.startsWith('All ')).click()")
    assert len(bars(chrome)) == 10
    asked = len(chrome.requests)
    chrome.run(
        "[...document.querySelectorAll('#result button')].find(each => each.textContent.startsWith('What mattered')).click()"
    )
    chrome.wait("document.querySelector('#result figure')")
    assert len(chrome.requests) == asked + 1
    sound(chrome, client)
    chrome.run("document.querySelectorAll('.files button')[1].click()")
    other = rest(client, CLASSIFIER, "image_bytes", b64((images / "bright.png").read_bytes()))
    chrome.wait(f"document.querySelector('.headline')?.textContent === {json.dumps(other['classes'][0])} && {ANSWERED}")
    assert bars(chrome) == shares(other)


@pytest.mark.browser
def test_by_keys_alone_one_draws_and_is_answered(chrome, client):
    opened(chrome, client, CLASSIFIER)
    chrome.run("document.querySelector('#model').focus()")
    walk = []
    while len(walk) < 20 and chrome.run("document.activeElement.name") != "image-from":
        chrome.press("Tab")
        walk.append(chrome.run("document.activeElement.id"))
    assert walk[:3] == ["refresh", "version", "what"]
    chrome.press("ArrowRight", "Tab")
    assert chrome.run("document.activeElement.className") == "pad"
    chrome.press("Space", *["ArrowDown"] * 8, "Space", *["ArrowRight"] * 4)
    chrome.wait(ANSWERED)
    chrome.run("document.activeElement.blur()")  # which hides the pen
    drawn = base64.b64decode(chrome.run("document.querySelector('.pad').toDataURL()").partition(",")[2])
    first = shares(rest(client, CLASSIFIER, "image_bytes", b64(drawn)))
    shown = f"{ANSWERED} && document.querySelector('ol.bars').textContent === {json.dumps(''.join(map(''.join, first.items())))}"
    chrome.wait(shown)  # what was asked while it was drawn is answered before
    assert bars(chrome) == first
    sound(chrome, client)
    left, top = chrome.run(
        "(() => { const box = document.querySelector('.pad').getBoundingClientRect(); return [box.left, box.top]; })()"
    )
    chrome.drag([(left + x, top + 60) for x in range(40, 240, 20)])
    chrome.wait(shown.replace("===", "!=="))
    tools = "[...document.querySelectorAll('#input button')].find(each => each.textContent === '{}').click()"
    chrome.run(tools.format("Undo"))
    chrome.wait(shown)
    chrome.run(tools.format("Clear"))
    chrome.wait("!document.querySelector('#result details')")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_all_that_is_said_of_an_image(chrome, client, images, width, scheme):
    opened(chrome, client, models.PICTURES, width, scheme)
    chrome.choose("#files", [images / "bright.png"])
    chrome.wait(ANSWERED)
    given = b64((images / "bright.png").read_bytes())
    judged = rest(client, models.PICTURES, "image_bytes", given)
    assert judged["is_anomaly"]
    score = f"An anomaly. Anomaly score {judged['anomaly_score']:.4f}, threshold {models.THRESHOLD:.4f}."
    assert chrome.run("document.querySelector('.headline').textContent") == score
    rebuilt = np.array(rest(client, models.PICTURES, "reconstruct_image_bytes", given))[..., 0]
    np.testing.assert_array_equal(pixels(chrome, "reconstruct, 8×8 px"), np.rint(rebuilt))
    errors = np.array(judged["anomaly_map"])[..., 0]
    share = np.clip(3 * np.sqrt(errors / errors.max()), 0, 1)
    np.testing.assert_allclose(pixels(chrome, "Error map"), 255 * share, atol=1)
    assert chrome.run("document.querySelector('.legend').textContent") == "dark 50.0 %bright 50.0 %"
    before = pixels(chrome, "The mask over the picture")
    assert before.shape == (24, 40), "its own frame"
    slide(chrome, "Opacity", 0)
    np.testing.assert_allclose(pixels(chrome, "The mask over the picture"), np.asarray(Image.open(images / "bright.png")), atol=1)
    rows = (
        "[...document.querySelectorAll('[aria-label^=Boxes] tbody tr')].map(row => [...row.children].map(cell => cell.textContent))"
    )
    assert chrome.run(rows) == [["dark", "0.9000", "12", "0", "24", "40"], ["bright", "0.4000", "6", "0", "12", "20"]]
    slide(chrome, "Show boxes with at least this score", 0.5)
    assert [row[0] for row in chrome.run(rows)] == ["dark"]
    sound(chrome, client)


@pytest.mark.browser
def test_from_an_image_into_the_latent_space(chrome, client, images):
    opened(chrome, client, models.PICTURES)
    chosen(chrome, "what", "encode_image_bytes")
    chrome.choose("#files", [images / "bright.png"])
    chrome.wait(ANSWERED)
    code = rest(client, models.PICTURES, "encode_image_bytes", b64((images / "bright.png").read_bytes()))
    chrome.run("[...document.querySelectorAll('#result button')].find(each => each.textContent.startsWith('Change it')).click()")
    chrome.wait(ANSWERED)
    decoded = "decode, 8×8 px"
    np.testing.assert_array_equal(pixels(chrome, decoded), np.rint(np.array(rest(client, models.PICTURES, "decode", code))[..., 0]))
    sound(chrome, client)
    slide(chrome, "Number 1 of the code", -3, 3, -2, 1.5)
    asked = np.rint(np.array(rest(client, models.PICTURES, "decode", [1.5, *code[1:]]))[..., 0])
    red = int(asked[0, 0])
    chrome.wait(f"{ANSWERED} && {SHOWN}.data[0] === {red}")
    np.testing.assert_array_equal(pixels(chrome, decoded), asked)
    chrome.run("[...document.querySelectorAll('#input button')].find(each => each.textContent === '16 samples').click()")
    chrome.wait("document.querySelectorAll('.samples button').length === 16")
    chrome.wait(ANSWERED)
    sound(chrome, client)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_a_text_with_what_mattered_by_one_request(chrome, client, width, scheme):
    opened(chrome, client, models.TEXTS, width, scheme)
    said = f"This is <b>{models.WORD}</b> of it, isn't it?"
    chrome.run(f"text.value = {json.dumps(said)}; text.focus()")
    asked = len(chrome.requests)
    chrome.press("Enter", held=2)
    chrome.wait(ANSWERED)
    assert [address.rpartition("/")[2] for address in chrome.requests[asked:]] == [f"{models.TEXTS}:predict"]
    assert bars(chrome) == shares(rest(client, models.TEXTS, "text", said))
    assert chrome.run("document.querySelector('.words').textContent") == said
    assert chrome.run("[...document.querySelectorAll('mark')].map(each => each.textContent)") == [f"<b>{models.WORD}</b>"]
    assert f"What mattered most: <b>{models.WORD}</b>." in chrome.run("document.querySelector('#said').textContent")
    chrome.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    sound(chrome, client)


@pytest.mark.browser
def test_what_is_refused_is_said_in_the_servers_words(chrome, client, images):
    opened(chrome, client, CLASSIFIER, 390, "dark")
    chrome.choose("#files", [images / "scan.tiff"])
    chrome.wait(REFUSED)
    body = {"signature_name": "image_bytes", "instances": [b64((images / "scan.tiff").read_bytes())]}
    refused = client.ask("POST", f"/v1/models/{CLASSIFIER}:predict", body)
    assert refused.status == 400
    assert chrome.run("failure.textContent") == f"Refused (400). {refused.error}"
    chrome.complaints.clear()  # in which Chromium tells of each 400
    sound(chrome, client)


@pytest.mark.browser
def test_a_server_that_is_gone_and_a_key(chrome, serving):
    keyed = serving(KEY)
    chrome.open(f"http://127.0.0.1:{keyed.port}/", 390, "dark", ready="!document.querySelector('#key-form').hidden")
    chrome.complaints.clear()  # in which Chromium tells of each 401
    sound(chrome, keyed)
    chrome.press(*KEY, "Enter")
    chrome.wait(BEGUN)
    assert chrome.run("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    chosen(chrome, "model", models.TEXTS)
    chrome.wait("document.querySelector('#text')")
    assert keyed.end.stop(5).wait(20)
    chrome.run("text.value = 'a'; text.focus()")
    chrome.press("Enter", held=2)
    chrome.wait(REFUSED)
    assert f"The server at http://127.0.0.1:{keyed.port} does not answer." in chrome.run("failure.textContent")


@pytest.mark.browser
def test_a_file_that_comes_while_another_model_is_chosen_is_asked_of_that(chrome, client, images):
    opened(chrome, client, models.PICTURES)
    chosen(chrome, "model", CLASSIFIER)
    chrome.choose("#files", [images / "bright.png"])
    chrome.wait(f"{ANSWERED} && document.querySelector('ol.bars')")
    assert bars(chrome) == shares(rest(client, CLASSIFIER, "image_bytes", b64((images / "bright.png").read_bytes())))
    for name in (models.TEXTS, CLASSIFIER, models.TEXTS, models.PICTURES):  # faster than the server tells of them
        chosen(chrome, "model", name)
    chrome.wait(f"{ANSWERED} && document.querySelector('.legend')")
    assert chrome.complaints == []


@pytest.mark.browser
def test_the_switch_is_dark_where_the_system_is_light(chrome, client):
    opened(chrome, client, models.TEXTS)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = chrome.run(paper)
    chosen(chrome, "theme", "dark")
    assert chrome.run(paper) != light
    sound(chrome, client)
    chosen(chrome, "theme", "")
    assert chrome.run(paper) == light
