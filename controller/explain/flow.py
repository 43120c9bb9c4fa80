"""Explains a flow in one sentence, from its match, its actions and the overlay.  Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.explain.match import Subject
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
    Resubmit,
    SetField,
)
from controller.flows.pipeline import TUN_TO_LV, Flow, pipeline_of
from controller.flows.ports import BR_INT, BR_TUN

# A learned flow, as ovs-ofctl prints it.
MATCHED = re.compile(r"vlan_tci=(0x[0-9a-f]+)/0x0fff,dl_dst=([0-9a-f:]{17})$")
LOADED = re.compile(r"load:(0x[0-9a-f]+)->NXM_NX_TUN_ID\[\]")
SENT = re.compile(r'output:"?([^",\s]+)"?$')


@dataclass(frozen=True)
class Explainer:
    """Explains the flows of one bridge of one host; `flows` are all of them."""

    names: Names
    flows: tuple[Flow, ...]

    @property
    def release(self) -> str:
        """The Neutron release of the flows."""
        return self.names.overlay.release

    def explain(self, flow: Flow) -> str:
        """The sentence for a flow: which frames it matches, what happens to them, and why."""
        matched = Subject(self.names, flow, self.flows)
        text = f"{matched.text} {self._effect(flow, matched)}"
        text = text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")
        jumps = (a for f in self.flows for a in f.actions if isinstance(a, Goto | Resubmit))
        is_reached = flow.table == 0 or any(jump.table == flow.table for jump in jumps)
        return text if is_reached else f"{text} No flow leads to this table."

    def explain_learned(self, matched: str, actions: str) -> str | None:
        """The sentence for a flow that a `learn` action of this bridge has written, else None.

        Args:
            matched: the match as ovs-ofctl prints it; `actions` likewise.
        """
        learning = self.learning_flow()
        seen, loaded, sent = MATCHED.match(matched), LOADED.search(actions), SENT.search(actions)
        if learning is None or seen is None or loaded is None or sent is None:
            return None
        names, (writer, learn) = self.names, learning
        vlan, mac = int(seen[1], 16), names.mac(seen[2])
        numbers = names.binding.ofports.get(writer.bridge, {})
        named = (name for name, number in numbers.items() if str(number) == sent[1])
        tunnel = names.port(writer.bridge, next(named, sent[1]))
        table = table_named(writer.bridge, self.release, writer.table)
        key = segment(names.network_in(vlan), int(loaded[1], 16))
        return (
            f"Learned by the switch in {table}, when a frame from {mac} came in by {tunnel}, at most "
            f"{learn.hard_timeout_s} s ago. Frames for that MAC in {names.local_vlan(vlan)} have their "
            f"VLAN tag removed, get {key} and are output to that tunnel only."
        )

    def learning_flow(self) -> tuple[Flow, LearnReturnPath] | None:
        """A flow with a `learn` action, and this action, the same in all such flows; else None."""
        found = ((f, a) for f in self.flows for a in f.actions if isinstance(a, LearnReturnPath))
        return next(found, None)

    def _effect(self, flow: Flow, matched: Subject) -> str:
        if not flow.actions:
            return "are dropped"
        if any(isinstance(action, InPort) for action in flow.actions):
            return _reply(flow.actions)
        *first, last = self._steps(flow, matched)
        is_learning = any(isinstance(action, LearnReturnPath) for action in flow.actions)
        joined = "; then they " if is_learning else " and "
        return f"{', '.join(first)}{joined}{last}" if first else last

    def _steps(self, flow: Flow, matched: Subject) -> Iterator[str]:
        for action in flow.actions:
            if isinstance(action, SetField):
                yield self._set(flow, action, matched)
            elif isinstance(action, LearnReturnPath):
                yield self._learning(flow, action)
            elif isinstance(action, Resubmit):
                table = table_named(flow.bridge, flow.release, action.table)
                yield f"are looked up in {table}"
            elif isinstance(action, Goto):
                yield self._jump(flow, action)
            elif isinstance(action, PopVlan):
                yield "have their VLAN tag removed"
            elif isinstance(action, Normal):
                yield "are switched by MAC within their VLAN, as by any Ethernet switch"
            elif not isinstance(action, Output | PushVlan):
                yield f"undergo {action}"
        if outputs := [action.port for action in flow.actions if isinstance(action, Output)]:
            yield self._sent(flow.bridge, outputs)

    def _set(self, flow: Flow, action: SetField, matched: Subject) -> str:
        if action.field == "tun_id" and isinstance(action.value, int):
            return f"get {segment(matched.network, action.value)}"
        if action.field == "vlan_vid" and isinstance(action.value, int):
            vlan = action.value & ~PRESENT
            inside = flow.bridge in {BR_INT, BR_TUN}
            tag = self.names.local_vlan(vlan) if inside else f"VLAN {vlan} of the provider network"
            pushed = any(isinstance(each, PushVlan) for each in flow.actions)
            return f"are tagged with {tag}" if pushed else f"have their tag changed to {tag}"
        if action.field == "reg6" and isinstance(action.value, int):
            return f"have {self.names.local_vlan(action.value)} noted in register 6"
        return f"have their {action.field} set to {action.value}"

    def _learning(self, flow: Flow, action: LearnReturnPath) -> str:
        table = table_named(flow.bridge, flow.release, action.table)
        return (
            f"make the switch learn a flow in {table}: for {action.hard_timeout_s} s, frames for "
            "their source MAC in their local VLAN are sent back, untagged and with their tunnel id, "
            "into the tunnel they came from"
        )

    def _jump(self, flow: Flow, action: Goto) -> str:
        why = pipeline_of(flow.bridge, flow.release)[action.table].why
        text = f"go on to {table_named(flow.bridge, flow.release, action.table)}: {why}"
        there = [each for each in self.flows if each.table == action.table]
        if there and not any(each.actions for each in there):
            text += "; all frames are dropped there"
            kind = next((kind for kind, table in TUN_TO_LV.items() if table == action.table), None)
            if kind:
                text += f", because no {spelt(kind)} network has a guest on this host"
        return text

    def _sent(self, bridge: str, outputs: Sequence[str]) -> str:
        where = [self.names.port(bridge, name) for name in outputs]
        if where == [BR_INT]:
            return f"are sent to {BR_INT}"
        if len(where) == 1:
            return f"are output to {where[0]}"
        return f"are output to {len(where)} ports: {listed(where)}"


def table_named(bridge: str, release: str, table: int) -> str:
    """A table by its number and Neutron's name."""
    return f"table {int(table)}, {table_name(bridge, release, table)}"


def table_name(bridge: str, release: str, table: int) -> str:
    """Neutron's name of a table; empty if the bridge has no such table."""
    rows = pipeline_of(bridge, release)
    return next((getattr(key, "name", "") for key in rows if key == table), "")


def _reply(actions: Sequence[Action]) -> str:
    """What `install_arp_responder` does with an ARP request."""
    fields = {action.field: str(action.value) for action in actions if isinstance(action, SetField)}
    if fields.get("arp_op") != "2" or not any(isinstance(action, Move) for action in actions):
        return "go back out of the port they came in by"
    return (
        f'are turned into the reply "{fields["arp_spa"]} is at {fields["arp_sha"]}", addressed to '
        "the sender, and go back out of the port they came in by: nothing leaves the host"
    )
