"""The devices and FDB entries that a `linuxbridge` host needs, and the commands that set them.  Pure.

Each network with a port on the host has a bridge with the guests' taps and a VXLAN device.  Names are
those of Neutron's linuxbridge agent (`linuxbridge_neutron_agent.LinuxBridgeManager`), so that
`ip link` and `bridge fdb` print the same as on a real compute node.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.model.encap import IP_HEADER, NetworkType
from controller.model.names import bridge_name, tap_name, vxlan_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port

# The MAC of FDB entries for all other frames: the kernel sends a copy to each of them.
ALL = "00:00:00:00:00:00"
DST_PORT = 4789  # IANA's (RFC 7348) and Neutron's `udp_dstport`; the kernel's default is 8472
TTL = 4  # of multicast; such an underlay has no router
OURS = re.compile(r"brq[0-9a-f-]{11}|vxlan-[0-9]{1,8}")
Entry = tuple[str, str]  # MAC and VTEP of an FDB entry; address and MAC of a neighbour


@dataclass(frozen=True, slots=True, kw_only=True)
class Vxlan:
    """A VXLAN device with its FDB and neighbour entries.

    Attributes:
        group: the multicast group to which it floods, instead of a copy to each `ALL` of its FDB.
        learning: it learns the VTEP of a MAC from the outer header.
        proxy: it answers ARP from its neighbours and drops requests for other addresses.
    """

    vni: int
    local: str
    mtu: int  # bytes
    group: str = ""
    learning: bool = True
    proxy: bool = False
    fdb: frozenset[Entry] = frozenset()
    neighbours: frozenset[Entry] = frozenset()

    @property
    def name(self) -> str:
        """The device's name."""
        return vxlan_name(self.vni)

    @property
    def fixed(self) -> tuple[object, ...]:
        """The settings that cannot be changed after creation."""
        return self.vni, self.local, self.group, self.learning, self.proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One network on one host; without `vxlan` its frames never leave the host."""

    bridge: str
    taps: frozenset[str]
    vxlan: Vxlan | None = None
    mtu: int = 0  # of the taps [bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The state of a host's kernel.

    Attributes:
        devices: every interface, with the bridge that it belongs to or "".
        addresses: those of the underlay interface.
        down: interfaces that are set down.
        mtus: of every interface [bytes].
    """

    devices: Mapping[str, str] = field(default_factory=dict)
    vxlans: Mapping[str, Vxlan] = field(default_factory=dict)
    addresses: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    mtus: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """Lines for `ip -batch`, then for `bridge -batch`, then for `ip -batch` again."""

    ip: tuple[str, ...] = ()
    fdb: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self.ip) + len(self.fdb) + len(self.rest)


def segments(overlay: Overlay, host: Host) -> tuple[Segment, ...]:
    """The segments of `host`, in the order of their first ports."""
    return tuple(_segment(overlay, host, network) for network in overlay.networks_on(host.name))


def _segment(overlay: Overlay, host: Host, network: Network) -> Segment:
    here = (port for port in overlay.active_ports(network.id) if port.host == host.name)
    is_tunnelled = network.network_type is NetworkType.VXLAN
    return Segment(
        bridge=bridge_name(network.id),
        taps=frozenset(tap_name(port.id) for port in here),
        vxlan=_vxlan(overlay, host, network) if is_tunnelled else None,
        mtu=overlay.mtu_of(network),
    )


def _vxlan(overlay: Overlay, host: Host, network: Network) -> Vxlan:
    group = host.group_of(network)
    # The kernel refuses a larger MTU over this underlay.
    overhead = IP_HEADER[host.local_ip.version] + NetworkType.VXLAN.kind.overhead
    return Vxlan(
        vni=network.segmentation_id or 0,
        local=str(host.local_ip),
        mtu=min(overlay.mtu_of(network), overlay.underlay_mtu - overhead),
        group=str(group or ""),
        learning=not host.l2_population,
        proxy=host.is_arp_responder,
        fdb=frozenset(_fdb(overlay, host, network)),
        neighbours=frozenset(_neighbours(overlay, host, network)),
    )


