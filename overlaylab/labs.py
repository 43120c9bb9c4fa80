"""A running lab for Python: every answer is a DataFrame or prints as text."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import polars as pl

from controller.model.addresses import next_address
from controller.model.errors import UsageError
from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from experiments.cli.trace_text import as_text
from experiments.measure.ping import Requests
from topologies.lab import Lab, started
from topologies.lab.capture import capture
from topologies.scenario.load import load
from topologies.trace.course import Course
from topologies.trace.trace import installed_flows, trace_frame

FrameKind = Literal["arp", "ping", "broadcast"]


@dataclass(frozen=True, slots=True)
class Trace:
    """The path of one frame: prints as text, shows as a table in a notebook."""

    course: Course

    @property
    def delivered(self) -> bool:
        """Whether the frame reaches its target."""
        return self.course.delivered

    @property
    def steps(self) -> pl.DataFrame:
        """Every table on the path: host, bridge, table, name, flow, why."""
        rows = [
            (stage.host, stage.bridge, step.table, step.name, step.flow, step.why)
            for stage in (*self.course.near, *self.course.far)
            for step in stage.steps
        ]
        schema = ["host", "bridge", "table", "name", "flow", "why"]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __str__(self) -> str:
        return as_text(self.course)

    def _repr_html_(self) -> str:
        title = html.escape(f"{self.course.source} to {self.course.target}: {self.course.end}")
        with pl.Config(tbl_rows=-1, fmt_str_lengths=400, tbl_hide_dataframe_shape=True):
            return f"<p><b>{title}</b></p>{self.steps._repr_html_()}"


class RunningLab:
    """A lab that is running; it ends with the `with` block of `lab`."""

    def __init__(self, lab: Lab) -> None:
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
        argv = requests.argv(self._address_of(target))
        printed = self._lab.attempt(source, *argv, timeout_s=requests.timeout_s).stdout
        rows = [(reply.seq, reply.rtt_ms) for reply in requests.read(printed).replies]
        schema = {"seq": pl.Int64, "rtt_ms": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _address_of(self, target: str) -> str:
        for port in self.overlay.ports:
            if port.device_id == target and port.fixed_ips:
                return str(port.fixed_ips[0])
        try:
            return str(ip_address(target))
        except ValueError:
            raise UsageError(
                repr(target),
                where=f"lab {self.name!r}",
                allowed=", ".join(dict.fromkeys(port.device_id for port in self.overlay.ports)),
                do="Name a guest with an address, or give an IP address.",
            ) from None

    def flows(self, host: str, bridge: str) -> pl.DataFrame:
        """The flows a bridge has now: table, priority, match, actions, why."""
        return pl.DataFrame([asdict(flow) for flow in installed_flows(self._lab, host, bridge)])

    def trace(self, source: str, target: str, frame: FrameKind = "ping") -> Trace:
        """Follow one frame from guest to guest, table by table; nothing is sent."""
        return Trace(trace_frame(self._lab, source, target, frame))

    def capture(self, node: str, interface: str, file: str | Path, *, seconds: float) -> Path:
        """Capture the packets of an interface for some seconds into a pcapng file."""
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
        networks = {each.name: each.id for each in self.overlay.networks}
        port = {
            "network_id": networks.get(network, network),
            "name": name,
            "device_id": name,
            "binding:host_id": host,
        }
        made = self._lab.api("POST", "/v2.0/ports", {"port": port})["port"]
        self._lab.plug(made["id"])
        return str(made["id"])


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
    overlay = load(scenario).overlay
    with started(with_mode(overlay, parse_mode(mode)) if mode else overlay, name=name) as made:
        yield RunningLab(made)
