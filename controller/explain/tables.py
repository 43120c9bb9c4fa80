"""Neutron's OpenFlow tables: numbers, names and purposes, beyond those that our controller fills.  Pure.

Source: neutron_lib/plugins/ml2/ovs_constants.py; before Juno, quantum's `ovs_neutron_agent.py`
and neutron/plugins/openvswitch/common/constants.py.
"""

from collections.abc import Mapping

from controller.flows.pipeline import CURRENT, TUN_TO_LV, Tun, pipeline_of
from controller.flows.ports import BR_INT, BR_TUN
from controller.model.encap import NetworkType

BR_PHYS = "a provider bridge"
OTHER = "a bridge"  # not filled by Neutron's openvswitch agent
Named = tuple[str, str]  # a table's name and purpose; both may be empty

_INT: Mapping[int, Named] = {
    1: ("DVR_TO_SRC_MAC", "routed by a distributed router, from a tunnel: give the frame its gateway's MAC"),
    2: ("DVR_TO_SRC_MAC_PHYSICAL", "routed by a distributed router, from a provider network: give the frame its gateway's MAC"),
    3: ("ARP_DVR_MAC_TO_DST_MAC", "ARP replies for a distributed router: back to the MAC that asked"),
    4: ("ARP_DVR_MAC_TO_DST_MAC_PHYSICAL", "ARP replies for a distributed router, from a provider network: back to the MAC that asked"),
    58: ("PACKET_RATE_LIMIT", "packet rate limits of guests"),
    59: ("BANDWIDTH_RATE_LIMIT", "bandwidth limits of guests"),
    71: ("BASE_EGRESS", "firewall, from guests: own addresses only, ARP and DHCP; then to connection tracking"),
    72: ("RULES_EGRESS", "firewall, from guests: security group rules"),
    73: ("ACCEPT_OR_INGRESS", "firewall: accepted from a guest; is the receiver a guest of this host, too?"),
    77: ("DHCP_IPV4", "the agent itself answers DHCP (DHCP extension)"),
    78: ("DHCP_IPV6", "the agent itself answers DHCPv6 (DHCP extension)"),
    81: ("BASE_INGRESS", "firewall, to guests: ARP and DHCP; then to connection tracking"),
    82: ("RULES_INGRESS", "firewall, to guests: security group rules"),
    91: ("ACCEPTED_EGRESS_TRAFFIC", "firewall: accepted from a guest"),
    92: ("ACCEPTED_INGRESS_TRAFFIC", "firewall: accepted for a guest"),
    93: ("DROPPED_TRAFFIC", "firewall: dropped"),
    94: ("ACCEPTED_EGRESS_TRAFFIC_NORMAL", "firewall: accepted, leaves by MAC and VLAN"),
}  # fmt: skip
_TUN: Mapping[int, Named] = {
    1: ("DVR_PROCESS", "distributed routers: nothing of their own leaves; frames that they routed get the host's DVR MAC"),
    9: ("DVR_NOT_LEARN", "frames from another host's DVR MAC go to br-int without being learned"),
    21: ("ARP_RESPONDER", "answer ARP requests for known addresses on this host"),
    222: ("BAGPIPE_FLOOD_TO_TUN_BROADCAST", "networking-bagpipe's copies of broadcasts"),
}  # fmt: skip
_PHYS: Mapping[int, Named] = {
    0: ("LOCAL_SWITCHING", "local VLAN to the VLAN of the provider network"),
    1: ("DVR_PROCESS_PHYSICAL", "distributed routers: frames that they routed get the host's DVR MAC"),
    2: ("LOCAL_VLAN_TRANSLATION", "local VLAN to the VLAN of the provider network"),
    3: ("DVR_NOT_LEARN_PHYSICAL", "frames from another host's DVR MAC go to br-int without being learned"),
    80: ("METADATA_EGRESS_NAT", "the agent itself serves metadata (metadata extension)"),
    87: ("METADATA_EGRESS_OUTPUT", "the agent itself serves metadata (metadata extension)"),
    90: ("METADATA_INGRESS_DIRECT", "the agent itself serves metadata (metadata extension)"),
    91: ("METADATA_INGRESS_NAT", "the agent itself serves metadata (metadata extension)"),
}  # fmt: skip
# Before Juno (2014.2) there was no table for distributed routers and none for the ARP responder.
_OLD_TUN: Mapping[int, int] = {
    0: Tun.LOCAL_SWITCHING,
    1: Tun.PATCH_LV_TO_TUN,
    2: Tun.GRE_TUN_TO_LV,
    3: Tun.VXLAN_TUN_TO_LV,
    10: Tun.LEARN_FROM_TUN,
    20: Tun.UCAST_TO_TUN,
    21: Tun.FLOOD_TO_TUN,
}
OLD = "before-juno"
_LEARN = {Tun.LEARN_FROM_TUN: "remember which VTEP a source MAC came from, then send to br-int"}


def named(bridge: str, number: int, numbering: str = CURRENT) -> Named:
    """The name and purpose of a table; both empty if Neutron has none of this number."""
    if bridge == BR_TUN and numbering == OLD:
        return _row(BR_TUN, _OLD_TUN[number]) if number in _OLD_TUN else ("", "")
    extra = {BR_INT: _INT, BR_TUN: _TUN, BR_PHYS: _PHYS}.get(bridge, {})
    if number in extra:
        return extra[number]
    return _row(bridge, number) if bridge in {BR_INT, BR_TUN} else ("", "")


def number_of(name: str) -> int | None:
    """The number of a table by Neutron's name; None if no bridge has it, or several do."""
    found = {
        number
        for bridge in (BR_TUN, BR_INT)
        for number in range(255)
        if named(bridge, number)[0] == name.upper()
    }
    return found.pop() if len(found) == 1 else None


def _row(bridge: str, number: int) -> Named:
    for key, row in pipeline_of(bridge, CURRENT).items():
        if key == number:
            why = _LEARN.get(key, row.why) if bridge == BR_TUN else row.why  # type: ignore[call-overload]
            return getattr(key, "name", ""), why
    return "", ""


def tunnel_types(bridge: str, number: int, numbering: str = CURRENT) -> tuple[NetworkType, ...]:
    """The types whose ids this table of br-tun translates to local VLANs."""
    if bridge != BR_TUN:
        return ()
    current = _OLD_TUN.get(number) if numbering == OLD else number
    return tuple(kind for kind, table in TUN_TO_LV.items() if table == current)
