"""Clients that create, plug, unplug and delete at the same time, and a controller that restarts.

`CHURN_S=120` in the environment makes it two minutes.
"""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from controller.model.errors import OverlayError
from tests.labs import adopt_orphans, nothing_left, wait_for
from topologies.lab import attach, started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

CHURN_S = float(os.environ.get("CHURN_S", "3"))
CLIENTS = 4


@pytest.fixture
def home(tmp_path, monkeypatch):
    adopt_orphans()
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path))
    return tmp_path


class Client(threading.Thread):
    """One client: a network of its own, ports of one guest on two hosts, and an agent."""

    def __init__(self, name, number, end):
        super().__init__(name=f"client {number}")
        self.lab, self.number, self.end = attach(name), number, end
        self.random, self.cycles, self.errors = random.Random(number), 0, []

    def run(self):
        while time.monotonic() < self.end:
            try:
                self.cycle()
                self.cycles += 1
            except OverlayError as error:
                self.errors.append(str(error))

    def post(self, kind, **values):
        return self.lab.api("POST", f"/v2.0/{kind}s", {kind: values})[kind]["id"]

    def delete(self, kind, id_):
        self.lab.api("DELETE", f"/v2.0/{kind}s/{id_}")

    def cycle(self):
        network = self.post("network", name=f"net{self.number}")
        self.post("subnet", network_id=network, cidr=f"10.9.{self.number}.0/24")
        hosts = self.random.sample(["controller", "computer"], 2)
        ports = [
            self.post(
                "port",
                network_id=network,
                device_id=f"guest{self.number}-{host}",
                **{"binding:host_id": host},
            )
            for host in hosts
        ]
        agent = self.post("agent", host=f"x{self.number}", configurations=self.agent())
        plugged = ports[: self.random.randint(0, 1)]  # a `plug` takes longer than all the rest
        for port in plugged:
            self.lab.plug(port)
        self.delete("agent", agent)
        for port in self.random.sample(plugged, len(plugged)):
            if is_deleted_first := self.random.random() < 0.5:
                self.delete("port", port)
            self.lab.unplug(port)
            if is_deleted_first:
                ports.remove(port)
        for port in ports:
            self.delete("port", port)
        self.delete("network", network)

    def agent(self):
        return {
            "tunneling_ip": f"192.168.150.{200 + self.number}",
            "tunnel_types": ["vxlan"],
            "ovsdb_connection": f"unix:/nonexistent/{self.number}",
        }


def used(pid):
    """Resident memory [kB], open files and threads of a process."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return int(status["VmRSS"].split()[0]), files, int(status["Threads"])


def flows(lab):
    """The flows of every bridge, without their counters and without learned ones, which time out."""
    dumped = ("ovs-ofctl", "-O", "OpenFlow13", "--names", "--no-stats", "dump-flows")
    return {
        (host, bridge): {
            line
            for line in lab.run(host, *dumped, bridge).splitlines()
            if "hard_timeout" not in line
        }
        for host in ("controller", "computer")
        for bridge in ("br-int", "br-tun")
    }


def churned(lab, seconds):
    clients = [Client(lab.name, number, time.monotonic() + seconds) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(seconds + 120)
        assert not client.is_alive()
    assert all(client.cycles for client in clients)
    assert [error for client in clients for error in client.errors] == []
    lab.await_ready()


def test_churn_leaves_the_flows_of_the_overlay_and_nothing_in_the_log(home):
    with nothing_left(home), started(load("article").overlay) as lab:
        overlay, before = lab.overlay, flows(lab)
        churned(lab, 1)  # what is made once, such as pools of threads, is made now
        pid = lab.ledger.living("controller").pid
        memory, files, threads = used(pid)
        churned(lab, CHURN_S)

        assert lab.overlay == overlay
        wait_for(lambda: flows(lab) == before, "flows as before the churn")
        after = used(pid)
        assert after[0] < memory + 8000, "kB of memory"
        assert after[1:] <= (files + 2, threads + 2)
        log = (lab.directory / "controller.log").read_text()
        assert "Traceback" not in log
        assert "ERROR" not in log

        lab.restart_controller(signal=signal.SIGKILL)
        assert flows(lab) == before
