"""The private Open vSwitch of a compute host: what to start, and its one transaction.  Pure."""

from collections.abc import Iterable, Iterator

from controller.flows.binding import new_binding
from controller.flows.bridges import bridges
from controller.flows.ports import BridgePort, add_port_args, host_ports
from controller.model.names import UNDERLAY, VTEP_BRIDGE, underlay_mac
from controller.model.overlay import Overlay
from controller.model.parts import Host
from topologies.plan import plan, providers

RUN, DATA, LOG = "/var/run/openvswitch", "/etc/openvswitch", "/var/log/openvswitch"
PRIVATE_DIRECTORIES = (RUN, DATA, LOG)
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
# Said outright: without them a caller's own OVS_RUNDIR would lead us to another OVS.
ENVIRONMENT = {"OVS_RUNDIR": RUN, "OVS_DBDIR": DATA, "OVS_LOGDIR": LOG, "OVS_SYSCONFDIR": "/etc"}
UNDERLAY_OFPORT = 1000  # out of the way of those that bindings give
PROTOCOLS = "OpenFlow10,OpenFlow13,OpenFlow14"  # as Neutron sets them
# Else OVS takes away what the wire has been given to delay packets by, as it does with any port.
LEFT_ALONE = (
    "--",
    "set",
    "Port",
    UNDERLAY,
    "qos=@noop",
    "--",
    "--id=@noop",
    "create",
    "QoS",
    "type=linux-noop",
)
DAEMON = ("--no-chdir", "--detach", "--pidfile", "--log-file")


def daemons(index: int) -> Iterator[tuple[str, ...]]:
    """The commands that bring up the OVS of host number `index`, in order."""
    yield ("ovsdb-tool", "create", f"{DATA}/conf.db", SCHEMA)
    yield (
        "ovsdb-server",
        f"{DATA}/conf.db",
        f"--remote=punix:{RUN}/db.sock",
        f"--remote=ptcp:{plan.OVSDB_PORT}:{plan.management_ip(index)}",
        *DAEMON,
    )
    yield ("ovs-vsctl", "--no-wait", "--timeout=10", "init")
    yield ("ovs-vswitchd", f"unix:{RUN}/db.sock", *DAEMON)  # no --mlockall: memory is shared


def transaction(
    overlay: Overlay, host: Host, ports: Iterable[BridgePort], datapath: str
) -> tuple[str, ...]:
    """All bridges and ports of a fresh host, in one go."""
    ofports = new_binding(overlay, host.name).ofports
    args = ["ovs-vsctl", "--timeout=30", *_vtep_bridge(overlay, host, datapath)]
    for bridge in bridges(host):
        args += _controlled(bridge, datapath)
    args += providers.port_args(overlay, host)
    for port in ports:
        args += add_port_args(port, ofports.get(port.bridge, {}).get(port.name))
    return tuple(args)


def fresh_transaction(overlay: Overlay, host: Host, datapath: str) -> tuple[str, ...]:
    """As `transaction`, with every port that the overlay asks of the host."""
    return transaction(overlay, host, host_ports(overlay, host), datapath)


def _vtep_bridge(overlay: Overlay, host: Host, datapath: str) -> list[str]:
    """The bridge that carries the VTEP's address, standing on the underlay interface."""
    mac = underlay_mac(host.local_ip)
    return [
        "--",
        "--may-exist",
        "add-br",
        VTEP_BRIDGE,
        "--",
        "set",
        "Bridge",
        VTEP_BRIDGE,
        f"datapath_type={datapath}",
        f'other_config:hwaddr="{mac}"',
        "--",
        "set",
        "Interface",
        VTEP_BRIDGE,
        f"mtu_request={overlay.underlay_mtu}",
        "--",
        "--may-exist",
        "add-port",
        VTEP_BRIDGE,
        UNDERLAY,
        "--",
        "set",
        "Interface",
        UNDERLAY,
        f"ofport_request={UNDERLAY_OFPORT}",
        f"mtu_request={overlay.underlay_mtu}",
        *(LEFT_ALONE if overlay.underlay.is_impaired else ()),
    ]


def _controlled(bridge: str, datapath: str) -> list[str]:
    """A bridge that forwards nothing but what the controller tells it."""
    target = f"tcp:{plan.NEUTRON_IP}:{plan.OPENFLOW_PORT}"
    return [
        "--",
        "--may-exist",
        "add-br",
        bridge,
        "--",
        "set",
        "Bridge",
        bridge,
        f"datapath_type={datapath}",
        "fail_mode=secure",
        f"protocols={PROTOCOLS}",
        "other_config:disable-in-band=true",
        "--",
        "set-controller",
        bridge,
        target,
        "--",
        "set",
        "Controller",
        bridge,
        "inactivity_probe=10000",
        "max_backoff=1000",
    ]
