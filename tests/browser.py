"""A headless Chromium that tests ask by its DevTools protocol over a pipe: it needs no driver and no port."""

import base64
import contextlib
import functools
import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.slower import PATIENCE

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
LOCAL = ("file:", "data:", "blob:")  # addresses that ask no network
ERRORS = ("error", "warning")
DRAWN = "document.documentElement.dataset.drawn !== undefined"  # holds once a page has drawn its charts
WIDE = "document.documentElement.scrollWidth - innerWidth"  # px by which a page is wider than its window
CUT = (  # what is wider than the room that it has, where nobody can scroll
    "[...document.querySelectorAll('main *')].filter(each => each.clientWidth && each.scrollWidth > each.clientWidth + 1 && "
    "!each.closest('svg')).map(each => each.outerHTML.slice(0, 120))"
)
PAPER = 718  # CSS px between the margins of A4, 1 cm each
_GRAVE = "told.violations.filter(each => ['serious', 'critical'].includes(each.impact))"
_SERIOUS = f"axe.run().then(told => {_GRAVE}.map(each => [each.id, each.nodes.map(node => node.html)]))"
KEYS = {  # name -> Windows's code of a key, and what it types
    "Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " "), "Backspace": (8, ""), "Escape": (27, ""),
    "ArrowLeft": (37, ""), "ArrowUp": (38, ""), "ArrowRight": (39, ""), "ArrowDown": (40, ""),
}  # fmt: skip


