"""What is raised for the experiment `migration`, and what theory says of it.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from controller.model.addresses import free_address
from controller.model.enlarge import enlarge
from controller.model.errors import MeasureError
from controller.model.modes import Flooding, Mode, parse_mode
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network, Port
from experiments.core.experiment import by_mode
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Row

HOSTS = 3  # one for the guest that sends, two between which the other one goes
ANNOUNCED, SILENT, UNHEARD = "announced", "silent", "silent, unheard"
UNCACHED = "announced, uncached"
SPEAKING = (ANNOUNCED, UNCACHED)
RESIDENT = "resident"
PURGE = ("ovs-appctl", "revalidator/purge")  # counts the cached flows, and drops them


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One move to come: how the guest goes, and how long is waited before."""

    way: str
    pause_s: float


def three_hosts(overlay: Overlay) -> Overlay:
    """The network of the measured pair, on three hosts, with a resident guest where the pair goes.

    With a resident the network is there before the guest comes, as on a host that is in use.
    """
    bare = narrowed(overlay)
    source, target = guests(bare)
    kept = tuple(host for host in bare.hosts if host.name in {source.host, target.host})
    pair = replace(bare, hosts=kept, ports=(source, target))
    grown = enlarge(pair, HOSTS)
    for host in homes(grown):
        grown = replace(grown, ports=(*grown.ports, _resident(grown, target, host)))
    return grown


def homes(overlay: Overlay) -> tuple[str, ...]:
    """The two hosts between which the guest goes: its own first."""
    source, target = guests(overlay)
    others = (host.name for host in overlay.hosts if host.name not in {source.host, target.host})
    return (target.host, *others)


def _resident(overlay: Overlay, like: Port, host: str) -> Port:
    name = f"{RESIDENT}-{host}"[:40]
    id_ = derived_id(overlay.name, "port", name)
    taken = {ip for port in overlay.ports for ip in port.fixed_ips}
    subnet = next(each for each in overlay.subnets if like.ipv4[0] in each.cidr)
    address = free_address(subnet, taken)
    if address is None:
        raise MeasureError(
            f"no free address in {subnet.cidr}",
            where=f"subnet {subnet.name!r}",
            allowed="two more, for the guests that stay",
            do="Widen its pools.",
        )
    return replace(
        like,
        id=id_,
        name=name,
        device_id=name,
        mac_address=derived_mac(id_),
        host=host,
        fixed_ips=(address,),
    )


def resident_of(overlay: Overlay, host: str) -> Port:
    """The guest that stays on `host`."""
    source, target = guests(overlay)
    stay = (port for port in overlay.ports if port.id not in {source.id, target.id})
    return next(port for port in stay if port.host == host)


def is_told(mode: Mode) -> bool:
    """True if the control plane says where a MAC is; else switches learn it from its frames."""
    return mode.flooding in {Flooding.L2POP, Flooding.L2POP_ARP}


def is_cached(mode: Mode) -> bool:
    """True if it is a flow table that learns where a MAC is: not from a packet that hits the cache."""
    return mode.flooding is Flooding.MESH and not mode.is_kernel


def ways(name: str) -> tuple[str, ...]:
    """How the guest goes: who speaks, what the destination had heard of it, and who has it cached.

    Where switches learn, a sender's own one is wrong, whatever the destination has heard.
    """
    mode = parse_mode(name)
    if is_told(mode):
        return ANNOUNCED, SILENT, UNHEARD
    return (ANNOUNCED, SILENT, UNCACHED) if is_cached(mode) else (ANNOUNCED, SILENT)


def in_turn(mode: str, moves: int, pause_s: float, seed: int) -> tuple[Turn, ...]:
    """The moves of one lab, so many a way, half of them in each direction; drawn by `seed`.

    The pause before a move is drawn too: what ended the one before may have been a clock's
    tick, and the next one would always begin at the same time after that.  None before a silent
    one, whose end is not waited for.
    """
    draw = np.random.default_rng(seed)
    halves = [draw.permutation(np.repeat(ways(mode), moves // 2)) for _ in range(2)]
    order = (str(way) for pair in zip(*halves, strict=True) for way in pair)
    return tuple(
        Turn(way=way, pause_s=0.0 if way == SILENT else round(draw.uniform(0, pause_s), 4))
        for way in order
    )


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Whether a move outlasts the wait, in each mode, announced and silent."""
    return tuple(_cells(points))


def _cells(points: tuple[Point, ...]) -> Iterator[Row]:
    for point in points:
        for way in ways(str(point["mode"])):
            yield {**point, "way": way, "censored": int(way == SILENT)}


def staged(overlay: Overlay, point: Point) -> Overlay:
    """The three hosts in the mode of the point."""
    return by_mode(overlay, point)


def forget(host: Host, network: Network) -> tuple[tuple[str, ...], ...]:
    """The commands by which a host's switch forgets where the network's guests are."""
    if host.mechanism is Mechanism.OPENVSWITCH:
        # First the cached flows: their counters, read later, would teach the bridge anew.
        return PURGE, ("ovs-appctl", "fdb/flush", "br-int")
    return (("ip", "link", "set", f"brq{network.id[:11]}", "type", "bridge", "fdb_flush"),)
