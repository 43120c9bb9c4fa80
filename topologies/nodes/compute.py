"""Compute hosts, in namespaces of their own: with Open vSwitch, or with Linux bridges."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from controller.flows.binding import new_binding
from controller.flows.linuxbridge import ALL
from controller.model.check import MANAGEMENT_NETWORK
from controller.model.errors import HostError, LabError, SwitchError
from controller.model.names import UNDERLAY, VTEP_BRIDGE, underlay_mac
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism
from controller.model.sites import Sites
from controller.switches.linuxbridge_worker import read_kernel
from controller.system import abilities, commands
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
# With the module br_netfilter, a bridge would fragment packets that are too large for its VXLAN
# device.  Neutron needs the module for security groups, which this project does not have.
PLAIN_BRIDGES = tuple(
    f"net.bridge.bridge-nf-call-{each}=0" for each in ("iptables", "ip6tables", "arptables")
)
# All VXLAN devices of a UDP port share one socket, which may join 20 groups by default.  The 21st
# network with its own group would receive nothing.
GROUPS_MOST = "net.ipv4.igmp_max_memberships=4096"
# From each network only the host's address on that network can be reached.  By default Linux accepts
# packets for any of its addresses on any interface: a guest, or a machine on the underlay, could
# reach OVSDB through the MAC of its port or of br-vtep.
ISOLATING_RULES = (
    "rule add pref 1 iif lo lookup local",
    "rule add pref 2 iif lo lookup main",
    f"rule add pref 3 iif {plan.MANAGEMENT} lookup local",
    "rule del pref 0",
)
OVS_S = 40.0  # for one of OVS's programs, while several hosts start
In = TypeVar("In")
Out = TypeVar("Out")


def together(work: Callable[[In], Out], things: Iterable[In]) -> list[Out]:
    """Do `work` for all things in parallel; raise the first error when all have ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, things))


def run_ovs(node: Machine, *argv: str) -> str:
    """Run one of OVS's programs on a node; return its stdout."""
    mark, env = node.ledger.token, ovs.ENVIRONMENT
    return commands.run(*argv, pid=node.pid, mark=mark, env=env, timeout_s=OVS_S)


def start_ovs(node: Machine, *remotes: str) -> None:
    """Start the daemons of a node's OVS; `remotes`: more addresses where OVSDB listens."""
    for argv in ovs.daemons(*remotes):
        run_ovs(node, *argv)
    for daemon in ("ovsdb-server", "ovs-vswitchd"):
        pid = commands.run("cat", f"{ovs.RUN}/{daemon}.pid", pid=node.pid)
        node.ledger.process(int(pid), f"{daemon} of {node.name}")


class ComputeHost(Machine):
    """One compute host: Neutron's br-int and br-tun, and br-vtep below them."""

    kind = "host"
    private_directories: tuple[str, ...] = ovs.PRIVATE_DIRECTORIES

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name, privateDirs=self.private_directories, **params)
        if not self.found:
            commands.run("sysctl", "-qw", *KERNEL, pid=self.pid)

    def facts(self) -> dict[str, Any]:
        """The host's number, which determines its management address."""
        return {"index": self.params["index"]}

    @property
    def overlay(self) -> Overlay:
        return self.params["overlay"]  # type: ignore[no-any-return]

    @property
    def host(self) -> Host:
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
        management_ip = plan.management_ip(self.params["index"])
        start_ovs(self, f"ptcp:{plan.OVSDB_PORT}:{management_ip}")
        await_listening(self.ledger)
        datapath = self.params["datapath"]
        run_ovs(self, *ovs.transaction(self.overlay, self.host, datapath))
        self._set_up_vtep()
        self.assert_ports()
        neighbours.set_neighbours(self.pid, self.overlay, self.host, datapath)

    def _set_up_management(self) -> None:
        address = f"{plan.management_ip(self.params['index'])}/{MANAGEMENT_NETWORK.prefixlen}"
        lines = [f"addr add {address} dev {plan.MANAGEMENT}"]
        lines += [f"link set {intf.name} up" for intf in self.intfList()]
        ip_batch(self.pid, ["link set lo up", *lines, *ISOLATING_RULES])

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
        columns = ("--format=json", "--data=json", "--columns=name,ofport")
        found = dict(json.loads(run_ovs(self, "ovs-vsctl", *columns, "list", "Interface"))["data"])
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

    def unplug(self, device: str) -> None:
        """Remove a port of br-int, if it is there; a vswitchd that is dead is not waited for twice.

        Raises:
            LabError: OVSDB refused, or does not answer.
        """
        args = ("--", "--if-exists", "del-port", "br-int", device)
        try:
            self.plug(args)
        except LabError:
            self.plug(("--no-wait", *args))


