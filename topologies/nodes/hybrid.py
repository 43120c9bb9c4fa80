"""The hybrid plug of Nova: a Linux bridge between each guest and br-int.

guest --eth0/tap...--  qbr...  --qvb.../qvo...--  br-int

Security groups were iptables rules on that bridge, since iptables does not see packets in Open vSwitch.
"""

from collections.abc import Iterable

from controller.model.names import hybrid_names, int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
from topologies.nodes.keeper import ip_batch
from topologies.plan import plan


def host_end(overlay: Overlay, port: Port) -> str:
    """The device on the host at the other end of the guest's wire."""
    return hybrid_names(port.id)[0] if is_hybrid(overlay, port) else overlay.device_of(port)


def is_hybrid(overlay: Overlay, port: Port) -> bool:
    """Whether the port has such a bridge; Neutron's own DHCP ports have none."""
    return overlay.host(port.host).hybrid_plug and not port.is_dhcp_server


def join_all(pid: int, overlay: Overlay, host: Host) -> None:
    """Make the bridges of all hybrid ports of a host, and the veth pairs to br-int."""
    ports = (port for port in overlay.ports if port.host == host.name)
    ip_batch(pid, [line for port in ports for line in joining(overlay, port)])


def joining(overlay: Overlay, port: Port) -> Iterable[str]:
    """The `ip` commands that link a guest's tap to br-int; none without a bridge.

    Source: os-vif `vif_plug_ovs.linux_net.ensure_bridge` and `create_veth_pair`: no ageing, so
    that the bridge learns no MAC and floods every frame; no STP, no multicast snooping.
    """
    if not is_hybrid(overlay, port):
        return ()
    tap, bridge, towards = hybrid_names(port.id)
    qvo, mtu = int_port_name(port.id), plan.guest_mtu(overlay, port)
    kind = "type bridge stp_state 0 forward_delay 0 ageing_time 0 mcast_snooping 0"
    return (
        f"link add {bridge} mtu {mtu} {kind}",
        f"link add {towards} mtu {mtu} type veth peer name {qvo} mtu {mtu}",
        f"link set {towards} master {bridge} up promisc on",
        f"link set {qvo} up promisc on",
        f"link set {tap} master {bridge} up",
        f"link set {bridge} up",
    )


def parting(overlay: Overlay, port_id: str, host: str) -> Iterable[str]:
    """The `ip` commands that delete a port's devices, and so the other end of each veth pair.

    `host` is where the port is plugged; it may be bound elsewhere by now, or deleted.
    """
    port = overlay.port_of.get(port_id)
    if not overlay.host(host).hybrid_plug or (port and port.is_dhcp_server):
        return (f"link del {overlay.host(host).device_of(port_id)}",)
    return tuple(f"link del {device}" for device in hybrid_names(port_id))