def _fdb(overlay: Overlay, host: Host, network: Network) -> Iterator[Entry]:
    """Entries for the group, for all VTEPs, or those that l2population announces."""
    if group := host.group_of(network):
        yield ALL, str(group)
        return
    for remote in flooded_to(overlay, host, network):
        yield ALL, str(remote.local_ip)
    for port in _announced(overlay, host, network):
        yield port.mac_address, str(overlay.host(port.host).local_ip)


def flooded_to(overlay: Overlay, host: Host, network: Network) -> tuple[Host, ...]:
    """The hosts that get a copy each: every other VTEP, or with l2population only members."""
    known = overlay.members(network.id) if host.l2_population else overlay.hosts
    return tuple(
        remote
        for remote in known
        if remote.name != host.name and NetworkType.VXLAN in remote.tunnel_types
    )


def _announced(overlay: Overlay, host: Host, network: Network) -> Iterator[Port]:
    """The ports on other hosts that l2population announces."""
    for port in overlay.active_ports(network.id):
        if host.l2_population and port.host != host.name:
            yield port


def _neighbours(overlay: Overlay, host: Host, network: Network) -> Iterator[Entry]:
    """The entries from which the device answers ARP; none without the proxy."""
    for port in _announced(overlay, host, network) if host.is_arp_responder else ():
        yield from ((str(ip), port.mac_address) for ip in port.ipv4)


def kernel_change(wanted: tuple[Segment, ...], seen: Kernel) -> Change:
    """The commands that turn `seen` into `wanted`; of other devices only ours are removed.

    Removals come last.
    """
    vxlans = [segment.vxlan for segment in wanted if segment.vxlan]
    return Change(
        ip=tuple(line for segment in wanted for line in _link_lines(segment, seen)),
        fdb=tuple(line for each in vxlans for line in _fdb_lines(each, _existing(each, seen))),
        rest=(
            *(line for each in vxlans for line in _neighbour_lines(each, _existing(each, seen))),
            *_removals(wanted, seen),
        ),
    )


def _existing(wanted: Vxlan, seen: Kernel) -> Vxlan | None:
    """The existing device, unless it has to be created again."""
    there = seen.vxlans.get(wanted.name)
    return there if there and there.fixed == wanted.fixed else None


def _link_lines(segment: Segment, seen: Kernel) -> Iterator[str]:
    """Create the bridge and the VXLAN device, and add the device and the taps to the bridge."""
    bridge = segment.bridge
    if bridge not in seen.devices:
        yield f"link add {bridge} type bridge stp_state 0 mcast_snooping 0"
    if bridge not in seen.devices or bridge in seen.down:
        yield f"link set {bridge} up"
    if (vxlan := segment.vxlan) is not None:
        there = _existing(vxlan, seen)
        if not there:
            yield from _new_vxlan(vxlan, seen)
        elif there.mtu != vxlan.mtu:
            yield f"link set {vxlan.name} mtu {vxlan.mtu}"
        if not there or _is_apart(vxlan.name, bridge, seen):
            yield f"link set {vxlan.name} master {bridge} up"
    for tap in sorted(segment.taps):
        if _is_apart(tap, bridge, seen):
            yield f"link set {tap} master {bridge} up"
        if seen.mtus.get(tap, segment.mtu) != segment.mtu:
            yield f"link set {tap} mtu {segment.mtu}"


def _is_apart(name: str, bridge: str, seen: Kernel) -> bool:
    """Whether an interface is down, or not a port of its bridge."""
    return seen.devices.get(name) != bridge or name in seen.down


