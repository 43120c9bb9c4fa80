"""Networks, subnets and ports of a scenario; what is not given is derived, or allocated as by Neutron."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network

from controller.model.addresses import default_gateway, default_pools, free_address
from controller.model.allocation import Segment, offered
from controller.model.check_server import server_errors
from controller.model.encap import NetworkType
from controller.model.names import derived_id, derived_mac, server_port_id
from controller.model.near import did_you_mean
from controller.model.parts import (
    Address,
    AddressPair,
    Mechanism,
    Network,
    OverlayParts,
    Port,
    SegmentRange,
    Subnet,
)
from topologies.scenario.file import Map, Problems
from topologies.scenario.known_elsewhere import is_called_otherwise
from topologies.scenario.neutron_options import RANGES
from topologies.scenario.options import Options

KNOWN = tuple(map(str, NetworkType))
MECHANISMS = frozenset(map(str, Mechanism))


class _Free:
    """The free segments.  None is given back while a scenario is read, so each search continues."""

    def __init__(self, ranges: tuple[SegmentRange, ...], taken: set[Segment]) -> None:
        self.ranges, self.taken = ranges, taken
        self._offered: dict[tuple[NetworkType, str | None], Iterator[Segment]] = {}

    def first(self, kind: NetworkType, physical: str | None = None) -> Segment | None:
        """The first free segment, which the caller adds to `taken`; None if there is none."""
        segments = self._offered.setdefault(
            (kind, physical), offered(kind, self.ranges, physical_network=physical)
        )
        return next((each for each in segments if each not in self.taken), None)


def networks_of(
    data: Map, server: Options, *, name: str, problems: Problems
) -> tuple[Network, ...]:
    """Every valid network; the errors of the others are added to `problems`."""
    _check_tenant_types(server, problems)
    free = _Free(ranges_of(server), set(_requested(data)))
    made = []
    for net in data.maps("networks"):
        # With a key removed, its error has been added already.
        segment = None if net.lacks else _segment(net, server, free, problems)
        if segment:
            free.taken.add(segment)
            id_ = net.get("id") or derived_id(name, "network", net["name"])
            made.append(
                Network(id=id_, name=net["name"], **segment._asdict(), mtu=net.get("mtu", 0))
            )
    return tuple(made)


def _requested(data: Map) -> Iterator[Segment]:
    """The segments that networks request by id; no other network gets one of them."""
    for net in data.maps("networks"):
        if "network_type" in net and "segmentation_id" in net:
            kind = NetworkType(net["network_type"])
            yield Segment(kind, net.get("physical_network"), net["segmentation_id"])


def ranges_of(server: Options) -> tuple[SegmentRange, ...]:
    """Every range of ids for automatic allocation, in the order of the types."""
    return tuple(
        SegmentRange(network_type=kind, physical_network=physical, first=first, last=last)
        for kind, which in RANGES.items()
        for physical, first, last in server.get(*which, ())
    )


def tenant_network_types(server: Options) -> tuple[NetworkType, ...]:
    """The types for networks without one; `project_network_types`, the newer name, has precedence."""
    older = server.get("ml2", "tenant_network_types", ())
    return _known_types(server.get("ml2", "project_network_types", older))


def type_drivers(server: Options) -> tuple[NetworkType, ...]:
    """The types that a network may have."""
    return _known_types(server.get("ml2", "type_drivers", KNOWN))


def vlan_networks(server: Options) -> tuple[str, ...] | None:
    """The physical networks of network_vlan_ranges; None: the scenario configures no server.

    Neutron's default is none, which a file that lacks the option has.
    """
    if RANGES[NetworkType.VLAN] in server.refused:
        return None  # its error has been added already
    names = _words(server, "ml2_type_vlan", "network_vlan_ranges")
    if names is None:
        return () if server.ini else None
    # As Neutron, which leaves a space before the colon in the name.
    return tuple(dict.fromkeys(name.partition(":")[0] for name in names))


def flat_networks(server: Options) -> tuple[str, ...] | None:
    """The physical networks of flat_networks; None: any, which is Neutron's default, too."""
    names = _words(server, "ml2_type_flat", "flat_networks")
    return None if names is None or "*" in names else names


