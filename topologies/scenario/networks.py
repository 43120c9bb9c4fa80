"""Networks and subnets of a scenario; ids that are not given are allotted as Neutron does."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

from controller.model.addresses import default_gateway, default_pools
from controller.model.allocation import Segment, first_free, tenant_segment
from controller.model.encap import NetworkType
from controller.model.names import derived_id
from controller.model.parts import Network, SegmentRange, Subnet
from controller.model.underlay import Shape, Underlay
from topologies.scenario.file import Map, Problems
from topologies.scenario.neutron_options import RANGES
from topologies.scenario.options import Options

UNDERLAY_MTU = 1500  # bytes, Ethernet's
KNOWN = tuple(map(str, NetworkType))


def networks_of(
    data: Map, server: Options, *, name: str, problems: Problems
) -> tuple[Network, ...]:
    """Every network that can be made; what is wrong with the others is in `problems`."""
    _note_unknown_types(server, problems)
    nets = [net for net in data.maps("networks") if not net.lacks]  # others are said already
    taken = set(_asked_for(data))
    made = []
    for net in nets:
        segment = _segment(net, server, taken, problems)
        if segment:
            taken.add(segment)
            made.append(_network(net, segment, name=name))
    return tuple(made)


def _asked_for(data: Map) -> Iterator[Segment]:
    """The segments that networks ask for by id: nobody else is given them."""
    for net in data.maps("networks"):
        if "network_type" in net and "segmentation_id" in net:
            kind = NetworkType(net["network_type"])
            yield Segment(kind, net.get("physical_network"), net["segmentation_id"])


def underlay_mtu(data: Map) -> int:
    """What one Ethernet frame of the underlay carries [bytes]; Neutron's global_physnet_mtu."""
    return int(data.map("underlay").get("mtu", UNDERLAY_MTU))


def underlay_of(data: Map) -> Underlay:
    """The shape of the network between the hosts, and what it does to packets."""
    given = data.map("underlay")
    shape = Shape(given.get("shape", Shape.SWITCH))
    others = ("spines", "hash_policy", "wan_mtu", "delay_ms", "loss_percent")
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
    return tuple(NetworkType(word) for word in tenant_types(server) if word in KNOWN)


def type_drivers(server: Options) -> tuple[NetworkType, ...]:
    """The types that a network may be of; words that are no type are left out."""
    given = server.get("ml2", "type_drivers", KNOWN)
    return tuple(NetworkType(word) for word in given if word in KNOWN)


def _note_unknown_types(server: Options, problems: Problems) -> None:
    """Note tenant types without a driver; Neutron's server ends at once (`_check_tenant_types`)."""
    drivers = tuple(map(str, type_drivers(server)))
    for option in ("tenant_network_types", "project_network_types"):
        for word in server.get("ml2", option, ()):
            if word not in drivers:
                problems.add(
                    server.place_of("ml2", option),
                    f"[ml2] {option}",
                    repr(word),
                    allowed=f"{', '.join(drivers) or 'none'} (type_drivers)",
                    do="Add it to type_drivers, or take it away here.",
                )


def path_mtu(server: Options) -> int:
    """The largest IP packet [bytes] between the hosts; 0: as the underlay's Ethernet allows."""
    return int(server.get("ml2", "path_mtu", 0))


def _network(net: Map, segment: Segment, *, name: str) -> Network:
    return Network(
        id=net.get("id") or derived_id(name, "network", net["name"]),
        name=net["name"],
        **segment._asdict(),
        mtu=net.get("mtu", 0),
    )


def _segment(net: Map, server: Options, taken: set[Segment], problems: Problems) -> Segment | None:
    if "network_type" not in net:
        return _tenant_segment(net, server, taken, problems)
    kind = NetworkType(net["network_type"])
    if kind not in type_drivers(server):
        problems.add(
            net.place_of("network_type"),
            net.path_of("network_type"),
            str(kind),
            allowed=f"{', '.join(type_drivers(server)) or 'none'} ([ml2] type_drivers)",
            do=f"Add {kind} to type_drivers, or pick another.",
        )
        return None
    physical = net.get("physical_network")
    if not kind.kind.id_max or "segmentation_id" in net or (physical and kind.is_tunnel):
        return Segment(kind, physical, net.get("segmentation_id"))
    found = first_free(kind, ranges_of(server), taken, physical_network=physical)
    if not found:
        _note_no_id(net, (kind,), server, problems)
    return found


def _tenant_segment(
    net: Map, server: Options, taken: set[Segment], problems: Problems
) -> Segment | None:
    """A network that names no type gets the first of tenant_network_types with a free id."""
    for key in ("segmentation_id", "physical_network"):
        if key in net:
            problems.add(
                net.place_of(key),
                net.path_of(key),
                f"{key} without network_type",
                allowed="both, or neither",
                do="Add `network_type`.",
            )
            return None
    kinds = tenant_network_types(server)
    found = tenant_segment(kinds, ranges_of(server), taken)
    if not found:
        _note_no_id(net, tuple(kind for kind in kinds if kind in RANGES), server, problems)
    return found


def tenant_types(server: Options) -> tuple[str, ...]:
    """The types for networks that name none; the later name of the option goes first."""
    older: tuple[str, ...] = server.get("ml2", "tenant_network_types", ())
    newer: tuple[str, ...] = server.get("ml2", "project_network_types", older)
    return newer


def _note_no_id(
    net: Map, kinds: tuple[NetworkType, ...], server: Options, problems: Problems
) -> None:
    """Note that no id could be allotted, unless the ranges themselves are at fault."""
    if any(RANGES[kind] in server.refused for kind in kinds):
        return
    if not kinds:
        found, allowed = (
            "no network_type",
            "one of local, vlan, gre, vxlan, geneve in tenant_network_types",
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
            subnet.place_of("gateway_ip"),
            subnet.path_of("gateway_ip"),
            str(gateway),
            allowed=f"an address of {cidr}, or null",
            do="Mend the address.",
        )
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
