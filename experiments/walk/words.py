"""Strings that the probe and the report of `walk` share."""

from experiments.core.question import Row, Value

# what a check is about
WALK, REACH, MTU, READS = "walk", "reach", "mtu", "reads"
SCAN, INJECT, LATENCY = "scan", "inject", "latency"
THERE, BACK = "there", "back"
PUBLIC, TUNNEL, SERVER = "public", "tunnel", "server"  # paths of the round trips
WIRE_LINE = "tcpdump on the WAN"
NOBODY = "nobody"
YES, NO = "yes", "no"
OPEN, CLOSED, UNREACHABLE, NO_ANSWER = "open", "closed", "unreachable", "no answer"
# injected packets: kind, and what is counted
OWN = "GRE from the attacker's own address: packets at the server"
FILTERED = "GRE from a forged address, source check on: packets at the server"
FORGED = "GRE from a forged address: packets at the server"
ANSWERED = "ping in GRE from a forged address: replies to the attacker"
# checks of `reach` and `mtu`
UP, DOWN, UP_AGAIN = "answered", "answered, tunnel down", "answered, tunnel up again"
DOWN_ERROR = "ICMP error, tunnel down"
LARGEST, LARGEST_1500 = "largest with DF", "largest with DF, tunnel's MTU at 1500"
OVER_FROM, OVER_MTU = "one byte more with DF: ICMP from", "one byte more with DF: MTU in the ICMP"
OVER_WITHOUT_DF = "one byte more without DF: answered"
OVER_1500_FROM = "one byte more then: ICMP from"

EXACT, INEXACT, UNSEEN = "exact", "inexact", "not seen"  # a step of the article

FORMAT_2 = {"told_by": "icmp_from"}
_CASES = {
    "GRE from its own address: reach the server": OWN,
    "GRE from a forged address, its router checks sources: reach the server": FILTERED,
    "GRE from a forged address: reach the server": FORGED,
    "ping in GRE from a forged address: the server answers the attacker": ANSWERED,
}
FORMAT_2_VALUES = {
    "case": _CASES,
    "check": {
        **_CASES,
        "told so by": DOWN_ERROR,
        "one byte more with DF: told by": OVER_FROM,
        "one byte more with DF: told MTU": OVER_MTU,
        "one byte more then: told by": OVER_1500_FROM,
    },
    "outcome": {"silent": NO_ANSWER},
}


def check(about: str, name: str, seen: Value) -> Row:
    """A row of the samples: what a check found, or what is predicted."""
    return {"about": about, "check": name, "seen": seen}


def hop_name(way: str, number: int, node: str, interface: str) -> str:
    """The name of a hop in a table: `there 4 home-router wan`."""
    return f"{way} {number} {node} {interface}"
