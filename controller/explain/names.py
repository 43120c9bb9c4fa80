"""Maps the numbers and names in a host's flows to guests, networks and VTEPs.  Pure."""

from dataclasses import dataclass
from functools import cached_property

from controller.flows.binding import Binding
from controller.flows.pipeline import TUN_TO_LV, pipeline_of
from controller.flows.ports import (
    BR_INT,
    BR_TUN,
    DEAD_VLAN_TAG,
    Tunnel,
    tunnels,
)
from controller.model.encap import NetworkType
from controller.model.names import int_port_name, link_local, patch_to_phys, provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port


@dataclass(frozen=True)
class Names:
    """Names things in the flows of one host."""

    overlay: Overlay
    host: Host
    binding: Binding

    def table(self, bridge: str, number: int) -> tuple[str, str]:
        """Neutron's name of a table and its purpose; empty if the release has no such table."""
        rows = pipeline_of(bridge, self.overlay.release)
        found = ((getattr(key, "name", ""), row.why) for key, row in rows.items() if key == number)
        return next(found, ("", ""))

    @staticmethod
    def tunnel_types(number: int) -> tuple[NetworkType, ...]:
        """The types whose ids this table of br-tun translates to local VLANs."""
        return tuple(kind for kind, table in TUN_TO_LV.items() if table == number)

    def port(self, bridge: str, name: str) -> str:
        """The guest, tunnel or bridge of a port, by its name or its ofport."""
        numbers = self.binding.ofports.get(bridge, {})
        name = next((known for known, number in numbers.items() if str(number) == name), name)
        if name in self._patches:
            return self._patches[name]
        if bridge == BR_TUN and name in self._tunnels:
            return self.tunnel(self._tunnels[name])
        found = self._guests.get(name) if bridge == BR_INT else None
        return f"{self.guest(found)}'s port" if found else f'port "{name}"'

    @staticmethod
    def tunnel(tunnel: Tunnel) -> str:
        """A tunnel, by its type and its remote host."""
        return f"the {spelt(tunnel.type)} tunnel to {tunnel.remote.name} ({tunnel.remote.local_ip})"

    def guest(self, port: Port) -> str:
        """The guest of a port, with the network if the guest has several ports."""
        name = port.device_id or f"port {port.id[:11]}"
        ports = [each for each in self.overlay.ports if each.device_id == port.device_id]
        is_one = not port.device_id or len(ports) == 1
        return name if is_one else f"{name} (in {self.overlay.network_of[port.network_id].name})"

    def mac(self, mac: str) -> str:
        """A MAC with its owner."""
        return f"{self._of_mac[mac]}'s MAC {mac}" if mac in self._of_mac else f"MAC {mac}"

    def address(self, address: str, network: Network | None = None) -> str:
        """An IP address with its owner in `network`, if that is known: networks may overlap."""
        for port in self.overlay.ports:
            if network is not None and port.network_id != network.id:
                continue
            if address in map(str, port.fixed_ips):
                return f"{address} ({self.guest(port)})"
            if address == str(link_local(port.mac_address)):
                return f"{address} ({self.guest(port)}'s link-local address)"
        return address

    def local_vlan(self, number: int) -> str:
        """A local VLAN with its network."""
        if number == DEAD_VLAN_TAG:
            return f"the dead VLAN {number}"
        network = self.network_in(number)
        return f"local VLAN {number}" + (f" ({network.name})" if network else "")

    def network_in(self, local_vlan: int) -> Network | None:
        """The network that has this local VLAN on the host."""
        found = [id_ for id_, vlan in self.binding.local_vlans.items() if vlan == local_vlan]
        return self.overlay.network_of.get(found[0]) if found else None

    def network_of_id(self, kinds: tuple[NetworkType, ...], segmentation_id: int) -> Network | None:
        """The network of one of `kinds` with this id."""
        matching = (n for n in self.overlay.networks if n.segmentation_id == segmentation_id)
        return next((network for network in matching if network.network_type in kinds), None)

    def network_of_port(self, name: str) -> Network | None:
        """The network of the guest's port `name` on br-int."""
        port = self._guests.get(name)
        return self.overlay.network_of[port.network_id] if port else None

    @cached_property
    def _guests(self) -> dict[str, Port]:
        return {int_port_name(p.id): p for p in self.overlay.ports if p.host == self.host.name}

    @cached_property
    def _of_mac(self) -> dict[str, str]:
        return {port.mac_address: self.guest(port) for port in self.overlay.ports}

    @cached_property
    def _tunnels(self) -> dict[str, Tunnel]:
        return {tunnel.name: tunnel for tunnel in tunnels(self.overlay, self.host)}

    @cached_property
    def _patches(self) -> dict[str, str]:
        """Patch ports and provider interfaces, each with what it leads to."""
        agent = self.host.agent
        found = {agent.tun_peer_patch_port: BR_INT, agent.int_peer_patch_port: BR_TUN}
        for physical_network, bridge in self.host.bridge_mappings:
            on_int, on_phys = patch_to_phys(bridge)
            found |= {on_int: f"the provider bridge {bridge}", on_phys: BR_INT}
            found[provider_interface(physical_network)] = f"the wire to {physical_network}"
        return found


def spelt(kind: NetworkType) -> str:
    """A network type as its RFC spells it."""
    return {"gre": "GRE", "vxlan": "VXLAN", "geneve": "Geneve"}.get(kind.value, kind.value)


def id_word(kind: NetworkType) -> str:
    """The name of the type's segmentation_id."""
    return "GRE key" if kind is NetworkType.GRE else kind.kind.id_word


def segment(network: Network | None, number: int) -> str:
    """An id on the wire, decimal and hexadecimal, with its network."""
    if network is None:
        return f"tunnel id {number} ({number:#x})"
    named = f", {network.name}" if network.name else ""
    return f"{id_word(network.network_type)} {number} ({number:#x}{named})"
