"""The labs of `ecmp`, the flows that are sent there, and what theory predicts.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from ipaddress import IPv4Network
from itertools import product

from controller.model.encap import NetworkType
from controller.model.modes import parse_mode
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Network, Port, Subnet
from controller.model.underlay import HASH_POLICIES, Shape, Underlay
from experiments.core.experiment import by_mode
from experiments.core.question import Point, Row
from experiments.ecmp.chance import band, expected_bits
from experiments.ecmp.words import MANY, ONE
from experiments.measure.frames import UDP_PORT, Flow

SENDER, RECEIVER = "sender", "receiver"
NETWORK, VNI = derived_id("ecmp", "network"), 7001
CIDR = IPv4Network("10.9.0.0/16")
FAR = 2**15  # index in the subnet of the first target address, if there are many pairs
PAIRS = (ONE, MANY)
FLOWS = tuple(2**power for power in range(10))
PORT_FIRST, PORTS = 1024, 64512
PORT_STEP = 97  # a prime that does not divide PORTS: so no port is used twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Flows that are sent together, and the hash policy of the leaf."""

    hash_policy: int
    pairs: str
    flows: int
    draw: int  # from 1; each draw has other ports or addresses

    def spreads(self, network_type: NetworkType) -> bool:
        """True if the flows differ in a field that the policy hashes.

        Policies 0 and 1 hash the outer packet: its addresses, which are those of the VTEPs, and
        with policy 1 its UDP ports, which GRE does not have.  Policy 2 hashes inner addresses, but
        the kernel's flow dissector finds them only behind GRE.  It does not look behind a UDP
        header, and hashes the outer addresses instead.
        """
        if self.hash_policy == 1:
            return network_type is not NetworkType.GRE
        return self.hash_policy == 2 and network_type is NetworkType.GRE and self.pairs == MANY


def staged(overlay: Overlay, point: Point) -> Overlay:
    """The scenario's first two hosts in a leaf-spine underlay, one network, a guest on each."""
    bare = replace(
        overlay,
        hosts=overlay.hosts[:2],
        underlay=Underlay(shape=Shape.LEAF_SPINE, spines=int(point["spines"])),
        networks=(
            Network(id=NETWORK, name="ecmp", network_type=NetworkType.VXLAN, segmentation_id=VNI),
        ),
        subnets=(
            Subnet(id=derived_id("ecmp", "subnet"), name="ecmp", network_id=NETWORK, cidr=CIDR),
        ),
        ports=(),
        dhcp=False,
    )
    guests = zip((SENDER, RECEIVER), bare.hosts, strict=True)
    ports = (_port(at, name, host.name) for at, (name, host) in enumerate(guests))
    return by_mode(replace(bare, ports=tuple(ports)), point)


def _port(at: int, name: str, host: str) -> Port:
    """A guest without port security, which may send from any address."""
    id_ = derived_id("ecmp", name)
    return Port(
        id=id_,
        name=name,
        network_id=NETWORK,
        mac_address=derived_mac(id_),
        device_id=name,
        fixed_ips=(CIDR[at + 1],),
        host=host,
        port_security_enabled=False,
    )


def settings(draws: int) -> Iterator[Setting]:
    """All settings that are measured in one lab, policy by policy."""
    for policy, pairs, flows, draw in product(HASH_POLICIES, PAIRS, FLOWS, range(1, draws + 1)):
        yield Setting(hash_policy=policy, pairs=pairs, flows=flows, draw=draw)


def sent(overlay: Overlay, setting: Setting, seed: int) -> tuple[Flow, ...]:
    """The flows of a setting: one pair of addresses and many ports, or many pairs and one port."""
    sender, receiver = (port.mac_address for port in overlay.ports)
    text = f"{seed}/{setting.hash_policy}/{setting.pairs}/{setting.flows}/{setting.draw}"
    drawn = int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
    is_many = setting.pairs == MANY
    first = drawn % (FAR - FLOWS[-1] - 2) + 1

    def flow(number: int) -> Flow:
        step = 0 if is_many else PORT_STEP * number
        return Flow(
            source_mac=sender,
            target_mac=receiver,
            source=CIDR[first + number] if is_many else CIDR[1],
            target=CIDR[FAR + first + number] if is_many else CIDR[2],
            source_port=PORT_FIRST + (drawn + step) % PORTS,
            target_port=UDP_PORT,
        )

    return tuple(map(flow, range(setting.flows)))


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The prediction of each cell: all on one path, or a mean and a band for a random choice."""
    rows: list[Row] = []
    for point, setting in product(points, settings(1)):
        network_type = parse_mode(str(point["mode"])).network_type or NetworkType.VXLAN
        flows, spines = setting.flows, int(point["spines"])
        spreads, limits = setting.spreads(network_type), band(flows, spines)
        cell: Row = {
            "hash_policy": setting.hash_policy,
            "pairs": setting.pairs,
            "flows": flows,
            "entropy_bits": expected_bits(flows, spines) if spreads else 0.0,
            "spreads": int(spreads),
            "least": limits.low if spreads else 0,
            "most": limits.high if spreads else flows,
        }
        rows.append({**point, **cell})
    return tuple(rows)
