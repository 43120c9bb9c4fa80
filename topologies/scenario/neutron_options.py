"""Neutron's options that have an effect here, and those that would change flows and are not modelled.  Pure.

To declare an option as used: add a row to `USED`, remove its row of `NOT_MODELLED`, and read its value
with `Options.get(section, option)`.  Names and types are those of the catalogue (neutron/*.json).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any

from controller.model.encap import TUNNEL_TYPES, NetworkType
from topologies.scenario.catalogue import Role, Which

Range = tuple[str, int, int]  # (physical network or "", first, last)


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Option:
    """How the value of one option is read.

    Attributes:
        read: makes a value of the model of what oslo.config reads: a bool, an int, text, a list of
            texts; raises ValueError if it is not usable.
        allowed: the values that an error names; those of the option's type if empty.
    """

    read: Callable[[Any], Any] = _same
    allowed: str = ""
    do: str = "Correct the value."


@dataclass(frozen=True, slots=True)
class NotModelled:
    """What an option would change in Neutron and does not change here.

    Attributes:
        effect: shown in the warning about a value that is neither the default nor in `harmless`.
    """

    effect: str
    harmless: tuple[Any, ...] = ()


def _whole(value: int | None) -> int:
    if value is not None and value < 0:
        raise ValueError(value)
    return value or 0


def _ip_version(value: int | None) -> int:
    if value not in {4, 6}:  # Queens lists no choices, and ends with a KeyError
        raise ValueError(value)
    return value


def _tunnel_types(words: list[str]) -> tuple[NetworkType, ...]:
    types = tuple(dict.fromkeys(NetworkType(word) for word in words))
    if not all(kind.is_tunnel for kind in types):
        raise ValueError(words)
    return types


def _mappings(words: list[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of `key:value`.

    Source: neutron-lib `helpers.parse_mappings`: empty words are left out, keys and values are unique.
    """
    pairs = [tuple(part.strip() for part in word.split(":")) for word in words if word.strip()]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise ValueError(words)
    if len({pair[0] for pair in pairs}) < len(pairs) or len({p[1] for p in pairs}) < len(pairs):
        raise ValueError(words)
    return tuple((key, value) for key, value in pairs)


def _fixed(only: Any, shown: str) -> Option:
    """An option with one supported value."""

    def read(value: Any) -> Any:
        if value != only:
            raise ValueError(value)
        return value

    return Option(read, shown, f"Only {shown} is supported; remove the line.")


def _id_ranges(kind: NetworkType) -> Option:
    """Source: Neutron `_parse_tunnel_ranges`, neutron-lib `verify_tunnel_range`."""
    top = kind.kind.id_max

    def read(words: list[str]) -> tuple[Range, ...]:
        return tuple(_range("", word.split(":"), top) for word in words)

    return Option(read, f"first:last pairs with commas between, each id 1..{top}")


def _range(physical: str, bounds: list[str], top: int) -> Range:
    first, last = map(int, bounds)  # ValueError also unless there are two
    if not 1 <= first <= last <= top:
        raise ValueError(bounds)
    return (physical, first, last)


def _vlan_ranges(name_only: tuple[int, int] | None) -> Option:
    """Source: neutron-lib `parse_network_vlan_ranges`; `name_only`: the range of a name alone."""
    top = NetworkType.VLAN.kind.id_max

    def read(words: list[str]) -> tuple[Range, ...]:
        found: dict[str, list[Range]] = {}
        for word in filter(None, map(str.strip, words)):
            physical, *bounds = word.split(":")
            if not physical:
                raise ValueError(word)
            ranges = found.setdefault(physical, [])
            if bounds:
                ranges.append(_range(physical, bounds, top))
            elif name_only:
                ranges.append((physical, *name_only))
        for physical, ranges in found.items():
            if name_only and (physical, *name_only) in ranges:
                found[physical] = [(physical, *name_only)]  # other ranges add nothing
        return tuple(one for ranges in found.values() for one in ranges)

    return Option(read, "network or network:first:last with commas between, each id 1..4094")


