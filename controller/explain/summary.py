"""A dumped bridge in a few lines, before its flows.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.explain import tables
from controller.explain.bridge import DumpedBridge
from controller.explain.dump_names import DumpNames, described
from controller.explain.findings import identifier
from controller.explain.flow import Explainer
from controller.explain.names import spelt
from controller.explain.reading import DumpFlow
from controller.explain.shown import Entry, TunnelPort, jumps
from controller.flows.ports import BR_INT, BR_TUN
from controller.model.wording import counted, listed

MACS_SHOWN = 6  # of one VTEP; JSON has all


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary, below its heading."""

    heading: str
    text: str


def title(bridge: DumpedBridge) -> str:
    """The bridge with the size of its dump."""
    name = bridge.name
    if not bridge.is_named:
        name += ", by its flows (the text does not name it)"
    elif bridge.name.rpartition(" ")[2] != bridge.kind != tables.OTHER:
        name += f" ({bridge.kind})"
    size = f"{counted(len(bridge.flows), 'flow')} in {counted(len(bridge.numbers), 'table')}"
    part = (
        "; only some of the bridge's flows, so nothing is said about missing ones"
        if bridge.is_part
        else ""
    )
    return f"{name}: {size}{part}"


def summary(bridge: DumpedBridge) -> Iterator[Line]:
    """The networks, VTEPs, MACs, ARP answers, provider VLANs and guests of a bridge."""
    yield from (Line("Networks", network_text(bridge, vlan)) for vlan in bridge.local_vlans)
    yield from (Line("Networks", text) for text in _without_vlan(bridge))
    yield from (Line("VTEPs", tunnel_text(bridge, tunnel)) for tunnel in bridge.tunnels)
    if bridge.tunnels and not any(tunnel.remote for tunnel in bridge.tunnels):
        yield Line(
            "VTEPs",
            f"The text has no addresses. Paste the output of `ovs-ofctl show {bridge.name.rpartition(' ')[2]}` too.",
        )
    yield from (
        Line(
            "ARP answers", f"{answer.address} is at {answer.mac}, in local VLAN {answer.local_vlan}"
        )
        for answer in bridge.answers
    )
    yield from (Line("Provider VLANs", text) for text in _provider(bridge))
    yield from (Line("Guests", text) for text in _guests(bridge))


def network_text(bridge: DumpedBridge, vlan: int) -> str:
    """A local VLAN, its tunnel id, and who gets its broadcasts."""
    kind = bridge.kind_of(vlan)
    ids = [f"{identifier(kind, number)} ({number:#x})" for number in bridge.tunnel_ids(vlan)]
    named = (
        f"{listed(ids)} {'is' if len(ids) == 1 else 'are'} local VLAN {vlan}"
        if ids
        else f"local VLAN {vlan} (no tunnel id in the text)"
    )
    if not any(flood.local_vlan == vlan for flood in bridge.floods):
        return f"{named}; the text has no flood entry for it"
    ports = bridge.flooded_to(vlan)
    if not ports:
        return f"{named}; broadcasts go nowhere"
    return f"{named}; broadcasts go to {counted(len(ports), 'VTEP')}: {listed([_short(bridge, p) for p in ports])}"


def _short(bridge: DumpedBridge, port: str) -> str:
    """A VTEP's address, else its port."""
    tunnel = bridge.tunnel(port)
    if tunnel and tunnel.remote:
        return tunnel.remote
    return described(tunnel) if tunnel else DumpNames(bridge).port(BR_TUN, port)


def _without_vlan(bridge: DumpedBridge) -> Iterator[str]:
    """Tunnel outputs of pipelines that use no local VLANs."""
    if bridge.kind != BR_TUN or bridge.local_vlans:
        return
    for flow in bridge.flows:
        ports = [port for port in bridge.outputs(flow) if bridge.tunnel(port)]
        if ports and "dl_dst" not in flow.matched:
            where = listed([_short(bridge, port) for port in ports])
            yield f"no local VLANs: frames that reach table {flow.table} go to {where}, with the tunnel id that they have"


def tunnel_text(bridge: DumpedBridge, tunnel: TunnelPort) -> str:
    """A VTEP: its port, its networks, and the MACs behind it."""
    number = next((n for n, name in bridge.ofports.items() if name == tunnel.port), "")
    port = f"port {number} ({tunnel.port})" if number else f"port {tunnel.port}"
    kind = spelt(tunnel.kind) if tunnel.kind else "tunnel"
    vlans = networks_of(bridge, tunnel)
    entries = [entry for entry in bridge.entries if tunnel.port in entry.ports]
    used = "carries nothing"
    if vlans:
        used = f"broadcasts of local VLAN {listed([str(vlan) for vlan in vlans])}"
    elif entries or bridge.is_part or not bridge.local_vlans:
        used = ""
    macs = _macs(entries)
    where = f"{tunnel.remote or 'address not in the text'}: {kind}, {port}"
    return "; ".join(filter(None, (where, used, macs)))


