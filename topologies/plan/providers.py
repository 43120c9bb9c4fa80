"""Physical networks: the Ethernets that flat and vlan networks cross, beside the underlay.  Pure.

            host1                                    host2
     br-int --patch-- br-ex                   br-ex --patch-- br-int
                        | ext-physnet1          | ext-physnet1
                      host1                   host2
                     [ physnet1: a Linux bridge, which lets tags pass ]

A host without a bridge for it has no wire to it.  One whose bridge is br-vtep is on the
underlay itself: that is how the modes `flat` and `vlan` are carried.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from controller.model.names import VTEP_BRIDGE, provider_interface
from controller.model.overlay import Overlay
from controller.model.parts import Host

WIRE_OFPORT = 1000  # on its bridge; out of the way of those that bindings give


def mapped(host: Host) -> tuple[tuple[str, str], ...]:
    """The physical networks that the host is wired to, each with its bridge."""
    return tuple(pair for pair in host.bridge_mappings if pair[1] != VTEP_BRIDGE)


def physical_networks(hosts: Iterable[Host]) -> tuple[str, ...]:
    """The physical networks that are Ethernets of their own, in scenario order."""
    return tuple(dict.fromkeys(name for host in hosts for name, _ in mapped(host)))


def wires(overlay: Overlay, name: str, port: str) -> Iterator[dict[str, Any]]:
    """What Mininet's `addLink` is told of the wires of host `name` to its physical networks.

    `port` is what each is called at the other end.
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
    """The part of an `ovs-vsctl` transaction that puts each wire on its bridge."""
    return [arg for pair in mapped(host) for arg in _port_args(*pair, mtu=overlay.underlay_mtu)]


def _port_args(physical_network: str, bridge: str, *, mtu: int) -> list[str]:
    wire = provider_interface(physical_network)
    return [
        "--",
        "set",
        "Interface",
        bridge,
        f"mtu_request={mtu}",
        "--",
        "--may-exist",
        "add-port",
        bridge,
        wire,
        "--",
        "set",
        "Interface",
        wire,
        f"ofport_request={WIRE_OFPORT}",
        f"mtu_request={mtu}",
    ]