class BridgeHost(ComputeHost):
    """A compute host of mechanism `linuxbridge`: no Open vSwitch, its VTEP is `underlay` itself.

    ServerA                                         ServerB
       | eth0                                          | eth0
       | tap...                                        | tap...
     brq... -- vxlan-111 - - - - VXLAN - - - - vxlan-111 -- brq...
                  | underlay             underlay |
                  +---------[ underlay ]----------+

    The controller makes bridges, VXLAN devices and their entries, as the agent does in Neutron
    (`controller.switches.linuxbridge_worker`).
    """

    private_directories = ()  # no OVS

    def facts(self) -> dict[str, Any]:
        """The facts of a compute host, and its mechanism."""
        return {**super().facts(), "mechanism": str(Mechanism.LINUXBRIDGE)}

    def bring_up(self) -> None:
        """Set up the VTEP's address; the controller makes the rest."""
        mac, address = underlay_mac(self.host.local_ip), self.host.local_ip
        # -e: ignore keys that this kernel does not have
        commands.run("sysctl", "-eqw", *PLAIN_BRIDGES, GROUPS_MOST, pid=self.pid)
        rule = f"rule add pref 4 iif {UNDERLAY} to {address} lookup local"
        ip_batch(self.pid, [f"link set {UNDERLAY} address {mac}", rule])
        self._set_up_management()
        neighbours.set_neighbours(self.pid, self.overlay, self.host, self.params["datapath"])

    def plug(self, args: Any) -> None:
        """Do nothing: the controller adds the tap to its bridge when it sees it."""

    def unplug(self, device: str) -> None:
        """Do nothing: a tap that is deleted leaves its bridge."""


def compute_class(host: Host) -> type[ComputeHost]:
    """The class of the node for `host`."""
    return BridgeHost if host.mechanism is Mechanism.LINUXBRIDGE else ComputeHost


def assert_able(overlay: Overlay | Sites, datapath: str) -> None:
    """Check that this machine lets OVS in user space run, if the lab has one.

    Raises:
        HostError: it does not.
    """
    lacking = "; ".join(filter(None, (abilities.tun_error(), abilities.packet_error())))
    if lacking and plan.uses_tun(overlay, datapath):
        raise HostError(
            lacking,
            where="this machine",
            allowed="tap devices and packet sockets, for Open vSwitch in user space",
            do="`overlaylab doctor` shows how to have them.",
        )


def tunnels_of(pid: int) -> list[dict[str, Any]]:
    """The VXLAN devices of the host in the namespaces of `pid`, for `status`."""
    return [
        {
            "name": vxlan.name,
            "type": "vxlan",
            "vni": vxlan.vni,
            "group": vxlan.group,
            "floods_to": sorted(vtep for mac, vtep in vxlan.fdb if mac == ALL),
            "stated": sum(mac != ALL for mac, _ in vxlan.fdb),
            "answers_for": len(vxlan.neighbours),
        }
        for _, vxlan in sorted(read_kernel(pid).vxlans.items())
    ]