def networks_of(bridge: DumpedBridge, tunnel: TunnelPort) -> tuple[int, ...]:
    """The local VLANs that flood to a tunnel."""
    found = (flood.local_vlan for flood in bridge.floods if tunnel.port in flood.ports)
    return tuple(dict.fromkeys(found))


def _macs(entries: list[Entry]) -> str:
    if not entries:
        return ""
    shown = []
    for entry in entries[:MACS_SHOWN]:
        in_vlan = f" in local VLAN {entry.local_vlan}" if entry.local_vlan >= 0 else ""
        left = entry.flow.seconds_left
        ends = f", {left:.0f} s left" if left is not None and left >= 0 else ""
        shown.append(f"{entry.mac}{in_vlan} ({'learned' if entry.is_learned else 'stated'}{ends})")
    more = [f"{len(entries) - MACS_SHOWN} more"] if len(entries) > MACS_SHOWN else []
    return f"behind it {'MAC' if len(entries) == 1 else 'MACs'} {listed([*shown, *more])}"


def _provider(bridge: DumpedBridge) -> Iterator[str]:
    names = DumpNames(bridge)
    for found in bridge.translations:
        outside = "untagged frames" if found.outside is None else f"VLAN {found.outside}"
        inside = "an unknown VLAN" if found.local_vlan is None else f"local VLAN {found.local_vlan}"
        if bridge.kind == BR_INT:
            yield f"{outside} of {names.port(BR_INT, found.port)} {'are' if found.outside is None else 'is'} {inside}"
        else:
            yield f"{inside} leaves as {outside}"


def _guests(bridge: DumpedBridge) -> Iterator[str]:
    for guest in bridge.guests:
        parts = (
            [f"{'MAC' if len(guest.macs) == 1 else 'MACs'} {listed(list(guest.macs))}"]
            if guest.macs
            else []
        )
        parts += (
            [f"address{'' if len(guest.addresses) == 1 else 'es'} {listed(list(guest.addresses))}"]
            if guest.addresses
            else []
        )
        parts += [f"local VLAN {guest.local_vlan}"] if guest.local_vlan is not None else []
        parts += [f"ofport {guest.number}"] if guest.number is not None else []
        yield (
            f"{_named(guest.port)}: may send as {', '.join(parts)}"
            if guest.macs
            else f"{_named(guest.port)}: {', '.join(parts) or 'no addresses in the text'}"
        )


def _named(port: str) -> str:
    """A port's name; a number with its noun."""
    return f"port {port}" if port.isdecimal() else port


def _renewed(flow: DumpFlow) -> str:
    """What starts a flow's timeouts again: packets do not delay a hard timeout."""
    ways = ["used"] if flow.idle_timeout_s else []
    ways += ["learned again"] if flow.hard_timeout_s else []
    return " and ".join(ways)


def explained(bridge: DumpedBridge, explainer: "Explainer[DumpFlow]", flow: DumpFlow) -> str:
    """The sentence for a flow of a dump."""
    sentence = explainer.sentence(flow) if bridge.is_part else explainer.explain(flow)
    if bridge.is_learned(flow) and isinstance(vlan := flow.matched.get("dl_vlan"), int):
        entry = bridge.entry_of.get(flow.line)
        if entry and entry.tunnel_id is not None and len(entry.ports) == 1:
            sentence = (
                explainer.learned(vlan, entry.mac, entry.tunnel_id, entry.ports[0]) or sentence
            )
    missing = [str(table) for table in jumps(flow) if table not in bridge.numbers]
    if missing and not bridge.is_part:
        sentence += f" Table {listed(missing)} has no flows in the text."
    left = flow.seconds_left
    if left is not None:
        sentence += (
            f" A timeout removes this flow in {max(left, 0):.0f} s unless it is {_renewed(flow)}."
        )
    elif flow.hard_timeout_s or flow.idle_timeout_s:
        seconds = flow.hard_timeout_s or flow.idle_timeout_s or 0
        sentence += f" A timeout of {seconds:.0f} s removes this flow."
    if flow.odd:
        sentence += f" Not understood: {', '.join(flow.odd)}."
    return sentence
