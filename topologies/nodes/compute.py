"""A compute host: an Open vSwitch in its own namespaces, on underlay and management network."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from controller.flows.binding import new_binding
from controller.model.check import MANAGEMENT_NETWORK
from controller.model.errors import LabError, SwitchError
from controller.model.names import VTEP_BRIDGE
from controller.model.overlay import Overlay
from controller.model.parts import Host
from controller.system import commands
from topologies.nodes import hybrid, neighbours
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import Machine
from topologies.nodes.ready import await_listening
from topologies.plan import ovs, plan

AT_ONCE = 8  # most of the time is spent waiting for OVS
KERNEL = (
    "net.ipv4.ip_forward=0",  # a new namespace takes the machine's value
    # The underlay interface must not answer ARP for the VTEP's address, which is on br-vtep.
    "net.ipv4.conf.all.arp_ignore=1",
)
In = TypeVar("In")
Out = TypeVar("Out")


def together(work: Callable[[In], Out], things: Iterable[In]) -> list[Out]:
    """Do `work` for all things in parallel; raise the first error when all have ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, things))


class ComputeHost(Machine):
    """One compute host: Neutron's br-int and br-tun, and br-vtep below them."""

    kind = "host"
    private_directories: tuple[str, ...] = ovs.PRIVATE_DIRECTORIES

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, privateDirs=self.private_directories, **params)
        if not self.found:
            commands.run("sysctl", "-qw", *KERNEL, pid=self.pid)

    def facts(self) -> dict[str, Any]:
        """Its number, which determines its management address."""
        return {"index": self.params["index"]}

    @property
    def overlay(self) -> Overlay:
        """The overlay it was started for."""
        return self.params["overlay"]  # type: ignore[no-any-return]

    @property
    def host(self) -> Host:
        """The host in the overlay's model."""
        return self.overlay.host(self.name)

    @classmethod
    def batchStartup(cls, switches: Iterable["ComputeHost"]) -> list["ComputeHost"]:  # noqa: N802
        """Mininet's hook: start all compute hosts, several in parallel."""
        hosts = list(switches)
        together(cls.bring_up, hosts)
        return hosts

    def bring_up(self) -> None:
        """Set up management, Open vSwitch and the VTEP; the interfaces exist already.

        Raises:
            SwitchError: OVS could not open a port.
        """
        self._set_up_management()
        hybrid.join_all(self.pid, self.overlay, self.host)
        for argv in ovs.daemons(self.params["index"]):
            self.ovs(*argv)
        self._record_daemons()
        await_listening(self.ledger)
        self.ovs(*ovs.fresh_transaction(self.overlay, self.host, self.params["datapath"]))
        self._set_up_vtep()
        self.assert_ports()
        neighbours.set_neighbours(self.pid, self.overlay, self.host, self.params["datapath"])

    def ovs(self, *argv: str) -> str:
        """Run one of OVS's programs on this host."""
        return commands.run(
            *argv, pid=self.pid, mark=self.ledger.token, env=ovs.ENVIRONMENT, timeout_s=40
        )

    def _record_daemons(self) -> None:
        for daemon in ("ovsdb-server", "ovs-vswitchd"):
            pid = commands.run("cat", f"{ovs.RUN}/{daemon}.pid", pid=self.pid)
            self.ledger.process(int(pid), f"{daemon} of {self.name}")

    def _set_up_management(self) -> None:
        address = f"{plan.management_ip(self.params['index'])}/{MANAGEMENT_NETWORK.prefixlen}"
        lines = [f"addr add {address} dev {plan.MANAGEMENT}"]
        lines += [f"link set {intf.name} up" for intf in self.intfList()]
        ip_batch(self.pid, ["link set lo up", *lines, *self._isolating_rules()])

    @staticmethod
    def _isolating_rules() -> list[str]:
        """Routing rules that let each network reach only the host's address on that network.

        By default Linux accepts packets for any of its addresses on any interface.  A guest, or a
        machine on the underlay, could then reach OVSDB through the MAC of its port or of br-vtep.
        """
        return [
            "rule add pref 1 iif lo lookup local",
            "rule add pref 2 iif lo lookup main",
            f"rule add pref 3 iif {plan.MANAGEMENT} lookup local",
            "rule del pref 0",
        ]

    def _set_up_vtep(self) -> None:
        version = self.host.local_ip.version
        if version == 6:
            enable = f"net.ipv6.conf.{VTEP_BRIDGE}.disable_ipv6=0"
            commands.run("sysctl", "-qw", enable, pid=self.pid)
        lines = [
            f"link set {VTEP_BRIDGE} up mtu {self.overlay.underlay_mtu}",
            f"rule add pref 4 iif {VTEP_BRIDGE} to {self.host.local_ip} lookup local",
        ]
        ip_batch(self.pid, lines if version == 4 else lines[:1])

    def assert_ports(self) -> None:
        """Check that every port has the OpenFlow port number that was requested.

        Raises:
            SwitchError: some have not; the message lists them.
        """
        wanted = new_binding(self.overlay, self.name).ofports
        listed = json.loads(
            self.ovs(
                "ovs-vsctl",
                "--format=json",
                "--data=json",
                "--columns=name,ofport",
                "list",
                "Interface",
            )
        )
        found = dict(listed["data"])
        wrong = {
            name: found.get(name)
            for ports in wanted.values()
            for name, ofport in ports.items()
            if found.get(name) != ofport
        }
        if wrong:
            raise SwitchError(
                f"ofports {wrong}",
                where=f"host {self.name!r}",
                allowed=f"{wanted}",
                do=f"Read {ovs.LOG}/ovs-vswitchd.log in that node.",
            )

    def plug(self, args: Iterable[str]) -> None:
        """Change its ports in one OVSDB transaction; `args` are those of `ovs-vsctl`.

        Raises:
            LabError: OVS refused.
        """
        done = commands.attempt(
            "ovs-vsctl", "--timeout=10", *args, pid=self.pid, env=ovs.ENVIRONMENT, timeout_s=15
        )
        if done.returncode or "Error" in done.stderr:
            raise LabError(
                done.stderr.strip(),
                where=f"host {self.name!r}",
                allowed="a port that OVS can open",
                do=f"Read {ovs.LOG}/ovs-vswitchd.log in that node.",
            )
