"""The caches that a first ping may find empty: how each is looked up, emptied and filled again.

`Cache.is_filled` is checked four times: before the flush, where a cache that is not filled does
not exist in this lab; after it; after the ping, to see whether one ping was enough to fill it;
and after the pings that fill it for the next measurement.

Without Open vSwitch there are no megaflows and no learned flows.  Kernel VXLAN queues packets
while it resolves a VTEP's MAC, and the lab sets all of these MACs at its start.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from controller.model.names import VTEP_BRIDGE, underlay_mac, vxlan_name
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism, Network, Port
from experiments.latency import words
from experiments.latency.pings import Pinger, guest_path
from experiments.measure.ping import Requests

DROPPED_S = 0.5  # to wait for a reply that is not expected: OVS drops the request
FLUSHES_MAX = 5
TABLE_20 = "table=20"  # of br-tun: its FDB (Neutron's UCAST_TO_TUN)
L2POP_FLOW = "l2population installs the far guest's flow, and pings do not replace it"
L2POP_FDB = "l2population sets the far guest's FDB entry, and the device does not learn"
NO_TUNNEL = "there is no tunnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """One cache that can be emptied."""

    name: str
    is_filled: Callable[[], bool]
    flush: Callable[[], None]
    restore: Callable[[], None] = lambda: None
    stops_traffic: bool = False  # for some time after the flush, so it is measured last
    checks: int = 1  # in a row that must find it empty


@dataclass(frozen=True, slots=True)
class Scene:
    """The two guests of a lab between which pings go."""

    pinger: Pinger
    source: Port
    target: Port

    @property
    def overlay(self) -> Overlay:
        """The overlay of the lab."""
        return self.pinger.lab.overlay

    @property
    def network(self) -> Network:
        """The guests' network."""
        return self.overlay.network_of[self.source.network_id]

    @property
    def is_tunnelled(self) -> bool:
        """True if the guests' network uses a tunnel."""
        return self.network.network_type.is_tunnel

    @property
    def is_kernel(self) -> bool:
        """True if the path has Linux bridges instead of Open vSwitch."""
        return self.overlay.host(self.source.host).mechanism is Mechanism.LINUXBRIDGE

    @property
    def new_lab(self) -> str:
        """The name of the first ping of all."""
        return words.KERNEL_NEW_LAB if self.is_kernel else words.NEW_LAB

    @property
    def is_learned(self) -> bool:
        """True if the far guest's location is known only by learning."""
        return self.is_tunnelled and not self.overlay.host(self.source.host).l2_population

    @property
    def hosts(self) -> tuple[str, str]:
        """The two compute hosts, the pinging guest's first."""
        return self.source.host, self.target.host

    @property
    def far_vtep(self) -> str:
        """The address of the target host's VTEP."""
        return str(self.overlay.host(self.target.host).local_ip)

    @property
    def vxlan_device(self) -> str:
        """The kernel's VXLAN device of the guests' network."""
        return vxlan_name(self.network.segmentation_id or 0)

    def is_arp_known(self) -> bool:
        """True if the source has the target's MAC; failed and incomplete entries have none."""
        lines = self._fields(self.source.device_id, "ip", "-4", "neigh", "show", "dev", "eth0")
        return any(each[0] == str(self.target.ipv4[0]) and "lladdr" in each for each in lines)

    def is_in_table_20(self) -> bool:
        """True if the source's br-tun has a flow to the target, from l2population or learned."""
        flows = self.look(self.source.host, "ovs-ofctl", "dump-flows", "br-tun", TABLE_20)
        return self.target.mac_address in flows

    def is_in_fdb(self) -> bool:
        """True if the source's VXLAN device has an FDB entry for the target."""
        lines = self._fields(self.source.host, "bridge", "fdb", "show", "dev", self.vxlan_device)
        return any(each[0] == self.target.mac_address and "dst" in each for each in lines)

    def has_megaflow(self) -> bool:
        """True if either datapath has a megaflow between the guests."""
        ends = (self.source.mac_address, self.target.mac_address)
        pairs = (f"eth(src={one},dst={other})" for one, other in (ends, ends[::-1]))
        dump = ("ovs-appctl", "dpctl/dump-flows", "-m")
        flows = "".join(self.look(host, *dump) for host in self.hosts)
        return any(pair in flows for pair in pairs)

    def is_vtep_known(self) -> bool:
        """True if the source's host has the MAC of the far VTEP."""
        lines = self._fields(self.source.host, "ovs-appctl", "tnl/neigh/show")
        return any(each[0] == self.far_vtep for each in lines)

    def run(self, node: str, *argv: str) -> None:
        """Run a command that changes something."""
        self.pinger.lab.run(node, *argv)

    def look(self, node: str, *argv: str) -> str:
        """The output of a command that changes nothing, which is kept."""
        return self.pinger.look(node, *argv)

    def _fields(self, node: str, *argv: str) -> Iterator[list[str]]:
        """The lines of a command's output, split at blanks; without empty ones."""
        return filter(None, map(str.split, self.look(node, *argv).splitlines()))

    def wake_daemons(self) -> None:
        """Send a command to both daemons, so that neither has slept longer before one ping."""
        for host in () if self.is_kernel else self.hosts:
            self.look(host, "ovs-appctl", "version")

    def known_at_start(self) -> dict[str, object]:
        """Which caches are filled before the first ping."""
        found: dict[str, object] = {"guest_arp_known": self.is_arp_known()}
        if self.is_kernel:
            return {**found, "far_guest_in_fdb": self.is_in_fdb()}
        found["megaflow_between_guests"] = self.has_megaflow()
        if self.is_tunnelled:
            found["far_guest_in_table_20"] = self.is_in_table_20()
            found["vtep_neighbour_known"] = self.is_vtep_known()
        return found


