"""Reads and writes a host's OVSDB with `ovs-vsctl`.

The functions that build arguments are pure; `Ovsdb` runs `ovs-vsctl`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.flows.binding import Binding
from controller.flows.bridges import bridges
from controller.flows.ports import DEAD_VLAN_TAG, BridgePort, quoted
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network
from controller.switches.reading import COLUMNS, PortRow, Reading, guest_rows, parse_reading
from controller.system.commands import run

TIMEOUT_S = 5
IF_THERE = ("--", "--if-exists")  # a guest's port may have been unplugged since it was read
OURS = {  # type of a port -> prefixes of our names
    "patch": ("patch-", "int-", "phy-"),
    "gre": ("gre-",),
    "ip6gre": ("gre-",),
    "vxlan": ("vxlan-",),
    "geneve": ("geneve-",),
}


def tag_args(overlay: Overlay, binding: Binding, reading: Reading) -> list[str]:
    """The part that sets the local VLAN of guests' ports where it is not set yet."""
    args: list[str] = []
    for row in guest_rows(reading):
        if row.name in binding.dead:
            args += _dead_args(row)
        elif (port := overlay.port_of.get(row.iface_id)) is not None:
            args += _live_args(row, overlay.network_of[port.network_id], binding.local_vlans)
    return args


def _live_args(row: PortRow, network: Network, local_vlans: Mapping[str, int]) -> list[str]:
    """`Port.tag` and `other_config` as Neutron writes them (AG:1267-1276)."""
    tag = local_vlans[network.id]
    if row.tag == tag and row.net_uuid == network.id:
        return []
    config = {
        "net_uuid": network.id,
        "network_type": str(network.network_type),
        "physical_network": str(network.physical_network),  # "None" for tunnels, as in Neutron
        "segmentation_id": str(network.segmentation_id),
        "tag": str(tag),
    }
    sets = [f"other_config:{key}={quoted(value)}" for key, value in config.items()]
    clear = [*IF_THERE, "clear", "Port", row.name, "vlan_mode", "trunks"]
    return [*IF_THERE, "set", "Port", row.name, f"tag={tag}", *sets, *clear]


def _dead_args(row: PortRow) -> list[str]:
    """Put a port without an active Neutron port into the dead VLAN (AG:1514)."""
    if row.tag == DEAD_VLAN_TAG:
        return []
    set_tag = [*IF_THERE, "set", "Port", row.name, f"tag={DEAD_VLAN_TAG}"]
    return [*set_tag, *IF_THERE, "remove", "Port", row.name, "other_config", "net_uuid"]


def missing_ports(wanted: Iterable[BridgePort], reading: Reading) -> list[BridgePort]:
    """The wanted ports that existing bridges of the host lack or have with other settings."""
    return [p for p in wanted if p.bridge in reading and not _is_there(p, reading)]


def _is_there(port: BridgePort, reading: Reading) -> bool:
    row = reading[port.bridge].ports.get(port.name)
    if row is None or row.type != port.type or dict(row.options) != dict(port.options):
        return False
    return port.other_config.items() <= row.other_config.items()


def stale_ports(
    host: Host, wanted: Iterable[BridgePort], reading: Reading
) -> list[tuple[str, str]]:
    """(bridge, port) of our tunnel and patch ports that are no longer wanted.

    Bridge, type and name mark a port as ours, so ports added by hand stay.
    """
    keep = {(port.bridge, port.name) for port in wanted}
    return [
        (bridge, port.name)
        for bridge in bridges(host)
        if bridge in reading
        for port in reading[bridge].ports.values()
        if port.type in OURS and port.name.startswith(OURS[port.type])
        if (bridge, port.name) not in keep
    ]


def failed_ports(wanted: Iterable[BridgePort], reading: Reading) -> dict[str, str]:
    """The wanted ports that ovs-vswitchd could not create, each with its error.

    One that is not in `reading` was removed by others after it was added.
    """
    rows = {p.name: reading[p.bridge].ports.get(p.name) for p in wanted if p.bridge in reading}
    return {
        name: "removed meanwhile" if row is None else row.error or "no reason given"
        for name, row in rows.items()
        if row is None or not row.ofport
    }


@dataclass(frozen=True, slots=True)
class Ovsdb:
    """One host's database, at `address` (`tcp:198.18.1.1:6640`, `unix:/...`)."""

    address: str

    def read(self) -> Reading:
        """Its bridges and ports.

        Raises:
            CommandError: the database does not answer.
        """
        listing = [
            word
            for table, columns in COLUMNS.items()
            for word in ("--", f"--columns={columns}", "list", table)
        ]
        return parse_reading(self._vsctl("--format=json", *listing))

    def write(self, args: list[str]) -> None:
        """Run one transaction; return when ovs-vswitchd has applied it.

        Raises:
            CommandError: the transaction was refused, or the database does not answer.
        """
        if args:
            self._vsctl(*args)

    def _vsctl(self, *args: str) -> str:
        head = ("ovs-vsctl", f"--db={self.address}", f"--timeout={TIMEOUT_S}")
        return run(*head, *args, timeout_s=TIMEOUT_S + 2)
