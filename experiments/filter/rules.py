"""What a firewall between two VTEPs is told, as texts: by outer headers, and by inner ones.  Pure.

nft's `@th,96,24` is 24 bits at bit 96 from the transport header on; u32's `0>>22&0x3C@12` is
four bytes at byte 12 behind the IP header.  Offsets hold where no outer header has options:
UDP 8 and VXLAN 8 (RFC 7348) or Geneve 8 (RFC 8926), or GRE 4 and key 4 (RFC 2890); then Ethernet 14.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address

from controller.model.encap import NetworkType

PORTS = {NetworkType.VXLAN: 4789, NetworkType.GENEVE: 6081}  # IANA
INNER_IP = {NetworkType.VXLAN: 30, NetworkType.GENEVE: 30, NetworkType.GRE: 22}  # bytes, see above
SOURCE_AT, TARGET_AT = 12, 16  # bytes into an IPv4 header (RFC 791)
TABLE = "table ip overlaylab"
HOOKS = {
    "forward": "type filter hook forward priority filter",
    "postrouting": "type nat hook postrouting priority srcnat",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The tenant's flow that is to be stopped."""

    network_type: NetworkType
    segmentation_id: int
    source: IPv4Address  # inner
    target: IPv4Address


def nft(*rules: str, hook: str = "forward") -> str:
    """A ruleset of one chain; what it does not name passes."""
    lines = "\n".join(f"    {rule}" for rule in rules)
    return f"{TABLE} {{\n  chain c {{\n    {HOOKS[hook]}; policy accept;\n{lines}\n  }}\n}}\n"


def in_zone(zone: int) -> str:
    """A chain by which conntrack knows nothing of what it has seen in another zone."""
    return f"{TABLE} {{\n  chain z {{\n    type filter hook prerouting priority raw;\n    ct zone set {zone}\n  }}\n}}\n"


def iptables(*rules: str) -> str:
    """What `iptables-restore` takes: rules of the chain FORWARD."""
    return (
        "*filter\n:FORWARD ACCEPT [0:0]\n"
        + "".join(f"-A FORWARD {rule}\n" for rule in rules)
        + "COMMIT\n"
    )


def by_addresses(source: IPv4Address, target: IPv4Address) -> str:
    """Drop whatever goes from one VTEP to another."""
    return f"ip saddr {source} ip daddr {target} drop"


def by_service(network_type: NetworkType) -> str:
    """Drop the encapsulation as such: its UDP port, or GRE's protocol number."""
    port = PORTS.get(network_type)
    return f"udp dport {port} drop" if port else "ip protocol gre drop"


def by_outer_flow(source_port: int) -> str:
    """Drop one outer UDP flow; GRE has none."""
    return f"udp sport {source_port} drop"


def by_inner_nft(named: Named, *, with_id: bool = True) -> str:
    """Drop by the inner addresses, with the segmentation_id before them or without."""
    kind, at = named.network_type, INNER_IP[named.network_type]
    is_gre = kind is NetworkType.GRE
    match = "ip protocol gre" if is_gre else f"udp dport {PORTS[kind]}"
    id_ = f" @th,{'32,32' if is_gre else '96,24'} {named.segmentation_id}" if with_id else ""
    source, target = (
        f"@th,{8 * (at + field)},32 {int(address)}"
        for field, address in ((SOURCE_AT, named.source), (TARGET_AT, named.target))
    )
    return f"{match}{id_} {source} {target} drop"


def by_inner_u32(named: Named) -> str:
    """The same as `by_inner_nft`, as iptables' u32 match has it."""
    kind, at = named.network_type, INNER_IP[named.network_type]
    is_gre = kind is NetworkType.GRE
    match = "-p gre" if is_gre else f"-p udp --dport {PORTS[kind]}"
    behind = "0>>22&0x3C@"  # the length of the outer IP header, skipped
    id_ = (
        f"{behind}4={named.segmentation_id}" if is_gre else f"{behind}12>>8={named.segmentation_id}"
    )
    source, target = (
        f"{behind}{at + field}={int(address)}"
        for field, address in ((SOURCE_AT, named.source), (TARGET_AT, named.target))
    )
    return f'{match} -m u32 --u32 "{id_}&&{source}&&{target}" -j DROP'
