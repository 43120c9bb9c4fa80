"""What is raised for the experiment `ecmp`, what is sent there, and what theory foretells.  Pure."""

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
from experiments.measure.flows_sent import Flow

SENDER, RECEIVER = "sender", "receiver"
NETWORK, VNI = derived_id("ecmp", "network"), 7001
CIDR = IPv4Network("10.9.0.0/16")
FAR = 2**15  # of the subnet's addresses: where the far ends of many pairs begin
ONE, MANY = "one", "many"  # pairs of inner addresses
PAIRS = (ONE, MANY)
FLOWS = tuple(2**power for power in range(10))
PORT_FIRST, PORTS = 1024, 64512
PORT_STEP = 97  # a prime that does not divide PORTS: so no port comes twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is sent in one go, and past which policy."""

    hash_policy: int
    pairs: str
    flows: int
    draw: int  # which of several alike, from 1: other ports, other addresses

    def spreads(self, network_type: NetworkType) -> bool:
        """Whether the flows differ in anything that the policy looks at.

        0 and 1 look at the outer packet: its addresses, which are the VTEPs', and for 1 its
        UDP ports, of which GRE has none.  2 looks at inner addresses, but the kernel's flow
        dissector sees through GRE alone: past a UDP header it does not look, and so takes
        the outer addresses.
        """
        if self.hash_policy == 1:
            return network_type is not NetworkType.GRE
        return self.hash_policy == 2 and network_type is NetworkType.GRE and self.pairs == MANY


def staged(overlay: Overlay, point: Point) -> Overlay:
    """The scenario's first two hosts below so many spines, a guest on each, one network."""
    fabric = Underlay(shape=Shape.LEAF_SPINE, spines=int(point["spines"]))
    bare = replace(
        overlay,
        hosts=overlay.hosts[:2],
        underlay=fabric,
        networks=(_network(),),
        subnets=(
            Subnet(id=derived_id("ecmp", "subnet"), name="ecmp", network_id=NETWORK, cidr=CIDR),
        ),
        ports=(),
        dhcp=False,
    )
    guests = zip((SENDER, RECEIVER), bare.hosts, strict=True)
    ports = (_port(at, name, host.name) for at, (name, host) in enumerate(guests))
    return by_mode(replace(bare, ports=tuple(ports)), point)


def _network() -> Network:
    return Network(id=NETWORK, name="ecmp", network_type=NetworkType.VXLAN, segmentation_id=VNI)


def _port(at: int, name: str, host: str) -> Port:
    """A guest without port security: it may send from any address."""
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
    """Everything that one lab is asked, policy by policy."""
    for policy, pairs, flows, draw in product(HASH_POLICIES, PAIRS, FLOWS, range(1, draws + 1)):
        yield Setting(hash_policy=policy, pairs=pairs, flows=flows, draw=draw)


def sent(overlay: Overlay, setting: Setting, seed: int) -> tuple[Flow, ...]:
    """The flows of a setting: one pair with a port each, or a pair each with the same ports."""
    sender, receiver = (port.mac_address for port in overlay.ports)
    drawn = _drawn(setting, seed)
    first = drawn % (FAR - FLOWS[-1] - 2) + 1 if setting.pairs == MANY else 1
    return tuple(
        Flow(
            source_mac=sender,
            target_mac=receiver,
            source=CIDR[first + (flow if setting.pairs == MANY else 0)],
            target=CIDR[FAR + first + flow] if setting.pairs == MANY else CIDR[2],
            source_port=PORT_FIRST
            + (drawn + PORT_STEP * (flow if setting.pairs == ONE else 0)) % PORTS,
            target_port=9,  # discard (RFC 863)
        )
        for flow in range(setting.flows)
    )


def _drawn(setting: Setting, seed: int) -> int:
    text = f"{seed}/{setting.hash_policy}/{setting.pairs}/{setting.flows}/{setting.draw}"
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell: exact where all must be on one path, a mean and a band where chance decides."""
    return tuple({**point, **_cell(point, setting)} for point in points for setting in settings(1))


def _cell(point: Point, setting: Setting) -> Row:
    network_type = parse_mode(str(point["mode"])).network_type or NetworkType.VXLAN
    key: Row = {"hash_policy": setting.hash_policy, "pairs": setting.pairs, "flows": setting.flows}
    if not setting.spreads(network_type):
        return {**key, "entropy_bits": 0.0, "spreads": 0, "least": 0, "most": setting.flows}
    limits = band(setting.flows, int(point["spines"]))
    return {
        **key,
        "entropy_bits": expected_bits(setting.flows, int(point["spines"])),
        "spreads": 1,
        "least": limits.low,
        "most": limits.high,
    }
