"""The Open vSwitch of an edge router: what to start, its one transaction, its two flows."""

from collections.abc import Iterator

from controller.model.site_parts import TUNNEL, WAN, Site
from controller.model.sites import Sites
from topologies.plan.ovs import DAEMON, DATA, RUN, SCHEMA
from topologies.plan.sites_plan import WAN_BRIDGE, edge_mac, tunnel_mac

PEER = "gre-peer"  # the GRE port
WAN_OFPORT, PEER_OFPORT = 1, 1


def daemons() -> Iterator[tuple[str, ...]]:
    """The commands that bring up an edge router's Open vSwitch, in order."""
    yield ("ovsdb-tool", "create", f"{DATA}/conf.db", SCHEMA)
    yield ("ovsdb-server", f"{DATA}/conf.db", f"--remote=punix:{RUN}/db.sock", *DAEMON)
    yield ("ovs-vsctl", "--no-wait", "--timeout=10", "init")
    yield ("ovs-vswitchd", f"unix:{RUN}/db.sock", *DAEMON)


def transaction(sites: Sites, site: Site, datapath: str) -> tuple[str, ...]:
    """Both bridges of an edge router and the GRE port, in one go.

    Source: ovs-vswitchd.conf.db(5): packet_type=legacy_l3 carries IP without Ethernet.
    """
    far = sites.other(site)
    return (
        "ovs-vsctl",
        "--timeout=30",
        "--",
        "add-br",
        WAN_BRIDGE,
        "--",
        "set",
        "Bridge",
        WAN_BRIDGE,
        f"datapath_type={datapath}",
        f'other_config:hwaddr="{edge_mac(site)}"',
        "--",
        "set",
        "Interface",
        WAN_BRIDGE,
        f"mtu_request={sites.underlay_mtu}",
        "--",
        "add-port",
        WAN_BRIDGE,
        WAN,
        "--",
        "set",
        "Interface",
        WAN,
        f"ofport_request={WAN_OFPORT}",
        f"mtu_request={sites.underlay_mtu}",
        "--",
        "add-br",
        TUNNEL,
        "--",
        "set",
        "Bridge",
        TUNNEL,
        f"datapath_type={datapath}",
        "fail_mode=secure",
        f'other_config:hwaddr="{tunnel_mac(site)}"',
        "--",
        "set",
        "Interface",
        TUNNEL,
        f"mtu_request={sites.tunnel_mtu}",
        "--",
        "add-port",
        TUNNEL,
        PEER,
        "--",
        "set",
        "Interface",
        PEER,
        f"ofport_request={PEER_OFPORT}",
        "type=gre",
        f"options:local_ip={site.public_ip}",
        f"options:remote_ip={far.public_ip}",
        "options:packet_type=legacy_l3",
    )


def flows(site: Site) -> tuple[str, ...]:
    """All that the tunnel's bridge does: IP in, IP out."""
    return (
        f"priority=1,in_port=LOCAL,ip actions=output:{PEER_OFPORT}",
        # What came by GRE has no Ethernet of its own: the kernel wants its own MAC on it.
        f"priority=1,in_port={PEER_OFPORT},ip actions=mod_dl_dst:{tunnel_mac(site)},LOCAL",
    )
