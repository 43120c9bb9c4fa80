"""What is done at one `linuxbridge` host to make its kernel what the overlay says.

Neutron's linuxbridge agent runs on the host itself and polls for taps; here the controller does
as much, in the host's namespaces.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.flows.linuxbridge import (
    OURS,
    Change,
    Entry,
    Kernel,
    Vxlan,
    change,
    segments,
    status_changes,
)
from controller.model.errors import SwitchError
from controller.model.overlay import Overlay
from controller.switches.reading import Reading, with_status
from controller.system import commands

LOG = logging.getLogger(__name__)
ADDRESS = re.compile(r"netns:(\d+)")
UNDERLAY = "underlay"  # the interface that bears the VTEP's address


@dataclass(slots=True)
class BridgeTask:
    """One visit to a host: in whose namespaces (`netns:PID`), and what was found there."""

    host: str
    address: str
    datapath_type: str = "kernel"
    seen: Kernel = field(default_factory=Kernel)

    @property
    def pid(self) -> int:
        """A process in the host's namespaces."""
        found = ADDRESS.fullmatch(self.address)
        if not found:
            raise self._wrong(f"address {self.address!r}", "netns:PID", "Raise the lab anew.")
        return int(found[1])

    def read(self) -> Reading:
        """Look at the host's kernel; no bridge of it ever opens an OpenFlow session."""
        self.seen = read_kernel(self.pid)
        return {}

    def lost(self, overlay: Overlay) -> dict[str, str]:
        """Ports of the host that are not plugged any more: id -> DOWN."""
        return _only("DOWN", status_changes(overlay, self.host, self.seen))

    def found(self, overlay: Overlay) -> dict[str, str]:
        """Ports of the host that have been plugged: id -> ACTIVE."""
        return _only("ACTIVE", status_changes(overlay, self.host, self.seen))

    def carry_out(self, overlay: Overlay) -> None:
        """Make the host what `overlay` says.

        Raises:
            SwitchError: the VTEP's address is not there yet.
            CommandError: the kernel refused.
        """
        if self.host not in overlay.host_of:
            return
        host = overlay.host(self.host)
        if str(host.local_ip) not in self.seen.addresses:
            raise self._wrong(
                f"{UNDERLAY} without {host.local_ip}",
                "the VTEP's address on it",
                "It is looked for again shortly.",
            )
        as_seen = with_status(overlay, status_changes(overlay, self.host, self.seen))
        todo = change(segments(as_seen, host), self.seen)
        if todo.lines:
            LOG.info("%s: %d changes", self.host, todo.lines)
            apply(self.pid, todo)

    def _wrong(self, found: str, allowed: str, do: str) -> SwitchError:
        return SwitchError(found, where=f"host {self.host!r}", allowed=allowed, do=do)


def apply(pid: int, todo: Change) -> None:
    """Run the lines in the namespaces of `pid`.

    Raises:
        CommandError: the kernel refused one; those before it stand.
    """
    for program, lines in (("ip", todo.ip), ("bridge", todo.fdb), ("ip", todo.rest)):
        if lines:
            commands.run(program, "-batch", "-", pid=pid, stdin="\n".join(lines) + "\n")


def devices(address: str) -> frozenset[str]:
    """The interfaces of the host at `address`, by a look that starts no process; none if it is gone."""
    try:
        text = Path(f"/proc/{address.partition(':')[2]}/net/dev").read_text()
    except (OSError, ValueError):  # ValueError: an address that can be no path
        return frozenset()
    return frozenset(line.partition(":")[0].strip() for line in text.splitlines() if ":" in line)


def read_kernel(pid: int) -> Kernel:
    """What the kernel has in the network namespace of `pid`.

    Raises:
        CommandError: it cannot be asked.
    """
    links = _asked(pid, "ip", "-j", "-d", "addr", "show")
    if not any(map(_is_vxlan, links)):
        return parse_kernel(links, [], [])
    fdb = _asked(pid, "bridge", "-j", "fdb", "show")
    return parse_kernel(links, fdb, _asked(pid, "ip", "-j", "neigh", "show", "nud", "permanent"))


def _asked(pid: int, *argv: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(commands.run(*argv, pid=pid) or "[]")
    return [each for each in told if each]  # iproute2 leaves {} for what a filter took out


def parse_kernel(
    links: list[dict[str, Any]], fdb: list[dict[str, Any]], neighbours: list[dict[str, Any]]
) -> Kernel:
    """The answers of `ip -j -d addr`, `bridge -j fdb` and `ip -j neigh` as one value."""
    vxlans = [link for link in links if _is_vxlan(link) and OURS.fullmatch(link["ifname"])]
    return Kernel(
        devices={link["ifname"]: link.get("master", "") for link in links},
        vxlans={link["ifname"]: _vxlan(link, fdb, neighbours) for link in vxlans},
        addresses=frozenset(
            each["local"]
            for link in links
            if link["ifname"] == UNDERLAY
            for each in link["addr_info"]
        ),
    )


def _is_vxlan(link: Mapping[str, Any]) -> bool:
    return bool(link.get("linkinfo", {}).get("info_kind") == "vxlan")


def _vxlan(
    link: Mapping[str, Any], fdb: Iterable[dict[str, Any]], neighbours: Iterable[dict[str, Any]]
) -> Vxlan:
    name, told = link["ifname"], link["linkinfo"]["info_data"]
    return Vxlan(
        vni=told["id"],
        local=told.get("local", ""),
        mtu=link["mtu"],
        group=told.get("group", ""),
        learning=told.get("learning", True),
        proxy=told.get("proxy", False),
        fdb=frozenset(_entries(name, fdb)),
        neighbours=frozenset(
            (each["dst"], each["lladdr"]) for each in neighbours if each["dev"] == name
        ),
    )


def _entries(name: str, fdb: Iterable[dict[str, Any]]) -> Iterator[Entry]:
    """What was put into the device's FDB; what it has learned itself is not permanent."""
    for each in fdb:
        if each["ifname"] == name and "dst" in each and each.get("state") == "permanent":
            yield each["mac"], each["dst"]


def _only(status: str, said: Mapping[str, str]) -> dict[str, str]:
    return {id_: found for id_, found in said.items() if found == status}
