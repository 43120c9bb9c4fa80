"""Mininet links, made in one step inside their namespaces, with name, MAC and MTU."""

from typing import Any

from mininet.link import Intf, Link, TCIntf, TCLink

from controller.model.underlay import Underlay
from controller.system import commands


class End(Intf):  # type: ignore[misc]  # Mininet has no types
    """One end of a wire, which `Wire` has set up."""

    def config(self, **_: Any) -> dict[str, Any]:
        """Do nothing: Mininet would start a shell and four `ifconfig`."""
        return {}


class Wire(Link):  # type: ignore[misc]
    """A veth pair whose ends are created inside their nodes, never in the root namespace."""

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
        """Make the pair inside `node1`, with its peer in `node2`."""
        one = ("mtu", str(self.mtu), *(("address", addr1) if addr1 else ()))
        two = ("mtu", str(self.mtu), *(("address", addr2) if addr2 else ()))
        pair = (intfname1, *one, "type", "veth", "peer", "name", intfname2, *two)
        commands.run("ip", "link", "add", "name", *pair, "netns", str(node2.pid), pid=node1.pid)

    def stop(self) -> None:
        """Do nothing: interfaces end with their namespaces."""


class FoundWire(Wire):
    """A wire that exists already, in a Mininet object over the nodes of a running lab."""

    def makeIntfPair(self, *_: Any, **__: Any) -> None:  # noqa: N802
        """Do nothing."""


def found(line: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Arguments of `addLink` for a wire that exists already; `line` are those that made it."""
    kept = ("node1", "node2", "intfName1", "intfName2", "mtu", "addr1", "addr2")
    return {**{name: line[name] for name in kept if name in line}, "cls": FoundWire, **more}


def wire(
    one: str, other: str, name_at_one: str, name_at_other: str, mtu: int, **more: Any
) -> dict[str, Any]:
    """Arguments of Mininet's `addLink`; `more`, such as the MACs `addr1` and `addr2`, go on top."""
    ends = {"node1": one, "node2": other, "intfName1": name_at_one, "intfName2": name_at_other}
    return {**ends, "cls": Wire, "mtu": mtu, **more}


class ImpairedEnd(TCIntf):  # type: ignore[misc]
    """A host's end of its underlay wire, which delays or loses outgoing packets."""

    def config(self, delay_ms: float = 0.0, loss_percent: float = 0.0, **_: Any) -> dict[str, Any]:
        """Set netem.  Mininet's own method starts a shell, and only prints an error of tc."""
        for command in impairments(self.name, delay_ms, loss_percent):
            commands.run(*command, pid=self.node.pid)
        return {}


class ImpairedWire(Wire, TCLink):  # type: ignore[misc]
    """A Mininet TCLink, made like a `Wire`; only its first end is impaired."""

    def __init__(self, node1: Any, node2: Any, **params: Any) -> None:
        super().__init__(node1, node2, **{**params, "cls1": ImpairedEnd, "cls2": End})


def impairments(interface: str, delay_ms: float, loss_percent: float) -> list[tuple[str, ...]]:
    """The tc commands of Mininet's TCIntf that delay and lose packets leaving an interface."""
    delay = f"{delay_ms:g}ms" if delay_ms else None
    netem, _ = TCIntf.delayCmds(" root ", delay=delay, loss=loss_percent)
    return [tuple((command % ("tc", interface)).split()) for command in netem]


def impaired(underlay: Underlay) -> dict[str, Any]:
    """More arguments of `addLink` for a host's underlay wire: its delay and loss, if any."""
    if not underlay.is_impaired:
        return {}
    delay_ms, loss_percent = underlay.delay_ms, underlay.loss_percent
    return {"cls": ImpairedWire, "delay_ms": delay_ms, "loss_percent": loss_percent}
