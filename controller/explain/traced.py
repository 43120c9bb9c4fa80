"""The output of `ofproto/trace` in words: step by step, and what becomes of the frame.  Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from controller.explain import tables
from controller.explain.bridge import DumpedBridge
from controller.explain.dump_names import DumpNames
from controller.explain.flow import Explainer
from controller.explain.names import id_word, spelt
from controller.explain.notes import NOW_FOR, noted, reason
from controller.explain.ofproto import Copy, Hit, Section, copies, read_trace, split
from controller.explain.paste import FlowText, Paste
from controller.explain.reading import DumpFlow, read_flow
from controller.explain.recognise import kind_of, numbering
from controller.model.encap import NetworkType

FRAME = re.compile(r"^\s*Flow: (.*)$", re.MULTILINE)
VLAN = re.compile(r"\bdl_vlan=(\d{1,4})\b")
TO_MAC = re.compile(r"\bdl_dst=([0-9a-f:]{17})")
TUNNELED = re.compile(r"tunneling from \S+ \S+ to ([0-9a-f:]{17}) ")
VIA = re.compile(r"tunneling to \S+ via (\S+)$")
NO_FLOW = "No flow of the table matches, so the frame is dropped."
UDP_PORTS = {"4789": NetworkType.VXLAN, "8472": NetworkType.VXLAN, "6081": NetworkType.GENEVE}
OTHERS = (  # the beginning of a datapath action -> what happens
    ("userspace(pid", "a copy goes to Open vSwitch itself"),
    ("ct(", "connection tracking looks at it"),
    ("recirc(", "it is looked up again; the next part of the trace begins there"),
    ("trunc(", "the next copy is cut"),
    ("meter(", "a meter limits it"),
    ("sample(", "some are sampled"),
    ("hash(", "a hash of it is computed"),
    ("check_pkt_len(", "it depends on its length"),
    ("dec_ttl", "its TTL is decremented"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One table; `flow` is empty if none matched, `text` a sentence or two."""

    table: int
    name: str
    flow: str
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The frame's way through one bridge."""

    bridge: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """One trace, or one part of it between two look-ups of the datapath.

    Attributes:
        frame: the frame as `ofproto/trace` describes it.
        outcome: what becomes of it, a sentence for each copy.
        datapath: the datapath's actions as they are; empty if the text does not have them.
    """

    frame: str
    stages: tuple[Stage, ...]
    outcome: tuple[str, ...]
    datapath: str


def traced(text: str, paste: Paste) -> Traced:
    """A trace in words; ports of `paste` give names to numbers."""
    trace = read_trace(text)
    frame = next(iter(FRAME.findall(text)), "")
    stages = tuple(_stage(section, frame, paste) for section in trace.sections if section.hits)
    outcome = tuple(_outcome(trace.datapath, frame, trace.sections))
    return Traced(frame, stages, outcome, trace.datapath)


def _stage(section: Section, frame: str, paste: Paste) -> Stage:
    flows = [read_flow(FlowText(number, hit.text)) for number, hit in enumerate(section.hits)]
    kind = kind_of(section.bridge, flows)
    if kind == tables.BR_PHYS and _outer_target(section):
        kind = tables.OTHER  # the underlay's own bridge switches by MAC, too
    shown = [ports for ports in paste.ports if ports.bridge == section.bridge]
    bridge = DumpedBridge(
        name=section.bridge,
        kind=kind,
        flows=tuple(read_flow(FlowText(n, hit.text), kind) for n, hit in enumerate(section.hits)),
        numbering=numbering(kind, flows),
        ofports=shown[0].names if shown else {},
        remotes=paste.remotes,
    )
    target = _target(section, frame)
    explainer: Explainer[DumpFlow] = Explainer(DumpNames(bridge), bridge.flows, is_whole=False)
    return Stage(
        section.bridge,
        tuple(
            _step(bridge, explainer, hit, flow, target)
            for hit, flow in zip(section.hits, bridge.flows, strict=True)
        ),
    )


def _target(section: Section, frame: str) -> str:
    """The destination MAC that a frame has in a bridge: a tunnel adds another one, a reply has a new one."""
    if section.parent is None:
        found = TO_MAC.search(frame)
        return found[1] if found else ""
    notes = (note for hit in section.parent.hits for note in hit.notes)
    rewritten = next((found[1] for found in map(NOW_FOR.match, notes) if found), "")
    return _outer_target(section) or rewritten or _target(section.parent, frame)


