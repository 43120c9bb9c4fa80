"""The words that `walk` measures by and is told by.  Pure."""

# what a check is about
WALK, REACH, MTU, READS, SCAN, INJECT, LATENCY = (
    "walk",
    "reach",
    "mtu",
    "reads",
    "scan",
    "inject",
    "latency",
)
THERE, BACK = "there", "back"
PUBLIC, TUNNEL, SERVER = "public", "tunnel", "server"  # paths of the round trips
WIRE_LINE = "tcpdump on the WAN"
NOBODY = "nobody"
YES, NO = "yes", "no"
# kinds of packets that are injected
OWN = "GRE from its own address: reach the server"
FILTERED = "GRE from a forged address, its router checks sources: reach the server"
FORGED = "GRE from a forged address: reach the server"
ANSWERED = "ping in GRE from a forged address: the server answers the attacker"
EXACT, INEXACT, UNSEEN = "exact", "inexact", "not seen"


def hop_name(way: str, number: int, node: str, interface: str) -> str:
    """How a hop is called in a table: `there 4 home-router wan`."""
    return f"{way} {number} {node} {interface}"
