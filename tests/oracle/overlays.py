"""Overlays made from a seed: every mode, and the corners that hide mistakes.  Pure.

Corners: a host without a member, a network with one member, several ports on one
host, two addresses, IPv6 alone, port security off, a port switched off, the same MAC
and the same addresses in two networks, hosts that do not speak every type, VTEPs
with IPv6 addresses, provider networks on two bridges and local ones beside the tunnels.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address
from random import Random

from controller.flows.pipeline import RELEASES
from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.modes import MODES, PHYSNET, Mode, with_mode
from controller.model.names import derived_id
from controller.model.overlay import Overlay
from controller.model.parts import Address, Host, Network, Port, Subnet

SEEDS = tuple(range(56))  # each mode four times, twice under each release
CIDR4 = IPv4Network("172.16.166.0/24")  # the same in every network: tenants may overlap
CIDR6 = IPv6Network("fd00:166::/64")
PHYSNET2 = "physnet2"
PROVIDER_BRIDGES = ((PHYSNET, "br-ex"), (PHYSNET2, "br-two"))
SHARED_MAC = "fa:16:3e:aa:aa:aa"  # may stand once in every network
HOSTS_MAX = 6
NETWORKS_MAX = 4
Place = tuple[str, Network]  # a host's name, and a network that has a member there


SWITCHED_MODES = tuple(mode for mode in MODES if not mode.is_kernel)  # those that flows carry


def mode_of(seed: int) -> Mode:
    """The mode that overlay number `seed` is carried by."""
    return SWITCHED_MODES[seed % len(SWITCHED_MODES)]


def release_of(seed: int) -> str:
    """The release of overlay number `seed`: each mode comes under both."""
    return RELEASES[seed // len(SWITCHED_MODES) % len(RELEASES)]


def named(seed: int) -> str:
    """Overlay number `seed` in the name of a test."""
    return f"{seed}-{mode_of(seed)}-{release_of(seed)}"


def overlay_of(seed: int) -> Overlay:
    """Overlay number `seed`, always the same."""
    rng, mode = Random(seed), mode_of(seed)
    hosts = [f"node{number}" for number in range(1, rng.randint(2, HOSTS_MAX) + 1)]
    networks = tuple(_networks(rng, mode))
    places = list(_places(rng, hosts, networks))
    ports = list(_ports(rng, places))
    rng.shuffle(ports)  # so that local VLANs come in another order than networks
    base = Overlay(
        name=f"generated-{seed}",
        hosts=tuple(_hosts(rng, hosts, places)),
        networks=networks,
        subnets=tuple(_subnets(networks)),
        ports=tuple(ports),
        release=release_of(seed),
    )
    return with_mode(base, mode)


def _networks(rng: Random, mode: Mode) -> Iterator[Network]:
    many = 1 if mode.network_type is NetworkType.FLAT else rng.randint(1, NETWORKS_MAX)
    for number, wire_id in enumerate(rng.sample(_wire_ids(mode), many)):
        kind = rng.choices(TUNNEL_TYPES, (4, 4, 2))[0]
        yield _network(f"net{number}", kind, wire_id)
    if mode.network_type is None:
        yield from _beside_the_tunnels(rng)


def _beside_the_tunnels(rng: Random) -> Iterator[Network]:
    """Networks that no mode carries another way, since each keeps its own type."""
    for name, physical in (("outside", PHYSNET), ("beyond", PHYSNET2)):
        if rng.random() < 0.6:
            yield _network(name, rng.choice((NetworkType.FLAT, NetworkType.VLAN)), 7, physical)
    if rng.random() < 0.5:
        yield _network("inside", NetworkType.LOCAL, 0)


def _wire_ids(mode: Mode) -> list[int]:
    """Small ids, which look like local VLANs, and the largest that every type in play can name."""
    kind = (mode.network_type or NetworkType.VXLAN).kind
    top = min(kind.id_max or NetworkType.VLAN.kind.id_max, NetworkType.VXLAN.kind.id_max)
    return [1, 2, 3, 4, 111, top - 1, top]


def _network(name: str, kind: NetworkType, wire_id: int, physical: str | None = None) -> Network:
    return Network(
        id=derived_id("generated", name),
        name=name,
        network_type=kind,
        segmentation_id=wire_id if kind.kind.id_max else None,
        physical_network=physical,
    )


def _places(rng: Random, hosts: list[str], networks: tuple[Network, ...]) -> Iterator[Place]:
    """Who is a member of what; in some overlays one host is a member of nothing."""
    idle = rng.choice(hosts) if rng.random() < 0.4 else None
    able = [host for host in hosts if host != idle]
    for network in networks:
        alone = rng.random() < 0.2
        for host in rng.sample(able, 1 if alone else rng.randint(1, len(able))):
            yield host, network


def _hosts(rng: Random, names: list[str], places: list[Place]) -> Iterator[Host]:
    prefix = "fd00:150::" if rng.random() < 0.15 else "192.168.150."
    outside = any(network.network_type.is_provider for _, network in places)
    for number, name in enumerate(names, start=10):
        needed = {net.network_type for host, net in places if host == name} & set(TUNNEL_TYPES)
        extra = {kind for kind in TUNNEL_TYPES if rng.random() < 0.6}
        spoken = sorted(needed | extra)
        rng.shuffle(spoken)
        yield Host(
            name=name,
            local_ip=ip_address(f"{prefix}{number}"),
            tunnel_types=tuple(spoken),
            bridge_mappings=PROVIDER_BRIDGES if outside else (),
        )


def _subnets(networks: tuple[Network, ...]) -> Iterator[Subnet]:
    for network in networks:
        for version, cidr in ((4, CIDR4), (6, CIDR6)):
            name = f"{network.name}-v{version}"
            yield Subnet(id=derived_id(name), name=name, network_id=network.id, cidr=cidr)


def _ports(rng: Random, places: list[Place]) -> Iterator[Port]:
    """One to three ports at each place; addresses never repeat within a network."""
    shared: set[str] = set()
    for host, network in places:
        for number in range(rng.choices((1, 2, 3), (6, 3, 1))[0]):
            name = f"{network.name}-{host}-{number}"
            id_ = derived_id("generated", name)
            may_share = network.id not in shared and rng.random() < 0.3
            mac = SHARED_MAC if may_share else _mac(rng)
            shared |= {network.id} if may_share else set()
            yield _port(
                rng,
                Port(
                    id=id_,
                    name=name,
                    network_id=network.id,
                    mac_address=mac,
                    host=host,
                    device_id=f"vm-{name}",
                ),
            )


def _mac(rng: Random) -> str:
    return "fa:16:3e:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(3))


def _port(rng: Random, port: Port) -> Port:
    # The address comes from the name, so it is the same in another network, and unique in its own.
    host, number = int(port.name.split("-")[1].removeprefix("node")), int(port.name[-1])
    offset = 10 * host + 3 * number
    ipv4: list[Address] = [CIDR4[offset + 1 + n] for n in range(rng.choice((1, 1, 2)))]
    ipv6: list[Address] = [CIDR6[offset]] if rng.random() < 0.3 else []
    return replace(
        port,
        fixed_ips=(*([] if rng.random() < 0.05 else ipv4), *ipv6),
        port_security_enabled=rng.random() < 0.8,
        admin_state_up=rng.random() < 0.93,
    )
