"""The flows of a switch with their explanations: those on the path of a frame, or all.  Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from controller.explain.flow import Explainer
from controller.explain.notes import NOW_FOR, noted
from controller.explain.ofproto import Hit, Section, Trace
from controller.flows.pipeline import Flow
from controller.flows.text import dump, flow_text, normalise
from controller.model.errors import SwitchError
from topologies.trace.side import Side

TUNNELING = re.compile(r"tunneling to (\S+) via (\S+)")
LOSS = re.compile(r"neighbor cache miss|native tunnel routing failed|.*dropping|.*drop$")
# A line of `normalise`: timeouts and the table stand before the priority.
LINE = re.compile(
    r"(?:table=(?P<table>\d+), )?(?:\w+=[^ ]+, )*(?:\w+, )*"
    r"priority=(?P<priority>\d+)(?:,(?P<match>\S+))? actions=(?P<actions>.*)$"
)
NO_FLOW = "No flow of the table matches, so the frame is dropped."
FOREIGN = "Not a flow of the controller: another program added it."
NOT_CONTROLLED = (
    "The underlay's own bridge, without flows of the controller: it learns MACs as any bridge."
)


@dataclass(frozen=True, slots=True)
class Step:
    """One table: the flow that was hit, as in a dump, and why, in a sentence or two."""

    table: int
    name: str  # Neutron's; empty if the controller does not own the bridge
    flow: str
    why: str
    learned: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """The frame's path through one bridge of one host."""

    host: str
    bridge: str
    steps: tuple[Step, ...]


def way_to_vtep(trace: Trace, vtep: str) -> tuple[Section, ...]:
    """The sections up to the tunnel to `vtep`; without one, up to the end of the trace."""
    for section in trace.sections:
        towards = [found[1] for note in section.notes if (found := TUNNELING.match(note))]
        if towards and towards[-1] == vtep:
            return section.way()
    return trace.sections[-1].way()


def way_to_bridge(trace: Trace, bridge: str) -> tuple[Section, ...]:
    """The sections up to the last one of `bridge`; without one, up to the end of the trace."""
    found = [section for section in trace.sections if section.bridge == bridge]
    return (found or trace.sections)[-1].way()


def stages(side: Side, way: Iterable[Section], target_mac: str, vtep_mac: str) -> tuple[Stage, ...]:
    """The path, bridge by bridge; `vtep_mac` is the destination of the outer Ethernet header."""
    found = []
    for section in way:
        explainer = side.explainer(section.bridge)
        is_inside = any(map(TUNNELING.match, section.notes))
        mac = vtep_mac if is_inside else target_mac
        steps = tuple(_step(explainer, hit, section.bridge, mac) for hit in section.hits)
        found.append(Stage(side.host, section.bridge, steps))
        target_mac = _rewritten(section) or target_mac
    return tuple(found)


def _rewritten(section: Section) -> str:
    """The frame's new destination MAC if the switch changed it; else empty."""
    notes = (note for hit in section.hits for note in hit.notes)
    return next((found[1] for found in map(NOW_FOR.match, notes) if found), "")


def _step(explainer: Explainer[Flow] | None, hit: Hit, bridge: str, target_mac: str) -> Step:
    name = explainer.names.table(bridge, hit.table)[0] if explainer else ""
    if hit.priority is None:
        return Step(hit.table, name, "", NO_FLOW)
    why, is_learned = explanation(explainer, hit.text, hit.match, ",".join(hit.actions))
    words = (noted(note, target_mac) for note in hit.notes)
    text = " ".join(filter(None, (why, *dict.fromkeys(words))))
    flow = _timed(explainer, hit.text) if is_learned and explainer else hit.text
    return Step(hit.table, name, flow, text, is_learned)


def _timed(explainer: Explainer[Flow], flow: str) -> str:
    """A learned flow with its timeout, which a dump shows and a trace does not."""
    learning = explainer.learning_flow()
    timeout = f"hard_timeout={learning[1].hard_timeout_s}, " if learning else ""
    return flow.replace("priority=", f"{timeout}priority=", 1)


def explanation(
    explainer: Explainer[Flow] | None, text: str, match: str, actions: str
) -> tuple[str, bool]:
    """The sentence for a flow, as `flow_text` writes it, and whether the switch learned it."""
    if explainer is None:
        return NOT_CONTROLLED, False
    for flow in explainer.flows:
        if flow_text(flow) == text:
            return explainer.explain(flow), False
    sentence = explainer.explain_learned(match, actions)
    return (sentence, True) if sentence else (FOREIGN, False)


def lacked(explainer: Explainer[Flow], dumped: str) -> tuple[str, ...]:
    """The flows that the bridge should have and its dump does not show."""
    there = frozenset(normalise(dumped))
    return tuple(text for text in dump(explainer.flows) if text not in there)


def losses(way: Iterable[Section]) -> tuple[str, ...]:
    """The switches' notes on copies that they could not send."""
    notes = (note for section in way for hit in section.hits for note in hit.notes)
    return tuple(dict.fromkeys(note for note in notes if LOSS.match(note)))


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFlow:
    """One flow as the switch has it; `match` and `actions` are ovs-ofctl's text."""

    table: int
    priority: int
    match: str
    actions: str
    why: str


def installed(explainer: Explainer[Flow] | None, line: str) -> InstalledFlow:
    """A line of a dump, as `controller.flows.text.normalise` returns it, with its explanation.

    Raises:
        SwitchError: it is not a flow.
    """
    found = LINE.match(line)
    if found is None:
        raise SwitchError(
            repr(line),
            where="dump-flows",
            allowed="a flow as `ovs-ofctl dump-flows --names --no-stats` prints it",
            do="Report this line with the version of Open vSwitch.",
        )
    match, actions = found["match"] or "", found["actions"]
    why, _ = explanation(explainer, line, match, actions)
    return InstalledFlow(
        table=int(found["table"] or 0),
        priority=int(found["priority"]),
        match=match,
        actions=actions,
        why=why,
    )