def _new_vxlan(vxlan: Vxlan, seen: Kernel) -> Iterator[str]:
    if vxlan.name in seen.devices:
        yield f"link del {vxlan.name}"
    flags = f"{'' if vxlan.learning else 'no'}learning{' proxy' if vxlan.proxy else ''}"
    group = f" group {vxlan.group} ttl {TTL}" if vxlan.group else ""
    yield (
        f"link add {vxlan.name} mtu {vxlan.mtu} type vxlan id {vxlan.vni} dev underlay "
        f"local {vxlan.local} dstport {DST_PORT}{group} {flags}"
    )


def _fdb_lines(wanted: Vxlan, there: Vxlan | None) -> Iterator[str]:
    """`append` for one of several copies, `replace` for the VTEP of a MAC."""
    have = there.fdb if there else frozenset(entry for entry in wanted.fdb if wanted.group)
    for mac, vtep in sorted(wanted.fdb - have):
        yield f"fdb {'append' if mac == ALL else 'replace'} {mac} dev {wanted.name} dst {vtep}"
    kept = {mac for mac, _ in wanted.fdb} - {ALL}
    for mac, vtep in sorted(have - wanted.fdb):
        if mac not in kept:  # a replaced entry is gone already
            yield f"fdb del {mac} dev {wanted.name} dst {vtep}"


def _neighbour_lines(wanted: Vxlan, there: Vxlan | None) -> Iterator[str]:
    have = there.neighbours if there else frozenset()
    for address, mac in sorted(wanted.neighbours - have):
        yield f"neigh replace {address} lladdr {mac} dev {wanted.name} nud permanent"
    kept = {address for address, _ in wanted.neighbours}
    for address, _ in sorted(have - wanted.neighbours):
        if address not in kept:
            yield f"neigh del {address} dev {wanted.name}"


def _removals(wanted: tuple[Segment, ...], seen: Kernel) -> Iterator[str]:
    """Take unwanted taps out of their bridge; delete unwanted bridges and VXLAN devices of ours."""
    taps = {tap for segment in wanted for tap in segment.taps}
    names = {segment.bridge for segment in wanted}
    names |= {segment.vxlan.name for segment in wanted if segment.vxlan}
    for name, bridge in sorted(seen.devices.items()):
        if name.startswith("tap") and bridge and name not in taps:
            yield f"link set {name} nomaster"
        elif OURS.fullmatch(name) and name not in names:
            yield f"link del {name}"


def in_words(change: Change, seen: Kernel) -> list[str]:
    """The problem that each line of `change`, a command of `ip` or `bridge`, corrects."""
    lines = [line.split() for line in (*change.ip, *change.fdb, *change.rest)]
    new = {line[2] for line in lines if line[:2] == ["link", "add"]}
    # A new device has no entries and no bridge yet: only the device itself is reported.
    shown = (line for line in lines if line[:2] == ["link", "add"] or not new & set(line))
    words = (_words(line, seen) for line in shown)
    return list(dict.fromkeys(each for each in words if each))


def _words(line: list[str], seen: Kernel) -> str:
    what, verb, name, *rest = line
    if what == "link":
        return _link_words(verb, name, rest, seen)
    if what == "fdb":
        entry = f"{name} to {rest[3]}"
        return (
            f"{rest[1]} has {'an unneeded FDB entry' if verb == 'del' else 'no FDB entry'}: {entry}"
        )
    device = rest[rest.index("dev") + 1]
    return f"{device} has {'an unneeded neighbour' if verb == 'del' else 'no neighbour'} {name}"


def _link_words(verb: str, name: str, rest: list[str], seen: Kernel) -> str:
    if verb == "add":
        return f"{name} {'has other settings' if name in seen.devices else 'is missing'}"
    if verb == "del":
        return f"{name} is not needed"
    if rest[0] == "mtu":
        return f"the MTU of {name} is {seen.mtus.get(name, 'another')}, not {rest[1]}"
    if rest[0] == "nomaster":
        return f"{name} is a port of {seen.devices[name]}, but no active port of a network"
    is_down = name in seen.down or rest[0] != "master"
    return f"interface {name} is down" if is_down else f"{name} is no port of {rest[1]}"
