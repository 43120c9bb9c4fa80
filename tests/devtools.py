"""A headless Chromium driven by the DevTools protocol over a pipe, from files and without a network."""

import json
import os
import shutil
import subprocess
from base64 import b64decode
from contextlib import contextmanager
from select import select

import pytest

QUIET = (  # no window, no service of its own, and no network
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # Whatever is asked for outside ends on this machine, by name or by address.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
)
ANSWER_S = 60.0
KEY_CODES = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Tab": 9, "Enter": 13}


class Browser:
    """One tab; `events` has everything that it reported besides answers."""

    def __init__(self, to, came):
        self.to, self.came, self.buffer, self.last = to, came, b"", 0
        self.events, self.session = [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Send one command; return its result."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self.last:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def _message(self):
        while b"\0" not in self.buffer:
            assert select([self.came], [], [], ANSWER_S)[0], "the browser does not answer"
            read = os.read(self.came, 1 << 20)
            assert read, "the browser has ended"
            self.buffer += read
        first, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(first)

    def open(self, url, *, width=1440, height=900, scheme="light", script=True, motion=True):
        """Load a page as a reader with such a screen and such settings has it."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        while not any(
            event["method"] == "Page.loadEventFired" and self._is_of(url, event)
            for event in self.events
        ):
            self.events.append(self._message())

    def _is_of(self, url, event):
        """Whether a load is that of `url`, not of the blank page before it."""
        at = self.events.index(event)
        gone = [e for e in self.events[:at] if e["method"] == "Page.frameNavigated"]
        return bool(gone) and gone[-1]["params"]["frame"]["url"] == url.partition("#")[0]

    def value(self, expression):
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key):
        """Press and release a key."""
        code = KEY_CODES[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def click(self, selector):
        """Click the middle of an element."""
        box = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView(); const b = e.getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="left",
                clickCount=1,
            )

    def picture(self, path):
        """Write what is seen of the whole page as a PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(b64decode(shot["data"]))

    def faults(self):
        """Errors on the console, and requests for anything but the page itself."""
        found = []
        for event in self.events:
            method, params = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(f"exception: {params['exceptionDetails']['text']}")
            elif method == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
                found.append(f"log: {params['entry']['text']}")
            elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "warning"}:
                found.append(f"console: {params['args']}")
            elif method == "Network.requestWillBeSent" and params["type"] != "Document":
                found.append(f"asks for {params['request']['url']}")
        return found


@contextmanager
def browser(profile):
    """A running browser; `make test` installs it, so that its absence is a failure."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium: `apt-get install chromium` as root, or `make ready-dev`")
    (its_input, to), (came, its_output) = os.pipe(), os.pipe()
    # Chromium reads commands from descriptor 3 and answers on 4.
    there = f'exec "$@" 3<&{its_input} 4>&{its_output}'
    argv = (
        "bash",
        "-c",
        there,
        "bash",
        path,
        *QUIET,
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
    )
    with subprocess.Popen(
        argv, pass_fds=(its_input, its_output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        os.close(its_input)
        os.close(its_output)
        try:
            tab = Browser(to, came)
            yield tab
            tab.session = None
            tab.call("Browser.close")
        finally:
            process.terminate()
            os.close(to)
            os.close(came)