def _words(server: Options, section: str, option: str) -> tuple[str, ...] | None:
    text = server.text(section, option)
    if text is None:
        return None
    return tuple(word.strip() for word in text.split(",") if word.strip())


def add_server_errors(
    overlay: OverlayParts, server: Options, data: Map, problems: Problems
) -> None:
    """Add what Neutron's server refuses, though the lab itself could have it."""
    written = {net["name"]: net for net in data.maps("networks")}
    for network in overlay.networks:
        item = written[network.name]
        for error in server_errors(overlay, network):
            key = error.found.split(maxsplit=1)[0]
            place = item.place_of(key)
            problems.add(place, error.where, error.found, allowed=error.allowed, do=error.do)
    drivers = _words(server, "ml2", "mechanism_drivers")
    unbound = {host.mechanism for host in overlay.hosts if drivers is not None}
    for mechanism in sorted(unbound.difference(map(Mechanism, MECHANISMS & {*(drivers or ())}))):
        problems.add(
            server.place_of("ml2", "mechanism_drivers"),
            "[ml2] mechanism_drivers",
            ", ".join(drivers or ()) or "none",
            allowed=f"a list with {mechanism}, the hosts' mechanism",
            do=f"Add {mechanism}: Neutron's server binds no port without it (binding_failed).",
        )
    _check_names(server, problems)
    _check_overlay_ip_version(overlay, server, problems)


def _check_names(server: Options, problems: Problems) -> None:
    """Add an error for an empty name in mechanism_drivers, which `MechanismManager` does not find."""
    if "" in server.get("ml2", "mechanism_drivers", ()):
        problems.add(
            server.place_of("ml2", "mechanism_drivers"),
            "[ml2] mechanism_drivers",
            "an empty name",
            allowed="names with one comma between",
            do="Remove the extra comma: Neutron's server ends with 'drivers were not found'.",
        )


def _check_overlay_ip_version(overlay: OverlayParts, server: Options, problems: Problems) -> None:
    """Add an error if the server would refuse the VTEPs' addresses.

    Source: Neutron `TunnelRpcCallbackMixin.tunnel_sync`.
    """
    which = ("ml2", "overlay_ip_version")
    version = server.get(*which, otherwise=4 if server.ini else None)
    wrong = [h for h in overlay.hosts if h.tunnel_types and h.local_ip.version != version]
    if version and wrong and which not in server.refused:
        needed = wrong[0].local_ip.version
        problems.add(
            server.place_of(*which),
            "[ml2] overlay_ip_version",
            f"{version}{'' if which in server.settings else ', the default,'} with local_ip {wrong[0].vtep}",
            allowed=f"{needed}, the version of the hosts' addresses",
            do=f"Set overlay_ip_version = {needed}: Neutron's server refuses their tunnels otherwise.",
        )


def _known_types(words: Iterable[str]) -> tuple[NetworkType, ...]:
    return tuple(NetworkType(word) for word in words if word in KNOWN)


def _check_tenant_types(server: Options, problems: Problems) -> None:
    """Add an error for each tenant type without a driver, as Neutron's `_check_tenant_types`."""
    drivers = tuple(map(str, type_drivers(server)))
    allowed = f"{', '.join(drivers) or 'none'} (type_drivers)"
    do = "Add it to type_drivers, or remove it here."
    for option in ("tenant_network_types", "project_network_types"):
        for word in server.get("ml2", option, ()):
            if word not in drivers:
                place, key = server.place_of("ml2", option), f"[ml2] {option}"
                problems.add(place, key, repr(word), allowed=allowed, do=do)


