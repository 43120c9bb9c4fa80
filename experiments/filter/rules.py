"""Rulesets for a firewall between two VTEPs, by outer and by inner headers, as texts.  Pure.

nft's `@th,96,24` is 24 bits at bit 96 of the transport header; u32's `0>>22&0x3C@12` is four bytes
at byte 12 after the IP header.  Offsets are right if no outer header has options: UDP 8 bytes and
VXLAN 8 (RFC 7348) or Geneve 8 (RFC 8926), or GRE 4 and key 4 (RFC 2890); then Ethernet 14.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

from controller.model.encap import NetworkType

PORTS = {NetworkType.VXLAN: 4789, NetworkType.GENEVE: 6081}  # IANA
INNER_IP = {NetworkType.VXLAN: 30, NetworkType.GENEVE: 30, NetworkType.GRE: 22}  # bytes, see above
SOURCE_AT, TARGET_AT = 12, 16  # bytes into an IPv4 header (RFC 791)
AFTER_IP = "0>>22&0x3C@"  # u32: skips the outer IP header, whatever its length
TABLE = "table ip overlaylab"
HOOKS = {
    "prerouting": "type filter hook prerouting priority raw",
    "forward": "type filter hook forward priority filter",
    "postrouting": "type nat hook postrouting priority srcnat",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFlow:
    """The inner flow that a rule stops."""

    network_type: NetworkType
    segmentation_id: int
    source: IPv4Address
    target: IPv4Address

    @property
    def fields(self) -> tuple[tuple[int, int, int], ...]:
        """The id, source and target: offset in the transport header [bytes], width [bits], value."""
        at, is_gre = INNER_IP[self.network_type], self.network_type is NetworkType.GRE
        return (
            (*((4, 32) if is_gre else (12, 24)), self.segmentation_id),
            (at + SOURCE_AT, 32, int(self.source)),
            (at + TARGET_AT, 32, int(self.target)),
        )


class Ruleset(NamedTuple):
    """A text, and the command that installs it from its input."""

    command: str
    text: str


def nft(*rules: str, hook: str = "forward", zone: int | None = None) -> Ruleset:
    """One chain, which accepts what no rule drops; in a zone conntrack has a table of its own."""
    text = _chain("c", f"{HOOKS[hook]}; policy accept;", *rules)
    if zone is not None:
        text = _chain("z", f"{HOOKS['prerouting']};", f"ct zone set {zone}") + text
    return Ruleset("nft -f -", text)


def _chain(name: str, *lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"{TABLE} {{\n  chain {name} {{\n{body}  }}\n}}\n"


def iptables(*rules: str) -> Ruleset:
    """Rules of the chain FORWARD."""
    lines = "".join(f"-A FORWARD {rule}\n" for rule in rules)
    return Ruleset("iptables-restore", f"*filter\n:FORWARD ACCEPT [0:0]\n{lines}COMMIT\n")


def by_service(network_type: NetworkType) -> str:
    """Drop all packets of a tunnel protocol."""
    return f"{_service(network_type)} drop"


def _service(network_type: NetworkType) -> str:
    """The match of a tunnel protocol in nft: by UDP port, or by GRE's protocol number."""
    port = PORTS.get(network_type)
    return f"udp dport {port}" if port else "ip protocol gre"


def by_inner_nft(flow: TenantFlow, *, with_id: bool = True) -> str:
    """Drop by the inner addresses and, unless `with_id` is false, the segmentation_id."""
    fields = flow.fields if with_id else flow.fields[1:]
    match = " ".join(f"@th,{8 * at},{bits} {value}" for at, bits, value in fields)
    return f"{_service(flow.network_type)} {match} drop"


def by_inner_u32(flow: TenantFlow) -> str:
    """The same as `by_inner_nft`, with the u32 match of iptables."""
    port = PORTS.get(flow.network_type)
    match = "&&".join(
        f"{AFTER_IP}{at}{f'>>{32 - bits}' if bits < 32 else ''}={value}"
        for at, bits, value in flow.fields
    )
    return f'-p {f"udp --dport {port}" if port else "gre"} -m u32 --u32 "{match}" -j DROP'
