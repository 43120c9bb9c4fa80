"""Words for what our own controller never writes, but other flows have.  Pure."""

import re
from dataclasses import dataclass

PROTOCOLS = {
    "ip": "IPv4 packets",
    "ipv6": "IPv6 packets",
    "arp": "ARP packets",
    "rarp": "RARP packets",
    "icmp": "ICMP packets",
    "icmp6": "ICMPv6 packets",
    "tcp": "TCP packets (IPv4)",
    "tcp6": "TCP packets (IPv6)",
    "udp": "UDP packets (IPv4)",
    "udp6": "UDP packets (IPv6)",
    "sctp": "SCTP packets (IPv4)",
    "sctp6": "SCTP packets (IPv6)",
    "mpls": "MPLS packets",
    "mplsm": "MPLS multicast packets",
    "eth": "Ethernet frames",
}
ICMP6_TYPES = {  # RFC 4443, 4861, 2710 and 3810
    "128": "ICMPv6 echo requests",
    "129": "ICMPv6 echo replies",
    "130": "multicast listener queries",
    "131": "multicast listener reports",
    "132": "multicast listener dones",
    "133": "IPv6 router solicitations",
    "134": "IPv6 router advertisements",
    "135": "IPv6 neighbour solicitations",
    "136": "IPv6 neighbour advertisements",
    "143": "multicast listener reports (MLDv2)",
}
STATES = {  # ovs-fields(7), ct_state
    "trk": "tracked",
    "new": "new",
    "est": "established",
    "rel": "related to another one",
    "rpl": "reply",
    "inv": "invalid",
    "snat": "source translated",
    "dnat": "destination translated",
}
SERVICES = {"67": "DHCP server", "68": "DHCP client", "546": "DHCPv6 client", "547": "DHCPv6 server",
            "22": "SSH", "53": "DNS", "80": "HTTP", "443": "HTTPS"}  # fmt: skip
FIELD_WORDS = {  # match field -> words before its value
    "nw_src": "with source address",
    "nw_dst": "with destination address",
    "ipv6_src": "with source address",
    "ipv6_dst": "with destination address",
    "tp_src": "with source port",
    "tp_dst": "with destination port",
    "arp_op": "with ARP operation",
    "arp_sha": "with ARP sender MAC",
    "arp_tha": "with ARP target MAC",
    "ct_zone": "in connection tracking zone",
    "ct_mark": "of connections with mark",
    "ct_label": "of connections with label",
    "nd_sll": "with source link-layer address",
    "nd_tll": "with target link-layer address",
    "nw_proto": "with IP protocol",
    "nw_tos": "with type of service",
    "nw_ecn": "with ECN bits",
    "nw_ttl": "with TTL",
    "nw_frag": "that are fragments:",
    "ip_frag": "that are fragments:",
    "icmp_code": "with ICMP code",
    "dl_type": "with EtherType",
    "dl_vlan_pcp": "with VLAN priority",
    "vlan_pcp": "with VLAN priority",
    "metadata": "with metadata",
    "pkt_mark": "with packet mark",
    "conj_id": "that all parts of conjunction match:",
    "tcp_flags": "with TCP flags",
    "tun_src": "from VTEP",
    "tun_dst": "to VTEP",
    "tun_ipv6_src": "from VTEP",
    "tun_ipv6_dst": "to VTEP",
    "recirc_id": "with recirculation id",
    "mpls_label": "with MPLS label",
    "mpls_bos": "with MPLS bottom-of-stack bit",
    "mpls_tc": "with MPLS traffic class",
    "skb_priority": "with queueing priority",
    "ipv6_label": "with IPv6 flow label",
    "ct_nw_src": "of connections from",
    "ct_nw_dst": "of connections to",
    "ct_nw_proto": "of connections of IP protocol",
    "ct_tp_src": "of connections from port",
    "ct_tp_dst": "of connections to port",
    "ct_ipv6_src": "of connections from",
    "ct_ipv6_dst": "of connections to",
}
# These have sentences of their own in match.py.
OWN = frozenset(
    {"proto", "in_port", "dl_vlan", "vlan_tci", "vlan_vid", "dl_src", "dl_dst", "arp_spa", "arp_tpa",
     "nd_target", "icmp_type", "tun_id", "ct_state"}
)  # fmt: skip
REGISTER = re.compile(r"x{0,2}reg\d+$")


@dataclass(frozen=True, slots=True)
class Foreign:
    """An action that our controller never uses.

    Attributes:
        text: as ovs-ofctl prints it.
        words: the rest of a sentence that begins with "frames"; empty: not understood.
    """

    text: str
    words: str = ""

    def __str__(self) -> str:
        return self.text


def foreign_field(name: str, value: str) -> str | None:
    """Words for a field of a match; None if it is not known."""
    if name in OWN:
        return ""
    if REGISTER.match(name):
        return register(name, value)
    if name in {"tp_src", "tp_dst"}:
        return f"{FIELD_WORDS[name]} {ports(value)}"
    words = FIELD_WORDS.get(name)
    return f"{words} {value}" if words else None


def ports(value: str) -> str:
    """A TCP or UDP port with its service; a masked one as a range."""
    base, slash, mask = value.partition("/")
    if not slash:
        return f"{value} ({SERVICES[value]})" if value in SERVICES else value
    try:
        first, bits = int(base, 0), int(mask, 0)
    except ValueError:
        return value
    last = first | (~bits & 0xFFFF)
    is_range = (bits | (bits - 1)) & 0xFFFF == 0xFFFF or bits & (~bits + 1) == (~bits & 0xFFFF) + 1
    return f"{first} to {last}" if is_range and last - first == (~bits & 0xFFFF) else value


def register(name: str, value: str) -> str:
    """A register, with the meaning that Neutron's firewall gives it."""
    number = _decimal(value)
    if name == "reg5":
        return f"with port {number} in register 5"
    if name in {"reg6", "reg7"}:
        what = "local VLAN" if name == "reg6" else "local VLAN or service"
        return f"with {what} {number} in register {name[3:]}"
    return f"with {value} in {name.replace('xxreg', 'double-double register ').replace('reg', 'register ')}"


def _decimal(value: str) -> str:
    try:
        return str(int(value, 0))
    except ValueError:
        return value


def connection(state: str) -> str:
    """A `ct_state` in words."""
    flags = re.findall(r"([+-])([a-z]+)", state)
    if not flags:
        return f"with connection state {state}"
    are = [STATES.get(name, name) for sign, name in flags if sign == "+"]
    are_not = [f"not {STATES.get(name, name)}" for sign, name in flags if sign == "-"]
    if are == ["tracked"] and not are_not:
        return "that connection tracking has seen"
    return f"whose connection is {', '.join((*are, *are_not))}"
