"""The Mininet nodes of a lab: guests, and the switches that stand for machines beneath them."""

import atexit
from functools import cache
from typing import Any

from mininet.node import Host as MininetHost
from mininet.node import Node, Switch

from controller.model import dhcp
from controller.model.names import segment_bridge
from controller.model.overlay import Overlay
from controller.model.parts import Port
from controller.system import commands
from controller.system.process import Identity, kill
from topologies.ledger import Ledger, claim
from topologies.nodes.keeper import ip_batch, keep, without_ipv6
from topologies.plan import plan
from topologies.plan.ovs import ENVIRONMENT


@cache
def own_ledger() -> Ledger:
    """The lab of this process, where nobody has claimed one: Mininet's `mn` raises it."""
    ledger = claim()
    atexit.register(ledger.undo)
    return ledger


class Kept(Node):  # type: ignore[misc]  # Mininet has no types
    """A node whose namespaces a process of the lab keeps; its shell starts when first asked.

    So a node can be found again by any process that knows the keeper's pid, and 200
    nodes need no 200 shells.
    """

    kind = "node"

    def __init__(
        self,
        name: str,
        *,
        ledger: Ledger | None = None,
        keeper: Identity | None = None,
        **params: Any,
    ) -> None:
        self.ledger, self.found = ledger or own_ledger(), keeper
        super().__init__(name, **{**params, "inNamespace": True})
        if not self.found:
            self.record()

    def facts(self) -> dict[str, Any]:
        """What else the ledger should know."""
        return {}

    def record(self) -> None:
        """Write the node into the ledger."""
        self.ledger.node(self.name, self.kind, self.keeper, **self.facts())

    def startShell(self, mnopts: str | None = None) -> None:  # noqa: ARG002, N802
        """Mininet calls this as soon as the node is made: make the namespaces, no shell."""
        self.keeper = self.found or keep(self.ledger, self.name)
        self.pid = self.keeper.pid

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
        environment = commands.environment(self.ledger.token, ENVIRONMENT)
        return super()._popen(cmd, **{"env": environment, **params})

    def terminate(self) -> None:
        """Close the shell, and end the namespaces if they were made by this object."""
        super().terminate()
        if not self.found:
            kill([self.keeper])


class Machine(Kept, Switch):  # type: ignore[misc]
    """A node that Mininet takes for a switch, so that `net.hosts` are the guests alone."""

    controlIntf = None  # noqa: N815

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        if not self.found:
            without_ipv6(self.pid)

    def defaultDpid(self, dpid: str | None = None) -> str:  # noqa: ARG002, N802
        """None: its bridges have their own."""
        return "0" * int(self.dpidLen)

    def start(self, controllers: Any) -> None:
        """Nothing yet: `batchStartup` raises all of a kind at once."""

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: FBT001, FBT002, N803
        """Nothing: the namespaces take everything along."""


class Segment(Machine):
    """One Ethernet: a Linux bridge that floods what it does not know, without STP.

    It looks into multicast only where hosts flood by it.
    """

    kind = "segment"

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return segment_bridge(self.name)

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Make the bridge and put every wire on it."""
        mtu = self.params["mtu"]
        lines = [f"link add {self.bridge} mtu {mtu} type bridge stp_state 0 mcast_snooping 0"]
        if self.name == plan.UNDERLAY and plan.has_groups(self.params["overlay"]):
            lines += plan.snooping(self.bridge)
        lines += [f"link set {self.bridge} up", "link set lo up"]
        ip_batch(self.pid, lines)
        for intf in self.intfList():
            self.attach(intf.name)

    def attach(self, intf: str) -> None:
        """Put one more wire on the bridge."""
        ip_batch(self.pid, [f"link set {intf} master {self.bridge} up"])


class Guest(Kept, MininetHost):  # type: ignore[misc]
    """A virtual machine: a namespace with one interface a port, eth0 and on."""

    kind = "guest"

    def facts(self) -> dict[str, Any]:
        """Which port is where: what is needed to take it away again."""
        return {"ports": [(port.id, port.host, n) for n, port in self.interfaces.items()]}

    @property
    def interfaces(self) -> dict[int, Port]:
        """Its ports by the numbers of their interfaces, which they keep when others go."""
        found: dict[int, Port] = self.params.setdefault(
            "interfaces", dict(enumerate(self.params.get("ports", ())))
        )
        return found

    def config(self, **_: Any) -> dict[str, Any]:
        """Set all interfaces up."""
        ip_batch(self.pid, ["link set lo up"])
        for number, port in self.interfaces.items():
            self.set_up(number, port)
        return {}

    def set_up(self, number: int, port: Port) -> None:
        """Address one interface, and let it leave no checksum to the hardware.

        User-space OVS drops what a sender has not summed.  A guest that will ask for its IPv4
        address is given none, and an MTU that it has from nobody.
        """
        intf, overlay = f"eth{number}", self.params["overlay"]
        lines = [f"addr add {each}" for each in given_addresses(overlay, port)]
        lines = [f"{line} dev {intf}{' nodad' if ':' in line else ''}" for line in lines]
        if dhcp.asks(overlay, port):
            lines += [f"link set {intf} mtu {dhcp.ETHERNET_MTU}"]
        commands.run("ethtool", "-K", intf, "tx", "off", pid=self.pid)
        ip_batch(self.pid, [*lines, f"link set {intf} up"])
        self.set_mininet_address(number, port)

    def set_mininet_address(self, number: int, port: Port) -> None:
        """Let Mininet know the address, for its `pingall` and `dump`."""
        one = self.nameToIntf[f"eth{number}"]
        one.mac = port.mac_address
        for address in tuple(plan.guest_addresses(self.params["overlay"], port))[:1]:
            one.ip, one.prefixLen = address.split("/")


class DhcpServer(Guest):
    """A namespace for one dnsmasq, as Neutron's qdhcp; plugged as a guest is, without IPv6."""

    kind = "dhcp"

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, **params)
        if not self.found:
            without_ipv6(self.pid)


def guest_class(ports: tuple[Port, ...]) -> type[Guest]:
    """The class of a node with these ports."""
    return DhcpServer if any(port.is_dhcp_server for port in ports) else Guest


def given_addresses(overlay: Overlay, port: Port) -> tuple[str, ...]:
    """The addresses that its interface is set up with: none of those that it will ask for."""
    addresses = plan.guest_addresses(overlay, port)
    return tuple(each for each in addresses if ":" in each or not dhcp.asks(overlay, port))
