"""The Mininet nodes of a lab: guests, and machines below them, which Mininet treats as switches."""

import atexit
import codecs
import os
import signal
import sys
from functools import cache
from typing import Any

from mininet.node import Host as MininetHost
from mininet.node import Node, Switch

from controller.model import dhcp
from controller.model.errors import LabError
from controller.model.names import UNDERLAY, segment_bridge
from controller.model.overlay import Overlay
from controller.model.parts import Port
from controller.system import commands
from controller.system.process import Identity, is_alive, kill
from topologies.ledger import Ledger, claim
from topologies.nodes.keeper import ip_batch, keep, without_ipv6
from topologies.plan import plan
from topologies.plan.ovs import ENVIRONMENT


@cache
def own_ledger() -> Ledger:
    """The ledger of a lab that Mininet's `mn` starts: made on first use, one per process."""
    ledger = claim()
    atexit.register(_undo, ledger)
    return ledger


def _undo(ledger: Ledger) -> None:
    """Undo at the exit of `mn`; it has no place any more where an error could be handled."""
    try:
        ledger.undo()
    except LabError as error:
        print(f"overlaylab: {error}", file=sys.stderr)


class Kept(Node):  # type: ignore[misc]  # Mininet has no types
    """A node whose namespaces are kept by a process of the lab; its shell starts on first use.

    Any process that knows the keeper can attach to the node, and 200 nodes need no 200 shells.
    With `keeper` the node exists already; else it is made.
    """

    kind = "node"
    has_ipv6 = True

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
            if not self.has_ipv6:
                without_ipv6(self.pid)

    def facts(self) -> dict[str, Any]:
        return {}

    def record(self) -> None:
        self.ledger.node(self.name, self.kind, self.keeper, **self.facts())

    def startShell(self, mnopts: str | None = None) -> None:  # noqa: ARG002, N802
        """Make the namespaces and no shell; Mininet calls this when it creates the node."""
        self.keeper = self.found or keep(self.ledger, self.name)
        self.pid = self.keeper.pid

    def mountPrivateDirs(self) -> None:  # noqa: N802
        """Mount a tmpfs on each of `privateDirs`."""
        for directory in () if self.found else self.privateDirs:
            commands.run("mkdir", "-p", directory)
            commands.run("mount", "-n", "-t", "tmpfs", "tmpfs", directory, pid=self.pid)

    def unmountPrivateDirs(self) -> None:  # noqa: N802
        """Do nothing: they end with the mount namespace."""

    def cmd(self, *args: Any, **kwargs: Any) -> Any:
        self._open_shell()
        return super().cmd(*args, **kwargs)

    def sendCmd(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        self._open_shell()
        return super().sendCmd(*args, **kwargs)

    def _open_shell(self) -> None:
        if self.shell and self.shell.poll() is None:
            return
        self.close_shell()  # it has ended, as after `exit`
        if not is_alive(self.keeper):  # the new one would end at once, and Mininet wait for ever
            raise LabError(
                f"node {self.name!r} is dead",
                where=f"lab {self.ledger.name!r}",
                allowed="a node whose namespaces exist",
                do=f"`overlaylab status {self.ledger.name}` lists all nodes.",
            )
        kept, self.inNamespace = self.pid, False  # else Mininet would make new namespaces
        try:
            Node.startShell(self, f"-cda{kept}")
        finally:
            self.pid, self.inNamespace = kept, True
            # Mininet's own decoder raises an error for output that is not UTF-8.
            self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def close_shell(self) -> None:
        """End the shell, and the command that runs in it; the next command starts a new one."""
        if self.shell and self.shell.poll() is None:
            os.killpg(self.shell.pid, signal.SIGHUP)
        self.cleanup()
        self.waiting = False

    def _popen(self, cmd: list[str], **params: Any) -> Any:
        environment = commands.environment(self.ledger.token, ENVIRONMENT)
        return super()._popen(cmd, **{"env": environment, **params})

    def terminate(self) -> None:
        """Close the shell; end the namespaces if this object made them."""
        super().terminate()
        if not self.found:
            kill([self.keeper])


class Machine(Kept, Switch):  # type: ignore[misc]
    """A node that is a switch to Mininet, so that `net.hosts` are only the guests."""

    controlIntf = None  # noqa: N815
    has_ipv6 = False

    def defaultDpid(self, dpid: str | None = None) -> str:  # noqa: ARG002, N802
        """Zeros: each of its bridges has a datapath id."""
        return "0" * int(self.dpidLen)

    def start(self, controllers: Any) -> None:
        """Do nothing: `batchStartup` starts all of a class."""

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: FBT001, FBT002, N803
        """Do nothing: everything ends with the namespaces."""


class Segment(Machine):
    """One Ethernet segment: a Linux bridge without STP.

    It snoops multicast only if hosts use multicast groups for flooding.
    """

    kind = "segment"

    @property
    def bridge(self) -> str:
        return segment_bridge(self.name)

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Make the bridge and add every wire to it."""
        mtu = self.params["mtu"]
        lines = [f"link add {self.bridge} mtu {mtu} type bridge stp_state 0 mcast_snooping 0"]
        if self.name == UNDERLAY and plan.has_groups(self.params["overlay"]):
            lines += plan.snooping(self.bridge)
        lines += [f"link set {self.bridge} up", "link set lo up"]
        ip_batch(self.pid, lines)
        for intf in self.intfList():
            self.attach(intf.name)

    def attach(self, intf: str) -> None:
        ip_batch(self.pid, [f"link set {intf} master {self.bridge} up"])


class Guest(Kept, MininetHost):  # type: ignore[misc]
    """A virtual machine: a namespace with one interface per port, from eth0."""

    kind = "guest"

    def facts(self) -> dict[str, Any]:
        """Each port with its host and interface number, which `unplug` needs."""
        return {"ports": [(port.id, port.host, n) for n, port in self.interfaces.items()]}

    @property
    def interfaces(self) -> dict[int, Port]:
        """Its ports by interface number; a number stays the same when other ports are unplugged."""
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
        """Set one interface's addresses and MTU, and switch checksum offload off.

        User-space OVS drops packets without a checksum.  An interface that uses DHCP gets no IPv4
        address here, and the default MTU of Ethernet.
        """
        intf, overlay = f"eth{number}", self.params["overlay"]
        lines = [f"addr add {each}" for each in given_addresses(overlay, port)]
        lines = [f"{line} dev {intf}{' nodad' if ':' in line else ''}" for line in lines]
        if dhcp.leased(overlay, port):
            lines += [f"link set {intf} mtu {dhcp.ETHERNET_MTU}"]
        commands.run("ethtool", "-K", intf, "tx", "off", pid=self.pid)
        ip_batch(self.pid, [*lines, f"link set {intf} up"])
        self.set_mininet_address(number, port)

    def set_mininet_address(self, number: int, port: Port) -> None:
        """Set the address in Mininet's own object, for its `pingall` and `dump`."""
        one = self.nameToIntf[f"eth{number}"]
        one.mac = port.mac_address
        for address in tuple(plan.guest_addresses(self.params["overlay"], port))[:1]:
            one.ip, one.prefixLen = address.split("/")


class DhcpServer(Guest):
    """A namespace for one dnsmasq, like Neutron's qdhcp; plugged like a guest, without IPv6."""

    kind = "dhcp"
    has_ipv6 = False


def guest_class(ports: tuple[Port, ...]) -> type[Guest]:
    """The class of a node with these ports."""
    return DhcpServer if any(port.is_dhcp_server for port in ports) else Guest


def given_addresses(overlay: Overlay, port: Port) -> tuple[str, ...]:
    """The addresses that are set on its interface: all but those from DHCP."""
    addresses = plan.guest_addresses(overlay, port)
    return tuple(each for each in addresses if ":" in each or dhcp.leased(overlay, port) is None)
