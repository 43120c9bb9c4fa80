"""The labs of `tunnels`, and the number of tunnels that theory predicts.  Pure."""

from typing import NamedTuple

from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from experiments.core.groups import Group, grouped
from experiments.core.question import Point, Row
from experiments.tunnels.words import DENSE

LEARN_RULES = {"queens": 1, "current": 4}  # table 10's: Neutron 28 learns failed-over ports apart
# Further flows of a br-tun without tunnels: tables 0 (2), 2 (2), 3, 4 and 6, 20, 22.
FIXED_RULES = 9
RESPONDER_RULES = 2  # of tables 2 and 21


def groups(point: Point) -> tuple[Group, ...]:
    """Which hosts share a network; the last of an odd number has its own in `pairs`."""
    hosts = int(point["hosts"])
    size = hosts if point["membership"] == DENSE else 2
    return tuple(tuple(range(at, min(at + size, hosts))) for at in range(0, hosts, size))


def staged(overlay: Overlay, point: Point) -> Overlay:
    """One guest on every host; all in one network, or a network for every two."""
    return grouped(overlay, point, dict(enumerate(groups(point))))


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The counts of every cell."""
    return tuple({**point, **_counts(staged(overlay, point), point)} for point in points)


def _counts(started: Overlay, point: Point) -> Row:
    many = int(point["hosts"])
    hosts = [_host(started, many, len(group)) for group in groups(point) for _ in group]
    return {
        "ports_in_all": sum(host.ports for host in hosts),
        "pairs": sum(host.peers for host in hosts) // 2,
        "ports_per_host": max(host.ports for host in hosts),
        "rules_in_all": sum(host.rules for host in hosts),
        "devices_in_all": sum(host.devices for host in hosts),
        "flood_in_all": sum(host.flood for host in hosts),
    }


class Counts(NamedTuple):
    """The counts of one host."""

    ports: int = 0
    peers: int = 0  # hosts to which it has a tunnel port
    rules: int = 0
    devices: int = 0
    flood: int = 0


def _host(started: Overlay, many: int, members: int) -> Counts:
    """One of `many` hosts, in a network with `members` hosts."""
    host, release = started.hosts[0], started.release
    shared = members - 1
    peers = shared if host.l2_population else many - 1
    if host.mechanism is Mechanism.LINUXBRIDGE:
        return Counts(devices=1, flood=1 if host.vxlan_group else peers)
    if not host.tunnel_types:
        return Counts()
    ports = peers * (1 if host.l2_population else len(host.tunnel_types))
    of_l2pop = shared * (1 + host.is_arp_responder) if host.l2_population else 0
    fixed = FIXED_RULES + LEARN_RULES[release] + RESPONDER_RULES * host.is_arp_responder
    # One flow for each port, one that maps the network's id to its VLAN, and one that floods it.
    rules = fixed + ports + 1 + (peers > 0) + of_l2pop
    return Counts(ports=ports, peers=peers, rules=rules, flood=peers)
