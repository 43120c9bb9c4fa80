"""What the checks read in a running lab.  They send pings, and change nothing."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from topologies.lab.lab import Lab

AT_ONCE = 8
PING_HEADERS = 28  # bytes: IPv4 20, ICMP 8


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping with Don't Fragment; `size` is that of its IP packet in bytes."""

    node: str
    address: str
    size: int = 84


def answered_pings(lab: Lab, pings: Sequence[Ping]) -> dict[Ping, bool]:
    """Whether each ping got an answer within six seconds.

    After a repair the first requests can be lost: a VTEP without a neighbour entry drops the
    guest's ARP request, which the guest repeats a second later, and so for the way back.
    """

    def ping(each: Ping) -> bool:
        data = str(each.size - PING_HEADERS)
        options = ("-n", "-c", "1", "-w", "6", "-i", "0.5", "-M", "do", "-s", data)
        return lab.attempt(each.node, "ping", *options, each.address).returncode == 0

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(zip(pings, threads.map(ping, pings), strict=True))


def mtu_of(lab: Lab, node: str, interface: str) -> int:
    """The MTU of an interface in bytes."""
    (link,) = json.loads(lab.run(node, "ip", "-json", "link", "show", interface))
    return int(link["mtu"])


@dataclass(frozen=True, slots=True)
class Guest:
    """The state of a server's `eth0`.

    Attributes:
        addresses: IPv4, each with the length of its prefix.
        static: the MACs that were set by hand, by IPv4 address.
    """

    is_up: bool
    mtu: int
    addresses: tuple[str, ...]
    static: dict[str, str]


def guest_state(lab: Lab, name: str) -> Guest:
    """The server's `eth0` as it is now."""
    (link,) = json.loads(lab.run(name, "ip", "-json", "-4", "address", "show", "dev", "eth0")) or [
        {}
    ]
    shown = json.loads(
        lab.run(name, "ip", "-json", "-4", "neigh", "show", "dev", "eth0", "nud", "permanent")
    )
    if not link:  # no IPv4 address
        (link,) = json.loads(lab.run(name, "ip", "-json", "link", "show", "eth0"))
    return Guest(
        is_up="UP" in link["flags"],
        mtu=int(link["mtu"]),
        addresses=tuple(f"{at['local']}/{at['prefixlen']}" for at in link.get("addr_info", ())),
        static={each["dst"]: each["lladdr"] for each in shown if each and "lladdr" in each},
    )
