"""Mininet links made in one step: named, addressed, sized, never through the root namespace."""

from typing import Any

from mininet.link import Intf, Link, TCIntf, TCLink

from controller.model.underlay import Underlay
from controller.system import commands


class End(Intf):  # type: ignore[misc]  # Mininet has no types
    """One end of a wire; whoever made the wire has set it up already."""

    def config(self, **_: Any) -> dict[str, Any]:
        """Do nothing: Mininet would start a shell and four `ifconfig`."""
        return {}


class Wire(Link):  # type: ignore[misc]
    """A veth pair whose ends begin life inside their nodes."""

    def __init__(self, node1: Any, node2: Any, *, mtu: int, **params: Any) -> None:
        self.mtu = mtu
        super().__init__(node1, node2, **{**params, "intf": End})

    def makeIntfPair(  # noqa: N802, PLR0917  Mininet's signature
        self,
        intfname1: str,
        intfname2: str,
        addr1: str | None = None,
        addr2: str | None = None,
        node1: Any = None,
        node2: Any = None,
        deleteIntfs: bool = True,  # noqa: ARG002, FBT001, FBT002, N803
    ) -> None:
        """Make the pair from inside `node1`; the kernel makes the peer in `node2` at once."""
        one = ("mtu", str(self.mtu), *(("address", addr1) if addr1 else ()))
        two = ("mtu", str(self.mtu), *(("address", addr2) if addr2 else ()))
        commands.run(
            "ip",
            "link",
            "add",
            "name",
            intfname1,
            *one,
            "type",
            "veth",
            "peer",
            "name",
            intfname2,
            *two,
            "netns",
            str(node2.pid),
            pid=node1.pid,
        )

    def stop(self) -> None:
        """Leave it to the namespaces: they take their interfaces along."""


class ImpairedEnd(TCIntf):  # type: ignore[misc]
    """A host's end of its underlay wire, where what leaves is delayed, or lost."""

    def config(self, delay_ms: float = 0.0, loss_percent: float = 0.0, **_: Any) -> dict[str, Any]:
        """Set netem; Mininet's own would start a shell, and print tc's refusal instead of raising."""
        for command in impairments(self.name, delay_ms, loss_percent):
            commands.run(*command, pid=self.node.pid)
        return {}


class ImpairedWire(Wire, TCLink):  # type: ignore[misc]
    """A Mininet TCLink that is made as a `Wire` is; only its first end is impaired."""

    def __init__(self, node1: Any, node2: Any, **params: Any) -> None:
        super().__init__(node1, node2, **{**params, "cls1": ImpairedEnd, "cls2": End})


def impairments(interface: str, delay_ms: float, loss_percent: float) -> list[tuple[str, ...]]:
    """The commands by which Mininet's TCIntf delays and loses packets that leave an interface."""
    delay = f"{delay_ms:g}ms" if delay_ms else None
    told, _ = TCIntf.delayCmds(" root ", delay=delay, loss=loss_percent)
    return [tuple((command % ("tc", interface)).split()) for command in told]


def impaired(underlay: Underlay) -> dict[str, Any]:
    """What else `addLink` is told of a host's underlay wire: to delay and lose, if it is to."""
    if not underlay.is_impaired:
        return {}
    return {
        "cls": ImpairedWire,
        "delay_ms": underlay.delay_ms,
        "loss_percent": underlay.loss_percent,
    }
