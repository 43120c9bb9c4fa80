"""The flows of every bridge of a host, computed from the overlay and the binding.  Pure."""

from controller.flows.binding import Binding
from controller.flows.br_int import br_int_flows, br_phys_flows
from controller.flows.br_tun import br_tun_flows
from controller.flows.pipeline import Flow
from controller.flows.ports import BR_INT, BR_TUN, provider_bridges
from controller.model.errors import ModelError
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism


def bridges(host: Host) -> tuple[str, ...]:
    """The bridges of `host` that get flows; without tunnel_types there is no br-tun."""
    return (BR_INT, *((BR_TUN,) if host.tunnel_types else ()), *provider_bridges(host))


def bridge_flows(overlay: Overlay, binding: Binding, bridge: str) -> tuple[Flow, ...]:
    """The flows that `bridge` of the binding's host must have.

    Raises:
        ModelError: the host has no such bridge, or uses Linux bridges.
    """
    host = overlay.host(binding.host)
    if host.mechanism is Mechanism.LINUXBRIDGE:
        raise ModelError(
            "no flows: the host uses Linux bridges",
            where=f"host {host.name!r}",
            allowed="a host of mechanism openvswitch",
            do="Use `overlaylab exec LAB HOST -- bridge fdb` instead.",
        )
    if bridge not in bridges(host):
        raise ModelError(
            f"bridge {bridge!r}",
            where=f"host {host.name!r}",
            allowed=", ".join(bridges(host)),
            do=did_you_mean(
                bridge, bridges(host), "Name one of them; br-tun needs [agent] tunnel_types."
            ),
        )
    if bridge == BR_INT:
        return tuple(br_int_flows(overlay, host, binding))
    if bridge == BR_TUN:
        return tuple(br_tun_flows(overlay, host, binding))
    return tuple(br_phys_flows(overlay, host, binding, bridge))
