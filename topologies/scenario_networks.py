"""Networks and subnets of a scenario; ids that are not given are allotted as Neutron does."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from topologies.addresses import default_gateway, default_pools
from topologies.encap import NetworkType
from topologies.model import Network, SegmentRange, Subnet
from topologies.names import derived_id
from topologies.neutron_options import RANGES, Range
from topologies.scenario_file import Map, Problems
from topologies.scenario_options import Options
from topologies.underlay import Shape, Underlay

UNDERLAY_MTU = 1500  # bytes, Ethernet's
Segment = tuple[NetworkType, str | None, int | None]  # type, physical network, segmentation_id
Used = set[tuple[NetworkType, str, int]]


def networks_of(
    data: Map, server: Options, *, name: str, problems: Problems
) -> tuple[Network, ...]:
    """Every network that can be made; what is wrong with the others is in `problems`."""
    used = {
        (
            NetworkType(net["network_type"]),
            net.get("physical_network") or "",
            net["segmentation_id"],
        )
        for net in data.maps("networks")
        if "network_type" in net and "segmentation_id" in net
    }
    made = []
    for net in data.maps("networks"):
        if net.lacks:
            continue  # it is at fault in another way, which is said already
        segment = _segment(net, server, used, problems)
        if segment:
            made.append(_network(net, segment, name=name))
    return tuple(made)


def underlay_mtu(data: Map) -> int:
    """What one Ethernet frame of the underlay carries [bytes]; Neutron's global_physnet_mtu."""
    return int(data.map("underlay").get("mtu", UNDERLAY_MTU))


def underlay_of(data: Map) -> Underlay:
    """The shape of the network between the hosts, and what it does to packets."""
    given = data.map("underlay")
    shape = Shape(given.get("shape", Shape.SWITCH))
    others = ("spines", "hash_policy", "delay_ms", "loss_percent")
    return Underlay(shape=shape, **{key: given[key] for key in others if key in given})


def ranges_of(server: Options) -> tuple[SegmentRange, ...]:
    """Every range of ids for automatic allocation, in the order of the types."""
    return tuple(
        SegmentRange(network_type=kind, physical_network=physical, first=first, last=last)
        for kind, which in RANGES.items()
        for physical, first, last in server.get(*which, ())
    )


def tenant_network_types(server: Options) -> tuple[NetworkType, ...]:
    """`tenant_types` as values; words that are no type are left out."""
    known = {str(kind) for kind in NetworkType}
    return tuple(NetworkType(word) for word in tenant_types(server) if word in known)


def path_mtu(server: Options) -> int:
    """The largest IP packet [bytes] between the hosts; 0: as the underlay's Ethernet allows."""
    return int(server.get("ml2", "path_mtu", 0))


def _network(net: Map, segment: Segment, *, name: str) -> Network:
    kind, physical, segmentation_id = segment
    return Network(
        id=net.get("id") or derived_id(name, "network", net["name"]),
        name=net["name"],
        network_type=kind,
        segmentation_id=segmentation_id,
        physical_network=physical,
        mtu=net.get("mtu", 0),
    )


def _segment(net: Map, server: Options, used: Used, problems: Problems) -> Segment | None:
    if "network_type" not in net:
        return _tenant_segment(net, server, used, problems)
    kind = NetworkType(net["network_type"])
    drivers = server.get("ml2", "type_drivers")
    if drivers is not None and str(kind) not in drivers:
        problems.add(
            net.place_of("network_type"),
            net.path_of("network_type"),
            str(kind),
            allowed=f"{', '.join(drivers) or 'none'} ([ml2] type_drivers)",
            do=f"Add {kind} to type_drivers, or pick another.",
        )
        return None
    if not kind.kind.id_max or "segmentation_id" in net:
        return kind, net.get("physical_network"), net.get("segmentation_id")
    return _allotted(net, (kind,), server, used, problems)


