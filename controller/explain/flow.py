"""Explains a flow in one sentence, from its match, its actions and the overlay.  Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from controller.explain.foreign import Foreign
from controller.explain.match import Subject
from controller.explain.names import segment, spelt
from controller.explain.naming import AnyFlow, Naming
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
from controller.flows.pipeline import pipeline_of
from controller.flows.ports import BR_INT, BR_TUN
from controller.model.wording import listed

# A learned flow, as ovs-ofctl prints it.
MATCHED = re.compile(r"vlan_tci=(0x[0-9a-f]+)/0x0fff,dl_dst=([0-9a-f:]{17})$")
LOADED = re.compile(r"load:(0x[0-9a-f]+)->NXM_NX_TUN_ID\[\]")
F = TypeVar("F", bound=AnyFlow)
PLAIN: dict[type, str] = {
    PopVlan: "have their VLAN tag removed",
    Normal: "are switched by MAC within their VLAN, as by any Ethernet switch",
    InPort: "go back out of the port they came in by",
}
SET_NAMES = {"eth_src": "source MAC", "eth_dst": "destination MAC"}
SENT = re.compile(r'output:"?([^",\s]+)"?$')


@dataclass(frozen=True)
class Explainer(Generic[F]):
    """Explains the flows of one bridge of one host.

    Attributes:
        flows: all of them, or those that a text has.
        is_whole: they are all; else nothing is said of what the others match or do.
    """

    names: Naming
    flows: tuple[F, ...]
    is_whole: bool = True

    def explain(self, flow: F) -> str:
        """The sentence for a flow, and whether a frame can come to it at all."""
        text = self.sentence(flow)
        return text if flow.table in self.reached else f"{text} No flow leads to this table."

    def sentence(self, flow: F) -> str:
        """Which frames a flow matches, what happens to them, and why."""
        matched = Subject(self.names, flow, self.flows, self._rivals(flow), self.is_whole)
        text = f"{matched.text} {self._effect(flow, matched)}"
        return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")

    def _rivals(self, flow: F) -> tuple[AnyFlow, ...]:
        """Few flows of its table, with all among them that have every field of its match, and more."""
        sharing = sorted(
            (self._by_field.get((flow.table, item), []) for item in flow.match), key=len
        )
        return tuple(sharing[0]) if sharing else ()

    @cached_property
    def _by_field(self) -> Mapping[tuple[int, tuple[str, str | int]], list[AnyFlow]]:
        found: dict[tuple[int, tuple[str, str | int]], list[AnyFlow]] = {}
        for flow in self.flows:
            for item in flow.match:
                found.setdefault((flow.table, item), []).append(flow)
        return found

    @cached_property
    def _drops_all(self) -> Mapping[int, bool]:
        """Of each table, whether it drops all frames."""
        found: dict[int, bool] = {}
        for flow in self.flows:
            found[flow.table] = found.get(flow.table, True) and not flow.actions
        return found

    @cached_property
    def reached(self) -> frozenset[int]:
        """The tables that a flow leads to, and the first one."""
        actions = (action for flow in self.flows for action in flow.actions)
        jumps = (action for action in actions if isinstance(action, Goto | Resubmit))
        tracked = (
            re.findall(r"table=(\d+)", str(a))
            for f in self.flows
            for a in f.actions
            if isinstance(a, Foreign)
        )
        return frozenset(
            {0, *(jump.table for jump in jumps), *(int(t) for ts in tracked for t in ts)}
        )

    def explain_learned(self, matched: str, actions: str) -> str | None:
        """The sentence for a flow that a `learn` action of this bridge has written, else None.

        Args:
            matched: the match as ovs-ofctl prints it; `actions` likewise.
        """
        learning = self.learning_flow()
        seen, loaded, sent = MATCHED.match(matched), LOADED.search(actions), SENT.search(actions)
        if learning is None or seen is None or loaded is None or sent is None:
            return None
        return self.learned(int(seen[1], 16), seen[2], int(loaded[1], 16), sent[1])

    def learned(self, vlan: int, mac: str, tunnel_id: int, port: str) -> str | None:
        """The sentence for a flow that a `learn` action of this bridge has written, else None."""
        learning = self.learning_flow()
        if learning is None:
            return None
        names, (writer, learn) = self.names, learning
        tunnel = names.port(writer.bridge, port)
        table = self.table_named(writer.bridge, writer.table)
        key = segment(names.network_in(vlan), tunnel_id)
        return (
            f"Learned by the switch in {table}, when a frame from {names.mac(mac)} came in by {tunnel}, "
            f"at most {learn.hard_timeout_s} s ago. Frames for that MAC in {names.local_vlan(vlan)} have "
            f"their VLAN tag removed, get {key} and are output to that tunnel only."
        )

    def learning_flow(self) -> tuple[AnyFlow, LearnReturnPath] | None:
        """A flow with a `learn` action, and this action, the same in all such flows; else None."""
        return self._learning_flow

    @cached_property
    def _learning_flow(self) -> tuple[AnyFlow, LearnReturnPath] | None:
        found = ((f, a) for f in self.flows for a in f.actions if isinstance(a, LearnReturnPath))
        return next(found, None)

    def table_named(self, bridge: str, number: int) -> str:
        """A table by its number and Neutron's name."""
        name = self.names.table(bridge, number)[0]
        return f"table {int(number)}" + (f", {name}" if name else "")

    def _effect(self, flow: AnyFlow, matched: Subject) -> str:
        if not flow.actions:
            return "are dropped"
        if reply := _reply(flow.actions):
            return reply
        *first, last = list(self._steps(flow, matched)) or ["get an empty VLAN tag"]
        is_learning = any(isinstance(action, LearnReturnPath) for action in flow.actions)
        joined = "; then they " if is_learning else " and "
        return f"{', '.join(first)}{joined}{last}" if first else last

    def _steps(self, flow: AnyFlow, matched: Subject) -> Iterator[str]:
        for action in flow.actions:
            if isinstance(action, SetField):
                yield self._set(flow, action, matched)
            elif isinstance(action, LearnReturnPath):
                yield self._learning(flow, action)
            elif isinstance(action, Resubmit):
                yield f"are looked up in {self.table_named(flow.bridge, action.table)}"
            elif isinstance(action, Goto):
                yield self._jump(flow, action)
            elif not isinstance(action, Output | PushVlan):
                yield _plain(action)
        if outputs := [action.port for action in flow.actions if isinstance(action, Output)]:
            yield self._sent(flow.bridge, outputs)

    def _set(self, flow: AnyFlow, action: SetField, matched: Subject) -> str:
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
        if action.field == "reg5":
            return f"have port {action.value} noted in register 5"
        if action.field in {"tun_dst", "tun_ipv6_dst"}:
            return f"get VTEP {action.value} as their destination"
        return f"have their {SET_NAMES.get(action.field, action.field)} set to {action.value}"

    def _learning(self, flow: AnyFlow, action: LearnReturnPath) -> str:
        table = self.table_named(flow.bridge, action.table)
        return (
            f"make the switch learn a flow in {table}: for {action.hard_timeout_s} s, frames for "
            "their source MAC in their local VLAN are sent back, untagged and with their tunnel id, "
            "into the tunnel they came from"
        )

    def _jump(self, flow: AnyFlow, action: Goto) -> str:
        why = self.names.table(flow.bridge, action.table)[1]
        text = f"go on to {self.table_named(flow.bridge, action.table)}" + (
            f": {why}" if why else ""
        )
        if self.is_whole and self._drops_all.get(action.table):
            text += "; all frames are dropped there"
            kind = next(iter(self.names.tunnel_types(action.table)), None)
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


def table_name(bridge: str, release: str, table: int) -> str:
    """Neutron's name of a table; empty if the bridge has no such table."""
    rows = pipeline_of(bridge, release)
    return next((getattr(key, "name", "") for key in rows if key == table), "")


def _plain(action: Action | Foreign) -> str:
    """The words for an action that needs no names."""
    if isinstance(action, Foreign):
        return action.words or f'undergo "{action.text}", which is not understood here'
    if isinstance(action, Move):
        return f"have their {action.source} copied to {action.to}"
    return PLAIN.get(type(action), f"undergo {action}")


def _reply(actions: Sequence[Action | Foreign]) -> str:
    """What `install_arp_responder` does with an ARP request; empty for other actions."""
    if not any(isinstance(action, InPort) for action in actions):
        return ""
    fields = {action.field: str(action.value) for action in actions if isinstance(action, SetField)}
    if fields.get("arp_op") != "2" or not any(isinstance(action, Move) for action in actions):
        return ""
    if not {"arp_spa", "arp_sha"} <= set(fields):
        return ""
    return (
        f'are turned into the reply "{fields["arp_spa"]} is at {fields["arp_sha"]}", addressed to '
        "the sender, and go back out of the port they came in by: nothing leaves the host"
    )
