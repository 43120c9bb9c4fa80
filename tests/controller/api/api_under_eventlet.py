"""The API where Ryu runs it: every thread, lock and socket is eventlet's.  Prints what it saw.

A program of its own, since monkey patching cannot be undone.
"""

# ruff: noqa: E402  the patch comes before all that it patches
import eventlet

eventlet.monkey_patch()

import json
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from controller.api.server import serve
from controller.api.wsgi import make_api
from tests.controller.api.api_backend import FakeBackend
from tests.controller.api.api_client import UnixConnection


class SlowBackend(FakeBackend):
    """One change waits until another request has been answered."""

    def __init__(self):
        super().__init__()
        self.is_answered = threading.Event()

    def change(self, edit, **options):
        assert self.is_answered.wait(5), "a slow change held up every other request"
        return super().change(edit, **options)


def ask(path, method, target, body=None):
    connection = UnixConnection(path, timeout=10)
    text = json.dumps(body) if body else None
    connection.request(method, target, text, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def main(path):
    backend, answers = SlowBackend(), {}
    server = serve(make_api(backend), path)
    running = threading.Thread(target=server.run)
    running.start()
    body = {"network": {"name": "late"}}
    slow = threading.Thread(
        target=lambda: answers.update(slow=ask(path, "POST", "/v2.0/networks", body))
    )
    slow.start()
    status, listed = ask(path, "GET", "/v2.0/networks")
    backend.is_answered.set()
    slow.join(10)
    server.close()
    running.join(10)
    print(
        json.dumps(
            {
                "patched": eventlet.patcher.is_monkey_patched("thread"),
                "get": [status, [network["name"] for network in listed["networks"]]],
                "post": [answers["slow"][0], answers["slow"][1]["network"]["name"]],
                "left": path.exists(),
                "running": running.is_alive(),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
