"""The headers of a packet, outermost first, from the fields that tshark decodes.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.measure.packets import Packet, all_of

# tshark's names of the decoded fields
FIELDS = (
    "frame.protocols",
    "frame.len",
    "eth.src",
    "eth.dst",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "gre.proto",
    "icmp.type",
    "icmp.ident",
    "icmp.seq",
    "arp.opcode",
    "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4",
)
ETHERNET, IP, GRE, ICMP, ARP = "Ethernet", "IP", "GRE", "ICMP", "ARP"
SEPARATOR = " | "  # between headers in a text
ECHO = {"8": "echo request", "0": "echo reply"}  # RFC 792
OPERATION = {"1": "request", "2": "reply"}  # RFC 826


@dataclass(frozen=True, slots=True)
class Header:
    """One header: its protocol, its addresses (GRE and ICMP have none), and its type."""

    protocol: str
    source: str = ""
    target: str = ""
    more: str = ""

    def __str__(self) -> str:
        ends = f"{self.source} > {self.target}" if self.source else ""
        return " ".join(filter(None, (self.protocol, ends, self.more)))


Stack = tuple[Header, ...]


def stack_of(packet: Packet) -> Stack:
    """The headers of a packet, Ethernet first.

    The values of a repeated field, such as `ip.src` in a tunnel, belong to its headers in order.
    """
    fields = {name: iter(all_of(packet, name)) for name in FIELDS}
    found = (_decoded(name, fields) for name in packet["frame.protocols"].split(":"))
    return tuple(header for header in found if header)


def _decoded(name: str, fields: Mapping[str, Iterator[str]]) -> Header | None:
    """The next header of the protocol that tshark names so; None if none of it is reported."""
    match name:
        case "eth":
            return Header(ETHERNET, next(fields["eth.src"]), next(fields["eth.dst"]))
        case "ip":
            return Header(IP, next(fields["ip.src"]), next(fields["ip.dst"]))
        case "gre":  # a protocol number and no address (RFC 2784, section 2)
            return Header(GRE, more=next(fields["gre.proto"]))
        case "icmp":
            kind = next(fields["icmp.type"])
            return Header(ICMP, more=ECHO.get(kind, f"type {kind}"))
        case "arp":
            kind = next(fields["arp.opcode"])
            ends = next(fields["arp.src.proto_ipv4"]), next(fields["arp.dst.proto_ipv4"])
            return Header(ARP, *ends, OPERATION.get(kind, f"operation {kind}"))
    return None


def text_of(stack: Stack) -> str:
    """The headers as one line, without Ethernet."""
    return SEPARATOR.join(str(header) for header in stack if header.protocol != ETHERNET)


def parse_stack(text: str) -> Stack:
    """The inverse of `text_of`."""
    return tuple(map(_header, text.split(SEPARATOR))) if text else ()


def _header(text: str) -> Header:
    protocol, _, rest = text.partition(" ")
    words = rest.split(" ")
    if len(words) > 2 and words[1] == ">":
        return Header(protocol, words[0], words[2], " ".join(words[3:]))
    return Header(protocol, more=rest)


def is_echo_of(packet: Packet, ident: int, seq: int) -> bool:
    """True if the packet is that echo request or its reply, in a tunnel or not."""
    idents, seqs = all_of(packet, "icmp.ident"), all_of(packet, "icmp.seq")
    return str(ident) in idents and str(seq) in seqs and packet["icmp.type"] in ECHO
