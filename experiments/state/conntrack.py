"""Conntrack entries of a node: the kernel makes none until a rule matches connection state."""

from collections.abc import Iterable

from controller.model.errors import MeasureError
from experiments.core.experiment import Lab

FILE = "/proc/net/nf_conntrack"
TABLE = "seen"
# `ct state` makes the kernel track all that the node sends and receives; nothing is dropped.
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


def enable(lab: Lab, node: str) -> bool:
    """Enable connection tracking in a node; False if the machine has no nft or no conntrack file."""
    added = lab.attempt(node, "nft", RULES).returncode == 0
    return added and lab.attempt(node, "cat", FILE).returncode == 0


def entries(lab: Lab, node: str) -> tuple[str, ...]:
    """The conntrack entries of the node's network namespace, a line each."""
    return tuple(lab.run(node, "cat", FILE).splitlines())


def tunnel_entries(lines: Iterable[str]) -> int:
    """The number of entries for GRE, or for UDP to a tunnel port."""
    return sum(_is_of_tunnel(line.split()) for line in lines)


def _is_of_tunnel(fields: list[str]) -> bool:
    number, port = fields[3], next((each for each in fields if each.startswith("dport=")), "")
    return number == GRE or (number == UDP and port in TUNNEL_PORTS)


def assert_enabled(lab: Lab, node: str, address: str) -> None:
    """Check that the node's packets are tracked; otherwise an empty table proves nothing.

    Raises:
        MeasureError: a ping from the node made no entry.
    """
    lab.run(node, "ping", "-n", "-c1", "-W3", address)
    if not any(line.split()[2] in ECHO for line in entries(lab, node)):
        raise MeasureError(
            "no entry of a ping",
            where=f"conntrack of {node!r}",
            allowed="one entry, since a rule matches connection state",
            do="Look at `nft list ruleset` in that node.",
        )
