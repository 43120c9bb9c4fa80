"""A backend for the API's tests: keeps the overlay in memory and knows no switch."""

import threading
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Network

from controller.model.encap import NetworkType
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet
from controller.switches.backend import NONE, AgentState, joined

CONFIGURATIONS = {
    "tunneling_ip": "192.168.150.12",
    "tunnel_types": ["vxlan"],
    "l2_population": True,
    "ovsdb_connection": "tcp:198.18.1.3:6640",
}


def small() -> Overlay:
    """Two hosts, one network, one port that is up: the article's, in short."""
    return Overlay(
        name="small",
        hosts=tuple(
            Host(
                name=name,
                local_ip=IPv4Address(ip),
                tunnel_types=(NetworkType.GRE, NetworkType.VXLAN),
            )
            for name, ip in (("controller", "192.168.150.10"), ("computer", "192.168.150.11"))
        ),
        networks=(
            Network(id="net-1", name="red", network_type=NetworkType.VXLAN, segmentation_id=111),
        ),
        subnets=(
            Subnet(
                id="sub-1",
                name="red4",
                network_id="net-1",
                cidr=IPv4Network("172.16.166.0/24"),
                pools=((IPv4Address("172.16.166.100"), IPv4Address("172.16.166.102")),),
                gateway_ip=IPv4Address("172.16.166.1"),
            ),
        ),
        ports=(
            Port(
                id="port-1",
                name="a",
                network_id="net-1",
                mac_address="fa:16:3e:7a:f5:1d",
                fixed_ips=(IPv4Address("172.16.166.100"),),
                host="controller",
                device_id="ServerA",
            ),
        ),
    )


class FakeBackend:
    """Implements `controller.switches.backend.Backend`."""

    def __init__(self) -> None:
        self.overlay = small()
        self.ovsdb = {host.name: f"tcp:{host.local_ip}:6640" for host in self.overlay.hosts}
        self.lock = threading.Lock()

    def change(
        self,
        edit: Callable[[Overlay], Overlay],
        *,
        ovsdb: Mapping[str, str] = NONE,
        is_new: bool = False,
    ) -> Overlay:
        with self.lock:
            overlay, self.ovsdb = edit(self.overlay), joined(self.ovsdb, ovsdb, is_new=is_new)
            self.ovsdb = {host: self.ovsdb[host] for host in overlay.host_of}
            self.overlay = overlay
            return self.overlay

    def agents(self) -> list[AgentState]:
        return [
            AgentState(
                host=host.name,
                alive=True,
                wired=True,
                heartbeat="2024-05-01T00:00:00+00:00",
                ovsdb=self.ovsdb[host.name],
            )
            for host in self.overlay.hosts
        ]
