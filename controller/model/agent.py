"""Options of a host's openvswitch agent that change its flows or its rows in OVSDB.  Pure."""

from dataclasses import dataclass

VXLAN_PORT = 4789  # UDP (RFC 7348)
GENEVE_PORT = 6081  # UDP (RFC 8926)
PATCH_TUN, PATCH_INT = "patch-tun", "patch-int"  # on br-int; on br-tun
MAC_TABLE_SIZE = 50000  # entries; Open vSwitch's own default is 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOptions:
    """Neutron's `[agent]` and `[ovs]` options by their names and with their defaults.

    Source: neutron/conf/plugins/ml2/drivers/{ovs_conf,agent}.py.  Neutron 12 has no `igmp_...` and
    no `explicitly_egress_direct`; there they change nothing.
    """

    dont_fragment: bool = True
    tunnel_csum: bool = False
    vxlan_udp_port: int = VXLAN_PORT
    dscp: int | None = None  # 0..63; 0 is like None
    dscp_inherit: bool = False  # has precedence over `dscp`
    explicitly_egress_direct: bool = False
    bridge_mac_table_size: int = MAC_TABLE_SIZE
    int_peer_patch_port: str = PATCH_TUN
    tun_peer_patch_port: str = PATCH_INT
    igmp_snooping_enable: bool = False
    igmp_flood: bool = False
    igmp_flood_reports: bool = True
    igmp_flood_unregistered: bool = False

    @property
    def tos(self) -> str | None:
        """The option `tos` of tunnel ports: the DSCP in the upper six bits, or `inherit`."""
        if self.dscp_inherit:
            return "inherit"
        return str(self.dscp << 2) if self.dscp else None


DEFAULTS = AgentOptions()
