"""The parts of an overlay, as frozen values without checks.  Pure."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from controller.model.agent import DEFAULTS, AgentOptions
from controller.model.encap import NetworkType, network_mtu
from controller.model.names import int_port_name, tap_name
from controller.model.underlay import SWITCHED, Underlay

Address = IPv4Address | IPv6Address
Cidr = IPv4Network | IPv6Network


class Mechanism(str, Enum):
    """A host's mechanism driver: what forwards its guests' frames."""

    OPENVSWITCH = "openvswitch"  # br-int and br-tun, with flows from the controller
    LINUXBRIDGE = "linuxbridge"  # a Linux bridge and a kernel VXLAN device for each network

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRange:
    """Ids for networks of a type that have none of their own, both ends included."""

    network_type: NetworkType
    first: int
    last: int
    physical_network: str = ""  # for vlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A compute host: one VTEP and the options of its openvswitch agent."""

    name: str
    local_ip: Address
    tunnel_types: tuple[NetworkType, ...] = ()
    l2_population: bool = False
    arp_responder: bool = False
    bridge_mappings: tuple[tuple[str, str], ...] = ()  # (physical network, bridge)
    mechanism: Mechanism = Mechanism.OPENVSWITCH
    hybrid_plug: bool = False  # Nova's: a Linux bridge before br-int, tap - qbr - qvb/qvo
    vxlan_group: Cidr | None = None  # linuxbridge: floods by multicast, a group for each VNI
    agent: AgentOptions = DEFAULTS
    written_ip: str = ""  # `local_ip` as written, if that is not its shortest form

    @property
    def vtep(self) -> str:
        """`local_ip` as it was written: Neutron makes names of tunnel ports from the text."""
        is_it = self.written_ip and ip_address(self.written_ip) == self.local_ip
        return self.written_ip if is_it else str(self.local_ip)

    def bridge_of(self, physical_network: str | None) -> str | None:
        """The provider bridge of `physical_network`, or None."""
        return dict(self.bridge_mappings).get(physical_network or "")

    def can_have(self, network: "Network") -> bool:
        """Whether the host has what the network needs: its type of tunnel, or a provider bridge."""
        if network.network_type.is_tunnel:
            return network.network_type in self.tunnel_types
        is_provider = network.network_type.is_provider
        return not is_provider or bool(self.bridge_of(network.physical_network))

    def device_of(self, port_id: str) -> str:
        """The interface through which a guest's frames enter the switch here."""
        is_bridge = self.mechanism is Mechanism.LINUXBRIDGE
        return tap_name(port_id) if is_bridge else int_port_name(port_id)

    def group_of(self, network: "Network") -> Address | None:
        """The multicast group to which this host floods frames of `network`, or None.

        239.0.0.0/8 has one for each VNI; a single address serves all networks.

        Source: Neutron `LinuxBridgeManager.get_vxlan_group`.
        """
        if self.vxlan_group is None:
            return None
        vni = network.segmentation_id or 0
        return self.vxlan_group.network_address + (vni & int(self.vxlan_group.hostmask))

    @property
    def is_arp_responder(self) -> bool:
        """True if this host answers ARP itself; Neutron needs both options (AG:190)."""
        return self.arp_responder and self.l2_population


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One tenant layer-2 network.

    `segmentation_id` is the id on the wire, the same on every host.  Each host chooses its own
    local VLAN for it; that is in the host's `Binding`.
    """

    id: str
    name: str
    network_type: NetworkType
    segmentation_id: int | None = None
    physical_network: str | None = None
    mtu: int = 0  # bytes; 0: as much as the underlay allows

    @property
    def where(self) -> str:
        """The network in error messages."""
        return f"network {self.name!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """The addresses of a network.

    `pools` are inclusive ranges for automatic allocation; empty: all addresses but the gateway.
    """

    id: str
    name: str
    network_id: str
    cidr: Cidr
    pools: tuple[tuple[Address, Address], ...] = ()
    gateway_ip: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPair:
    """An address, or all addresses of a subnet, that a port may use besides its own."""

    ip_address: Cidr
    mac_address: str = ""  # empty: the port's own

    @property
    def text(self) -> str:
        """The address as Neutron shows it: `10.0.0.5`, or `10.0.0.0/24`."""
        ip = self.ip_address
        return str(ip.network_address if ip.prefixlen == ip.max_prefixlen else ip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A guest's attachment: Neutron's port, bound to a host."""

    id: str
    name: str
    network_id: str
    mac_address: str
    fixed_ips: tuple[Address, ...] = ()
    host: str = ""  # binding:host_id; empty: not bound
    device_id: str = ""  # the guest's name
    port_security_enabled: bool = True
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    admin_state_up: bool = True
    status: str = "ACTIVE"  # DOWN until the host has plugged it
    is_dhcp_server: bool = False  # a dnsmasq's, not a guest's; `device_id` names its namespace

    @property
    def is_active(self) -> bool:
        """True if frames may pass: bound, plugged and not switched off."""
        return bool(self.host) and self.admin_state_up and self.status == "ACTIVE"

    @property
    def device_owner(self) -> str:
        """Neutron's device_owner: a guest, if the port has one, the DHCP server, or nobody."""
        if self.is_dhcp_server:
            return "network:dhcp"
        return "compute:nova" if self.device_id else ""

    @property
    def ipv4(self) -> tuple[IPv4Address, ...]:
        """Its IPv4 addresses, in the order given."""
        return tuple(ip for ip in self.fixed_ips if isinstance(ip, IPv4Address))

    @property
    def ipv6(self) -> tuple[IPv6Address, ...]:
        """Its IPv6 addresses, in the order given."""
        return tuple(ip for ip in self.fixed_ips if isinstance(ip, IPv6Address))