def caches(scene: Scene) -> Iterator[Cache]:
    """The caches of this lab; the VTEP neighbour is last, since its flush stops all traffic."""
    near, mac, run = scene.source.host, scene.target.mac_address, scene.run
    yield Cache(
        name=words.KERNEL_ARP if scene.is_kernel else words.GUEST_ARP,
        is_filled=scene.is_arp_known,
        flush=lambda: run(scene.source.device_id, "ip", "-4", "neigh", "flush", "dev", "eth0"),
    )
    if scene.is_kernel:
        if scene.is_learned:
            entry = (mac, "dev", scene.vxlan_device, "dst", scene.far_vtep)
            yield Cache(
                name=words.KERNEL_FDB,
                is_filled=scene.is_in_fdb,
                flush=lambda: run(near, "bridge", "fdb", "del", *entry),
            )
        return
    if scene.is_learned:
        yield Cache(
            name=words.LEARNED_FLOW,
            is_filled=scene.is_in_table_20,
            flush=lambda: run(near, "ovs-ofctl", "del-flows", "br-tun", f"{TABLE_20},dl_dst={mac}"),
            restore=partial(_purge_flows, scene, [near]),  # so that a reply is an upcall: it learns
            checks=2,  # revalidators learn it again from replies that they had not yet counted
        )
    yield Cache(
        name=words.MEGAFLOW,
        is_filled=scene.has_megaflow,
        flush=partial(_purge_flows, scene, scene.hosts),
    )
    if scene.is_tunnelled:
        yield Cache(
            name=words.VTEP_NEIGHBOUR,
            is_filled=scene.is_vtep_known,
            flush=partial(_flush_vteps, scene),
            restore=partial(_set_vteps, scene),
            stops_traffic=True,
        )


def absent(scene: Scene) -> Mapping[str, str]:
    """Caches that this lab does not have, with the reason."""
    if scene.is_kernel:
        return {} if scene.is_learned else {words.KERNEL_FDB: L2POP_FDB}
    if not scene.is_tunnelled:
        return {words.LEARNED_FLOW: NO_TUNNEL, words.VTEP_NEIGHBOUR: NO_TUNNEL}
    return {} if scene.is_learned else {words.LEARNED_FLOW: L2POP_FLOW}


