"""The local VLANs and OpenFlow port numbers in use on one host.  Pure.

Both depend on history, so they are not part of the overlay.  An allocated number never changes;
`allocate` only adds numbers, `release` only removes numbers that are no longer needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from controller.flows.ports import host_ports
from controller.model.check import LOCAL_VLAN_MAX
from controller.model.errors import ModelError
from controller.model.names import int_port_name
from controller.model.overlay import Overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Numbers in use on one host.

    Attributes:
        local_vlans: network id -> VLAN id on br-int, 1..4094.
        ofports: bridge -> port name -> OpenFlow port number.
        highest: bridge -> the highest ofport ever used there; lower ones are not used again,
            so that a stale flow for a removed port cannot reach another port.
        dead: devices on br-int whose port is unknown or administratively down.

    Raises:
        ModelError: two networks share a local VLAN.
    """

    host: str
    local_vlans: Mapping[str, int] = field(default_factory=dict)
    ofports: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    highest: Mapping[str, int] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if len(set(self.local_vlans.values())) != len(self.local_vlans):
            raise ModelError(
                f"local VLANs {sorted(self.local_vlans.values())}",
                where=f"host {self.host!r}",
                allowed="one network to a local VLAN",
                do="Clear the tags of its ports on br-int; the controller sets them again.",
            )

    def ofport(self, bridge: str, name: str) -> int | None:
        """The OpenFlow port number of `name` on `bridge`, or None if it is not there."""
        return self.ofports.get(bridge, {}).get(name)


def allocate(overlay: Overlay, binding: Binding) -> Binding:
    """`binding` with numbers for everything the host needs; existing numbers stay.

    Raises:
        ModelError: the host has more networks than local VLANs.
    """
    ofports = {bridge: dict(ports) for bridge, ports in binding.ofports.items()}
    highest = dict(binding.highest)
    for port in host_ports(overlay, overlay.host(binding.host)):
        here = ofports.setdefault(port.bridge, {})
        if port.name not in here:
            here[port.name] = highest[port.bridge] = highest.get(port.bridge, 0) + 1
    return allocate_vlans(overlay, replace(binding, ofports=ofports, highest=highest))


def new_binding(overlay: Overlay, host: str) -> Binding:
    """The binding of a newly started host with all its ports plugged."""
    off = (p for p in overlay.ports if p.host == host and not p.admin_state_up)
    dead = frozenset(int_port_name(port.id) for port in off)
    return allocate(overlay, Binding(host=host, dead=dead))


def release(overlay: Overlay, binding: Binding) -> Binding:
    """`binding` without the local VLANs of networks that no longer have an active port here."""
    here = {network.id for network in overlay.networks_on(binding.host)}
    kept = {id_: vlan for id_, vlan in binding.local_vlans.items() if id_ in here}
    return replace(binding, local_vlans=kept)


def allocate_vlans(
    overlay: Overlay, binding: Binding, *, avoid: frozenset[int] = frozenset()
) -> Binding:
    """`binding` with a local VLAN for every network that has an active port here.

    VLANs in `avoid` are left out: flows of a removed network still use them.

    Raises:
        ModelError: the host has more networks than local VLANs.
    """
    vlans = dict(binding.local_vlans)
    free = iter(sorted(set(range(1, LOCAL_VLAN_MAX + 1)) - set(vlans.values()) - avoid))
    for network in overlay.networks_on(binding.host):
        if network.id not in vlans:
            vlan = next(free, None)
            if vlan is None:
                raise ModelError(
                    f"no local VLAN is left for {network.where}",
                    where=f"host {binding.host!r}",
                    allowed=f"{LOCAL_VLAN_MAX} networks on one host",
                    do="Move its ports to another host.",
                )
            vlans[network.id] = vlan
    return replace(binding, local_vlans=vlans)
