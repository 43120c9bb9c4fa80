"""The difference between the installed and the wanted flows of a bridge.

Learned flows stay unless their local VLAN or their tunnel is gone.  Flows with another cookie
are not ours and stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controller.flows.pipeline import Flow, Priority, Tun
from controller.flows.ports import BR_INT, BR_TUN
from controller.switches import wire

COOKIE_MARK = 0x6F6C << 48  # "ol"; the lower bits are the datapath id


def cookie_of(dpid: int) -> int:
    """The cookie of all our flows on one switch.

    Neutron chooses a new one at every start and rewrites every flow.  A fixed one lets a
    restarted controller keep the flows that are correct.
    """
    return COOKIE_MARK | (dpid & 0xFFFF_FFFF_FFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one bridge must have.

    Attributes:
        ports: ofport of every port that a flow names.
        local_vlans: all that are allocated on the host.
    """

    bridge: str
    flows: tuple[Flow, ...]
    ports: wire.Ports
    local_vlans: frozenset[int]


def changes(datapath: Any, wanted: Wanted, installed: list[Any]) -> list[Any]:
    """The messages that turn `installed` (OFPFlowStats) into `wanted`; none if they are equal."""
    cookie = cookie_of(datapath.id)
    adds = (wire.flow_mod(datapath, flow, wanted.ports, cookie) for flow in wanted.flows)
    mods = {wire.key(mod): mod for mod in adds}
    present = {wire.key(stats): stats for stats in installed}
    ours = [stats for stats in installed if stats.cookie == cookie]
    learned = [stats for stats in ours if is_learned(wanted.bridge, stats)]
    stated = [stats for stats in ours if not is_learned(wanted.bridge, stats)]
    stale = [stats for stats in stated if wire.key(stats) not in mods]
    return [
        *(mod for key, mod in mods.items() if not _is_same(mod, present.get(key))),
        *(wire.delete_strict(datapath, stats) for stats in stale),
        *_purges(datapath, wanted, learned, cookie),
    ]


def _is_same(mod: Any, stats: Any | None) -> bool:
    return stats is not None and stats.cookie == mod.cookie and wire.body(stats) == wire.body(mod)


def is_learned(bridge: str, stats: Any) -> bool:
    """True if the switch made this flow itself, by the `learn` of LEARN_FROM_TUN."""
    return (
        bridge == BR_TUN and stats.table_id == Tun.UCAST_TO_TUN and stats.priority == Priority.MATCH
    )


def vlans_in_use(bridge: str, installed: Iterable[Any]) -> frozenset[int]:
    """Local VLANs that the flows of one bridge match or write.

    br-int also matches the ids of provider networks, and a provider bridge writes them; those
    are left out.
    """
    flows = list(installed)
    matched = () if bridge == BR_INT else map(_vlan, flows)
    written = map(_written_vlan, flows) if bridge in {BR_INT, BR_TUN} else ()
    return frozenset(vlan for vlan in (*matched, *written) if vlan)


def _purges(datapath: Any, wanted: Wanted, learned: list[Any], cookie: int) -> list[Any]:
    """Delete messages for learned flows whose local VLAN or tunnel is gone."""
    vlans = {vlan for stats in learned if (vlan := _vlan(stats))} - wanted.local_vlans
    ofports = {port for stats in learned for port in _outputs(stats)} - {*wanted.ports.values()}
    table = int(Tun.UCAST_TO_TUN)
    return [
        *(wire.purge(datapath, table, cookie, vlan=vlan) for vlan in sorted(vlans)),
        *(wire.purge(datapath, table, cookie, ofport=port) for port in sorted(ofports)),
    ]


def _vlan(flow: Any) -> int | None:
    """The local VLAN that a flow of br-tun matches, or None."""
    for name, value in flow.match.items():
        if name in {"vlan_vid", "vlan_tci"}:
            return int(value[0] if isinstance(value, tuple) else value) & 0x0FFF or None
    return None


def _written_vlan(flow: Any) -> int | None:
    """The VLAN that a flow puts on a frame, or None."""
    for action in _actions(flow):
        if getattr(action, "key", "") == "vlan_vid":
            return int(action.value) & 0x0FFF
    return None


def _outputs(stats: Any) -> set[int]:
    return {int(action.port) for action in _actions(stats) if hasattr(action, "port")}


def _actions(flow: Any) -> list[Any]:
    return [a for i in flow.instructions for a in getattr(i, "actions", ())]
