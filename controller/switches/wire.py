"""Flows as OpenFlow 1.3 messages, built by the parser of the switch's session.

The messages must match `controller.flows.text`: tests install one and read back the other.
`parser` and `ofproto` are the framework's modules of the negotiated version.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any

from controller.flows import actions as act
from controller.flows.pipeline import Flow, Match
from controller.model.errors import SwitchError

ARP, IPV6, ICMPV6 = 0x0806, 0x86DD, 58  # EtherTypes and IP protocol (IANA)
PROTO = {"arp": {"eth_type": ARP}, "icmp6": {"eth_type": IPV6, "ip_proto": ICMPV6}}
OXM = {
    "dl_src": "eth_src",
    "dl_dst": "eth_dst",
    "arp_spa": "arp_spa",
    "arp_tpa": "arp_tpa",
    "arp_tha": "arp_tha",
    "icmp_type": "icmpv6_type",
    "nd_target": "ipv6_nd_target",
    "tun_id": "tunnel_id",
    "reg6": "reg6",
}
NXM = {
    "NXM_NX_ARP_SHA": "arp_sha_nxm",
    "NXM_NX_ARP_THA": "arp_tha_nxm",
    "NXM_OF_ARP_SPA": "arp_spa_nxm",
    "NXM_OF_ARP_TPA": "arp_tpa_nxm",
    "NXM_OF_ETH_SRC": "eth_src_nxm",
    "NXM_OF_ETH_DST": "eth_dst_nxm",
}
ADDRESSES = frozenset({"arp_spa", "arp_tpa", "nd_target"})
Ports = Mapping[str, int]  # port name -> ofport


def oxm(match: Match, ports: Ports) -> dict[str, Any]:
    """The match as the keyword arguments of `OFPMatch`."""
    fields: dict[str, Any] = {}
    for name, value in match:
        if name == "proto":
            fields |= PROTO[str(value)]
        elif name == "in_port":
            fields["in_port"] = _number(ports, str(value))
        elif name == "dl_vlan":
            fields["vlan_vid"] = int(value) | act.OFPVID_PRESENT
        elif name == "vlan_tci":
            fields["vlan_vid"] = int(str(value).partition("/")[0], 16)
        else:
            fields[OXM[name]] = _masked(name, value)
    return fields


def _number(ports: Ports, name: str) -> int:
    """The ofport of a port that a flow names.

    Raises:
        SwitchError: it has none, such as a patch port that others have removed.
    """
    if name not in ports:
        raise SwitchError(
            "it has no OpenFlow port number",
            where=f"port {name!r}",
            allowed="a number for every port that a flow names",
            do="The controller tries again shortly; `ovs-vsctl show` on the host has its error.",
        )
    return ports[name]


def _masked(name: str, value: str | int) -> Any:
    if not isinstance(value, str) or "/" not in value:
        return value
    if name in ADDRESSES:
        network = ip_network(value)
        return str(network.network_address), str(network.netmask)
    return tuple(value.split("/"))


def flow_mod(datapath: Any, flow: Flow, ports: Ports, cookie: int) -> Any:
    """The message that adds `flow`, or replaces a flow with the same match."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    return parser.OFPFlowMod(
        datapath,
        cookie=cookie,
        table_id=flow.table,
        command=ofproto.OFPFC_ADD,
        priority=int(flow.priority),
        match=parser.OFPMatch(**oxm(flow.match, ports)),
        instructions=_instructions(datapath, flow, ports, cookie),
    )


def _instructions(datapath: Any, flow: Flow, ports: Ports, cookie: int) -> list[Any]:
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    jumps = [a.table for a in flow.actions if isinstance(a, act.Goto)]
    applied = [a for a in flow.actions if not isinstance(a, act.Goto)]
    done = [_action(datapath, action, ports, cookie) for action in applied]
    return [
        *([parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, done)] if done else []),
        *(parser.OFPInstructionGotoTable(table) for table in jumps),
    ]


