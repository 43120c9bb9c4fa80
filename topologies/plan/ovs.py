"""The private Open vSwitch of a node: its daemons, and the transaction of a compute host.  Pure."""

from collections.abc import Iterator

from controller.flows.binding import new_binding
from controller.flows.bridges import bridges
from controller.flows.ports import add_port_args, bridge_columns, host_ports
from controller.model.names import UNDERLAY, VTEP_BRIDGE, provider_interface, underlay_mac
from controller.model.overlay import Overlay
from controller.model.parts import Host
from topologies.plan import plan

RUN, DATA, LOG = "/var/run/openvswitch", "/etc/openvswitch", "/var/log/openvswitch"
PRIVATE_DIRECTORIES = (RUN, DATA, LOG)
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
# Set explicitly: OVS_RUNDIR in the caller's environment would point to another OVS.
ENVIRONMENT = {"OVS_RUNDIR": RUN, "OVS_DBDIR": DATA, "OVS_LOGDIR": LOG, "OVS_SYSCONFDIR": "/etc"}
UNDERLAY_OFPORT = 1000  # above the numbers that bindings allocate
WIRE_OFPORT = 1000  # of a wire to a physical network, on its own bridge
PROTOCOLS = "OpenFlow10,OpenFlow13,OpenFlow14"  # as Neutron sets them
# Without it OVS removes the qdisc that delays packets, as it does on every port.
KEEP_QDISC = f"-- set Port {UNDERLAY} qos=@noop -- --id=@noop create QoS type=linux-noop".split()
DAEMON = ("--no-chdir", "--detach", "--pidfile", "--log-file")


def daemons(*remotes: str) -> Iterator[tuple[str, ...]]:
    """The commands that start an OVS, in order; `remotes`: more addresses where OVSDB listens."""
    yield ("ovsdb-tool", "create", f"{DATA}/conf.db", SCHEMA)
    listening = (f"--remote={remote}" for remote in (f"punix:{RUN}/db.sock", *remotes))
    yield ("ovsdb-server", f"{DATA}/conf.db", *listening, *DAEMON)
    yield ("ovs-vsctl", "--no-wait", "--timeout=10", "init")
    yield ("ovs-vswitchd", f"unix:{RUN}/db.sock", *DAEMON)  # without --mlockall: memory is shared


def transaction(overlay: Overlay, host: Host, datapath: str) -> tuple[str, ...]:
    """The one transaction that adds all bridges and ports of a new host."""
    ofports = new_binding(overlay, host.name).ofports
    args = ["ovs-vsctl", "--timeout=30", *_vtep_bridge(overlay, host, datapath)]
    for bridge in bridges(host):
        args += _controlled(overlay, host, bridge, datapath)
    args += wire_args(overlay, host)
    for port in host_ports(overlay, host):
        args += add_port_args(port, ofports.get(port.bridge, {}).get(port.name))
    return tuple(args)


def wire_args(overlay: Overlay, host: Host) -> list[str]:
    """The part of the transaction that adds each wire to a physical network to its bridge."""
    args, mtu = [], overlay.underlay_mtu
    for physical_network, bridge in plan.mapped(host):
        wire = provider_interface(physical_network)
        args += (
            f"-- set Interface {bridge} mtu_request={mtu}"
            f" -- --may-exist add-port {bridge} {wire}"
            f" -- set Interface {wire} ofport_request={WIRE_OFPORT} mtu_request={mtu}"
        ).split()
    return args


def _vtep_bridge(overlay: Overlay, host: Host, datapath: str) -> list[str]:
    """The bridge that has the VTEP's address, with the underlay interface as its port."""
    mac, mtu = underlay_mac(host.local_ip), overlay.underlay_mtu
    args = (
        f"-- --may-exist add-br {VTEP_BRIDGE}"
        f' -- set Bridge {VTEP_BRIDGE} datapath_type={datapath} other_config:hwaddr="{mac}"'
        f" -- set Interface {VTEP_BRIDGE} mtu_request={mtu}"
        f" -- --may-exist add-port {VTEP_BRIDGE} {UNDERLAY}"
        f" -- set Interface {UNDERLAY} ofport_request={UNDERLAY_OFPORT} mtu_request={mtu}"
    ).split()
    return [*args, *(KEEP_QDISC if overlay.underlay.is_impaired else ())]


def _controlled(overlay: Overlay, host: Host, bridge: str, datapath: str) -> list[str]:
    """A bridge that forwards nothing until the controller has installed flows."""
    columns = bridge_columns(host, overlay.release, bridge).items()
    return (
        f"-- --may-exist add-br {bridge}"
        f" -- set Bridge {bridge} datapath_type={datapath} fail_mode=secure protocols={PROTOCOLS}"
        f" {' '.join(f'{column}={value}' for column, value in columns)}"
        f" -- set-controller {bridge} tcp:{plan.NEUTRON_IP}:{plan.OPENFLOW_PORT}"
        f" -- set Controller {bridge} inactivity_probe=10000 max_backoff=1000"
    ).split()