def _segment(net: Map, server: Options, free: _Free, problems: Problems) -> Segment | None:
    if "network_type" not in net:
        return _tenant_segment(net, server, free, problems)
    kind = NetworkType(net["network_type"])
    if kind not in type_drivers(server):
        allowed = f"{', '.join(type_drivers(server)) or 'none'} ([ml2] type_drivers)"
        do = f"Add {kind} to type_drivers, or use another type."
        problems.add_at(net, "network_type", str(kind), allowed=allowed, do=do)
        return None
    physical = net.get("physical_network")
    if not kind.kind.id_max or "segmentation_id" in net or (physical and kind.is_tunnel):
        return Segment(kind, physical, net.get("segmentation_id"))
    found = free.first(kind, physical)
    if not found:
        _add_no_id(net, (kind,), server, problems)
    return found


def _tenant_segment(net: Map, server: Options, free: _Free, problems: Problems) -> Segment | None:
    """A segment of the first tenant network type with a free id."""
    for key in ("segmentation_id", "physical_network"):
        if key in net:
            if is_called_otherwise("network_type", net):
                return None
            found, do = f"{key} without network_type", "Add `network_type`."
            problems.add_at(net, key, found, allowed="both, or neither", do=do)
            return None
    kinds = tenant_network_types(server)
    segments = (Segment(kind) if kind is NetworkType.LOCAL else free.first(kind) for kind in kinds)
    segment = next(filter(None, segments), None)
    if not segment:
        _add_no_id(net, tuple(kind for kind in kinds if kind in RANGES), server, problems)
    return segment


def _add_no_id(
    net: Map, kinds: tuple[NetworkType, ...], server: Options, problems: Problems
) -> None:
    """Add the error that no id is free, unless a range or the key itself is invalid."""
    if any(RANGES[kind] in server.refused for kind in kinds):
        return
    if any(is_called_otherwise(key, net) for key in ("segmentation_id", "network_type")):
        return
    if kinds:
        wanted = ", ".join("[{}] {}".format(*RANGES[kind]) for kind in kinds)
        found, allowed = "no segmentation_id", f"a free id of {wanted}"
        do = f"Give `segmentation_id`, or a wider range in ml2_conf: {wanted}."
    else:
        found = "no network_type"
        allowed = "one of local, vlan, gre, vxlan, geneve in tenant_network_types"
        do = "Give `network_type`, or set tenant_network_types in [ml2]."
    problems.add(net.place, net.path, found, allowed=allowed, do=do)


def subnet_maps(data: Map, networks: Iterable[Network]) -> Iterator[tuple[Map, Network]]:
    """The subnets of `networks` as written, in the order of `subnets_of`."""
    known = {network.name: network for network in networks}
    for net in data.maps("networks"):
        if net["name"] in known:
            yield from ((subnet, known[net["name"]]) for subnet in net.maps("subnets"))


def subnets_of(data: Map, networks: Iterable[Network], *, name: str) -> tuple[Subnet, ...]:
    """The subnets of `networks`."""
    return tuple(_subnet(subnet, network, name) for subnet, network in subnet_maps(data, networks))


def _subnet(subnet: Map, network: Network, scenario: str) -> Subnet:
    cidr = ip_network(subnet["cidr"])
    name = subnet.get("name", subnet["cidr"])
    gateway = default_gateway(cidr)
    if "gateway_ip" in subnet:
        gateway = ip_address(subnet["gateway_ip"]) if subnet["gateway_ip"] else None
    pools = tuple(
        (ip_address(pool["start"]), ip_address(pool["end"]))
        for pool in subnet.maps("allocation_pools")
    )
    return Subnet(
        id=subnet.get("id") or derived_id(scenario, "subnet", network.name, name),
        name=name,
        network_id=network.id,
        cidr=cidr,
        pools=pools or default_pools(cidr, gateway),
        gateway_ip=gateway,
    )