def _outer_target(section: Section) -> str:
    """The MAC that a tunnel's packet goes to, if the packet came to this bridge by it."""
    via = next((found[1] for found in map(VIA.match, reversed(section.notes)) if found), "")
    sent = next((found[1] for found in map(TUNNELED.match, reversed(section.notes)) if found), "")
    return sent if via == section.bridge else ""


def _step(
    bridge: DumpedBridge, explainer: Explainer[DumpFlow], hit: Hit, flow: DumpFlow, target: str
) -> Step:
    name = bridge.table(hit.table)[0]
    if hit.priority is None:
        return Step(hit.table, name, "", NO_FLOW)
    notes = [noted(note, target) for note in hit.notes]
    sentence = explainer.sentence(flow)
    missing = f"Not understood: {', '.join(flow.odd)}." if flow.odd else ""
    text = " ".join(filter(None, (sentence, *dict.fromkeys(notes), missing)))
    return Step(hit.table, name, hit.text, text)


def _outcome(datapath: str, frame: str, sections: tuple[Section, ...]) -> Iterator[str]:
    """What the datapath does with the frame."""
    lost = [why for s in sections for hit in s.hits for note in hit.notes if (why := reason(note))]
    if not datapath:
        yield "The text does not have the datapath's actions, so what leaves is not known."
        return
    if datapath == "drop":
        yield f"The frame is dropped: {_why_dropped(sections, lost)}."
        return
    vlan = VLAN.search(frame)
    leaving = copies(datapath, int(vlan[1]) if vlan else None)
    is_only = len(leaving) == 1 and not lost
    yield from (_copy(copy, datapath, "The frame" if is_only else "A copy") for copy in leaving)
    for action in split(datapath):
        what = next((words for start, words in OTHERS if action.startswith(start)), "")
        if "controller(" in action:
            what = "a copy goes to the OpenFlow controller"
        if what:
            yield f"{what[0].upper()}{what[1:]} ({action})."
    kept_back = "skipping output to input port"  # as every switch does, when others get a copy
    yield from (f"A copy is lost: {why}." for why in dict.fromkeys(lost) if kept_back not in why)


def _copy(copy: Copy, datapath: str, which: str) -> str:
    if copy.answer:
        return f"The switch answers the ARP request itself ({copy.answer}), {_exit(copy.port)}."
    if copy.outer is None:
        tag = "untagged" if copy.tag is None else f"with VLAN tag {copy.tag}"
        return f"{which} goes {_exit(copy.port)}, {tag}."
    kind = _kind(copy, datapath)
    number = copy.outer.segmentation_id
    word = id_word(kind) if kind else "tunnel id"
    source = f" from {copy.outer.source}" if copy.outer.source else ""
    by = f"by {spelt(kind)}" if kind else "by a tunnel"
    return f"{which} leaves {by} to VTEP {copy.outer.target}{source}, with {word} {number} ({number:#x}), {_exit(copy.port)}."


def _exit(port: str) -> str:
    """The port of the datapath that a copy leaves by."""
    if port.isdecimal():
        return f"out of datapath port {port}"
    return (
        f"to the host's own interface {port}" if port.startswith("br-") else f"out of port {port}"
    )


def _kind(copy: Copy, datapath: str) -> NetworkType | None:
    """The tunnel type; the kernel's datapath shows only the UDP port."""
    if (
        copy.outer is None
        or "tnl_push(" in datapath
        or copy.port.startswith(("gre_sys", "genev_sys", "vxlan_sys"))
    ):
        return copy.outer.kind if copy.outer else None
    udp = re.search(r"tp_dst=(\d+)", datapath)
    return UDP_PORTS.get(udp[1]) if udp else None


def _why_dropped(sections: tuple[Section, ...], lost: list[str]) -> str:
    last = next((s for s in reversed(sections) if s.hits), None)
    if last is None:
        return lost[-1] if lost else "the text does not show why"
    hit = last.hits[-1]
    kind = kind_of(last.bridge, [read_flow(FlowText(0, h.text)) for h in last.hits])
    name = tables.named(kind, hit.table)[0]
    where = f"table {hit.table}" + (f" ({name})" if name else "")
    where += f" of {last.bridge}" if last.bridge else ""
    if lost:
        return lost[-1]
    if hit.priority is None:
        return f"no flow of {where} matches"
    if not hit.actions or hit.actions == ["drop"]:
        match = hit.match or "all frames that no other flow matches"
        return f"the flow in {where} drops it (priority {hit.priority}, {match})"
    return f"after {where} no output is left"
