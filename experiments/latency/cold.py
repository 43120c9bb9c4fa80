"""What a first ping may find cold: how each is made so on purpose, and looked up.

`Cold.known` is looked up before the flush, where it must be known, else the level does not
exist in this lab; after it, where it must not be; after the ping, which says whether one was
enough to make it known again; and when all was made warm again for the next.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from controller.model.names import VTEP_BRIDGE, underlay_mac
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Port
from experiments.core.experiment import Lab
from experiments.latency.cold_kernel import (
    KERNEL_AS_RAISED,
    kernel_absent,
    kernel_as_raised,
    kernel_colds,
)
from experiments.latency.paths import Path
from experiments.latency.pings import WARMUP, Pinger
from experiments.measure.ping import Pinged, Requests

AS_RAISED, NOTHING = "everything-as-raised", "nothing"
GUEST_ARP, LEARNED_FLOW = "guest-arp", "learned-flow"
MEGAFLOW, VTEP_NEIGHBOUR = "megaflow", "vtep-neighbour"
DROPPED_S = 0.5  # to wait for an answer that never comes: OVS keeps nothing
FLUSHES_MAX = 5  # of one thing, before it is said to be known all the same
BECAUSE_STATED = "l2population states the far guest's flow, and nothing replaces it while warm"
BECAUSE_UNTUNNELLED = "there is no tunnel"

Look = Callable[..., str]  # node, command: what it said, kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """One thing that can be cold."""

    name: str
    known: Callable[[], bool]
    flush: Callable[[], None]
    restore: Callable[[], None] = lambda: None
    stops_traffic: bool = False  # for some time, so that it comes last
    looks: int = 1  # in a row that must not find it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who pings whom, in which pinger."""

    lab: Lab
    source: Port
    target: Port
    look: Look

    @property
    def overlay(self) -> Overlay:
        """What is raised."""
        return self.lab.overlay

    @property
    def is_tunnelled(self) -> bool:
        """True if a tunnel carries the guests' network."""
        return self.overlay.network_of[self.source.network_id].network_type.is_tunnel

    @property
    def is_kernel(self) -> bool:
        """True if there is no Open vSwitch on the way."""
        return self.overlay.host(self.source.host).mechanism is Mechanism.LINUXBRIDGE

    @property
    def first(self) -> str:
        """What the first ping of a fresh lab is called."""
        return KERNEL_AS_RAISED if self.is_kernel else AS_RAISED

    @property
    def is_learned(self) -> bool:
        """True if only a learned flow knows where the far guest is."""
        return self.is_tunnelled and not self.overlay.host(self.source.host).l2_population

    @property
    def hosts(self) -> tuple[str, str]:
        """The two compute hosts, the pinging guest's first."""
        return self.source.host, self.target.host

    @property
    def far_vtep(self) -> str:
        """The address of the VTEP that the source's host sends to."""
        return str(self.overlay.host(self.target.host).local_ip)

    def is_arp_known(self) -> bool:
        """True if the source has the target's MAC; an entry that failed or is asked for has none."""
        report = self.look(self.source.device_id, "ip", "-4", "neigh", "show", "dev", "eth0")
        lines = (line.split() for line in report.splitlines())
        return any(words[0] == str(self.target.ipv4[0]) and "lladdr" in words for words in lines)

    def is_in_table_20(self) -> bool:
        """True if the source's br-tun knows the target's VTEP, told by l2population or learned."""
        return self.target.mac_address in self.look(self.source.host, *_table_20("dump-flows"))

    def has_megaflow(self) -> bool:
        """True if a datapath forwards from one guest to the other without asking OpenFlow."""
        ends = (self.source.mac_address, self.target.mac_address)
        pairs = (f"eth(src={one},dst={other})" for one, other in (ends, ends[::-1]))
        report = "".join(
            self.look(host, "ovs-appctl", "dpctl/dump-flows", "-m") for host in self.hosts
        )
        return any(pair in report for pair in pairs)

    def is_vtep_known(self) -> bool:
        """True if the source's host has the MAC of the far VTEP."""
        report = self.look(self.source.host, "ovs-appctl", "tnl/neigh/show")
        return any(line.split()[:1] == [self.far_vtep] for line in report.splitlines())

    def rouse(self) -> None:
        """Speak to both daemons, so that none was asleep for longer than another's ping found it."""
        for host in () if self.is_kernel else self.hosts:
            self.look(host, "ovs-appctl", "version")

    def as_raised(self) -> dict[str, object]:
        """What the first ping of all will find already known."""
        if self.is_kernel:
            return kernel_as_raised(self)
        found: dict[str, object] = {
            "guest_arp_known": self.is_arp_known(),
            "megaflow_between_guests": self.has_megaflow(),
        }
        if not self.is_tunnelled:
            return found
        return {
            **found,
            "far_guest_in_table_20": self.is_in_table_20(),
            "vtep_neighbour_known": self.is_vtep_known(),
        }


