"""What is raised for the experiment `tunnels`, and how many tunnels theory foretells.  Pure."""

from typing import NamedTuple

from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from experiments.core.groups import Group, grouped
from experiments.core.question import Point, Row

DENSE, PAIRS = "dense", "pairs"  # one network on every host; a network for every two hosts
LEARN_RULES = {"queens": 1, "current": 4}  # table 10's: Neutron 28 learns failed-over ports apart
# Of a br-tun without tunnels, beside those: tables 0 (2), 2 (2), 3, 4 and 6, 20, 22.
FIXED_RULES = 9
RESPONDER_RULES = 2  # of table 2 and of 21


def groups(hosts: int, membership: str) -> tuple[Group, ...]:
    """Which hosts share a network; of an odd number the last has one for itself."""
    size = hosts if membership == DENSE else 2
    return tuple(tuple(range(at, min(at + size, hosts))) for at in range(0, hosts, size))


def staged(overlay: Overlay, point: Point) -> Overlay:
    """A guest on every host, in one network or two by two."""
    return grouped(
        overlay, point, dict(enumerate(groups(int(point["hosts"]), str(point["membership"]))))
    )


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell, before any is measured."""
    return tuple({**point, **_cell(staged(overlay, point), point)} for point in points)


def _cell(started: Overlay, point: Point) -> Row:
    many = int(point["hosts"])
    hosts = [
        _host(started, many, len(group))
        for group in groups(many, str(point["membership"]))
        for _ in group
    ]
    return {
        "ports_in_all": sum(host.ports for host in hosts),
        "pairs": sum(host.peers for host in hosts) // 2,
        "ports_per_host": max(host.ports for host in hosts),
        "rules_in_all": sum(host.rules for host in hosts),
        "devices_in_all": sum(host.devices for host in hosts),
        "flood_in_all": sum(host.flood for host in hosts),
    }


class Kept(NamedTuple):
    """What one host has of each."""

    ports: int = 0
    peers: int = 0  # hosts at the far ends of ports
    rules: int = 0
    devices: int = 0
    flood: int = 0


def _host(started: Overlay, many: int, members: int) -> Kept:
    """One host of a group of so many members, among so many hosts."""
    host, release = started.hosts[0], started.release
    shared = members - 1
    peers = shared if host.l2_population else many - 1
    if host.mechanism is Mechanism.LINUXBRIDGE:
        return Kept(devices=1, flood=1 if host.vxlan_group else peers)
    if not host.tunnel_types:
        return Kept()
    ports = peers * (1 if host.l2_population else len(host.tunnel_types))
    stated = shared * (1 + host.is_arp_responder) if host.l2_population else 0
    fixed = FIXED_RULES + LEARN_RULES[release] + RESPONDER_RULES * host.is_arp_responder
    # Where tunnels come in; the network's way in from its id; its flood, if it has one.
    rules = fixed + ports + 1 + (peers > 0) + stated
    return Kept(ports=ports, peers=peers, rules=rules, flood=peers)
