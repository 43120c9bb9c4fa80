"""The Mininet nodes of a lab: guests, and the switches that stand for machines beneath them."""

from typing import Any

from mininet.node import Node, Switch
from mininet.node import Host as MininetHost

from topologies import commands
from topologies.lab import keeper, plan
from topologies.lab.ledger import Ledger
from topologies.lab.process import identify, kill
from topologies.model import Overlay, Port


class Kept(Node):  # type: ignore[misc]  # Mininet has no types
    """A node whose namespaces a process of the lab keeps; its shell starts when first asked.

    So a node can be found again by any process that knows the keeper's pid, and 200
    nodes need no 200 shells.
    """

    def __init__(self, name: str, *, ledger: Ledger, keeper: int = 0, **params: Any) -> None:
        self.ledger, self.found = ledger, keeper
        super().__init__(name, **{**params, "inNamespace": True})

    def startShell(self, mnopts: str | None = None) -> None:  # noqa: ARG002, N802, N803
        """Mininet calls this as soon as the node is made: make the namespaces, no shell."""
        self.pid = self.found or keeper.keep(self.ledger, self.name)

    def mountPrivateDirs(self) -> None:  # noqa: N802
        """Mount a tmpfs of its own on each of `privateDirs`."""
        for directory in () if self.found else self.privateDirs:
            commands.run("mkdir", "-p", directory)
            commands.run("mount", "-n", "-t", "tmpfs", "tmpfs", directory, pid=self.pid)

    def unmountPrivateDirs(self) -> None:  # noqa: N802
        """Leave it to the mount namespace, which takes them along."""

    def cmd(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command in the node's shell, as in Mininet."""
        self._open_shell()
        return super().cmd(*args, **kwargs)

    def sendCmd(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        """Send a command to the node's shell, as in Mininet."""
        self._open_shell()
        return super().sendCmd(*args, **kwargs)

    def _open_shell(self) -> None:
        if self.shell:
            return
        kept, self.inNamespace = self.pid, False  # else Mininet would ask for new ones
        try:
            Node.startShell(self, f"-cda{kept}")
        finally:
            self.pid, self.inNamespace = kept, True

    def _popen(self, cmd: list[str], **params: Any) -> Any:
        environment = commands.environment(self.ledger.token)
        return super()._popen(cmd, **{"env": environment, **params})

    def terminate(self) -> None:
        """Close the shell, and end the namespaces if they were made by this object."""
        super().terminate()
        identity = None if self.found else identify(self.pid)
        if identity:
            kill([identity])


class Machine(Kept, Switch):
    """A node that Mininet takes for a switch, so that `net.hosts` are the guests alone."""

    controlIntf = None  # noqa: N815

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        if not self.found:
            keeper.without_ipv6(self.pid)

    def defaultDpid(self, dpid: str | None = None) -> str:  # noqa: ARG002, N802
        """None: its bridges have their own."""
        return "0" * self.dpidLen

    def start(self, controllers: Any) -> None:
        """Nothing yet: `batchStartup` raises all of a kind at once."""

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002, N803
        """Nothing: the namespaces take everything along."""


class Segment(Machine):
    """One Ethernet: a Linux bridge that floods what it does not know, without snooping or STP."""

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return f"br-{self.name}"

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Make the bridge and put every wire on it."""
        mtu = self.params["mtu"]
        lines = [f"link add {self.bridge} mtu {mtu} type bridge stp_state 0 mcast_snooping 0"]
        lines += [f"link set {self.bridge} up", "link set lo up"]
        keeper.ip_batch(self.pid, lines)
        for intf in self.intfList():
            self.attach(intf.name)

    def attach(self, intf: str) -> None:
        """Put one more wire on the bridge."""
        keeper.ip_batch(self.pid, [f"link set {intf} master {self.bridge} up"])


class Guest(Kept, MininetHost):
    """A virtual machine: a namespace with one interface a port."""

    def config(self, **_: Any) -> dict[str, Any]:
        """Set it up as Nova, DHCP and Neutron would: addresses, and no partial checksums.

        User-space OVS drops what a sender left for the hardware to sum.
        """
        overlay: Overlay = self.params["overlay"]
        ports: tuple[Port, ...] = self.params["ports"]
        lines = ["link set lo up"]
        for number, port in enumerate(ports):
            addresses = tuple(plan.guest_addresses(overlay, port))
            lines += [f"link set eth{number} up"]
            lines += [f"addr add {each} dev eth{number}{_nodad(each)}" for each in addresses]
            self._tell_mininet(f"eth{number}", addresses)
        keeper.ip_batch(self.pid, lines)
        for number in range(len(ports)):
            commands.run("ethtool", "-K", f"eth{number}", "tx", "off", pid=self.pid)
        return {}

    def _tell_mininet(self, intf: str, addresses: tuple[str, ...]) -> None:
        if addresses and intf in self.nameToIntf:
            one = self.nameToIntf[intf]
            one.ip, one.prefixLen = addresses[0].split("/")


def _nodad(address: str) -> str:
    return " nodad" if ":" in address else ""