def ping_when_empty(
    cache: Cache, ping: Callable[[], object], refill: Callable[[], object]
) -> dict[str, object]:
    """Empty a cache and ping once; what was found before and after, for run.json.

    Without a ping if the cache was not filled or could not be emptied: see `why_not`.
    """
    if not cache.is_filled():
        return {"why_not": "not known before the flush"}
    flushes = 0
    # Guests send packets unasked, which may fill it again at any time.
    while not flushes or any(cache.is_filled() for _ in range(cache.checks)):
        if flushes == FLUSHES_MAX:
            return {"why_not": f"known after each of {FLUSHES_MAX} flushes"}
        cache.flush()
        flushes += 1
    try:
        ping()
        after = cache.is_filled()
    finally:
        cache.restore()
    refill()
    return {"flushes": flushes, "known_after_ping": after, "known_after_refill": cache.is_filled()}


def _purge_flows(scene: Scene, hosts: Iterable[str]) -> None:
    """Delete megaflows with the revalidators' own records (ukeys) of them.

    `dpctl/del-flows` deletes them from the datapath only; while the ukeys exist, for about half
    a second, `ukey_install` refuses new ones and every packet is an upcall.
    """
    for host in hosts:
        scene.run(host, "ovs-appctl", "revalidator/purge")


def _flush_vteps(scene: Scene) -> None:
    """Delete the MACs of all VTEPs, after the megaflows, which contain them.

    OVS sends ARP requests for the megaflows that it revalidates.  A megaflow that forwards ARP
    replies to br-vtep would also hide them from OVS, which learns from upcalls only: all packets
    would be dropped for as long as guests send any.
    """
    _purge_flows(scene, [scene.source.host])
    scene.run(scene.source.host, "ovs-appctl", "tnl/neigh/flush")


def _set_vteps(scene: Scene) -> None:
    """Set the MACs of all VTEPs, as the lab did at its start."""
    near = scene.source.host
    for other in scene.overlay.hosts:
        if other.name != near:
            entry = (VTEP_BRIDGE, str(other.local_ip), underlay_mac(other.local_ip))
            scene.run(near, "ovs-appctl", "tnl/neigh/set", *entry)


def first_pings(
    scene: Scene, one: Requests, repeats: int, repeats_of_stops: int, *, turn: int
) -> Mapping[str, Sequence[object]]:
    """Ping with each cache empty and with none; for each cache, what `ping_when_empty` found.

    Args:
        one: a single request; each is sent by a process of its own.
        repeats_of_stops: for caches whose flush stops traffic.
        turn: rotates the order, so that no cache is always the first.
    """
    every = tuple(caches(scene))
    ways = (None, *(each for each in every if not each.stops_traffic))  # None: no cache
    turns: list[tuple[Cache | None, int]] = []
    for time in range(1, repeats + 1):
        first = (turn + time) % len(ways)
        turns += [(cache, time) for cache in (*ways[first:], *ways[:first])]
    for time in range(1, repeats_of_stops + 1):
        turns += [(cache, time) for cache in every if cache.stops_traffic]
    path = guest_path((scene.source, scene.target))

    def ping(name: str, time: int, *, is_dropped: bool = False) -> None:
        # If dropped, at once: any packet from a guest makes OVS send an ARP request for the VTEP.
        if not is_dropped:
            scene.wake_daemons()
        asked = replace(one, wait_s=DROPPED_S) if is_dropped else one
        scene.pinger.ping_once(path, name, time, asked)

    refill = partial(scene.pinger.ping, path, words.WARMUP, one)
    found: dict[str, list[object]] = {}
    for cache, time in turns:
        if cache is None:
            ping(words.NO_CACHE, time)
        else:
            once = partial(ping, cache.name, time, is_dropped=cache.stops_traffic)
            found.setdefault(cache.name, []).append(ping_when_empty(cache, once, refill))
    return found
