"""What conntrack keeps in a node: nothing at all until a rule asks for the state of a packet."""

from collections.abc import Iterable

from controller.model.errors import MeasureError
from experiments.core.experiment import Lab

FILE = "/proc/net/nf_conntrack"
TABLE = "seen"
# `ct state` makes the kernel track all that the node sends and receives; nothing is stopped.
RULES = "; ".join(
    (
        f"add table inet {TABLE}",
        *(
            f"add chain inet {TABLE} {hook} {{ type filter hook {hook} priority 0; }}; "
            f"add rule inet {TABLE} {hook} ct state new counter"
            for hook in ("input", "output")
        ),
    )
)
GRE, UDP = "47", "17"  # IANA, protocol numbers
TUNNEL_PORTS = frozenset({"dport=4789", "dport=6081", "dport=8472"})  # VXLAN, Geneve, old VXLAN
ECHO = frozenset({"icmp", "icmpv6"})


def wake(lab: Lab, node: str) -> bool:
    """Have a node's packets tracked; False if this machine cannot, or shows no table."""
    made = lab.attempt(node, "nft", RULES).returncode == 0
    return made and lab.attempt(node, "cat", FILE).returncode == 0


def entries(lab: Lab, node: str) -> tuple[str, ...]:
    """A line for each connection, as conntrack calls it, of the node's own namespace."""
    return tuple(lab.run(node, "cat", FILE).splitlines())


def of_tunnels(lines: Iterable[str]) -> int:
    """How many of them are GRE, or UDP to a tunnel's port."""
    return sum(_is_tunnels(line.split()) for line in lines)


def _is_tunnels(words: list[str]) -> bool:
    number, first = words[3], next((word for word in words if word.startswith("dport=")), "")
    return number == GRE or (number == UDP and first in TUNNEL_PORTS)


def assert_awake(lab: Lab, node: str, address: str) -> None:
    """Check that what the node sends is tracked: else an empty table means nothing.

    Raises:
        MeasureError: a ping of its own left no entry.
    """
    lab.run(node, "ping", "-n", "-c1", "-W3", address)
    if not any(line.split()[2] in ECHO for line in entries(lab, node)):
        raise MeasureError(
            "no entry of a ping",
            where=f"conntrack of {node!r}",
            allowed="one, since a rule asks for the state of packets",
            do="Look at `nft list ruleset` in that node.",
        )
