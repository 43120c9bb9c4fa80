"""Up to two hosts side by side, each from its servers down to the underlay.  Pure."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from controller.explain.names import spelt
from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.overlay import Overlay
from topologies.drawing.common_boxes import cores, edge, physical_networks, switch
from topologies.drawing.dot import Box, End, Look, Row
from topologies.drawing.host_boxes import THIN, HostBoxes, Place, overlay_id
from topologies.drawing.metrics import height_of
from topologies.drawing.palette import STROKES
from topologies.drawing.sketch import MARGIN, TITLE, Sketch, row_width
from topologies.plan.underlays import Wiring

SERVERS_MOST = 4  # of a host, side by side
HOSTS_MOST = 2
OVERLAYS = frozenset(map(overlay_id, TUNNEL_TYPES))
BESIDE, BELOW, APART = 14, 26, 34  # gaps: side by side, from level to level, between frames
TUNNEL_GAP = 96  # between frames with tunnels between them


def fits(hosts: Sequence[HostBoxes]) -> bool:
    """Whether these hosts can be drawn in this way."""
    if len(hosts) > HOSTS_MOST or any(len(host.servers) > SERVERS_MOST for host in hosts):
        return False
    has_overlays = any(tap.target in OVERLAYS for host in hosts for tap in host.taps())
    return not has_overlays or any(_tunnels(hosts))


def draw_tall(sketch: Sketch, overlay: Overlay, hosts: Sequence[HostBoxes]) -> None:
    """Place everything and draw the lines."""
    tunnels = tuple(_tunnels(hosts))
    bottom = _hosts(sketch, hosts, TUNNEL_GAP if tunnels else APART)
    for kind, one, other in tunnels:
        _tunnel(sketch, kind, one, other)
    common = tuple(physical_networks(overlay, hosts))
    _underlay(sketch, overlay, hosts, common, bottom + APART)
    there = {box.id for box in common}
    taps = (tap for host in hosts for tap in host.taps() if tap.target in there)
    for box, target, stroke in dict.fromkeys(
        (tap.place.box, tap.target, tap.stroke) for tap in taps
    ):
        sketch.line(End(id=box, side="s"), End(id=target, side="n"), stroke)


def _hosts(sketch: Sketch, hosts: Sequence[HostBoxes], gap: float) -> float:
    """Place the boxes and frames of all hosts; return where they end below."""
    levels = [(host.servers, host.inner, host.outer, (host.vtep,)) for host in hosts]
    heights = [
        max((height_of(box) for level in same for box in level), default=0)
        for same in zip_longest(*levels, fillvalue=())
    ]
    left, bottom = 0.0, TITLE + sum(height + BELOW for height in heights if height) - BELOW + MARGIN
    for host, boxes in zip(hosts, levels, strict=True):
        width = max(row_width(level, BESIDE) for level in (*boxes, (host.title,))) + 2 * MARGIN
        middle, top = left + width / 2, float(TITLE)
        for level, height in zip(boxes, heights, strict=True):
            sketch.in_a_row(level, middle, top, BESIDE)
            top += height + BELOW if height else 0
        sketch.frame(host.host.name, host.title, middle, 0, (width, bottom))
        left += width + gap
        for wire in (*host.wires(), *filter(None, (host.routed,))):
            one, other = End(id=wire.outer.box, side="s"), End(id=wire.inner.box, side="n")
            sketch.line(one, other, wire.stroke)
    return bottom


def _tunnels(hosts: Sequence[HostBoxes]) -> Iterator[tuple[NetworkType, Place, Place]]:
    """The tunnels between two hosts with Open vSwitch: from port to port."""
    if len(hosts) == HOSTS_MOST:
        left, right = hosts
        back = right.tunnel_rows
        for (kind, remote), place in left.tunnel_rows.items():
            if remote == right.host.vtep and (kind, left.host.vtep) in back:
                yield kind, place, back[kind, left.host.vtep]


def _tunnel(sketch: Sketch, kind: NetworkType, one: Place, other: Place) -> None:
    """A line with its name above it."""
    sketch.line(
        End(id=one.box, row=one.row, side="e"),
        End(id=other.box, row=other.row, side="w"),
        STROKES[kind],
    )
    row = Row(text=f"{spelt(kind)} tunnel", is_muted=True)
    name = Box(id=f"tunnel/{kind}", heading="", rows=(row,), look=Look.BARE)
    ends = [sketch.placed[one.box], sketch.placed[other.box]]
    left, right = ends[0].x + ends[0].width / 2, ends[1].x - ends[1].width / 2
    y = (sketch.y_of(one.box, one.row) + sketch.y_of(other.box, other.row)) / 2
    sketch.put(name, (left + right) / 2, y - 8)


def _underlay(
    sketch: Sketch, overlay: Overlay, hosts: Sequence[HostBoxes], common: Sequence[Box], top: float
) -> None:
    """The lowest levels: routers or a switch, and beside them what else hosts have in common."""
    middle = sum(frame.x for frame in sketch.frames) / len(sketch.frames)
    if not overlay.underlay.shape.is_routed:
        box = switch(overlay)
        half = len(common) // 2
        sketch.in_a_row([*common[:half], box, *common[half:]], middle, top, APART)
        for host in hosts:
            sketch.line(End(id=host.vtep.id, side="s"), End(id=box.id, side="n"), THIN)
        return
    wiring = Wiring(overlay.underlay)
    edges = [edge(overlay, host, is_listed=True) for host in hosts]
    for host, box in zip(hosts, edges, strict=True):
        sketch.put(box, sketch.placed[host.vtep.id].x, top + height_of(box) / 2)
        sketch.line(End(id=host.vtep.id, side="s"), End(id=box.id, side="n"), THIN)
    top += max(map(height_of, edges)) + APART
    inner = tuple(cores(overlay, hosts, is_listed=True))
    sketch.in_a_row([*inner, *common], middle, top, APART)
    for host, box in zip(hosts, edges, strict=True):
        for cable in wiring.uplinks(host.ports.index):
            sketch.line(End(id=box.id, side="s"), End(id=cable.one, side="n"), THIN)
    for cable in wiring.trunks():
        sketch.line(End(id=cable.one, side="e"), End(id=cable.other, side="w"), THIN)
