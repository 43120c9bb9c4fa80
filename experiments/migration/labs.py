"""The labs of `migration`, its moves, and what theory predicts.  Pure."""

from dataclasses import replace

import numpy as np

from controller.model.enlarge import enlarge
from controller.model.modes import Flooding, parse_mode
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network, Port
from experiments.core.pairs import guests, narrowed, with_guest
from experiments.core.question import Point, Row
from experiments.migration.words import FLUSHED, UNKNOWN, WITH, WITHOUT

HOSTS = 3  # one for the sender, two between which the other guest moves
RESIDENT = "resident"
PURGE = ("ovs-appctl", "revalidator/purge")  # reads the counters of megaflows, and deletes them


def three_hosts(overlay: Overlay) -> Overlay:
    """The network of the measured pair on three hosts; both hosts of the move have a resident guest.

    With a resident guest a host has the network before the other arrives, as in production.
    """
    bare = narrowed(overlay)
    source, target = guests(bare)
    kept = tuple(host for host in bare.hosts if host.name in {source.host, target.host})
    pair = replace(bare, hosts=kept, ports=(source, target))
    grown = enlarge(pair, HOSTS)
    for host in homes(grown):
        grown = with_guest(grown, target, host, f"{RESIDENT}-{host}")
    return grown


def homes(overlay: Overlay) -> tuple[str, ...]:
    """The two hosts between which the guest moves, its own first."""
    source, target = guests(overlay)
    others = (host.name for host in overlay.hosts if host.name not in {source.host, target.host})
    return (target.host, *others)


def resident_of(overlay: Overlay, host: str) -> Port:
    """The resident guest of `host`."""
    source, target = guests(overlay)
    stay = (port for port in overlay.ports if port.id not in {source.id, target.id})
    return next(port for port in stay if port.host == host)


def ways(name: str) -> tuple[str, ...]:
    """The kinds of moves in a mode.

    UNKNOWN is for l2population only, where the server sends the location of the MAC: where switches
    learn it, the entry of the sender's is wrong anyway.  FLUSHED is for flow tables that learn MACs,
    which do not see packets that match a megaflow.
    """
    mode = parse_mode(name)
    if mode.flooding in {Flooding.L2POP, Flooding.L2POP_ARP}:
        return WITH, WITHOUT, UNKNOWN
    if mode.flooding is Flooding.MESH and not mode.is_kernel:
        return WITH, WITHOUT, FLUSHED
    return WITH, WITHOUT


def in_turn(mode: str, moves: int, pause_s: float, seed: int) -> tuple[tuple[str, float], ...]:
    """The moves of one lab in a random order: `moves` of each kind, half of them in each direction.

    Each is a kind and the pause before it [s], at most `pause_s`.

    The pause before a move is random too, so that moves are not in step with a timer that ended
    the one before.  There is none before a move WITHOUT, whose end is not awaited.
    """
    draw = np.random.default_rng(seed)
    halves = [draw.permutation(np.repeat(ways(mode), moves // 2)) for _ in range(2)]
    order = (str(way) for pair in zip(*halves, strict=True) for way in pair)
    return tuple(
        (way, 0.0 if way == WITHOUT else round(draw.uniform(0, pause_s), 4)) for way in order
    )


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Whether traffic is still down after the wait, for each mode and kind of move."""
    return tuple(
        {**point, "way": way, "censored": int(way == WITHOUT)}
        for point in points
        for way in ways(str(point["mode"]))
    )


def forget(host: Host, network: Network) -> tuple[tuple[str, ...], ...]:
    """The commands that flush the MACs which a host has learned in a network."""
    if host.mechanism is Mechanism.OPENVSWITCH:
        # First the megaflows: their counters, read later, would teach the bridge again.
        return PURGE, ("ovs-appctl", "fdb/flush", "br-int")
    return (("ip", "link", "set", f"brq{network.id[:11]}", "type", "bridge", "fdb_flush"),)
