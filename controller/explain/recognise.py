"""Which bridges a paste shows, and which pipeline fills them.  Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from controller.explain import tables
from controller.explain.bridge import DumpedBridge
from controller.explain.paste import Part, Paste
from controller.explain.reading import DumpFlow, read_flow
from controller.explain.shown import jumps, set_value, set_vlan
from controller.flows.actions import Goto, LearnReturnPath, Normal, Resubmit, SetField
from controller.flows.pipeline import CURRENT, UNICAST
from controller.flows.ports import BR_INT, BR_TUN

FIREWALL = frozenset({71, 72, 73, 81, 82, 91, 92, 93, 94})
OVN_FIELDS = frozenset({"metadata", "reg14", "reg15", "reg13", "reg11"})
TUN_TABLES = frozenset({0, 1, 2, 3, 4, 6, 9, 10, 20, 21, 22})
INT_TABLES = frozenset({0, 1, 2, 3, 4, 23, 24, 25, 30, 31, 58, 59, 60, 61, 62, 77, 78}) | FIREWALL


def bridges(paste: Paste) -> tuple[DumpedBridge, ...]:
    """The bridges of a paste, in its order; the parts of one bridge are joined."""
    found: dict[tuple[str, str], list[DumpFlow]] = {}
    parts: dict[tuple[str, str], list[Part]] = {}
    for part in paste.parts:
        flows = [read_flow(flow) for flow in part.flows]
        key = part.host, part.bridge or _guessed(flows, paste)
        found.setdefault(key, []).extend(flows)
        parts.setdefault(key, []).append(part)
    hosts = {host for host, _ in found}
    return tuple(
        _bridge(host if len(hosts) > 1 else "", name, flows, parts[host, name], paste)
        for (host, name), flows in found.items()
    )


def _guessed(flows: list[DumpFlow], paste: Paste) -> str:
    """The name of a bridge that the dump does not name: that of its ports, or its kind."""
    kind = kind_of("", flows)
    names = {ports.bridge for ports in paste.ports if ports.bridge}
    only = next(iter(names)) if len(names) == 1 else ""
    return only if only and kind in {only, tables.OTHER} else kind


def _bridge(
    host: str, name: str, flows: list[DumpFlow], parts: list[Part], paste: Paste
) -> DumpedBridge:
    shown = [ports for ports in paste.ports if ports.bridge in {name, ""}]
    here = [ports for ports in shown if ports.host == parts[0].host] or shown
    is_named = any(part.bridge for part in parts) or any(ports.bridge == name for ports in shown)
    kind = kind_of(name if is_named else "", flows)
    return DumpedBridge(
        name=f"{host} {name}".strip(),
        kind=kind,
        flows=tuple(replace(flow, bridge=kind) for flow in flows),
        numbering=numbering(kind, flows),
        is_named=is_named,
        is_part=_is_part(flows, parts),
        ofports=here[0].names if here else {},
        remotes=dict(paste.remotes),
        tags=dict(paste.tags),
    )


def _is_part(flows: Iterable[DumpFlow], parts: list[Part]) -> bool:
    """Whether flows are missing: a selection was asked for, and not every table 0 to the end."""
    numbers = {flow.table for flow in flows}
    # Many selections make a whole, as in a walk through the tables.
    is_selection = all(part.is_selection for part in parts) and len(numbers) < SEVERAL
    return is_selection or 0 not in numbers


SEVERAL = 4  # tables


def kind_of(name: str, flows: list[DumpFlow]) -> str:
    """What kind of bridge these are the flows of: br-int, br-tun, a provider bridge, another one."""
    fields = {field for flow in flows for field, _ in flow.match}
    numbers = {flow.table for flow in flows}
    if len(fields & OVN_FIELDS) > 1 or ("metadata" in fields and len(numbers) > 1):
        return tables.OTHER
    if name == BR_TUN:
        return name
    if name == BR_INT:
        is_other = len(numbers - INT_TABLES) > len(numbers & INT_TABLES) or "tun_id" in fields
        return tables.OTHER if is_other else name
    translates = any(
        f.priority == 4 and set_vlan(f) is not None and "in_port" in f.matched for f in flows
    )
    is_old = not name and any(flow.priority in {1, 3} for flow in flows)
    signs = (  # the first that holds
        ("reg5" in fields and "tun_id" not in fields, BR_INT),
        (_is_tunnel_bridge(flows, fields), BR_TUN),
        (_has_port(flows, r"phy-"), tables.BR_PHYS),
        (bool(numbers & {23, 24, 25, 60, 62, 71, 72, 82}), BR_INT),
        (_has_port(flows, r"(tap|qvo|qr-|qg-|sg-|int-|patch-tun)"), BR_INT),
        (_switches(flows) and (bool(name) or translates), tables.BR_PHYS),
        (_switches(flows) and is_old, BR_INT),
    )
    return next((kind for holds, kind in signs if holds), tables.OTHER)


def _is_tunnel_bridge(flows: list[DumpFlow], fields: set[str]) -> bool:
    sets_id = any(set_value(flow, "tun_id") is not None for flow in flows)
    learns = any(isinstance(a, LearnReturnPath) for flow in flows for a in flow.actions)
    splits = any(flow.matched.get("dl_dst") == UNICAST for flow in flows)
    answers = any("arp_tpa" in f.matched and _writes(f, "arp_sha") for f in flows)
    return "tun_id" in fields or sets_id or learns or splits or answers


def _writes(flow: DumpFlow, name: str) -> bool:
    return any(isinstance(a, SetField) and a.field == name for a in flow.actions)


def _has_port(flows: list[DumpFlow], beginning: str) -> bool:
    names = (str(flow.matched.get("in_port", "")) for flow in flows)
    return any(re.match(beginning, name) for name in names)


def _switches(flows: list[DumpFlow]) -> bool:
    return any(isinstance(action, Normal) for flow in flows for action in flow.actions)


def numbering(kind: str, flows: list[DumpFlow]) -> str:
    """Whose table numbers br-tun has: before Juno there was no table for distributed routers."""
    if kind != BR_TUN:
        return CURRENT
    splits = {flow.table for flow in flows if flow.matched.get("dl_dst") == UNICAST}
    floods = {
        flow.table
        for flow in flows
        if "dl_vlan" in flow.matched
        and "dl_dst" not in flow.matched
        and "proto" not in flow.matched
        if set_value(flow, "tun_id") is not None
    }
    to_flood = {
        action.table
        for flow in flows
        if flow.table == 20 and flow.priority == 0
        for action in flow.actions
        if isinstance(action, Goto | Resubmit)
    }
    is_old = splits == {1} or floods == {21} or to_flood == {21}
    return tables.OLD if is_old and 22 not in floods | to_flood and 2 not in splits else CURRENT


def pipeline(bridge: DumpedBridge) -> Iterator[str]:
    """Which pipeline fills the bridge and what dates it, one sentence each."""
    numbers = set(bridge.numbers)
    if bridge.kind == tables.OTHER:
        yield "Not a pipeline of Neutron's openvswitch agent: its tables or fields differ (OVN, OpenDaylight or hand-made)."
    elif bridge.kind == BR_TUN:
        yield from _tunnel_pipeline(bridge, numbers)
    elif bridge.kind == BR_INT:
        yield from _integration_pipeline(bridge, numbers)
    else:
        yield "Frames pass between br-int and a provider network here; VLAN ids are translated."


def _tunnel_pipeline(bridge: DumpedBridge, numbers: set[int]) -> Iterator[str]:
    translates = bridge.inbound or bridge.floods or bridge.entries or bridge.learning_tables
    has_cookie = any(flow.cookie for flow in bridge.flows)  # the agent's, since Liberty
    if not (translates or has_cookie) or numbers - TUN_TABLES - {222}:
        yield "Hand-made: tables or translations of Neutron's tunnel bridge are missing."
        return
    if bridge.numbering == tables.OLD:
        yield "Neutron before Juno (2014.2): broadcasts are flooded in table 21, and table 1 splits unicast from broadcast."
    elif any(flow.table == 10 and flow.priority == 2 for flow in bridge.flows):
        yield "Neutron 28 (or a late 24.2, 25.2, 26.0 or 27.0): table 10 has three flows for announcements."
    elif 6 in numbers and not bridge.is_part:
        yield "Neutron Liberty (2015) to 27: tables 3, 4 and 6, and one learning flow in table 10."
    else:
        yield "Neutron's tunnel bridge, Juno (2014.2) or later."
    if bridge.answers or (
        any(flow.table == 21 for flow in bridge.flows) and bridge.numbering == CURRENT
    ):
        yield "l2population with the ARP responder."
    elif any(not entry.is_learned for entry in bridge.entries):
        yield "l2population: the server states the MACs behind each VTEP."
    elif bridge.floods and not (bridge.is_part and 20 not in numbers):
        yield "No stated MACs: flood and learn, or l2population without a remote port yet."
    if _has_dvr(bridge):
        yield "Distributed routers (DVR): tables 1 and 9 are in use."


def _has_dvr(bridge: DumpedBridge) -> bool:
    return (
        any(flow.matched for flow in (*bridge.in_table(1), *bridge.in_table(9)))
        and bridge.numbering == CURRENT
    )


def _integration_pipeline(bridge: DumpedBridge, numbers: set[int]) -> Iterator[str]:
    led_to = {table for flow in bridge.flows for table in jumps(flow)}
    yield from _integration_release(bridge, numbers | led_to)
    if numbers & FIREWALL:
        rules = [flow for flow in bridge.flows if flow.table in {72, 82}]
        joined = len(
            {str(a) for f in rules for a in f.actions if str(a).startswith("conjunction(")}
        )
        more = f", of them {joined} parts of conjunctions" if joined else ""
        yield f"The openvswitch firewall driver: tables 71 to 94, {len(rules)} flows of rules (72 and 82){more}."
    elif numbers & {24, 25}:
        yield "Addresses of guests are checked in tables 24 and 25; security groups, if any, are iptables'."
    if any(flow.matched for flow in (*bridge.in_table(1), *bridge.in_table(2))):
        yield "Distributed routers (DVR): table 1 or 2 has their flows."


def _integration_release(bridge: DumpedBridge, numbers: set[int]) -> Iterator[str]:
    signs = (  # the first that holds
        ({58, 59} <= numbers, "Neutron 23 (2023.2) or later: tables 58 and 59 are there."),
        (
            bool(numbers & {58, 59, 30, 31}),
            "Neutron 20 (Yoga) or later: tables 30, 31 and 58 or 59 are there.",
        ),
        (
            62 in numbers,
            "Neutron 16 (Ussuri) to 19, or a late 14 or 15: table 62 is there, 58 and 59 are not.",
        ),
        (60 in numbers, "Neutron Newton to 15 (Train): table 60 switches; there is no table 62."),
        (
            bool(numbers & {24, 25}),
            "Neutron Liberty or Mitaka: ARP is checked in table 24; there is no table 60.",
        ),
        (23 in numbers, "Neutron Icehouse to Kilo: a canary in table 23, and no checks of guests."),
        (True, "Neutron before Icehouse, or hand-made: no table but 0."),
    )
    shown = signs[:2] if bridge.is_part else signs  # the others are about what is not there
    yield from [text for holds, text in shown if holds][:1]
