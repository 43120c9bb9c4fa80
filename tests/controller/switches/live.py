"""The controller as a process of its own, on the loopback, over dummy switches."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from controller.model.overlay import Overlay
from controller.model.serial import dump_state
from controller.system import commands
from tests.controller.switches.switch import Switch

ROOT = Path(__file__).resolve().parents[3]
READY_S = 20.0
END_S = 5.0
POLL_S = 0.02
LOOPBACK = "127.0.0.1"


OS_KEN = (sys.executable, "-m", "controller")


class Controller:
    """The controller with its files in `home`; `close` ends it.

    `program` is `python -m controller`, or Ryu's manager and our app.
    """

    def __init__(
        self,
        home: Path,
        overlay: Overlay,
        switches: Mapping[str, Switch],
        program: tuple[str, ...] = OS_KEN,
    ) -> None:
        self.home, self.port, self.program = home, free_port(), program
        ovsdb = {host.name: switches[host.name].db for host in overlay.hosts}
        (home / "state.json").write_text(dump_state(overlay, ovsdb))
        settings = {
            "listen_ip": LOOPBACK,
            "listen_port": self.port,
            "state": f"{home}/state.json",
            "api_socket": f"{home}/api.sock",
        }
        (home / "controller.json").write_text(json.dumps(settings))
        self.start()

    @property
    def openflow(self) -> str:
        """The address for the bridges."""
        return f"tcp:{LOOPBACK}:{self.port}"

    def start(self) -> None:
        config = f"{self.home}/controller.json"
        self.process = commands.start(
            *self.program,
            *([config] if self.program is OS_KEN else []),
            stdout=self.home / "log",
            env={"PYTHONPATH": str(ROOT), "OVERLAYLAB_CONTROLLER": config},
        )
        self.wait_for(self._listens, "it does not listen")

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False

    def wait_until_wired(self) -> None:
        """Until every host says that all the overlay asks of it is in place."""
        self.wait_for(lambda: all(map(_is_ready, self._agents())), "not all hosts are wired")

    def _agents(self) -> list[dict[str, Any]]:
        with suppress(OSError, http.client.HTTPException):
            return list(self.api("GET", "/v2.0/agents")["agents"])
        return [{"alive": False}]

    def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        link = _Unix(self.home / "api.sock")
        try:
            text = json.dumps(body) if body else None
            link.request(method, path, text, {"Content-Type": "application/json"})
            answer = link.getresponse()
            reported = answer.read()
            assert answer.status < http.client.BAD_REQUEST, reported
            return json.loads(reported or "{}")
        finally:
            link.close()

    def wait_for(self, is_so: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + READY_S
        while not is_so():
            assert self.process.poll() is None, f"it ended\n{self.log()}"
            assert time.monotonic() < deadline, f"{otherwise}\n{self.log()}"
            time.sleep(POLL_S)

    def log(self) -> str:
        return (self.home / "log").read_text()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(END_S)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()


class _Unix(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=READY_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _is_ready(agent: dict[str, Any]) -> bool:
    return bool(agent["alive"] and agent["configurations"]["wired"])


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])