class Browser:
    """One Chromium with one page.

    Attributes:
        complaints: errors and warnings of its console, exceptions and what was refused, since `open`.
        requests: addresses beyond this machine's files that were asked for, since `open`.
        answers: HTTP statuses and addresses of what came back, since `open`.
    """

    def __init__(self, send: int, receive: int):
        self._send, self._receive, self._asked, self._rest = send, receive, 0, b""
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.answers: list[tuple[int, str]] = []
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, page: Path | str, width: int, scheme: str = "light", height: int = 900, ready: str = "true") -> None:
        """Show a page anew and wait until it is loaded and `ready` holds.

        Args:
            page: a file, or an address.
            width, height: of the window, CSS px.
            scheme: light or dark.
            ready: an expression of JavaScript that may be a promise.
        """
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._call("Page.navigate", url="about:blank")
        self.complaints, self.requests, self.answers = [], [], []
        self._call("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        self.wait(f"document.readyState === 'complete' && ({ready})")

    def wait(self, holds: str, seconds: float = PATIENCE) -> None:
        """Until an expression of JavaScript, that may be a promise, holds. Raises AssertionError where it does not in time."""
        look = f"if (await ({holds})) return true; await new Promise(done => setTimeout(done, 20));"
        looks = f"(async () => {{ for (let left = {50 * seconds:.0f}; left > 0; left--) {{ {look} }} return false; }})()"
        assert self.run(looks), f"{holds} did not come to hold in {seconds:g} s"

    def run(self, script: str) -> Any:
        """The value of an expression in the page, as JSON has it; promises are awaited. Raises AssertionError where it throws."""
        told = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def violations(self) -> list[tuple[str, list[str]]]:
        """What axe-core, which reads a page for those who do not see it, or see little, calls serious or critical: its rule, and
        the HTML of each element."""
        return [(name, places) for name, places in self.run(f"{_axe()}; {_SERIOUS}")]

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Give a field of files what a person would choose."""
        element = self._call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")["result"]
        self._call("DOM.setFileInputFiles", files=[str(file.resolve()) for file in files], objectId=element["objectId"])

    def press(self, *keys: str, held: int = 0) -> None:
        """Press keys, one after the other, as a keyboard does.

        Args:
            keys: a character, or a name of KEYS.
            held: which are held meanwhile: 1 Alt, 2 Control, 4 Meta, 8 Shift, added up.
        """
        for name in keys:
            code, text = KEYS[name] if name in KEYS else (ord(name.upper()), name)
            key = {"key": " " if name == "Space" else name, "windowsVirtualKeyCode": code, "modifiers": held}
            self._call("Input.dispatchKeyEvent", type="keyDown", **key, **({"text": text} if text and not held & 7 else {}))
            self._call("Input.dispatchKeyEvent", type="keyUp", **key)

    def drag(self, points: Sequence[tuple[float, float]]) -> None:
        """Press the mouse at the first point of the window, CSS px, go along the others, and let go at the last."""
        steps = [("mousePressed", points[0]), *(("mouseMoved", point) for point in points[1:]), ("mouseReleased", points[-1])]
        for kind, (x, y) in steps:
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def printed(self, width: int = PAPER) -> None:
        """Lay the page out as it is printed, on paper so wide, CSS px."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=PAPER, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", media="print")

    def shown(self) -> None:
        """Lay it out for a screen again."""
        self._call("Emulation.setEmulatedMedia", media="")

    def picture(self, into: Path, whole: bool = True) -> None:
        """Write a PNG of the page, all of its height or what the window shows."""
        shown = self._call("Page.captureScreenshot", captureBeyondViewport=whole)
        into.write_bytes(base64.b64decode(shown["data"]))

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        asked = {"id": self._asked, "method": method, "params": params}
        asked |= {"sessionId": self._session} if self._session else {}
        os.write(self._send, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._told()
            if told.get("id") == self._asked:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]
            self._hear(told.get("method", ""), told.get("params", {}))

    def _told(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._receive, 2**20)
            assert more, "Chromium ended"
            self._rest += more
        told, _, self._rest = self._rest.partition(b"\0")
        return json.loads(told)

    def _hear(self, event: str, told: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent" and not told["request"]["url"].startswith((*LOCAL, "about:")):
            self.requests.append(told["request"]["url"])
        elif event == "Network.responseReceived":
            self.answers.append((told["response"]["status"], told["response"]["url"]))
        elif event == "Runtime.exceptionThrown":
            thrown = told["exceptionDetails"]
            self.complaints.append(thrown.get("exception", {}).get("description") or thrown["text"])
        elif event == "Log.entryAdded" and told["entry"]["level"] in ERRORS:
            self.complaints.append(told["entry"]["text"])
        elif event == "Runtime.consoleAPICalled" and told["type"] in ERRORS:
            self.complaints.append(" ".join(str(part.get("value", part.get("description"))) for part in told["args"]))


def check(chrome: "Browser", page: Path) -> None:
    """A page of a run is whole on a phone and a large screen, light and dark, folded and unfolded, and on paper: no complaint, no
    request, nothing wider than the window, nothing that axe-core calls serious. Raises AssertionError."""
    ready = f"{DRAWN} || !document.querySelector('.drawn')"
    for width, scheme in ((390, "dark"), (1440, "light")):
        chrome.open(page, width, scheme, ready=ready)
        assert chrome.run(WIDE) <= 0, (page.name, width)
        chrome.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert chrome.run(WIDE) <= 0, (page.name, width, "unfolded")
        assert (chrome.complaints, chrome.requests) == ([], []), page.name
        if width == 390:  # what colours have too little contrast in the light tests/reports/run tells, of every block
            serious = chrome.violations()
            assert not serious, (page.name, width, scheme, serious)
    chrome.run("document.querySelectorAll('details').forEach(each => { each.open = false })")
    chrome.printed()
    chrome.wait("[...document.querySelectorAll('details')].every(each => each.open)")
    assert chrome.run(WIDE) <= 0, (page.name, "on paper")
    cut = chrome.run(CUT)
    assert not cut, (page.name, "on paper", cut)


@functools.cache
def _axe() -> str:
    return Path(importlib.util.find_spec("axe_core_python").origin).with_name("axe.min.js").read_text(encoding="utf-8")


@contextlib.contextmanager
def started(chromium: str, profile: Path) -> Iterator[Browser]:
    """A browser while the context is open.

    Args:
        profile: an empty folder for its files.
    """
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    command = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'  # the numbers that Chromium expects
    flags = (*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["bash", "-c", command, chromium, *flags], pass_fds=(theirs_in, theirs_out), **quiet)
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        os.close(ours_out)
        os.close(ours_in)
        process.terminate()
        process.wait()