def _tenant_segment(net: Map, server: Options, used: Used, problems: Problems) -> Segment | None:
    """A network that names no type gets the first of tenant_network_types with a free id."""
    if "segmentation_id" in net or "physical_network" in net:
        key = "segmentation_id" if "segmentation_id" in net else "physical_network"
        problems.add(
            net.place_of(key), net.path_of(key), f"{key} without network_type",
            allowed="both, or neither", do="Add `network_type`.",
        )  # fmt: skip
        return None
    kinds = tuple(NetworkType(word) for word in tenant_types(server) if word in RANGE_WORDS)
    return _allotted(net, kinds, server, used, problems)


RANGE_WORDS = frozenset(str(kind) for kind in RANGES)


def tenant_types(server: Options) -> tuple[str, ...]:
    """The types for networks that name none; the later name of the option goes first."""
    older: tuple[str, ...] = server.get("ml2", "tenant_network_types", ())
    newer: tuple[str, ...] = server.get("ml2", "project_network_types", older)
    return newer


def _allotted(
    net: Map, kinds: tuple[NetworkType, ...], server: Options, used: Used, problems: Problems
) -> Segment | None:
    """The first type's first free id, or the next type's."""
    segments = (_first_free(net, kind, server, used) for kind in kinds)
    found = next(filter(None, segments), None)
    if not found:
        _note_no_id(net, kinds, server, problems)
    return found


def _first_free(net: Map, kind: NetworkType, server: Options, used: Used) -> Segment | None:
    ranges: Iterable[Range] = server.get(*RANGES[kind], ())
    for physical, first, last in ranges:
        if net.get("physical_network", physical) != physical:
            continue
        free = (number for number in range(first, last + 1) if (kind, physical, number) not in used)
        found = next(free, None)
        if found is not None:
            used.add((kind, physical, found))
            return kind, physical or None, found
    return None


def _note_no_id(
    net: Map, kinds: tuple[NetworkType, ...], server: Options, problems: Problems
) -> None:
    """Note that no id could be allotted, unless the ranges themselves are at fault."""
    if any(RANGES[kind] in server.refused for kind in kinds):
        return
    if not kinds:
        found, allowed = (
            "no network_type",
            "one of vlan, gre, vxlan, geneve in tenant_network_types",
        )
        do = "Give `network_type`, or set tenant_network_types in [ml2]."
    else:
        wanted = ", ".join("[{}] {}".format(*RANGES[kind]) for kind in kinds)
        found, allowed = "no segmentation_id", f"a free id of {wanted}"
        do = f"Give `segmentation_id`, or a wider range in ml2_conf: {wanted}."
    problems.add(net.place, net.path, found, allowed=allowed, do=do)


def subnets_of(
    data: Map, networks: Iterable[Network], *, name: str, problems: Problems
) -> tuple[Subnet, ...]:
    """The subnets of the networks that could be made."""
    known = {network.name: network for network in networks}
    return tuple(
        _subnet(subnet, known[net["name"]], name, problems)
        for net in data.maps("networks")
        if net["name"] in known
        for subnet in net.maps("subnets")
    )


def _subnet(subnet: Map, network: Network, scenario: str, problems: Problems) -> Subnet:
    cidr = ip_network(subnet["cidr"])
    called = subnet.get("name", subnet["cidr"])
    gateway = default_gateway(cidr)
    if "gateway_ip" in subnet:
        gateway = ip_address(subnet["gateway_ip"]) if subnet["gateway_ip"] else None
    if gateway and gateway not in cidr:
        problems.add(
            subnet.place_of("gateway_ip"), subnet.path_of("gateway_ip"), str(gateway),
            allowed=f"an address of {cidr}, or null", do="Mend the address.",
        )  # fmt: skip
    pools = tuple(
        (ip_address(pool["start"]), ip_address(pool["end"]))
        for pool in subnet.maps("allocation_pools")
    )
    return Subnet(
        id=subnet.get("id") or derived_id(scenario, "subnet", network.name, called),
        name=called,
        network_id=network.id,
        cidr=cidr,
        pools=pools or default_pools(cidr, gateway),
        gateway_ip=gateway,
    )
