"""The routers of an underlay: Linux namespaces that forward; `plan.underlays` has their cables."""

from collections.abc import Iterator
from typing import Any

from controller.model.errors import HostError
from controller.model.names import underlay_mac
from controller.model.overlay import Overlay
from controller.system import commands
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import Machine
from topologies.nodes.wires import wire
from topologies.plan import underlays

NETEM = "sch_netem"  # the kernel module


class Router(Machine):
    """One router of the underlay; its interfaces can be captured on."""

    kind = "router"

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        if not self.found:
            kernel = underlays.kernel(self.params["overlay"].underlay)
            commands.run("sysctl", "-qw", *kernel, pid=self.pid)

    def attach(self, intf: str) -> None:
        """Do nothing: adding a host sets the address and route of its wire."""

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Set its addresses and routes; its cables exist already."""
        overlay: Overlay = self.params["overlay"]
        members = [(index, host.local_ip) for index, host in enumerate(overlay.hosts)]
        ip_batch(self.pid, underlays.lines(overlay.underlay, self.name, members))


def cables(overlay: Overlay) -> Iterator[dict[str, Any]]:
    """All cables of the routers, as keyword arguments of Mininet's `addLink`."""
    yield from trunks(overlay)
    for index in range(len(overlay.hosts)):
        yield from uplinks(overlay, index)


def trunks(overlay: Overlay) -> Iterator[dict[str, Any]]:
    """The cables between routers that are not the edge router of a host."""
    mtu = overlay.underlay.wan_mtu or overlay.underlay_mtu
    return (_wire(cable, mtu) for cable in underlays.Wiring(overlay.underlay).trunks())


def uplinks(overlay: Overlay, index: int) -> Iterator[dict[str, Any]]:
    """The cables of the edge router of host number `index`."""
    wired = underlays.Wiring(overlay.underlay)
    return (_wire(cable, overlay.underlay_mtu) for cable in wired.uplinks(index))


def _wire(cable: underlays.Cable, mtu: int) -> dict[str, Any]:
    macs = {"addr1": underlay_mac(cable.first), "addr2": underlay_mac(cable.first + 1)}
    return wire(cable.one, cable.other, cable.other, cable.one, mtu, **macs)


def host_end(overlay: Overlay) -> dict[str, Any]:
    """More arguments of `addLink` for a host's underlay wire: its router's MAC."""
    is_routed = overlay.underlay.shape.is_routed
    return {"addr2": underlay_mac(underlays.GATEWAY)} if is_routed else {}


def assert_able(overlay: Overlay) -> None:
    """Check that this machine has netem, if the underlay delays or loses packets.

    Raises:
        HostError: it has no netem.
    """
    if not overlay.underlay.is_impaired:
        return
    # In a network namespace that ends with the command; this also loads the module.
    tried = commands.attempt(
        "unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"
    )
    if tried.returncode:
        raise HostError(
            f"no kernel module {NETEM} ({tried.stderr.strip()})",
            where="underlay delay_ms, loss_percent",
            allowed="a kernel with netem, which delays and loses packets",
            do=f"`modprobe {NETEM}`, or leave both keys out.",
        )