@dataclass(frozen=True, kw_only=True)
class OverlayParts:
    """All parts of one overlay, before they are checked against each other."""

    name: str
    hosts: tuple[Host, ...]
    networks: tuple[Network, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    ports: tuple[Port, ...] = ()
    release: str = "queens"
    underlay_mtu: int = 1500  # bytes
    path_mtu: int = 0  # bytes, [ml2] path_mtu: limits tunnelled packets; 0: no limit
    underlay: Underlay = SWITCHED
    dhcp: bool = False  # guests use DHCP where their subnet has a server (dhcp.with_servers)
    ranges: tuple[SegmentRange, ...] = ()  # of ids, for networks without one
    tenant_network_types: tuple[NetworkType, ...] = ()  # of networks without a type
    type_drivers: tuple[NetworkType, ...] = tuple(NetworkType)  # types that a network may have
    # Physical networks that the server knows; None: it is not configured, all are allowed.
    vlan_networks: tuple[str, ...] | None = None
    flat_networks: tuple[str, ...] | None = None

    @cached_property
    def host_of(self) -> dict[str, Host]:
        """Hosts by name."""
        return {host.name: host for host in self.hosts}

    @cached_property
    def network_of(self) -> dict[str, Network]:
        """Networks by id."""
        return {network.id: network for network in self.networks}

    @cached_property
    def port_of(self) -> dict[str, Port]:
        """Ports by id."""
        return {port.id: port for port in self.ports}

    def mtu_of(self, network: Network) -> int:
        """The MTU [bytes] of guests of `network`."""
        return network.mtu or self.mtu_limit(network)

    def mtu_limit(self, network: Network) -> int:
        """The largest MTU [bytes] of `network` that the underlay has room for.

        Source: Neutron `TunnelTypeDriver.get_mtu`; its flat and vlan have no path_mtu.
        """
        version = self.hosts[0].local_ip.version if self.hosts else 4
        is_limited = network.network_type.is_tunnel and self.path_mtu
        limit = min(self.underlay_mtu, self.path_mtu) if is_limited else self.underlay_mtu
        return network_mtu(network.network_type, limit, ip_version=version)

    @cached_property
    def subnets_of(self) -> dict[str, tuple[Subnet, ...]]:
        """Each network's subnets, oldest first, by the network's id; networks without one are left out."""
        found: dict[str, tuple[Subnet, ...]] = {}
        for subnet in self.subnets:
            found[subnet.network_id] = (*found.get(subnet.network_id, ()), subnet)
        return found
