"""A running lab for Python: every answer is a DataFrame or prints as text.

What needs Mininet is imported where it is used, so that runs can be read on any machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from controller.model.addresses import next_address
from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from experiments.cli.trace_text import Trace
from experiments.measure.ping import Requests
from topologies.plan.plan import address_of
from topologies.scenario import load as scenarios

if TYPE_CHECKING:
    from topologies.lab import Lab

FrameKind = Literal["arp", "ping", "broadcast"]


class RunningLab:
    """A lab that is running; it ends with the `with` block of `lab`."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab

    @property
    def name(self) -> str:
        """What the command line calls it: `overlaylab status NAME`."""
        return self._lab.name

    @property
    def overlay(self) -> Overlay:
        """Hosts, networks and ports as the controller has them now."""
        return self._lab.overlay

    def run(self, node: str, *argv: str, timeout_s: float = 10) -> str:
        """Run a command in a compute host or a guest, and return its output.

        Raises:
            OverlayError: there is no such node, or the command failed.
        """
        return self._lab.run(node, *argv, timeout_s=timeout_s)

    def ping(
        self, source: str, target: str, *, count: int = 20, interval_ms: int = 10
    ) -> pl.DataFrame:
        """Ping a guest from another: seq, rtt_ms (null if the reply was lost).

        Args:
            target: a guest of the lab, or an IP address.
            interval_ms: 0 sends the next request as soon as a reply comes.
        """
        requests = Requests(count=count, interval_ms=interval_ms)
        argv = requests.argv(address_of(self.overlay, target))
        printed = self._lab.attempt(source, *argv, timeout_s=requests.timeout_s).stdout
        replies = map(asdict, requests.read(printed).replies)
        return pl.DataFrame(list(replies), schema={"seq": pl.Int64, "rtt_ms": pl.Float64})

    def flows(self, host: str, bridge: str) -> pl.DataFrame:
        """The flows a bridge has now: table, priority, match, actions, why."""
        from topologies.trace.trace import installed_flows

        return pl.DataFrame([asdict(flow) for flow in installed_flows(self._lab, host, bridge)])

    def trace(self, source: str, target: str, frame: FrameKind = "ping") -> Trace:
        """Follow one frame from guest to guest, table by table; nothing is sent."""
        from topologies.trace.trace import trace_frame

        return Trace(trace_frame(self._lab, source, target, frame))

    def capture(self, node: str, interface: str, file: str | Path, *, seconds: float) -> Path:
        """Capture the packets of an interface for some seconds into a pcapng file."""
        from topologies.lab.capture import capture

        capture(self._lab, node, interface, Path(file), seconds=seconds)
        return Path(file)

    def add_host(self, name: str, local_ip: str = "") -> None:
        """Start one more compute host, with the agent options of the last one.

        Args:
            local_ip: address of its VTEP; by default the next free one.
        """
        hosts = self.overlay.hosts
        address = ip_address(local_ip) if local_ip else next_address(h.local_ip for h in hosts)
        self._lab.add_host(replace(hosts[-1], name=name, local_ip=address, written_ip=""))

    def plug(self, name: str, *, host: str, network: str) -> str:
        """Start a guest on a host and plug it into a network; returns the id of its port.

        Args:
            network: name or id of a network of the overlay.
        """
        return self._lab.add_guest(name, host=host, network=network)


@contextmanager
def lab(scenario: str, *, mode: str | None = None, name: str | None = None) -> Iterator[RunningLab]:
    """Start a lab, wait until it is ready, and take it down at the end of the block.  Needs root.

    Args:
        scenario: a name of `overlaylab list`, or the path of a .yaml file.
        mode: such as "gre-mesh" or "vxlan-l2pop"; by default the scenario's own configuration.
        name: what the command line calls it; by default a random one.

    Raises:
        OverlayError: the scenario, the mode or this machine does not allow it.
    """
    from topologies.lab import started

    overlay = scenarios.load(scenario).overlay
    with started(with_mode(overlay, parse_mode(mode)) if mode else overlay, name=name) as made:
        yield RunningLab(made)


def load(scenario: str) -> Overlay | Sites:
    """The overlay (or the two sites) that a scenario describes, without a lab.

    Args:
        scenario: a name of `overlaylab list`, or the path of a .yaml file.

    Raises:
        OverlayError: the scenario cannot be read; the message has every error in it.
    """
    return scenarios.load(scenario).described