PLAIN = Option()
LIST = Option(tuple, "names with commas between")
RANGES = {
    NetworkType.VXLAN: ("ml2_type_vxlan", "vni_ranges"),
    NetworkType.GRE: ("ml2_type_gre", "tunnel_id_ranges"),
    NetworkType.GENEVE: ("ml2_type_geneve", "vni_ranges"),
    NetworkType.VLAN: ("ml2_type_vlan", "network_vlan_ranges"),
}
LOCAL_IP = Option(ip_address, "an IPv4 or IPv6 address", "Give the VTEP's address.")
BRIDGES = Option(_mappings, "network:bridge pairs with commas between, each name once")
TUNNELS = Option(
    _tunnel_types, ", ".join(map(str, TUNNEL_TYPES)), "Name one or more, with commas between."
)
# The fields of `controller.model.agent.AgentOptions`.
AGENT_OPTIONS: tuple[Which, ...] = (
    ("agent", "dont_fragment"),
    ("agent", "tunnel_csum"),
    ("agent", "vxlan_udp_port"),
    ("agent", "dscp"),
    ("agent", "dscp_inherit"),
    ("agent", "explicitly_egress_direct"),
    ("ovs", "bridge_mac_table_size"),
    ("ovs", "int_peer_patch_port"),
    ("ovs", "tun_peer_patch_port"),
    ("ovs", "igmp_snooping_enable"),
    ("ovs", "igmp_flood"),
    ("ovs", "igmp_flood_reports"),
    ("ovs", "igmp_flood_unregistered"),
)
USED: dict[Role, dict[Which, Option]] = {
    Role.SERVER: {
        ("ml2", "type_drivers"): LIST,
        ("ml2", "tenant_network_types"): LIST,
        ("ml2", "project_network_types"): LIST,
        ("ml2", "mechanism_drivers"): LIST,
        ("ml2", "overlay_ip_version"): Option(_ip_version, "4, 6"),
        ("ml2", "path_mtu"): Option(_whole, "a whole number of bytes; 0 for no limit"),
        ("ml2_type_flat", "flat_networks"): LIST,
        **{which: _id_ranges(kind) for kind, which in RANGES.items() if kind.is_tunnel},
        RANGES[NetworkType.VLAN]: _vlan_ranges(None),
    },
    Role.OPENVSWITCH: {
        ("ovs", "local_ip"): LOCAL_IP,
        ("ovs", "bridge_mappings"): BRIDGES,
        ("ovs", "integration_bridge"): _fixed("br-int", "br-int"),
        ("ovs", "tunnel_bridge"): _fixed("br-tun", "br-tun"),
        ("agent", "tunnel_types"): TUNNELS,
        ("agent", "l2_population"): PLAIN,
        ("agent", "arp_responder"): PLAIN,
        **dict.fromkeys(AGENT_OPTIONS, PLAIN),
    },
    Role.LINUXBRIDGE: {
        ("agent", "tunnel_types"): TUNNELS,  # the scenario's key; the agent has no such option
        ("vxlan", "enable_vxlan"): PLAIN,
        ("vxlan", "local_ip"): LOCAL_IP,
        ("vxlan", "l2_population"): PLAIN,
        ("vxlan", "arp_responder"): PLAIN,
        ("vxlan", "vxlan_group"): Option(
            lambda text: ip_network(text) if text else None, "an address or a prefix, or nothing"
        ),
        ("linux_bridge", "physical_interface_mappings"): Option(
            _mappings, "network:interface pairs with commas between, each name once"
        ),
        ("ovs", "bridge_mappings"): BRIDGES,  # the scenario's key
        ("linux_bridge", "bridge_mappings"): BRIDGES,
    },
}
# neutron-lib 2.10 (Neutron 18): a name alone stands for all ids.
USED_CURRENT: dict[Role, dict[Which, Option]] = {
    Role.SERVER: {RANGES[NetworkType.VLAN]: _vlan_ranges((1, NetworkType.VLAN.kind.id_max))}
}


def used(role: Role, release: str) -> dict[Which, Option]:
    """The options that have an effect here."""
    return USED[role] | (USED_CURRENT.get(role, {}) if release == "current" else {})


