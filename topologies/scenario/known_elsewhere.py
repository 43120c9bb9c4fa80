"""The keys of a scenario by the names that they have in other tools, in OpenStack and in Neutron's API."""

from collections.abc import Iterator, Mapping
from typing import Any

_ADDRESS = ("local_ip", "fixed_ips", "ip_address", "gateway_ip", "cidr", "ip")
_GUESTS = ("ports", "stations")
# Which of the keys is meant depends on the place: the first that the place has.
KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("ip", "ips", "ipv4", "ipv6", "addr", "address", "addresses"), _ADDRESS),
    **dict.fromkeys(("ip_addr", "fixed_ip"), _ADDRESS),
    **dict.fromkeys(("vtep", "vtep_ip", "tunnel_ip", "tunneling_ip", "endpoint"), ("local_ip",)),
    **dict.fromkeys(("vni", "vnid", "vsid", "key", "gre_key", "tunnel_id"), ("segmentation_id",)),
    **dict.fromkeys(("vlan", "vlan_id", "vid", "tag"), ("segmentation_id",)),
    "provider:segmentation_id": ("segmentation_id",),
    **dict.fromkeys(("type", "kind", "encap"), ("network_type", "tunnel_types", "mechanism")),
    **dict.fromkeys(("encapsulation", "overlay"), ("network_type", "tunnel_types")),
    "provider:network_type": ("network_type",),
    **dict.fromkeys(("tunnels", "tunnel_type", "types"), ("tunnel_types", "network_type")),
    **dict.fromkeys(("mac", "hwaddr", "lladdr"), ("mac_address",)),
    **dict.fromkeys(
        ("name", "vm", "guest", "instance", "device_id"), ("server", "name", "summary")
    ),
    **dict.fromkeys(("host_id", "binding:host_id", "node", "hypervisor", "compute"), ("host",)),
    **dict.fromkeys(("nodes", "computes", "compute_nodes", "hypervisors"), ("hosts",)),
    **dict.fromkeys(("net", "network_id", "network_name"), ("network",)),
    **dict.fromkeys(("nets", "segments"), ("networks",)),
    **dict.fromkeys(("servers", "vms", "guests", "instances"), _GUESTS),
    **dict.fromkeys(("prefix", "subnet", "network_address"), ("cidr", "subnets")),
    **dict.fromkeys(("gateway", "gw", "default_gateway"), ("gateway_ip",)),
    **dict.fromkeys(("pool", "pools", "range", "ranges"), ("allocation_pools",)),
    **dict.fromkeys(("from", "first"), ("start",)),
    **dict.fromkeys(("to", "last"), ("end",)),
    **dict.fromkeys(("physnet", "provider", "provider:physical_network"), ("physical_network",)),
    **dict.fromkeys(("bridges", "mappings", "physical_interface_mappings"), ("bridge_mappings",)),
    **dict.fromkeys(("l2pop", "l2population"), ("l2_population",)),
    **dict.fromkeys(("arp_proxy", "proxy_arp", "arp_suppression"), ("arp_responder",)),
    **dict.fromkeys(("df", "df_default"), ("dont_fragment",)),
    **dict.fromkeys(("csum", "checksum", "udp_csum"), ("tunnel_csum",)),
    **dict.fromkeys(("udp_port", "dst_port", "dstport"), ("vxlan_udp_port",)),
    "tos": ("dscp",),
    **dict.fromkeys(("group", "multicast_group", "mcast_group"), ("vxlan_group",)),
    **dict.fromkeys(("driver", "agent_type", "backend"), ("mechanism",)),
    **dict.fromkeys(("delay", "latency"), ("delay_ms",)),
    "loss": ("loss_percent",),
    **dict.fromkeys(("topology", "fabric"), ("shape", "underlay")),
    "port_security": ("port_security_enabled",),
    **dict.fromkeys(("admin_state", "enabled", "up"), ("admin_state_up",)),
    **dict.fromkeys(("description", "title"), ("summary",)),
    **dict.fromkeys(("version", "openstack_release"), ("release",)),
    "global_physnet_mtu": ("mtu", "path_mtu"),
}


def meant(found: str, known: Mapping[str, Any]) -> str:
    """The key of this place that is called `found` elsewhere; empty if there is none."""
    return next((key for key in KEYS.get(found.lower(), ()) if key in known), "")


def is_called_otherwise(key: str, item: Mapping[str, Any]) -> bool:
    """Whether `item` lacks `key` but has it by another name, which is an error of its own."""
    return key not in item and any(meant(str(found), {key: None}) for found in item)


def places_of(key: str, schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Where a scenario may have `key`: `underlay`, `networks[]` and so on."""
    properties = schema.get("properties", {})
    if key in properties and at:
        yield at
    for name, below in properties.items():
        inside = f"{at}.{name}".removeprefix(".")
        yield from places_of(key, below, inside)
        yield from places_of(key, below.get("items", {}), f"{inside}[]")
