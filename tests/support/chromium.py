"""A real Chromium, driven over its debugging pipe by the standard library alone (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    "--disable-ipc-flooding-protection",  # it ignores links that are clicked too often
    *("--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-pipe"),
)
PATIENCE = 60.0  # seconds for one answer
Json = dict[str, Any]


def found() -> str | None:
    """Return the path of a browser, if there is one; ESCROW_LAB_BROWSER=none says that none can run here."""
    if os.environ.get("ESCROW_LAB_BROWSER") == "none":
        return None
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One browser process. Messages are JSON that ends in a zero byte, in on its descriptor 3 and out on 4."""

    def __init__(self, path: str, profile: str) -> None:
        self._read, theirs_out = map(_high, os.pipe())
        theirs_in, self._write = map(_high, os.pipe())
        nothing = os.open(os.devnull, os.O_RDWR)
        moved = [(os.POSIX_SPAWN_DUP2, old, new) for old, new in ((nothing, 0), (nothing, 1), (nothing, 2))]
        moved += [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
        arguments = [path, *QUIET, f"--user-data-dir={profile}"]
        self._process = os.posix_spawn(path, arguments, os.environ, file_actions=moved, setpgroup=0)
        for each in (theirs_in, theirs_out, nothing):
            os.close(each)
        self._rest, self._number = b"", 0
        self.events: list[Json] = []

    def send(self, method: str, session: str = "", **parameters: Any) -> Json:
        """Return the answer to a command; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._write, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while (answer := self._next(deadline)).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait(self, event: str, session: str, after: int) -> None:
        """Return when this event has come, after so many others."""
        deadline = time.monotonic() + PATIENCE
        while not any(each.get("method") == event and each.get("sessionId") == session for each in self.events[after:]):
            self.events.append(self._next(deadline))

    def close(self) -> None:
        """End the browser and all its processes."""
        for each in (self._write, self._read):
            os.close(each)
        with suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)

    def _next(self, deadline: float) -> Json:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self._read, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError("the browser does not answer" if not ready else "the browser has ended")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


class Tab:
    """One page in a browser of its own settings: width, colours, whether scripts run."""

    def __init__(self, browser: Chromium, *, scripts: bool = True) -> None:
        self._browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Page.bringToFront")  # timers of pages behind others are slow
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.resize(1280)

    def send(self, method: str, **parameters: Any) -> Json:
        """Return the answer of the page to a command."""
        return self._browser.send(method, self._session, **parameters)

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file, or go to another place in the one that is loaded."""
        heard = len(self._browser.events)
        answer = self.send("Page.navigate", url=page.as_uri() + (f"#{fragment}" if fragment else ""))
        if "errorText" in answer:
            raise RuntimeError(answer["errorText"])
        if "loaderId" in answer:
            self._browser.wait("Page.loadEventFired", self._session, heard)

    def resize(self, width: int, height: int = 900) -> None:
        """Show the page in a viewport of this size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def dark(self, on: bool) -> None:
        """Show the page to a reader who prefers dark colours, or light ones."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript is in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse at a point of the viewport."""
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press_tab(self) -> None:
        """Press the tabulator key."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    def screenshot(self) -> bytes:
        """Return the viewport as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed on A4."""
        printed = self.send("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=True)
        return base64.b64decode(printed["data"])

    def heard(self, method: str) -> Iterator[Json]:
        """Yield the parameters of all events of a kind that this page has caused."""
        self.value("0")  # events before this answer are read
        for each in self._browser.events:
            if each.get("method") == method and each.get("sessionId") == self._session:
                yield each["params"]

    def close(self) -> None:
        """Close the page, and forget its events."""
        self._browser.send("Target.closeTarget", targetId=self._target)
        self.forget()

    def forget(self) -> None:
        """Forget the events of this page."""
        self._browser.events = [each for each in self._browser.events if each.get("sessionId") != self._session]


@contextmanager
def started(path: str) -> Iterator[Chromium]:
    """Yield a browser with a profile of its own, and end it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Chromium(path, profile)
        try:
            yield browser
        finally:
            browser.close()


def _high(descriptor: int) -> int:
    """Return the same descriptor with a number that no child's is moved to."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
