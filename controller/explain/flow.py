"""A flow in one sentence, made from its match, its actions and what their values stand for.  Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.explain.match import Subject, subject
from controller.explain.names import Names, listed, segment, spelt
from controller.flows.actions import OFPVID_PRESENT as PRESENT
from controller.flows.actions import (
    Action,
    Goto,
    InPort,
    LearnReturnPath,
    Move,
    Normal,
    Output,
    PopVlan,
    PushVlan,
    SetField,
)
from controller.flows.pipeline import TUN_TO_LV, Flow, pipeline_of
from controller.flows.ports import BR_INT, BR_TUN


@dataclass(frozen=True)
class Explainer:
    """Tells the flows of one bridge of one host; `flows` are all that it has."""

    names: Names
    flows: tuple[Flow, ...]

    @property
    def release(self) -> str:
        """The Neutron release whose tables they are."""
        return self.names.overlay.release

    def explain(self, flow: Flow) -> str:
        """What the flow does with which frames, and why that is so."""
        who = subject(self.names, flow, self.flows)
        said = f"{who.text} {self._deeds(flow, who)}"
        said = said[0].upper() + said[1:] + ("" if said.endswith("?") else ".")
        return said if self._is_reached(flow) else f"{said} No flow leads to this table."

    def _is_reached(self, flow: Flow) -> bool:
        leads = (a for f in self.flows for a in f.actions if isinstance(a, Goto))
        return flow.table == 0 or any(goto.table == flow.table for goto in leads)

    def _deeds(self, flow: Flow, who: Subject) -> str:
        if not flow.actions:
            return "are dropped"
        if any(isinstance(action, InPort) for action in flow.actions):
            return _answer(flow.actions)
        *first, last = self._told(flow, who)
        joined = "; then they " if _is_learning(flow) else " and "
        return f"{', '.join(first)}{joined}{last}" if first else last

    def _told(self, flow: Flow, who: Subject) -> Iterator[str]:
        for action in flow.actions:
            if isinstance(action, SetField):
                yield self._written(flow, action, who)
            elif isinstance(action, LearnReturnPath):
                yield self._learning(flow, action)
            elif isinstance(action, Goto):
                yield self._onward(flow, action)
            elif isinstance(action, PopVlan):
                yield "lose their tag"
            elif isinstance(action, Normal):
                yield "are switched as on any bridge: by MAC, within their VLAN"
            elif not isinstance(action, Output | PushVlan):
                yield f"undergo {action}"
        if outputs := [action.port for action in flow.actions if isinstance(action, Output)]:
            yield self._sent(flow.bridge, outputs)

    def _written(self, flow: Flow, action: SetField, who: Subject) -> str:
        if action.field == "tun_id" and isinstance(action.value, int):
            return f"get {segment(who.network, action.value)}"
        if action.field == "vlan_vid" and isinstance(action.value, int):
            vlan = action.value & ~PRESENT
            inside = flow.bridge in {BR_INT, BR_TUN}
            tag = self.names.local_vlan(vlan) if inside else f"VLAN {vlan} of the provider network"
            pushed = any(isinstance(each, PushVlan) for each in flow.actions)
            return f"get the tag of {tag}" + ("" if pushed else " in its place")
        return f"get {action.value} as their {action.field}"

    def _learning(self, flow: Flow, action: LearnReturnPath) -> str:
        table = table_named(flow.bridge, flow.release, action.table)
        return (
            f"leave a flow behind in {table}: for {action.hard_timeout_s} s from then on, frames "
            "for their source MAC in their local VLAN go straight back, untagged and with their "
            "tunnel id, into the tunnel they came from"
        )

    def _onward(self, flow: Flow, action: Goto) -> str:
        why = pipeline_of(flow.bridge, flow.release)[action.table].why
        said = f"go on to {table_named(flow.bridge, flow.release, action.table)}: {why}"
        there = [each for each in self.flows if each.table == action.table]
        if there and not any(each.actions for each in there):
            said += f"; there all are dropped{self._because(action.table)}"
        return said

    def _because(self, table: int) -> str:
        kinds = [kind for kind, number in TUN_TO_LV.items() if number == table]
        return f", as no {spelt(kinds[0])} network has a guest on this host" if kinds else ""

    def _sent(self, bridge: str, outputs: Sequence[str]) -> str:
        where = [self.names.port(bridge, name) for name in outputs]
        if where == [BR_INT]:
            return f"are handed to {BR_INT}"
        if len(where) == 1:
            return f"leave by {where[0]}"
        return f"leave {len(where)} times, one copy each by {listed(where)}"


def table_named(bridge: str, release: str, table: int) -> str:
    """A table by its number and Neutron's name."""
    return f"table {int(table)}, {table_name(bridge, release, table)}"


def table_name(bridge: str, release: str, table: int) -> str:
    """Neutron's name of a table; empty if the bridge has no such table."""
    rows = pipeline_of(bridge, release)
    return next((getattr(key, "name", "") for key in rows if key == table), "")


def _is_learning(flow: Flow) -> bool:
    return any(isinstance(action, LearnReturnPath) for action in flow.actions)


def _answer(actions: Sequence[Action]) -> str:
    """The words for what `install_arp_responder` makes of a request."""
    told = {action.field: str(action.value) for action in actions if isinstance(action, SetField)}
    if told.get("arp_op") != "2" or not any(isinstance(action, Move) for action in actions):
        return "go back out of the port they came in by"
    return (
        f'are turned into their answer, "{told["arp_spa"]} is at {told["arp_sha"]}", addressed to '
        "whoever asked, and go back out of the port they came in by: nothing leaves the host"
    )
