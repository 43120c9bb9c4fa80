"""How many addresses a Linux bridge has learned, and how many it may, by netlink.

`fdb_max_learned` came with Linux 6.7; iproute2 6.1 does not know it.
"""

import os
import socket
from collections.abc import Callable

from controller.model.errors import HostError
from experiments.measure import netlink
from experiments.measure.namespace import look_into
from experiments.measure.watch_kernel import NETLINK_ROUTE, ask


def learned(pid: int, bridge: str) -> netlink.Learned:
    """What the bridge in the network namespace of `pid` has learned, and may.

    Raises:
        HostError: the kernel is older, or there is no such bridge.
    """
    found = _asked(pid, bridge, netlink.bridge_asked)
    report = next(map(netlink.parse_bridge, netlink.bodies(found)), None)
    if report is None:
        raise _too_old(bridge, "it tells nothing of learned addresses")
    return report


def limit_learned(pid: int, bridge: str, most: int) -> None:
    """Let the bridge learn so many addresses and no more; 0: as many as there are.

    Raises:
        HostError: the kernel is older, or there is no such bridge.
    """
    _asked(pid, bridge, lambda index: netlink.bridge_limited(index, most))
    if (found := learned(pid, bridge).most) != most:
        raise _too_old(bridge, f"a limit of {found} after {most} was asked for")


def _asked(pid: int, bridge: str, question: Callable[[int], bytes]) -> bytes:
    def look(_: int) -> bytes:
        answer = ask(NETLINK_ROUTE, question(socket.if_nametoindex(bridge)))
        netlink.bodies(answer)  # raises if it was refused
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
        do="Take a machine with Linux 6.7 or newer; the other experiments need none.",
    )
