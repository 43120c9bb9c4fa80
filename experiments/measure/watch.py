"""Watches the machine and the lab while something is measured.

Counters are read before and after, from files and sockets; the only process is the control
ping.  Nothing is read in between.  A window costs 10 to 40 ms with 2 compute hosts and 40 to
150 ms with 16, depending on the load.  The first window of a lab also creates the control's wire.
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import sysconf
from pathlib import Path
from typing import TypeVar

from controller.model.check_underlay import router_names
from controller.model.names import UNDERLAY
from controller.model.parts import Mechanism
from controller.model.sites import Sites
from experiments.core.experiment import Lab, described
from experiments.core.verdict import Window
from experiments.measure import netlink
from experiments.measure import watch_counts as counts
from experiments.measure.namespace import look_into
from experiments.measure.others import foreign_ticks
from experiments.measure.watch_control import Control, start_control
from topologies.nodes import unixctl

VSWITCHD = "ovs-vswitchd"
PIDFILE = f"run/openvswitch/{VSWITCHD}.pid"
PLACES_NAMED = 5  # those that lost most
TICKS_PER_S = sysconf("SC_CLK_TCK")
CONTROL = ("control_median_ms", "control_lost")
OF_OVS = ("vswitchd_load", "lost_upcalls")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Pulse:
    """Processor time at one moment; None: it could not be read."""

    moment_s: float
    cpu: tuple[int, ...] | None
    ticks: Mapping[str, int] | None  # of the ovs-vswitchd of each host
    others: Mapping[int, int] | None  # of other programs, by pid


@dataclass(frozen=True, slots=True)
class Losses:
    """Counters of the lab at one moment; None: they could not be read."""

    upcalls: counts.Counts | None
    drops: counts.Counts | None


@dataclass(slots=True)
class Attempts:
    """Keeps why a figure could not be read: a failure of the watch does not end the run."""

    unseen: dict[str, str] = field(default_factory=dict)  # by the field of `Window`

    def at(self, look: Callable[[], Found], *figures: str) -> Found | None:
        """The result of `look`; None if it fails: then these figures are missing."""
        try:
            return look()
        except Exception as error:  # noqa: BLE001  any failure is in the verdict
            for figure in figures:
                self.unseen.setdefault(figure, f"{type(error).__name__}: {error}")
            return None


class Watcher:
    """Watches one lab; `windows` has the results in order, `counted` those of `counting`.

    In a lab whose nodes are not processes (pid 0, as in tests) only the machine is watched.
    """

    def __init__(self, lab: Lab, stat: Path = Path("/proc/stat")) -> None:
        self.lab, self._stat = lab, stat
        self.windows: list[Window] = []
        self.counted: list[Window] = []

    @contextmanager
    def window(self) -> Iterator[None]:
        """Watch while the block runs; if it raises, no window is added.  Windows may nest."""
        with self._watching(self.windows):
            yield

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Like `window`, for a block in which something is counted and nothing is timed."""
        with self._watching(self.counted):
            yield

    @contextmanager
    def _watching(self, windows: list[Window]) -> Iterator[None]:
        tries = Attempts()
        end_control = tries.at(lambda: start_control(self.lab) if self._hosts else None, *CONTROL)
        control: Control | None = None
        try:
            # Processor time is read last before the block and first after it, so it is that of the block.
            losses, pulse = self._losses(tries), self._pulse(tries)
            yield
            later, lost_later = self._pulse(tries), self._losses(tries)
        finally:
            if end_control:
                control = tries.at(end_control, *CONTROL)
        window = Window(
            unseen=tries.unseen,
            # Without OVS a lab cannot have the figures of OVS.
            absent=OF_OVS if self._hosts and not self._switches else (),
            control_lost=control.lost if control else None,
            control_median_ms=control.median_ms if control else None,
        )
        windows.append(with_losses(with_pulse(window, pulse, later), losses, lost_later))

    def _pids(self, names: Iterable[str]) -> dict[str, int]:
        return {name: self.lab.pid(name) for name in names}

    @cached_property
    def _hosts(self) -> dict[str, int]:
        """Compute hosts by name, with a process in the namespaces of each."""
        pids = self._pids(host.name for host in described(self.lab).hosts)
        return pids if all(pids.values()) else {}

    @cached_property
    def _switches(self) -> dict[str, int]:
        """The hosts with Open vSwitch."""
        hosts = described(self.lab).host_of
        return self._pids(
            name for name in self._hosts if hosts[name].mechanism is Mechanism.OPENVSWITCH
        )

    @cached_property
    def _guests(self) -> dict[str, int]:
        about = described(self.lab)
        if isinstance(about, Sites):
            return self._pids(station.name for station in about.stations)
        return self._pids(sorted({port.device_id for port in about.ports if port.host} - {""}))

    @property
    def _between(self) -> dict[str, int]:
        """The nodes that forward packets between the hosts."""
        about = described(self.lab)
        routers = about.routers if isinstance(about, Sites) else router_names(about)
        return self._pids(routers or (UNDERLAY,))

    @cached_property
    def _daemons(self) -> dict[str, int]:
        return {
            host: int(Path(f"/proc/{pid}/root", PIDFILE).read_text())
            for host, pid in self._switches.items()
        }

    def _pulse(self, tries: Attempts) -> Pulse:
        return Pulse(
            cpu=tries.at(lambda: counts.parse_cpu(self._stat.read_text()), "cpu_idle", "cpu_steal"),
            ticks=tries.at(self._ticks, "vswitchd_load"),
            others=tries.at(foreign_ticks, "cpu_others"),
            moment_s=time.monotonic(),
        )

    def _losses(self, tries: Attempts) -> Losses:
        return Losses(
            upcalls=tries.at(self._lost_upcalls, "lost_upcalls"),
            drops=tries.at(self._drops, "drops", "overflows"),
        )

    def _ticks(self) -> dict[str, int]:
        return {
            host: counts.parse_ticks(Path(f"/proc/{pid}/stat").read_text())
            for host, pid in self._daemons.items()
        }

    def _lost_upcalls(self) -> counts.Counts | None:
        if not self._switches:
            return None
        return {
            (host, 0): counts.parse_lost(unixctl.ask(pid, VSWITCHD, "dpctl/show"))
            for host, pid in self._switches.items()
        }

    def _drops(self) -> counts.Counts | None:
        if not self._hosts:
            return None
        nodes = {**self._hosts, **self._guests, **self._between}
        found = {counts.BACKLOG: counts.parse_backlog(Path("/proc/net/softnet_stat").read_text())}
        for node, seen in look_into(nodes, discarded).items():
            found |= counts.kernel_counts(node, seen, is_guest=node in self._guests)
        for host, pid in self._switches.items():
            coverage = unixctl.ask(pid, VSWITCHD, "coverage/show")
            found |= counts.datapath_counts(host, coverage)
        return found


