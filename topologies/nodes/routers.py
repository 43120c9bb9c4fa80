"""The routers of an underlay: Linux namespaces that forward, as `underlays` has them wired."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from controller.model.errors import HostError
from controller.model.names import underlay_mac
from controller.model.overlay import Overlay
from controller.system import commands
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import Machine
from topologies.nodes.wires import Wire
from topologies.plan import underlays

if TYPE_CHECKING:
    from topologies.lab.lab import Lab

NETEM = "sch_netem"  # the kernel module


class Router(Machine):
    """One router of the underlay; a capture on any of its interfaces sees what it forwards."""

    kind = "router"

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        if not self.found:
            kernel = underlays.kernel(self.params["overlay"].underlay)
            commands.run("sysctl", "-qw", *kernel, pid=self.pid)

    def attach(self, intf: str) -> None:
        """Nothing yet: `join` gives a new wire its address and route."""

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Give it its addresses and routes; all its cables are there."""
        overlay: Overlay = self.params["overlay"]
        members = [(index, host.local_ip) for index, host in enumerate(overlay.hosts)]
        ip_batch(self.pid, underlays.lines(overlay.underlay, self.name, members))


def cables(overlay: Overlay) -> Iterator[dict[str, Any]]:
    """Their cables, as Mininet's `addLink` takes them."""
    wired = underlays.wiring(overlay.underlay)
    between = {"mtu": overlay.underlay.wan_mtu or overlay.underlay_mtu}
    yield from ({**_as_link(overlay, cable), **between} for cable in wired.trunks())
    for index in range(len(overlay.hosts)):
        yield from uplinks(overlay, index)


def uplinks(overlay: Overlay, index: int) -> Iterator[dict[str, Any]]:
    """The cables that come with host number `index`."""
    wired = underlays.wiring(overlay.underlay)
    return (_as_link(overlay, cable) for cable in wired.uplinks(index))


def _as_link(overlay: Overlay, cable: underlays.Cable) -> dict[str, Any]:
    return {
        "node1": cable.one,
        "node2": cable.other,
        "cls": Wire,
        "mtu": overlay.underlay_mtu,
        "intfName1": cable.other,
        "addr1": underlay_mac(cable.first),
        "intfName2": cable.one,
        "addr2": underlay_mac(cable.first + 1),
    }


def host_end(overlay: Overlay) -> dict[str, Any]:
    """What else `addLink` is told of a host's underlay wire: its router's MAC."""
    if not overlay.underlay.shape.is_routed:
        return {}
    return {"addr2": underlay_mac(underlays.GATEWAY)}


def make_edge(lab: "Lab", overlay: Overlay, index: int) -> None:
    """Make the edge router that a new host's wire will be plugged into, and its cables."""
    if overlay.underlay.shape.is_routed:
        edge = underlays.wiring(overlay.underlay).edge(index)
        lab.net.addSwitch(edge, cls=Router, ledger=lab.ledger, overlay=overlay)
        for cable in uplinks(overlay, index):
            lab.net.addLink(**cable)


def join(lab: "Lab", overlay: Overlay, name: str, index: int) -> None:
    """Let every router know the way to a new host of `overlay`, whose wire is plugged in."""
    if overlay.underlay.shape.is_routed:
        wired, member = underlays.wiring(overlay.underlay), (index, overlay.host(name).local_ip)
        for router in (wired.edge(index), *wired.core()):
            told = underlays.joining(overlay.underlay, router, member)
            ip_batch(lab.pid(router), ["link set lo up", *told])


def edge_of(lab: "Lab", index: int) -> str | None:
    """The edge router that goes with host number `index`; None on a switch."""
    underlay = lab.overlay.underlay
    return underlays.wiring(underlay).edge(index) if underlay.shape.is_routed else None


def assert_able(overlay: Overlay) -> None:
    """Check that this machine can do to packets what the underlay is to do.

    Raises:
        HostError: it has no netem.
    """
    if not overlay.underlay.is_impaired:
        return
    # In a network namespace of its own, which ends with the command; it loads the module, too.
    tried = commands.attempt(
        "unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"
    )
    if tried.returncode:
        raise HostError(
            f"no kernel module {NETEM} ({tried.stderr.strip()})",
            where="underlay delay_ms, loss_percent",
            allowed="a kernel with netem, by which Mininet's TCLink delays and loses packets",
            do=f"`modprobe {NETEM}`, or leave both keys out.",
        )
