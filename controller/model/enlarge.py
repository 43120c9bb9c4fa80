"""The same overlay with another number of hosts, or another underlay MTU.  Pure."""

import re
from dataclasses import replace
from itertools import count

from controller.model.additions import new_server, next_vtep
from controller.model.check import HOSTS_MAX, HOSTS_MIN, RESERVED
from controller.model.check_server import server_errors
from controller.model.dhcp import with_servers
from controller.model.errors import UsageError, raise_all
from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay


def varied(
    overlay: Overlay, *, mode: str | None = None, hosts: int | None = None, mtu: int | None = None
) -> Overlay:
    """`overlay` in another mode, with another number of hosts, on an underlay with another MTU.

    None leaves what the scenario has.

    Raises:
        UsageError, ModelError: one of them does not fit.
    """
    if mode is not None:
        overlay = with_mode(overlay, parse_mode(mode))
    if mtu is not None:
        overlay = with_underlay_mtu(overlay, mtu)
    return overlay if hosts is None else resized(overlay, hosts)


def enlarge(overlay: Overlay, hosts: int) -> Overlay:
    """`overlay` with `hosts` hosts; new ones are copies of the last one, without ports.

    Names and addresses continue those of the last host: computer, computer2, computer3, ...

    Raises:
        UsageError: fewer than there are, or more than a lab can have.
    """
    have = len(overlay.hosts)
    _assert_number(overlay, hosts, have)
    last = overlay.hosts[-1].name
    stem = re.sub(r"[0-9]+$", "", last)
    numbered = (f"{stem}{number}" for number in count(int(last[len(stem) :] or 1) + 1))
    taken = {*RESERVED, *overlay.host_of, *(port.device_id for port in overlay.ports)}
    names = (name for name in numbered if name not in taken)
    for _ in range(hosts - have):
        made = replace(
            overlay.hosts[-1], name=next(names), local_ip=next_vtep(overlay), written_ip=""
        )
        overlay = replace(overlay, hosts=(*overlay.hosts, made))
    return overlay


def resized(overlay: Overlay, hosts: int) -> Overlay:
    """`overlay` with `hosts` hosts: the first ones, or new ones with a server on each.

    Hosts are added as by `enlarge`.  The server on host number 3 is `server3`; it is on the first
    network that its host can have.  Hosts that are removed take their ports with them.

    Raises:
        UsageError: fewer than a scenario has, or more than a lab can have.
        ModelError: a new server does not fit, as when its network has no free address.
    """
    _assert_number(overlay, hosts, HOSTS_MIN)
    kept = overlay.hosts[:hosts]
    gone = {host.name for host in overlay.hosts[hosts:]}
    ports = tuple(port for port in overlay.ports if port.host not in gone)
    overlay = enlarge(replace(overlay, hosts=kept, ports=ports), hosts)
    for number, host in enumerate(overlay.hosts[len(kept) :], start=len(kept) + 1):
        network = next((each for each in overlay.networks if host.can_have(each)), None)
        if network is not None:
            name = _server_name(overlay, number)
            server = new_server(overlay, name, host=host.name, network=network.id)
            overlay = replace(overlay, ports=(*overlay.ports, server))
    return with_servers(overlay)


def _server_name(overlay: Overlay, number: int) -> str:
    taken = {*overlay.host_of, *(port.device_id for port in overlay.ports)}
    names = (f"server{number}{suffix}" for suffix in ("", *(f"-{turn}" for turn in range(2, 99))))
    return next(name for name in names if name not in taken)


def _assert_number(overlay: Overlay, hosts: int, least: int) -> None:
    if not least <= hosts <= HOSTS_MAX:
        raise UsageError(
            f"{hosts} hosts",
            where=f"overlay {overlay.name!r}",
            allowed=f"{least}..{HOSTS_MAX} (it has {len(overlay.hosts)})",
            do="Pick a number in that range.",
        )


def with_underlay_mtu(overlay: Overlay, mtu: int) -> Overlay:
    """`overlay` on an underlay with this MTU; networks without an `mtu` of their own follow it.

    Raises:
        ModelError: the MTU is out of range, or too small for a network with an `mtu` of its own, for
            a network with an IPv6 subnet, or for the underlay's `wan_mtu`.
    """
    changed = replace(overlay, underlay_mtu=mtu)
    raise_all(error for each in changed.networks for error in server_errors(changed, each))
    return changed
