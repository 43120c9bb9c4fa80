"""Mininet links made in one step: named, addressed, sized, never through the root namespace."""

from typing import Any

from mininet.link import Intf, Link

from topologies import commands


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
        self, intfname1: str, intfname2: str, addr1: str | None = None,
        addr2: str | None = None, node1: Any = None, node2: Any = None,
        deleteIntfs: bool = True,  # noqa: ARG002, FBT001, FBT002, N803
    ) -> None:  # fmt: skip
        """Make the pair from inside `node1`; the kernel makes the peer in `node2` at once."""
        one = ("mtu", str(self.mtu), *(("address", addr1) if addr1 else ()))
        two = ("mtu", str(self.mtu), *(("address", addr2) if addr2 else ()))
        commands.run(
            "ip", "link", "add", "name", intfname1, *one,
            "type", "veth", "peer", "name", intfname2, *two, "netns", str(node2.pid),
            pid=node1.pid,
        )  # fmt: skip

    def stop(self) -> None:
        """Leave it to the namespaces: they take their interfaces along."""
