"""os-ken's event loop survives a handler that fails."""

import sys
from pathlib import Path

from controller.system import commands

ROOT = Path(__file__).resolve().parents[3]

APP = """
from controller.switches import framework
from os_ken.controller import event

class Asked(event.EventBase): pass

class Dummy(framework.App):
    received = []

    @framework.set_ev_cls(Asked)
    def asked(self, ev):
        self.received.append(ev)
        if len(self.received) == 1:
            raise ValueError("once")
"""
START = """
import logging, os, sys, time
logging.basicConfig()
from controller.switches import framework
framework.start_app("dummy_app")
import dummy_app
from os_ken.base.app_manager import lookup_service_brick
app, deadline = lookup_service_brick("Dummy"), time.monotonic() + 10
for _ in range(2):
    app.send_event("Dummy", dummy_app.Asked())
while len(app.received) < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
print(len(app.received), flush=True)
os._exit(0)
"""


def test_a_handler_that_fails_does_not_end_its_app(tmp_path):
    (tmp_path / "dummy_app.py").write_text(APP)

    done = commands.attempt(
        sys.executable, "-c", START, env={"PYTHONPATH": f"{ROOT}:{tmp_path}"}, timeout_s=40
    )

    assert done.stdout == "2\n", done.stderr
    assert "ValueError: once" in done.stderr
