"""The Open vSwitch of an edge router: its daemons, transaction and flows.  Pure."""

from collections.abc import Iterator

from controller.model.sites import TUNNEL, WAN, Site, Sites
from topologies.plan.ovs import DAEMON, DATA, RUN, SCHEMA
from topologies.plan.sites_plan import WAN_BRIDGE, edge_mac, tunnel_mac

PEER = "gre-peer"  # the GRE port
WAN_OFPORT, PEER_OFPORT = 1, 1


def daemons() -> Iterator[tuple[str, ...]]:
    """The commands that start an edge router's Open vSwitch, in order."""
    yield ("ovsdb-tool", "create", f"{DATA}/conf.db", SCHEMA)
    yield ("ovsdb-server", f"{DATA}/conf.db", f"--remote=punix:{RUN}/db.sock", *DAEMON)
    yield ("ovs-vsctl", "--no-wait", "--timeout=10", "init")
    yield ("ovs-vswitchd", f"unix:{RUN}/db.sock", *DAEMON)


def transaction(sites: Sites, site: Site, datapath: str) -> tuple[str, ...]:
    """The one transaction that adds both bridges of an edge router and the GRE port.

    Source: ovs-vswitchd.conf.db(5): packet_type=legacy_l3 sends IP without Ethernet.
    """
    mtu = sites.underlay_mtu
    wan = (
        f"-- add-br {WAN_BRIDGE}"
        f" -- set Bridge {WAN_BRIDGE} datapath_type={datapath}"
        f' other_config:hwaddr="{edge_mac(site)}"'
        f" -- set Interface {WAN_BRIDGE} mtu_request={mtu}"
        f" -- add-port {WAN_BRIDGE} {WAN}"
        f" -- set Interface {WAN} ofport_request={WAN_OFPORT} mtu_request={mtu}"
    )
    tunnel = (
        f"-- add-br {TUNNEL}"
        f" -- set Bridge {TUNNEL} datapath_type={datapath} fail_mode=secure"
        f' other_config:hwaddr="{tunnel_mac(site)}"'
        f" -- set Interface {TUNNEL} mtu_request={sites.tunnel_mtu}"
        f" -- add-port {TUNNEL} {PEER}"
        f" -- set Interface {PEER} ofport_request={PEER_OFPORT} type=gre"
        f" options:local_ip={site.public_ip} options:remote_ip={sites.other(site).public_ip}"
        " options:packet_type=legacy_l3"
    )
    return ("ovs-vsctl", "--timeout=30", *wan.split(), *tunnel.split())


def flows(site: Site) -> tuple[str, ...]:
    """The flows of the tunnel's bridge: IP from the kernel to the tunnel, and back."""
    return (
        f"priority=1,in_port=LOCAL,ip actions=output:{PEER_OFPORT}",
        # A decapsulated packet has no Ethernet header of its own; the kernel expects its own MAC.
        f"priority=1,in_port={PEER_OFPORT},ip actions=mod_dl_dst:{tunnel_mac(site)},LOCAL",
    )
