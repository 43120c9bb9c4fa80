"""One visit to a host of mechanism linuxbridge: make its kernel match the overlay.

Neutron's linuxbridge agent runs on the host itself and polls for taps.  Here the controller does
the same in the host's namespaces.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.flows.linuxbridge import (
    OURS,
    Change,
    Entry,
    Kernel,
    Vxlan,
    in_words,
    kernel_change,
    segments,
)
from controller.model.names import UNDERLAY, tap_name
from controller.model.overlay import Overlay
from controller.switches.reading import Reading, host_error, with_status, wrong_statuses
from controller.system import commands
from controller.system.process import PROC, Identity, is_alive

LOG = logging.getLogger(__name__)
ADDRESS = re.compile(r"netns:(\d+):(\d+)")  # a process by its pid and start time


@dataclass(slots=True)
class BridgeTask:
    """One visit to a host: its address, `netns:PID:START`, and what was read."""

    host: str
    address: str
    datapath_type: str = "kernel"
    seen: Kernel = field(default_factory=Kernel)

    @property
    def pid(self) -> int:
        """A process in the host's namespaces.

        Raises:
            SwitchError: it has ended; another process may have its pid by now.
        """
        keeper = _keeper(self.address)
        if keeper is None:
            raise host_error(
                self.host,
                f"no process at address {self.address!r}",
                "netns:PID:START of a process that runs",
                "Start the lab again.",
            )
        return keeper.pid

    def read(self) -> Reading:
        """Read the host's kernel; the result is empty, since no bridge has an OpenFlow session."""
        self.seen = read_kernel(self.pid)
        return {}

    def status_changes(self, overlay: Overlay) -> dict[str, str]:
        """Ports of the host whose status is wrong: id -> ACTIVE if plugged, else DOWN."""
        plugged = {port.id for port in overlay.ports if tap_name(port.id) in self.seen.devices}
        return wrong_statuses(overlay, self.host, plugged)

    def apply(self, overlay: Overlay) -> list[str]:
        """Make the host match `overlay`; return what was wrong, in words.

        Raises:
            SwitchError: the underlay interface does not have the VTEP's address yet.
            CommandError: the kernel refused a command.
        """
        if self.host not in overlay.host_of:
            return []
        host = overlay.host(self.host)
        if str(host.local_ip) not in self.seen.addresses:
            found = f"{UNDERLAY} without {host.local_ip}"
            raise host_error(self.host, found, "the VTEP's address on it")
        as_seen = with_status(overlay, self.status_changes(overlay))
        change = kernel_change(segments(as_seen, host), self.seen)
        if change.lines:
            LOG.info("%s: %d changes", self.host, change.lines)
            run_batches(self.pid, change)
        return in_words(change, self.seen)


def netns_address(keeper: Identity) -> str:
    """The address of a host whose namespaces belong to `keeper`."""
    return f"netns:{keeper.pid}:{keeper.start}"


def _keeper(address: str) -> Identity | None:
    """The process at an address; None if it has ended, or if this is no such address."""
    found = ADDRESS.fullmatch(address)
    keeper = Identity(int(found[1]), int(found[2])) if found else None
    return keeper if keeper and is_alive(keeper) else None


def run_batches(pid: int, change: Change) -> None:
    """Run the commands of `change` in the namespaces of `pid`.

    Raises:
        CommandError: the kernel refused one; those before it have taken effect.
    """
    for program, lines in (("ip", change.ip), ("bridge", change.fdb), ("ip", change.rest)):
        if lines:
            commands.run(program, "-batch", "-", pid=pid, stdin="\n".join(lines) + "\n")


def devices(address: str) -> frozenset[str]:
    """The interfaces of the host at `address`, read without a process; none if the host is gone."""
    keeper = _keeper(address)
    if keeper is None:
        return frozenset()
    try:
        text = (PROC / str(keeper.pid) / "net" / "dev").read_text()
    except OSError:
        return frozenset()
    return frozenset(line.partition(":")[0].strip() for line in text.splitlines() if ":" in line)


def read_kernel(pid: int) -> Kernel:
    """The kernel's devices and entries in the network namespace of `pid`.

    Raises:
        CommandError: `ip` or `bridge` failed.
    """
    links = _output(pid, "ip", "-j", "-d", "addr", "show")
    if not any(map(_is_vxlan, links)):
        return parse_kernel(links, [], [])
    fdb = _output(pid, "bridge", "-j", "fdb", "show")
    return parse_kernel(links, fdb, _output(pid, "ip", "-j", "neigh", "show", "nud", "permanent"))


def _output(pid: int, *argv: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(commands.run(*argv, pid=pid) or "[]")
    return [row for row in rows if row]  # iproute2 prints {} for what a filter removed


def parse_kernel(
    links: list[dict[str, Any]], fdb: list[dict[str, Any]], neighbours: list[dict[str, Any]]
) -> Kernel:
    """Parse the output of `ip -j -d addr`, `bridge -j fdb` and `ip -j neigh`."""
    vxlans = [link for link in links if _is_vxlan(link) and OURS.fullmatch(link["ifname"])]
    return Kernel(
        devices={link["ifname"]: link.get("master", "") for link in links},
        down=frozenset(link["ifname"] for link in links if "UP" not in link.get("flags", ["UP"])),
        mtus={link["ifname"]: link["mtu"] for link in links if "mtu" in link},
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
    name, info = link["ifname"], link["linkinfo"]["info_data"]
    return Vxlan(
        vni=info["id"],
        local=info.get("local", ""),
        mtu=link["mtu"],
        group=info.get("group", ""),
        learning=info.get("learning", True),
        proxy=info.get("proxy", False),
        fdb=frozenset(_entries(name, fdb)),
        neighbours=frozenset(
            (each["dst"], each["lladdr"]) for each in neighbours if each["dev"] == name
        ),
    )


def _entries(name: str, fdb: Iterable[dict[str, Any]]) -> Iterator[Entry]:
    """Entries that were added to the device's FDB; learned ones are not permanent."""
    for each in fdb:
        if each["ifname"] == name and "dst" in each and each.get("state") == "permanent":
            yield each["mac"], each["dst"]