def discarded(pid: int) -> counts.Discarded:
    """The packets dropped in the network namespace of this thread, which is that of `pid`."""
    sockets = netlink.ask(netlink.SOCK_DIAG, netlink.PACKET_SOCKETS)
    return counts.Discarded(
        names=dict(socket.if_nameindex()),
        sockets=tuple(netlink.parse_packet_sockets(sockets)),
        queues=tuple(netlink.parse_queues(netlink.ask(netlink.ROUTE, netlink.QUEUES))),
        devices=Path(f"/proc/{pid}/net/dev").read_text(),
    )


def with_pulse(window: Window, before: Pulse, after: Pulse) -> Window:
    """The window with the processor time used between two moments."""
    length_s = after.moment_s - before.moment_s
    window = replace(window, length_s=round(length_s, 4))
    if before.cpu and after.cpu and (parts := counts.cpu_fractions(before.cpu, after.cpu)):
        window = replace(window, cpu_idle=parts["idle"], cpu_steal=parts["steal"])
    if before.cpu and after.cpu and before.others is not None and after.others is not None:
        others = counts.foreign_share(before.others, after.others, (before.cpu, after.cpu))
        window = replace(window, cpu_others=others)
    if before.ticks and after.ticks:
        spent = {host: after.ticks[host] - count for host, count in before.ticks.items()}
        busiest = max(spent, key=lambda host: spent[host])
        load = round(spent[busiest] / TICKS_PER_S / length_s, 4)
        window = replace(window, vswitchd_load=load, busiest=busiest)
    return window


def with_losses(window: Window, before: Losses, after: Losses) -> Window:
    """The window with the losses between two moments."""
    if before.upcalls is not None and after.upcalls is not None:
        lost = counts.added(before.upcalls, after.upcalls)
        window = replace(window, lost_upcalls=sum(lost.values()), lost_by=named(lost))
    if before.drops is not None and after.drops is not None:
        drops = counts.without_double_count(counts.added(before.drops, after.drops))
        full = counts.overflows(drops)
        window = replace(
            window,
            drops=sum(drops.values()),
            dropped_by=named(drops),
            overflows=sum(full.values()),
            overflowed_by=named(full),
        )
    return window


def named(places: Mapping[str, int]) -> tuple[str, ...]:
    """The places that lost most, with their counts."""
    return tuple(f"{place} ({count})" for place, count in list(places.items())[:PLACES_NAMED])
