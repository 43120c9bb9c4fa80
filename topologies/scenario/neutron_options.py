"""Neutron's options that have an effect here, and how each is parsed.  Pure.

Names, sections and defaults are those of neutron/conf/plugins/ml2, of Queens and later releases.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from controller.model.encap import TUNNEL_TYPES, NetworkType

WHOLE = re.compile(r"[0-9]+")
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
Range = tuple[str, int, int]  # (physical network or "", first, last)


@dataclass(frozen=True, slots=True)
class Option:
    """How one option is parsed; `parse` raises ValueError if the text is invalid."""

    parse: Callable[[str], Any]
    allowed: str
    do: str = "Correct the value."


def words(text: str) -> tuple[str, ...]:
    """A comma-separated list, as oslo.config's ListOpt reads it."""
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


def _boolean(text: str) -> bool:
    if text.strip().lower() not in (*TRUE, *FALSE):
        raise ValueError(text)
    return text.strip().lower() in TRUE


def _whole(text: str) -> int:
    if not WHOLE.fullmatch(text.strip()):
        raise ValueError(text)
    return int(text)


def _tunnel_types(text: str) -> tuple[NetworkType, ...]:
    types = tuple(dict.fromkeys(NetworkType(word) for word in words(text)))
    if not all(kind.is_tunnel for kind in types):
        raise ValueError(text)
    return types


def _bridge_mappings(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(part.strip() for part in word.split(":")) for word in words(text)]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):  # network:bridge
        raise ValueError(text)
    if len({pair[0] for pair in pairs}) < len(pairs) or len({p[1] for p in pairs}) < len(pairs):
        raise ValueError(text)  # Neutron: each network and each bridge once
    return tuple((network, bridge) for network, bridge in pairs)


def _fixed(*accepted: str) -> Option:
    """An option with one supported value, and other notations of it."""

    def parse(text: str) -> str:
        if text.strip().lower() not in accepted:
            raise ValueError(text)
        return text.strip()

    return Option(parse, accepted[0], f"Only {accepted[0]} is supported; remove the line.")


def _id_ranges(kind: NetworkType) -> Option:
    top = kind.kind.id_max

    def parse(text: str) -> tuple[Range, ...]:
        return tuple(_range("", word.split(":"), top) for word in words(text))

    return Option(parse, f"first:last pairs with commas between, each id 1..{top}")


def _range(physical: str, bounds: list[str], top: int) -> Range:
    first, last = map(_whole, bounds)  # ValueError also unless there are two
    if not 1 <= first <= last <= top:
        raise ValueError(bounds)
    return (physical, first, last)


def _vlan_ranges(text: str) -> tuple[Range, ...]:
    top = NetworkType.VLAN.kind.id_max
    parts = (word.split(":") for word in words(text) if ":" in word)
    return tuple(_range(physical.strip(), bounds, top) for physical, *bounds in parts)


FLAG = Option(_boolean, "true or false")
LIST = Option(words, "names with commas between")
RANGES = {
    NetworkType.VXLAN: ("ml2_type_vxlan", "vni_ranges"),
    NetworkType.GRE: ("ml2_type_gre", "tunnel_id_ranges"),
    NetworkType.GENEVE: ("ml2_type_geneve", "vni_ranges"),
    NetworkType.VLAN: ("ml2_type_vlan", "network_vlan_ranges"),
}
SERVER: dict[tuple[str, str], Option] = {
    ("ml2", "type_drivers"): LIST,
    ("ml2", "tenant_network_types"): LIST,
    ("ml2", "project_network_types"): LIST,
    ("ml2", "mechanism_drivers"): LIST,
    ("ml2", "path_mtu"): Option(_whole, "a whole number of bytes; 0 for no limit"),
    **{which: _id_ranges(kind) for kind, which in RANGES.items() if kind.is_tunnel},
    RANGES[NetworkType.VLAN]: Option(
        _vlan_ranges, "network or network:first:last with commas between, each id 1..4094"
    ),
}
AGENT: dict[tuple[str, str], Option] = {
    ("ovs", "local_ip"): Option(
        lambda text: ip_address(text.strip()), "an IPv4 or IPv6 address", "Give the VTEP's address."
    ),
    ("ovs", "bridge_mappings"): Option(
        _bridge_mappings, "network:bridge pairs with commas between, each name once"
    ),
    ("ovs", "integration_bridge"): _fixed("br-int"),
    ("ovs", "tunnel_bridge"): _fixed("br-tun"),
    ("agent", "tunnel_types"): Option(
        _tunnel_types, ", ".join(map(str, TUNNEL_TYPES)), "Name one or more, with commas between."
    ),
    ("agent", "l2_population"): FLAG,
    ("agent", "arp_responder"): FLAG,
    ("agent", "vxlan_udp_port"): _fixed("4789"),
    ("agent", "dont_fragment"): _fixed(*TRUE),
}
# Neutron's options without an effect here: section -> names.
SERVER_OTHERS = {
    "ml2": "extension_drivers physical_network_mtus external_network_type overlay_ip_version",
    "ml2_type_vxlan": "vxlan_group",
    "ml2_type_geneve": "max_header_size",
    "ml2_type_flat": "flat_networks",
    "securitygroup": "firewall_driver enable_security_group enable_ipset permitted_ethertypes",
}
AGENT_OTHERS = {
    "ovs": "int_peer_patch_port tun_peer_patch_port datapath_type of_listen_address of_listen_port"
    " of_connect_timeout of_request_timeout of_inactivity_probe openflow_processed_per_port"
    " trunk_enabled ovsdb_connection ovsdb_timeout ovsdb_debug ovsdb_interface of_interface"
    " bridge_mac_table_size igmp_snooping_enable igmp_flood igmp_flood_reports"
    " igmp_flood_unregistered use_veth_interconnection vhostuser_socket_dir"
    " ssl_key_file ssl_cert_file ssl_ca_cert_file resource_provider_bandwidths",
    "agent": "enable_distributed_routing drop_flows_on_start tunnel_csum baremetal_smartnic"
    " explicitly_egress_direct minimize_polling polling_interval ovsdb_monitor_respawn_interval"
    " dscp dscp_inherit quitting_rpc_timeout extensions agent_type veth_mtu"
    " prevent_arp_spoofing root_helper root_helper_daemon report_interval log_agent_heartbeats",
    "securitygroup": SERVER_OTHERS["securitygroup"],
}
