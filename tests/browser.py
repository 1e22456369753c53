"""A headless Chromium that tests ask by its DevTools protocol over a pipe: it needs no driver and no port."""

import base64
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
LOCAL = ("file:", "data:", "blob:")  # addresses that ask no network
ERRORS = ("error", "warning")


class Browser:
    """One Chromium with one page.

    Attributes:
        complaints: errors and warnings of its console, exceptions and what was refused, since `open`.
        requests: addresses beyond this machine's files that were asked for, since `open`.
    """

    def __init__(self, send: int, receive: int):
        self._send, self._receive, self._asked, self._rest = send, receive, 0, b""
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, file: Path, width: int, scheme: str = "light", height: int = 900, ready: str = "true") -> None:
        """Show a page anew and wait until it is loaded and `ready` holds.

        Args:
            width, height: of the window, CSS px.
            scheme: light or dark.
            ready: an expression of JavaScript that may be a promise.
        """
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._call("Page.navigate", url="about:blank")
        self.complaints, self.requests = [], []
        self._call("Page.navigate", url=file.resolve().as_uri())
        loaded = "document.readyState === 'complete'"
        self.run(f"(async () => {{ while (!({loaded} && ({ready}))) await new Promise(done => setTimeout(done, 20)); }})()")

    def run(self, script: str) -> Any:
        """The value of an expression in the page, as JSON has it; promises are awaited. Raises AssertionError where it throws."""
        told = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

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
        elif event == "Runtime.exceptionThrown":
            thrown = told["exceptionDetails"]
            self.complaints.append(thrown.get("exception", {}).get("description") or thrown["text"])
        elif event == "Log.entryAdded" and told["entry"]["level"] in ERRORS:
            self.complaints.append(told["entry"]["text"])
        elif event == "Runtime.consoleAPICalled" and told["type"] in ERRORS:
            self.complaints.append(" ".join(str(part.get("value", part.get("description"))) for part in told["args"]))


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
