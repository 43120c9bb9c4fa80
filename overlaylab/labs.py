"""A running lab for Python: every answer is a DataFrame or prints as text.

What needs Mininet is imported where it is used, so that runs can be read on any machine.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from controller.model.enlarge import varied
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
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

    def add_host(self, name: str, local_ip: str = "", *, like: str = "") -> Host:
        """Start one more compute host and return it; its tunnels are up then.

        Args:
            local_ip: address of its VTEP; by default the next free one.
            like: the host whose agent options it gets; by default the last one.

        Raises:
            OverlayError: the lab cannot have it; nothing of it is left.
        """
        return self._lab.add_new_host(name, local_ip=local_ip, like=like)

    def remove_host(self, name: str, *, with_servers: bool = False) -> None:
        """Remove a compute host.

        Raises:
            OverlayError: there is no such host, it is the last one, or servers are on it and
                `with_servers` is false.
        """
        self._lab.remove_host(name, with_servers=with_servers)

    def add_server(
        self, name: str, *, host: str, network: str, ip: str | Iterable[str] = (), mac: str = ""
    ) -> Port:
        """Start a server and return its port; the others on its network can ping it then.

        Args:
            network: name or id of a network of the overlay.
            ip: its address, or several; by default the first free one of each IP version.
            mac: by default made from its name, as in a scenario.

        Raises:
            OverlayError: the lab cannot have it; nothing of it is left.
        """
        ips = (ip,) if isinstance(ip, str) else tuple(ip)
        return self._lab.add_server(
            name, host=host, network=network, fixed_ips=ips, mac_address=mac
        )

    def remove_server(self, name: str) -> None:
        """Remove a server and its port.

        Raises:
            OverlayError: there is no such server.
        """
        self._lab.remove_server(name)

    def plug(self, name: str, *, host: str, network: str) -> str:
        """The same as `add_server`, which is newer; returns the id of the port only."""
        return self.add_server(name, host=host, network=network).id


@contextmanager
def lab(
    scenario: str,
    *,
    mode: str | None = None,
    hosts: int | None = None,
    mtu: int | None = None,
    name: str | None = None,
) -> Iterator[RunningLab]:
    """Start a lab, wait until it is ready, and take it down at the end of the block.  Needs root.

    Args:
        scenario: a name of `overlaylab list`, or the path of a .yaml file.
        mode: such as "gre-mesh" or "vxlan-l2pop"; by default the scenario's own configuration.
        hosts: compute hosts; the first ones of the scenario, or more, each with a server.
        mtu: of the underlay [bytes]; networks without an `mtu` of their own follow it.
        name: what the command line calls it; by default a random one.

    Raises:
        OverlayError: the scenario, the mode or this machine does not allow it.
    """
    from topologies.lab import started

    overlay = varied(scenarios.load(scenario).overlay, mode=mode, hosts=hosts, mtu=mtu)
    with started(overlay, name=name) as made:
        yield RunningLab(made)


def load(scenario: str) -> Overlay | Sites:
    """The overlay (or the two sites) that a scenario describes, without a lab.

    Args:
        scenario: a name of `overlaylab list`, or the path of a .yaml file.

    Raises:
        OverlayError: the scenario cannot be read; the message has every error in it.
    """
    return scenarios.load(scenario).described
