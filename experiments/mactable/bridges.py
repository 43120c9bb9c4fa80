"""How many addresses a Linux bridge has learned, and its limit, by netlink.

`fdb_max_learned` exists since Linux 6.7; iproute2 6.1 does not know it.
"""

import os
import socket
from collections.abc import Callable

from controller.model.errors import HostError
from experiments.measure import netlink
from experiments.measure.namespace import look_into


def learned(pid: int, bridge: str) -> netlink.Learned:
    """Addresses that the bridge in the network namespace of `pid` has learned, and its limit.

    Raises:
        HostError: the kernel is older than 6.7, or the bridge does not exist.
    """
    found = _asked(pid, bridge, netlink.bridge_request)
    counts = next(map(netlink.parse_bridge, netlink.bodies(found)), None)
    if counts is None:
        raise _too_old(bridge, "no count of learned addresses")
    return counts


def limit_learned(pid: int, bridge: str, most: int) -> None:
    """Set how many addresses the bridge may learn; 0: no limit.

    Raises:
        HostError: the kernel is older than 6.7, or the bridge does not exist.
    """
    _asked(pid, bridge, lambda index: netlink.bridge_limit_request(index, most))
    if (found := learned(pid, bridge).most) != most:
        raise _too_old(bridge, f"limit {found} after it was set to {most}")


def _asked(pid: int, bridge: str, question: Callable[[int], bytes]) -> bytes:
    def look(_: int) -> bytes:
        answer = netlink.ask(netlink.ROUTE, question(socket.if_nametoindex(bridge)))
        netlink.bodies(answer)  # raises if the kernel refused
        return answer

    try:
        return look_into({bridge: pid}, look)[bridge]
    except OSError as error:
        raise _too_old(bridge, os.strerror(error.errno) if error.errno else str(error)) from error


def _too_old(bridge: str, found: str) -> HostError:
    return HostError(
        found,
        where=f"bridge {bridge!r}",
        allowed="a bridge with fdb_max_learned",
        do="Use Linux 6.7 or newer for this experiment; the others run without.",
    )
