"""What looks wrong in the flows of a bridge, and what an operator should know of them.  Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from controller.explain import tables
from controller.explain.bridge import TO, DumpedBridge
from controller.explain.dump_names import DumpNames, described
from controller.explain.names import id_word
from controller.explain.reading import DumpFlow
from controller.explain.shown import Entry, TunnelPort, jumps
from controller.flows.pipeline import Match
from controller.flows.ports import BR_INT, BR_TUN
from controller.model.encap import NetworkType
from controller.model.wording import counted, listed

SOON_S = 30  # a timeout that ends sooner is reported
SPOOFED = ": their sender or announced address is not one of the guest's (`allowed_address_pairs`)"
MACS_SHOWN = 6  # JSON has the lines of all
DUPLICATES = 3  # more of them are two dumps, not two flows


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the flows.

    Attributes:
        kind: a word for programs.
        is_fault: it looks wrong; else it is worth knowing.
        lines: of the text.
    """

    kind: str
    text: str
    is_fault: bool
    lines: tuple[int, ...] = ()


def findings(bridge: DumpedBridge) -> tuple[Finding, ...]:
    """All findings, faults first."""
    found = [*_repeated(bridge), *_timeouts(bridge), *_counters(bridge)]
    if bridge.kind == BR_TUN:
        found += _macs(bridge)
        found += _empty_floods(bridge)
        found += _two_ways(bridge)
        if not bridge.is_part:
            found += [*_one_way(bridge), *_idle_tunnels(bridge), *_stale_ports(bridge)]
    if not bridge.is_part and bridge.kind != tables.OTHER:
        found += [*_dead_ends(bridge), *_no_way_in(bridge)]
    return tuple(sorted(found, key=lambda finding: not finding.is_fault))


def _fault(kind: str, text: str, *flows: DumpFlow) -> Finding:
    return Finding(kind, text, is_fault=True, lines=tuple(flow.line for flow in flows))


def _note(kind: str, text: str, *flows: DumpFlow) -> Finding:
    return Finding(kind, text, is_fault=False, lines=tuple(flow.line for flow in flows))


def identifier(kind: NetworkType | None, number: int) -> str:
    """A tunnel id with the word of its type: `VNI 111`, `GRE key 5`, `tunnel id 7`."""
    return f"{id_word(kind) if kind else 'tunnel id'} {number}"


def _one_way(bridge: DumpedBridge) -> Iterator[Finding]:
    """Networks that have only one direction."""
    flooded = {flood.local_vlan for flood in bridge.floods}
    arriving = {inbound.local_vlan for inbound in bridge.inbound}
    names = {bridge.table(number)[0] for number in bridge.numbers}
    has_floods = bool(flooded) or "FLOOD_TO_TUN" in names
    has_inbound = bool(arriving) or any(name.endswith("TUN_TO_LV") for name in names)
    for inbound in bridge.inbound:
        number = identifier(bridge.kind_of(inbound.local_vlan), inbound.tunnel_id)
        if has_floods and inbound.local_vlan not in flooded:
            text = f"Local VLAN {inbound.local_vlan} ({number}) has no flood entry: its broadcasts, ARP among them, reach no VTEP."
            yield _fault("no-flood", text, inbound.flow)
    for vlan in sorted(flooded - arriving) if has_inbound else ():
        flows = [flood.flow for flood in bridge.floods if flood.local_vlan == vlan]
        ids = [identifier(bridge.kind_of(vlan), number) for number in bridge.tunnel_ids(vlan)]
        what = f"{listed(ids)}, the id of local VLAN {vlan}," if ids else f"Local VLAN {vlan}"
        text = f"{what} has no flow that gives frames from tunnels the local VLAN: what comes in is dropped."
        yield _fault("no-local-vlan", text[0].upper() + text[1:], *flows)
    known = arriving | flooded if has_floods and has_inbound else set(bridge.local_vlans)
    for vlan in sorted({e.local_vlan for e in bridge.entries if e.local_vlan >= 0} - known):
        entries = [entry.flow for entry in bridge.entries if entry.local_vlan == vlan]
        text = f"Local VLAN {vlan} has MACs behind VTEPs, but no flood entry and no tunnel id: left over, or the network is gone."
        yield _fault("left-over", text, *entries)


def _two_ways(bridge: DumpedBridge) -> Iterator[Finding]:
    """Local VLANs with two tunnel ids, and the reverse."""
    for vlan in bridge.local_vlans:
        ids = bridge.tunnel_ids(vlan)
        if len(ids) > 1:
            named = listed([str(number) for number in ids])
            text = f"Local VLAN {vlan} has several tunnel ids: {named}. Frames go out with one and come in with another."
            yield _fault("two-ids", text)
    vlans: dict[tuple[object, int], dict[int, DumpFlow]] = defaultdict(dict)
    for inbound in bridge.inbound:
        vlans[inbound.kinds[:1], inbound.tunnel_id][inbound.local_vlan] = inbound.flow
    for (_, number), flows in vlans.items():
        if len(flows) > 1:
            named = listed([str(vlan) for vlan in flows])
            yield _fault(
                "two-vlans",
                f"Tunnel id {number} has several local VLANs: {named}.",
                *flows.values(),
            )