FIREWALL = NotModelled(
    "Neutron has the firewall's flows in br-int (tables 71 to 94) and none in tables 24 and 25; "
    "here spoofed frames are dropped in tables 24 and 25, and rules of security groups are absent",
    (
        "",  # Neutron reads it as noop (`SecurityGroupAgentRpc.init_firewall`)
        "noop",
        "iptables",
        "iptables_hybrid",
        "neutron.agent.firewall.NoopFirewallDriver",
        "neutron.agent.linux.iptables_firewall.IptablesFirewallDriver",
        "neutron.agent.linux.iptables_firewall.OVSHybridIptablesFirewallDriver",
    ),
)
EXTENSIONS = NotModelled("flows, queues and meters of extensions are absent here")
DSCP = NotModelled("outer headers have DSCP 0 here")
SERVER_MTU = "networks get their MTU from `underlay.mtu` and path_mtu here"
NOT_MODELLED: Mapping[Role, Mapping[Which, NotModelled]] = MappingProxyType(
    {
        Role.SERVER: {
            ("DEFAULT", "core_plugin"): NotModelled(
                "only ML2 is modelled here", ("ml2", "neutron.plugins.ml2.plugin.Ml2Plugin")
            ),
            ("DEFAULT", "global_physnet_mtu"): NotModelled(
                f"{SERVER_MTU}; no difference if `underlay.mtu` is the same"
            ),
            ("DEFAULT", "vlan_transparent"): NotModelled(
                "networks carry no tagged frames of guests here"
            ),
            ("DEFAULT", "vlan_qinq"): NotModelled("networks carry no tagged frames of guests here"),
            ("DEFAULT", "base_mac"): NotModelled("ports get MACs that are derived from names here"),
            ("ml2", "physical_network_mtus"): NotModelled(SERVER_MTU),
            ("ml2_type_geneve", "max_header_size"): NotModelled(
                "guests on geneve have the MTU for a header of 30 bytes here"
            ),
        },
        Role.OPENVSWITCH: {
            ("securitygroup", "firewall_driver"): FIREWALL,
            ("agent", "extensions"): EXTENSIONS,
            ("agent", "enable_distributed_routing"): NotModelled(
                "flows of distributed routers are absent here (br-int 1 and 2, br-tun 1 and 9, others changed)"
            ),
            ("agent", "drop_flows_on_start"): NotModelled(
                "the controller never empties tables at its start"
            ),
            ("agent", "baremetal_smartnic"): NotModelled("flows of smart NICs are absent here"),
            ("ovs", "datapath_type"): NotModelled("`--datapath` sets the datapath of a lab"),
            ("ovs", "use_veth_interconnection"): NotModelled(
                "bridges are joined by patch ports here"
            ),
        },
        Role.LINUXBRIDGE: {
            ("vxlan", "ttl"): NotModelled(
                "the TTL of outer headers is the kernel's, or 4 to a group, here"
            ),
            ("vxlan", "tos"): DSCP,
            ("vxlan", "udp_dstport"): NotModelled("VXLAN has UDP port 4789 here", (4789,)),
            ("vxlan", "udp_srcport_min"): NotModelled("the kernel selects the source port here"),
            ("vxlan", "udp_srcport_max"): NotModelled("the kernel selects the source port here"),
            ("vxlan", "multicast_ranges"): NotModelled("all groups are those of vxlan_group here"),
            ("agent", "dscp"): DSCP,
            ("agent", "dscp_inherit"): DSCP,
            ("agent", "extensions"): EXTENSIONS,
        },
    }
)
# Options of releases before Queens, or under a name that none of the catalogue has.
FORMER: Mapping[Which, str] = MappingProxyType(
    {
        ("ovs", "tenant_network_type"): "use tenant_network_types in [ml2] of ml2_conf.ini",
        ("ovs", "enable_tunneling"): "tunnel_types in [agent] enables tunnels",
        ("ovs", "tunnel_type"): "use tunnel_types in [agent]",
        ("ovs", "tunnel_types"): "use tunnel_types in [agent]",
        (
            "ovs",
            "tunnel_id_ranges",
        ): "use [ml2_type_gre] tunnel_id_ranges or [ml2_type_vxlan] vni_ranges",
        ("ovs", "vxlan_udp_port"): "use vxlan_udp_port in [agent]",
        (
            "agent",
            "prevent_arp_spoofing",
        ): "spoofed ARP is always dropped on ports with port security",
        ("ml2", "supported_pf_vendor_devs"): "all devices are supported",
        ("DEFAULT", "verbose"): "it was removed before Queens; debug remains",
        ("DEFAULT", "advertise_mtu"): "the MTU is always advertised",
        ("DEFAULT", "network_device_mtu"): "use global_physnet_mtu in neutron.conf",
    }
)