def ports_of(
    data: Map,
    networks: Sequence[Network],
    subnets: Sequence[Subnet],
    *,
    name: str,
    problems: Problems,
) -> tuple[Port, ...]:
    """Every port of `networks`; the errors of all ports are added to `problems`."""
    known = {network.name: network for network in networks}
    taken: dict[str, set[Address]] = {network.id: set() for network in networks}
    ports = _first_ports(data, problems)
    placed = [(port, known[port["network"]]) for port in ports if port["network"] in known]
    for port, network in placed:
        taken[network.id].update(map(ip_address, port.get("fixed_ips") or ()))
    for what in ("network", "host"):
        _check_references(data, what, problems)
    of_network: defaultdict[str, list[Subnet]] = defaultdict(list)
    for subnet in subnets:
        of_network[subnet.network_id].append(subnet)
    made, last = [], dict[str, Address]()
    for port, network in placed:
        fixed_ips = tuple(
            _fixed_ips(port, of_network[network.id], taken[network.id], last, problems)
        )
        port_id = port.get("id") or server_port_id(name, port["server"])
        made.append(
            Port(
                id=port_id,
                name=port["server"],
                network_id=network.id,
                mac_address=port.get("mac_address", derived_mac(port_id)).lower(),
                fixed_ips=fixed_ips,
                host=port["host"],
                device_id=port["server"],
                port_security_enabled=port.get("port_security_enabled", True),
                allowed_address_pairs=tuple(map(_pair, port.maps("allowed_address_pairs"))),
                admin_state_up=port.get("admin_state_up", True),
            )
        )
    return tuple(made)


def _pair(pair: Map) -> AddressPair:
    address, mac = ip_network(pair["ip_address"]), pair.get("mac_address", "").lower()
    return AddressPair(ip_address=address, mac_address=mac)


def _first_ports(data: Map, problems: Problems) -> list[Map]:
    """The first port of each guest; another one is an error, since a guest has one interface."""
    found: dict[str, Map] = {}
    for port in data.maps("ports"):
        if found.setdefault(port["server"], port) is not port:
            repeated, do = f"{port['server']!r} already has a port", "Name another guest."
            problems.add_at(port, "server", repeated, allowed="one port per guest", do=do)
    return list(found.values())


def _check_references(data: Map, what: str, problems: Problems) -> None:
    """Add an error for each port whose network or host the scenario does not have."""
    names = dict.fromkeys(each["name"] for each in data.maps(f"{what}s"))
    allowed = ", ".join(names) or f"none (the scenario has no {what}s)"
    for port in data.maps("ports"):
        if port[what] not in names:
            found = f"{port[what]!r} does not exist"
            do = did_you_mean(port[what], names, f"Name an existing {what}.")
            problems.add_at(port, what, found, allowed=allowed, do=do)


def _fixed_ips(
    port: Map,
    subnets: Sequence[Subnet],
    taken: set[Address],
    last: dict[str, Address],
    problems: Problems,
) -> Iterator[Address]:
    """The addresses given; else one of each IP version, from the first subnet with a free one.

    `last`: the address given last, of each subnet by its id.
    """
    if "fixed_ips" in port:
        yield from map(ip_address, port["fixed_ips"])
        return
    for version in dict.fromkeys(subnet.cidr.version for subnet in subnets):
        of_version = [subnet for subnet in subnets if subnet.cidr.version == version]
        free = (
            (free_address(subnet, taken, after=last.get(subnet.id)), subnet)
            for subnet in of_version
        )
        address, subnet = next((each for each in free if each[0] is not None), (None, None))
        if address is not None and subnet is not None:
            taken.add(address)
            last[subnet.id] = address
            yield address
            continue
        found = f"no free address for {port['server']!r}"
        allowed = f"allocation_pools of {', '.join(subnet.name for subnet in of_version)}"
        do = "Widen the pools, or give `fixed_ips`."
        problems.add(port.place, port.path, found, allowed=allowed, do=do)
