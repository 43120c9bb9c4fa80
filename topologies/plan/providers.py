"""Physical networks: the Ethernets of flat and vlan networks, separate from the underlay.  Pure.

            host1                                    host2
     br-int --patch-- br-ex                   br-ex --patch-- br-int
                        | ext-physnet1          | ext-physnet1
                      host1                   host2
                     [ physnet1: a Linux bridge, which lets tags pass ]

A host without a bridge for it has no wire to it.  A physical network whose bridge is br-vtep is
the underlay itself: the modes `flat` and `vlan` use that.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from controller.model.names import VTEP_BRIDGE, provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Host

WIRE_OFPORT = 1000  # on its bridge; above the numbers that bindings allocate


def mapped(host: Host) -> tuple[tuple[str, str], ...]:
    """The physical networks that the host is wired to, each with its bridge."""
    return tuple(pair for pair in host.bridge_mappings if pair[1] != VTEP_BRIDGE)


def physical_networks(hosts: Iterable[Host]) -> tuple[str, ...]:
    """The physical networks that are separate Ethernets, in scenario order."""
    return tuple(dict.fromkeys(name for host in hosts for name, _ in mapped(host)))


def wires(overlay: Overlay, name: str, port: str) -> Iterator[dict[str, Any]]:
    """Arguments of Mininet's `addLink` for the wires of host `name` to its physical networks.

    `port` is the interface name at the other end.
    """
    for physical_network, _ in mapped(overlay.host(name)):
        yield {
            "node1": name,
            "node2": physical_network,
            "mtu": overlay.underlay_mtu,
            "intfName1": provider_interface(physical_network),
            "intfName2": port,
        }


def port_args(overlay: Overlay, host: Host) -> list[str]:
    """The part of an `ovs-vsctl` transaction that adds each wire to its bridge."""
    return [arg for pair in mapped(host) for arg in _port_args(*pair, mtu=overlay.underlay_mtu)]


def _port_args(physical_network: str, bridge: str, *, mtu: int) -> list[str]:
    wire = provider_interface(physical_network)
    return (
        f"-- set Interface {bridge} mtu_request={mtu}"
        f" -- --may-exist add-port {bridge} {wire}"
        f" -- set Interface {wire} ofport_request={WIRE_OFPORT} mtu_request={mtu}"
    ).split()