def _action(datapath: Any, action: act.Action, ports: Ports, cookie: int) -> Any:
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    forms: dict[type[Any], Callable[[Any], Any]] = {
        act.Resubmit: lambda a: parser.NXActionResubmitTable(table_id=a.table),
        act.Output: lambda out: parser.OFPActionOutput(_number(ports, out.port), 0),
        act.Normal: lambda _: parser.OFPActionOutput(ofproto.OFPP_NORMAL, 0),
        act.InPort: lambda _: parser.OFPActionOutput(ofproto.OFPP_IN_PORT, 0),
        act.PopVlan: lambda _: parser.OFPActionPopVlan(),
        act.PushVlan: lambda _: parser.OFPActionPushVlan(act.TPID),
        act.SetField: lambda a: parser.OFPActionSetField(**{OXM.get(a.field, a.field): a.value}),
        act.Move: lambda a: parser.NXActionRegMove(NXM[a.source], NXM[a.to], a.bits),
        act.LearnReturnPath: lambda a: _learn(parser, a, cookie),
    }
    return forms[type(action)](action)


def _learn(parser: Any, learn: act.LearnReturnPath, cookie: int) -> Any:
    """Source: the same list in Neutron's native `br_tun.py`, `setup_default_table`."""
    return parser.NXActionLearn(
        table_id=learn.table,
        cookie=cookie,
        priority=learn.priority,
        hard_timeout=learn.hard_timeout_s,
        specs=[
            parser.NXFlowSpecMatch(src=("vlan_tci", 0), dst=("vlan_tci", 0), n_bits=12),
            parser.NXFlowSpecMatch(src=("eth_src_nxm", 0), dst=("eth_dst_nxm", 0), n_bits=48),
            parser.NXFlowSpecLoad(src=0, dst=("vlan_tci", 0), n_bits=16),
            parser.NXFlowSpecLoad(src=("tunnel_id_nxm", 0), dst=("tunnel_id_nxm", 0), n_bits=64),
            parser.NXFlowSpecOutput(src=("in_port", 0), dst="", n_bits=32),
        ],
    )


def purge(datapath: Any, table: int, cookie: int, *, vlan: int = 0, ofport: int = 0) -> Any:
    """The message that deletes the flows of `table` with `cookie` for a VLAN, or towards a port.

    It matches the VLAN without OFPVID_PRESENT, so it also deletes learned flows, which Neutron's
    delete leaves behind.
    """
    match = {"vlan_vid": (vlan, 0x0FFF)} if vlan else {}
    return _deletion(
        datapath,
        command=datapath.ofproto.OFPFC_DELETE,
        table_id=table,
        cookie=cookie,
        match=datapath.ofproto_parser.OFPMatch(**match),
        out_port=ofport or datapath.ofproto.OFPP_ANY,
    )


def delete_strict(datapath: Any, stats: Any) -> Any:
    """The message that deletes exactly the flow that `stats` describes."""
    return _deletion(
        datapath,
        command=datapath.ofproto.OFPFC_DELETE_STRICT,
        table_id=stats.table_id,
        cookie=stats.cookie,
        priority=stats.priority,
        match=stats.match,
        out_port=datapath.ofproto.OFPP_ANY,
    )


def _deletion(datapath: Any, **fields: Any) -> Any:
    every_bit, any_group = 2**64 - 1, datapath.ofproto.OFPG_ANY
    return datapath.ofproto_parser.OFPFlowMod(
        datapath, cookie_mask=every_bit, out_group=any_group, **fields
    )


def key(flow: Any) -> tuple[int, int, str]:
    """The identity of a flow (OpenFlow 1.3, 6.4): table, priority and match.

    `flow` is an OFPFlowMod or an OFPFlowStats.
    """
    return flow.table_id, flow.priority, str(sorted(flow.match.items(), key=str))


def body(flow: Any) -> bytes:
    """The instructions of a flow as bytes on the wire."""
    buffer = bytearray()
    for instruction in flow.instructions:
        instruction.serialize(buffer, len(buffer))
    return bytes(buffer)
