"""The headers of a traced frame at each table on its way, read from the flows that it hit.  Pure.

A trace shows the frame as it enters a bridge only by the fields that flows match, so a tag is known
from the first flow that matches it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.flows.ports import BR_TUN

if TYPE_CHECKING:
    from topologies.trace.course import Course
    from topologies.trace.frames import Layer
    from topologies.trace.way import Stage, Step

TAG = 4  # bytes (IEEE 802.1Q)
ENCAPSULATIONS = frozenset({"GRE", "VXLAN", "Geneve"})
MATCHED_TAG = re.compile(r"dl_vlan=(\d+)|vlan_tci=(0x[0-9a-f]+)/0x0?fff")
PUT_TAG = re.compile(r"set_field:(\d+)->vlan_vid|mod_vlan_vid:(\d+)")
STRIPPED = re.compile(
    r"\b(?:pop_vlan|strip_vlan)\b|load:0->NXM_OF_VLAN_TCI\[\]|set_field:0->vlan_tci"
)
TUNNEL_ID = re.compile(
    r"set_field:(0x[0-9a-f]+|\d+)->tun_id|load:(0x[0-9a-f]+|\d+)->NXM_NX_TUN_ID\[\]|set_tunnel:(0x[0-9a-f]+|\d+)"
)
MATCHED_ID = re.compile(r"\btun_id=(0x[0-9a-f]+|\d+)")
ANSWER = re.compile(
    r"set_field:2->arp_op.*set_field:([0-9a-f:]{17})->arp_sha.*set_field:([0-9.]+)->arp_spa"
)
VID = 0xFFF  # the bits of a VLAN id in a TCI


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One header of the stack; `kind` is outer, tag, inner or data."""

    name: str
    size: int  # bytes
    says: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """The frame at one place: its headers, outermost first; and its tunnel id, which is no header."""

    stack: tuple[Header, ...]
    tunnel_id: int | None = None

    @property
    def size(self) -> int:
        """Bytes, without the check sequence."""
        return sum(header.size for header in self.stack)


def guest_headers(course: "Course") -> Headers:
    """The frame as the guest sends it."""
    return Headers(stack=_inner(course.layers))


def wire_headers(course: "Course") -> Headers:
    """The frame as it crosses the underlay, or as the guest sent it if it does not."""
    if course.wire is None:
        return guest_headers(course)
    layers = course.wire.layers
    if is_tunnelled(course):
        outer = layers[: len(layers) - len(course.layers)]
        added = (Header(name=x.name, size=x.size, says=x.says, kind="outer") for x in outer)
        return Headers(stack=(*added, *_inner(course.layers)))
    tags = (
        Header(name=x.name, size=x.size, says=x.says, kind="tag")
        for x in layers
        if x.name == "802.1Q"
    )
    ethernet, *rest = _inner(course.layers)
    return Headers(stack=(ethernet, *tags, *rest))


def is_tunnelled(course: "Course") -> bool:
    """Whether the followed copy crosses the underlay in a tunnel."""
    return course.wire is not None and any(x.name in ENCAPSULATIONS for x in course.wire.layers)


def near_headers(course: "Course") -> Iterator[tuple["Stage", "Step", Headers]]:
    """Each table on the first host, with the frame as it enters the table."""
    tunnel = max((at for at, stage in enumerate(course.near) if stage.bridge == BR_TUN), default=-1)
    wrapped = course.near[tunnel + 1 :] if is_tunnelled(course) else ()
    plain = course.near[: len(course.near) - len(wrapped)]
    yield from _walked(plain, guest_headers(course))
    yield from ((stage, step, wire_headers(course)) for stage in wrapped for step in stage.steps)


def far_headers(course: "Course") -> Iterator[tuple["Stage", "Step", Headers]]:
    """Each table on the second host, with the frame as it enters the table."""
    there = guest_headers(course) if is_tunnelled(course) else wire_headers(course)
    yield from _walked(course.far, there)


def _walked(stages: "Sequence[Stage]", frame: Headers) -> Iterator[tuple["Stage", "Step", Headers]]:
    for stage in stages:
        frame = _entering(stage, frame)
        for step in stage.steps:
            yield stage, step, frame
            frame = _changed(frame, step.flow.partition(" actions=")[2])


def _entering(stage: "Stage", frame: Headers) -> Headers:
    """The frame as it enters a bridge: with the tag and the tunnel id that the first flows match.

    Without such a flow the tag is that from before.  A patch port clears the tunnel id
    (`compose_output_action__` in Open vSwitch's ofproto-dpif-xlate.c).
    """
    frame, is_tag_open = replace(frame, tunnel_id=None), True
    for step in stage.steps:
        match, _, actions = step.flow.partition(" actions=")
        if is_tag_open and (found := MATCHED_TAG.search(match)):
            frame = _tagged(frame, int(found[1]) if found[1] else int(found[2], 16) & VID)
            is_tag_open = False
        if found := MATCHED_ID.search(match):
            return replace(frame, tunnel_id=int(found[1], 0))
        is_tag_open = is_tag_open and not (PUT_TAG.search(actions) or STRIPPED.search(actions))
        if TUNNEL_ID.search(actions):
            return frame
    return frame


def _changed(frame: Headers, actions: str) -> Headers:
    """The frame after the actions of a flow; what it learns is not done to the frame."""
    done = re.sub(r"learn\(.*?\)(?=,|$)", "", actions)
    if STRIPPED.search(done):
        frame = untagged(frame)
    if found := PUT_TAG.search(done):
        frame = _tagged(frame, int(found[1] or found[2]) & VID)
    if found := ANSWER.search(done):
        frame = replace(frame, stack=tuple(_answering(frame.stack, found[1], found[2])))
    if found := TUNNEL_ID.search(done):
        frame = replace(frame, tunnel_id=int(next(filter(None, found.groups())), 0))
    return frame


def _answering(stack: Sequence[Header], mac: str, ip: str) -> Iterator[Header]:
    """An ARP request turned into the reply."""
    for header in stack:
        if header.name == "Ethernet":
            header = replace(header, says=f"{mac} > {header.says.partition(' > ')[0]}")  # noqa: PLW2901
        elif header.name == "ARP":
            header = replace(header, says=f"{ip} is at {mac}")  # noqa: PLW2901
        yield header


def untagged(frame: Headers) -> Headers:
    """The frame as it leaves an access port."""
    return replace(frame, stack=tuple(x for x in frame.stack if x.kind != "tag"))


def _tagged(frame: Headers, number: int) -> Headers:
    """The frame with this VLAN tag, after the Ethernet header."""
    ethernet, *rest = (header for header in frame.stack if header.kind != "tag")
    tag = Header(name="802.1Q", size=TAG, says=f"VLAN {number}", kind="tag")
    return replace(frame, stack=(ethernet, tag, *rest))


def _inner(layers: "Sequence[Layer]") -> tuple[Header, ...]:
    return tuple(
        Header(name=x.name, size=x.size, says=x.says, kind="data" if x.name == "data" else "inner")
        for x in layers
    )