def _empty_floods(bridge: DumpedBridge) -> Iterator[Finding]:
    for flood in bridge.floods:
        if not flood.ports:
            text = f"The flood entry of local VLAN {flood.local_vlan} has no outputs: its broadcasts reach no VTEP."
            yield _fault("flood-without-outputs", text, flood.flow)


def _idle_tunnels(bridge: DumpedBridge) -> Iterator[Finding]:
    used = {port for flood in bridge.floods for port in flood.ports}
    used |= {port for entry in bridge.entries for port in entry.ports}
    used |= {o for f in bridge.flows if "dl_vlan" not in f.matched for o in bridge.outputs(f)}
    used |= {port.partition(TO)[0] for port in used}
    if not used:  # the text has no table that could use a tunnel
        return
    arriving = {inbound.flow.table for inbound in bridge.inbound}
    for tunnel in bridge.tunnels:
        leads = bridge.leads(tunnel.port)
        if tunnel.port in used:
            continue
        text = f"{described(tunnel)}{_port_behind(tunnel)} carries nothing: no network floods to it and no MAC is behind it"
        if leads and not leads & arriving:
            which = listed([str(table) for table in sorted(leads)])
            text += f"; what comes in by it goes to table {which}, which has no network"
        yield _fault("idle-tunnel", text[0].upper() + text[1:] + ".")


def _port_behind(tunnel: TunnelPort) -> str:
    """The port of a tunnel in brackets, unless its description has it."""
    return f" (port {tunnel.port})" if tunnel.remote else ""


def _stale_ports(bridge: DumpedBridge) -> Iterator[Finding]:
    """Outputs to ports that table 0 does not know: frames go out, but none come in."""
    known = {bridge.port(f.matched["in_port"]) for f in bridge.flows if "in_port" in f.matched}
    if not known:
        return
    for flood in bridge.floods:
        for port in flood.ports:
            if port.partition(TO)[0] not in known:
                text = f"Local VLAN {flood.local_vlan} is flooded to port {port}, but no flow takes frames that come in by it: the tunnel port may be gone."
                yield _fault("stale-port", text, flood.flow)


def _macs(bridge: DumpedBridge) -> Iterator[Finding]:
    behind: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in bridge.entries:
        behind[entry.local_vlan, entry.mac].append(entry)
    names = DumpNames(bridge)
    for (vlan, mac), entries in behind.items():
        ports = list(dict.fromkeys(port for entry in entries for port in entry.ports))
        if len(ports) > 1:
            where = listed([names.port(BR_TUN, port) for port in ports])
            in_vlan = f" in local VLAN {vlan}" if vlan >= 0 else ""
            text = f"MAC {mac}{in_vlan} is behind {len(ports)} VTEPs: {where}."
            yield _fault("mac-on-two-vteps", text, *(entry.flow for entry in entries))
    yield from _stated_too(behind)
    learned_flows = [entry.flow for entry in bridge.entries if entry.is_learned]
    if learned_flows:
        are = "flow was" if len(learned_flows) == 1 else "flows were"
        text = f"{len(learned_flows)} {are} learned from tunnels; each is removed when its timeout ends."
        yield _note("learned", text, *learned_flows)


def _stated_too(behind: Mapping[tuple[int, str], list[Entry]]) -> Iterator[Finding]:
    """Learned flows of MACs that the server states, too."""
    hidden = {
        mac: [entry.flow for entry in entries if entry.is_learned]
        for (_, mac), entries in behind.items()
        if any(not entry.is_learned for entry in entries) and any(e.is_learned for e in entries)
    }
    if not hidden:
        return
    flows = [flow for each in hidden.values() for flow in each]
    macs = list(hidden)[:MACS_SHOWN]
    more = [f"{len(hidden) - MACS_SHOWN} more"] if len(hidden) > MACS_SHOWN else []
    are = (
        ("learned flow is", "a stated one")
        if len(flows) == 1
        else ("learned flows are", "stated ones")
    )
    text = (
        f"{len(flows)} {are[0]} never used, since {are[1]} (l2population) for the same "
        f"{'MAC has' if len(flows) == 1 else 'MACs have'} a higher priority: {listed([*macs, *more])}."
    )
    yield _note("learned-and-stated", text, *flows)


def _repeated(bridge: DumpedBridge) -> Iterator[Finding]:
    """Flows with the same table and match: of one priority, or of several."""
    same: dict[tuple[int, Match], list[DumpFlow]] = defaultdict(list)
    for flow in bridge.flows:
        same[flow.table, tuple(sorted(flow.match, key=str))].append(flow)
    several = [flows for flows in same.values() if len(flows) > 1 and not _is_conjunction(flows)]
    yield from _duplicates(several)
    for flows in several:
        if len({flow.priority for flow in flows}) > 1:
            yield from _shadowed(bridge, flows)