def colds(scene: Scene) -> Iterator[Cold]:
    """What can be cold in this pinger, the VTEP's neighbour last: a flush of it stops all traffic."""
    if scene.is_kernel:
        yield from kernel_colds(scene)
        return
    source, near = scene.source, scene.source.host

    def run(node: str, *argv: str) -> None:
        scene.lab.run(node, *argv)

    yield Cold(
        name=GUEST_ARP,
        known=scene.is_arp_known,
        flush=lambda: run(source.device_id, "ip", "-4", "neigh", "flush", "dev", "eth0"),
    )
    if scene.is_learned:
        yield Cold(
            name=LEARNED_FLOW,
            known=scene.is_in_table_20,
            flush=lambda: run(near, *_table_20("del-flows", scene.target)),
            restore=lambda: _forget_flows(scene, [near]),  # the answer to an upcall is learned
            looks=2,  # revalidators learn it again, from replies they had not counted yet
        )
    yield Cold(
        name=MEGAFLOW, known=scene.has_megaflow, flush=lambda: _forget_flows(scene, scene.hosts)
    )
    if scene.is_tunnelled:
        yield Cold(
            name=VTEP_NEIGHBOUR,
            known=scene.is_vtep_known,
            flush=lambda: _forget_vteps(scene),
            restore=lambda: _tell_vteps(scene),
            stops_traffic=True,
        )


def absent(scene: Scene) -> Mapping[str, str]:
    """Why a level has no samples in this pinger."""
    if scene.is_kernel:
        return kernel_absent(scene)
    if not scene.is_tunnelled:
        return {LEARNED_FLOW: BECAUSE_UNTUNNELLED, VTEP_NEIGHBOUR: BECAUSE_UNTUNNELLED}
    return {} if scene.is_learned else {LEARNED_FLOW: BECAUSE_STATED}


def emptied(
    cold: Cold, ping: Callable[[], object], warm_again: Callable[[], object]
) -> dict[str, object]:
    """One ping right after a flush that was seen to work, and what was looked up around it.

    No ping if it was not cold: `why_not` says what was found instead.
    """
    if not cold.known():
        return {"why_not": "not known before the flush"}
    flushes = _flushed(cold)
    if not flushes:
        return {"why_not": f"known after each of {FLUSHES_MAX} flushes"}
    try:
        ping()
        after = cold.known()
    finally:
        cold.restore()
    warm_again()
    return {"flushes": flushes, "known_after_ping": after, "known_when_warm_again": cold.known()}


def _flushed(cold: Cold) -> int:
    """How many flushes it took until it was not known; 0: it still is.

    A guest's own chatter makes it known again at any moment, so one may not be enough.
    """
    for flushes in range(1, FLUSHES_MAX + 1):
        cold.flush()
        if not any(cold.known() for _ in range(cold.looks)):
            return flushes
    return 0


def _table_20(command: str, target: Port | None = None) -> tuple[str, ...]:
    """Neutron's UCAST_TO_TUN: the FDB of br-tun."""
    to = f",dl_dst={target.mac_address}" if target else ""
    return ("ovs-ofctl", command, "br-tun", f"table=20{to}")


def _forget_flows(scene: Scene, hosts: Iterable[str]) -> None:
    """As the revalidators do, with their own notes of the flows.

    `dpctl/del-flows` takes them from the datapath alone; as long as the notes stand, half a
    second or so, no new ones are made and every packet is an upcall (`ukey_install` refuses).
    """
    for host in hosts:
        scene.lab.run(host, "ovs-appctl", "revalidator/purge")


def _forget_vteps(scene: Scene) -> None:
    """Without megaflows, too: they carry the MAC, and OVS asks anew for those it revalidates.

    One that passes ARP replies on to br-vtep would also hide the answer from OVS, which learns
    from upcalls alone: a black hole for as long as guests go on sending.
    """
    near = scene.source.host
    _forget_flows(scene, [near])
    scene.lab.run(near, "ovs-appctl", "tnl/neigh/flush")


def _tell_vteps(scene: Scene) -> None:
    """As the lab did when it was raised: every VTEP's MAC, before the first packet."""
    near = scene.source.host
    for other in scene.overlay.hosts:
        if other.name != near:
            report = (VTEP_BRIDGE, str(other.local_ip), underlay_mac(other.local_ip))
            scene.lab.run(near, "ovs-appctl", "tnl/neigh/set", *report)


@dataclass(frozen=True, slots=True)
class FirstPings:
    """Pings of a process each, with one thing cold each."""

    pinger: Pinger
    path: Path
    scene: Scene
    one: Requests  # a single request
    found: dict[str, list[object]] = field(default_factory=dict)

    def each_level(
        self, repeats: int, repeats_of_stops: int, *, turn: int
    ) -> Mapping[str, list[object]]:
        """Ping for every level of the lab; what was looked up round each ping, by level.

        `turn`: with which level a round begins, so that none is always the first.
        """
        levels = tuple(colds(self.scene))
        calm = [cold for cold in levels if not cold.stops_traffic]
        ways: list[Callable[[int], object]] = [
            partial(self._ping, NOTHING),
            *(partial(self._chill, cold) for cold in calm),
        ]
        for time in range(1, repeats + 1):
            first = (turn + time) % len(ways)
            for way in (*ways[first:], *ways[:first]):
                way(time)
        for time in range(1, repeats_of_stops + 1):
            for cold in levels:
                if cold.stops_traffic:
                    self._chill(cold, time)
        return self.found

    def _chill(self, cold: Cold, time: int) -> None:
        once = partial(self._drop if cold.stops_traffic else self._ping, cold.name, time)
        warm_again = partial(self.pinger.ping, self.path, WARMUP, self.one)
        self.found.setdefault(cold.name, []).append(emptied(cold, once, warm_again))

    def _ping(self, name: str, time: int) -> Pinged:
        self.scene.rouse()
        return self.pinger.ping_once(self.path, name, time, self.one)

    def _drop(self, name: str, time: int) -> Pinged:
        """At once: anything a guest says meanwhile would have OVS ask for the VTEP."""
        return self.pinger.ping_once(self.path, name, time, replace(self.one, wait_s=DROPPED_S))
