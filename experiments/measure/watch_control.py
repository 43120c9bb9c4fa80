"""The control: a ping over a veth pair beside the lab, which passes no switch.

If it is disturbed, the machine was disturbed, not the overlay.
"""

import re
import signal
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, Any

from controller.model.sites import Sites
from controller.system.waiting import scaled, wait_for
from experiments.core.experiment import Lab, described
from experiments.measure.counters import device_columns
from experiments.measure.ping import parse_ping

NEAR, FAR = "neutron", "management"  # nodes without packets of tenants
WIRE = "control"
NEAR_IP, FAR_IP, PREFIX = "192.0.2.1", "192.0.2.2", 30  # RFC 5737: for documentation
INTERVAL_S = 0.1
REPLIES_MIN = 3  # fewer, in a window below 0.3 s, give no useful median
CONNECT_S = 5.0
END_S = 2.0
HEADER = re.compile(r"^PING .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Control:
    """Results of the control ping; None where the window was too short."""

    median_ms: float | None = None
    lost: int | None = None


def _connect(lab: Lab, near: str, far: str) -> None:
    """Connect two nodes by a separate veth pair, unless it exists."""
    if WIRE in device_columns(Path(f"/proc/{lab.pid(near)}/net/dev").read_text()):
        return
    peer = ("peer", "name", WIRE, "netns", str(lab.pid(far)))
    lab.run(near, "ip", "link", "add", "name", WIRE, "type", "veth", *peer)
    for node, ip in ((near, NEAR_IP), (far, FAR_IP)):
        up = f"ip addr add {ip}/{PREFIX} dev {WIRE} && ip link set {WIRE} up"
        lab.run(node, "sh", "-c", up)
    await_wire(lab)


def await_wire(lab: Lab) -> None:
    """Wait until a ping passes: the kernel may drop packets for 1 s after a link came up.

    Raises:
        WaitError: none passed within the limit.
    """
    once = ("ping", "-n", "-q", "-c1", "-W1", FAR_IP)
    wait_for(
        lambda: lab.attempt(_ends(lab)[0], *once).returncode == 0,
        CONNECT_S,
        what="the control ping to pass",
    )


def _ends(lab: Lab) -> tuple[str, str]:
    """The two nodes that are connected; in a lab of sites, two nodes of theirs."""
    about = described(lab)
    return (about.attacker.name, about.near.switch) if isinstance(about, Sites) else (NEAR, FAR)


def start_control(lab: Lab) -> Callable[[], Control]:
    """Start the ping; the returned function ends it and returns its results.

    Raises:
        OverlayError: the kernel refused the veth pair, no ping passes, or ping could not start.
    """
    near, far = _ends(lab)
    _connect(lab, near, far)
    output = tempfile.TemporaryFile()  # noqa: SIM115  closed by `_end`
    argv = ("ping", "-n", "-D", "-i", f"{INTERVAL_S:g}", FAR_IP)
    process = lab.start(near, *argv, stdout=output, stderr=output)
    return lambda: _end(process, output)


def _end(process: Any, output: IO[bytes]) -> Control:
    """End ping with SIGINT, so that it prints its summary; kill it if it does not end."""
    with output:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=scaled(END_S))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        output.seek(0)
        return read_control(output.read().decode(errors="replace"))


def read_control(text: str) -> Control:
    """The median and the losses, without the last request: its reply may still be under way.

    Raises:
        MeasureError: this is not the output of ping.
    """
    if not HEADER.sub("", text).strip():
        return Control()  # ended before its first request
    replies = parse_ping(text).replies
    times = [reply.rtt_ms for reply in replies if reply.rtt_ms is not None]
    lost = sum(reply.rtt_ms is None for reply in replies[:-1])
    if len(replies) < REPLIES_MIN:
        return Control(lost=lost)
    return Control(round(median(times), 4) if times else None, lost)