def _duplicates(several: list[list[DumpFlow]]) -> Iterator[Finding]:
    twice = []
    for flows in several:
        counts = Counter(flow.priority for flow in flows)
        groups = ([f for f in flows if f.priority == each] for each in counts if counts[each] > 1)
        twice += list(groups)
    if len(twice) > DUPLICATES:
        text = f"{len(twice)} flows are there more than once: the text probably has several dumps of one bridge, or of several hosts. Name each by a line such as `# compute1 br-tun`."
        yield _fault("duplicate", text, *(flow for flows in twice for flow in flows))
        return
    for flows in twice:
        one = flows[0]
        text = f"Table {one.table} has {len(flows)} flows with the same match and priority {one.priority}: {_short(one)}. A switch keeps one."
        yield _fault("duplicate", text, *flows)


def _shadowed(bridge: DumpedBridge, flows: list[DumpFlow]) -> Iterator[Finding]:
    """Flows of one match that a flow of a higher priority hides."""
    above = max(flows, key=lambda flow: flow.priority)
    for flow in flows:
        if flow.priority < above.priority and not bridge.is_learned(flow):
            text = f"In table {flow.table} the flow of priority {flow.priority} with {_short(flow)} is never used: one of priority {above.priority} has the same match"
            is_same = flow.actions == above.actions
            yield Finding(
                "shadowed",
                text + (" and the same actions." if is_same else "."),
                not is_same,
                (flow.line,),
            )


def _is_conjunction(flows: Iterable[DumpFlow]) -> bool:
    return any(str(a).startswith("conjunction(") for flow in flows for a in flow.actions)


def _short(flow: DumpFlow) -> str:
    shown = ",".join(str(v) if n == "proto" else f"{n}={v}" for n, v in flow.match)
    return f"match {shown}" if shown else "no match (all frames)"


def _dead_ends(bridge: DumpedBridge) -> Iterator[Finding]:
    there = set(bridge.numbers)
    wanted: dict[int, list[DumpFlow]] = defaultdict(list)
    for flow in bridge.flows:
        for table in jumps(flow):
            if table not in there:
                wanted[table].append(flow)
    for table, flows in sorted(wanted.items()):
        name = bridge.table(table)[0]
        named = f"table {table}" + (f" ({name})" if name else "")
        text = f"{counted(len(flows), 'flow')} {'leads' if len(flows) == 1 else 'lead'} to {named}, which has no flows in the text: such frames are dropped."
        yield _fault("empty-table", text, *flows)


def _no_way_in(bridge: DumpedBridge) -> Iterator[Finding]:
    """A table 0 of br-int that takes frames of guests and none of br-tun."""
    first = bridge.in_table(0)
    patch = [flow for flow in first if str(flow.matched.get("in_port", "")).startswith("patch")]
    if bridge.kind == BR_INT and bridge.guests and not patch and all(f.match for f in first):
        text = "Table 0 has no flow for all other frames (priority 0): what comes from br-tun for a guest is dropped."
        yield _fault("no-way-in", text)


def _timeouts(bridge: DumpedBridge) -> Iterator[Finding]:
    for flow in bridge.flows:
        left = flow.seconds_left
        if left is not None and left <= SOON_S:
            text = (
                f"The flow with {_short(flow)} in table {flow.table} ends in {max(left, 0):.0f} s."
            )
            yield _note("ends-soon", text, flow)


def _counters(bridge: DumpedBridge) -> Iterator[Finding]:
    """What the packet counters show; nothing if the text has none."""
    with_counter = [flow for flow in bridge.flows if flow.packets is not None]
    unused = [flow for flow in with_counter if flow.packets == 0]
    if not with_counter:
        return
    if len(unused) == len(with_counter):
        yield _fault(
            "all-counters-zero", "All counters are zero: no frame has come to this bridge yet."
        )
        return
    if unused:
        text = f"{len(unused)} of {len(with_counter)} flows matched no packet."
        yield _note("counters-zero", text, *unused)
    for inbound in bridge.inbound:
        number = identifier(bridge.kind_of(inbound.local_vlan), inbound.tunnel_id)
        if inbound.flow.packets == 0:
            text = (
                f"No packet has come in by a tunnel for local VLAN {inbound.local_vlan} ({number})."
            )
            yield _fault("nothing-in", text, inbound.flow)
    for flood in bridge.floods:
        if flood.flow.packets == 0:
            yield _fault(
                "nothing-out",
                f"No broadcast of local VLAN {flood.local_vlan} has been flooded.",
                flood.flow,
            )
    yield from _dropped(bridge, with_counter)


def _dropped(bridge: DumpedBridge, with_counter: list[DumpFlow]) -> Iterator[Finding]:
    """Flows that have dropped packets; the canary is empty by design."""
    for flow in with_counter:
        if not flow.actions and flow.packets and flow.table != 23:
            where = bridge.table(flow.table)[0]
            named = f"table {flow.table}" + (f" ({where})" if where else "")
            number = counted(flow.packets, "packet")
            dropped = f"{'was' if flow.packets == 1 else 'were'} dropped in {named}"
            text = f"{number} {dropped}: {_short(flow)}."
            if not flow.match:
                text = f"{number} that no other flow matches {dropped}{SPOOFED if where == 'ARP_SPOOF_TABLE' else ''}."
            yield _note("dropped", text, flow)
