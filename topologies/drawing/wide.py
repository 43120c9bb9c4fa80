"""Many hosts in two columns, and between them what they have in common.  Pure.

Lines to a common box go to a bus, a vertical line that all hosts of a column share, so that 16 hosts
with 120 tunnels need 16 short lines and two buses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from topologies.drawing.common_boxes import (
    ADDRESSES_MOST,
    cores,
    edge,
    overlays,
    physical_networks,
    switch,
)
from topologies.drawing.dot import Box, End
from topologies.drawing.host_boxes import THIN, HostBoxes, Place, Tap
from topologies.drawing.metrics import height_of
from topologies.drawing.sketch import MARGIN, STACK, TITLE, Sketch, stack_height, widest
from topologies.plan.underlays import Wiring

COLUMN_GAP, FRAME_GAP = 34, 14
BUS_GAP = 15  # between buses
ROUTER_GAP = 46  # between columns of routers


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of a host's three columns: servers, br-int, and the outer bridges."""

    servers: float
    inner: float
    outer: float

    @property
    def frame(self) -> float:
        """The width of a host's frame."""
        gap = COLUMN_GAP if self.servers else 0
        return self.servers + gap + self.inner + COLUMN_GAP + self.outer + 2 * MARGIN


@dataclass(frozen=True, slots=True)
class Half:
    """One column of hosts: to the left of what they have in common (`way` 1), or to the right (-1).

    `edge` is the x of its frames' inner border.
    """

    hosts: Sequence[HostBoxes]
    way: int
    edge: float

    @property
    def sides(self) -> tuple[str, str]:
        """The sides of boxes that look inwards, and outwards."""
        return ("e", "w") if self.way > 0 else ("w", "e")


def draw_wide(sketch: Sketch, overlay: Overlay, hosts: Sequence[HostBoxes]) -> None:
    """Place everything and draw the lines."""
    columns = Columns(
        widest(box for host in hosts for box in host.servers),
        widest(box for host in hosts for box in host.inner),
        widest(box for host in hosts for box in _outer(host)),
    )
    is_routed, is_listed = overlay.underlay.shape.is_routed, len(hosts) <= ADDRESSES_MOST
    edges = [edge(overlay, host, is_listed=is_listed) for host in hosts] if is_routed else []
    inner = [*cores(overlay, hosts, is_listed=is_listed)] if is_routed else [switch(overlay)]
    common = [*overlays(overlay, hosts), *physical_networks(overlay, hosts)]
    buses = [box.id for box in common] + ([] if is_routed else [UNDERLAY])
    channel = BUS_GAP * (len(buses) + 1) + (widest(edges) + 2 * ROUTER_GAP if is_routed else 0)
    middle_width = widest((*common, *inner))
    far = 2 * channel + middle_width
    count = (len(hosts) + 1) // 2
    halves = (Half(hosts[:count], 1, 0), Half(hosts[count:], -1, far))
    tall = max(_half_height(half) for half in halves)
    for half in halves:
        _hosts(sketch, half, columns, (tall - _half_height(half)) / 2)
    _middle(sketch, common, inner, far / 2, tall, is_routed=is_routed)
    for half in halves:
        _buses(sketch, half, buses)
        if is_routed:
            _routers(
                sketch, overlay, half, edges[:count] if half.way > 0 else edges[count:], len(buses)
            )
    for cable in Wiring(overlay.underlay).trunks() if is_routed else ():
        sketch.line(End(id=cable.one, side="s"), End(id=cable.other, side="n"), THIN)


def _height(host: HostBoxes) -> float:
    """The height of a host's frame."""
    stacks = (host.servers, host.inner, _outer(host))
    return TITLE + max(map(stack_height, stacks)) + MARGIN


def _outer(host: HostBoxes) -> tuple[Box, ...]:
    """The outer bridges, the VTEP's device next to br-tun, which is the first if there is one."""
    return (*host.outer[:1], host.vtep, *host.outer[1:])


def _half_height(half: Half) -> float:
    return sum(_height(host) for host in half.hosts) + FRAME_GAP * max(0, len(half.hosts) - 1)


def _hosts(sketch: Sketch, half: Half, columns: Columns, top: float) -> None:
    """Place the boxes and frames of a column of hosts, and their inner lines."""
    outer = half.edge - half.way * (MARGIN + columns.outer / 2)
    inner = outer - half.way * ((columns.outer + columns.inner) / 2 + COLUMN_GAP)
    servers = inner - half.way * ((columns.inner + columns.servers) / 2 + COLUMN_GAP)
    towards, away = half.sides
    for host in half.hosts:
        height = _height(host)
        middle = half.edge - half.way * columns.frame / 2
        sketch.frame(host.host.name, host.title, middle, top, (columns.frame, height))
        sketch.stack(host.servers, servers, top + TITLE, columns.servers)
        sketch.stack(host.inner, inner, top + TITLE, columns.inner)
        sketch.stack(_outer(host), outer, top + TITLE, columns.outer)
        for wire in host.wires():
            one, other = wire.outer, wire.inner
            sketch.line(
                End(id=one.box, row=one.row, side=towards),
                End(id=other.box, row=other.row, side=away),
                wire.stroke,
            )
        if host.routed:
            sketch.line(
                End(id=host.routed.outer.box, side="s"),
                End(id=host.routed.inner.box, side="n"),
                host.routed.stroke,
            )
        top += height + FRAME_GAP


def _middle(
    sketch: Sketch,
    common: Sequence[Box],
    inner: Sequence[Box],
    x: float,
    tall: float,
    *,
    is_routed: bool,
) -> None:
    """Place the common boxes; routers below them, beside the hosts."""
    if not is_routed:
        boxes = (*common, *inner)
        sketch.stack(boxes, x, (tall - stack_height(boxes)) / 2, widest(boxes))
        return
    sketch.stack(inner, x, max(0, (tall - stack_height(inner)) / 2), widest(inner))
    sketch.stack(common, x, -stack_height(common) - STACK, widest(common))


def _buses(sketch: Sketch, half: Half, targets: Sequence[str]) -> None:
    """The lines of a column of hosts to what they have in common."""
    taps = [tap for host in half.hosts for tap in host.taps()]
    if UNDERLAY in targets:
        taps += [Tap(Place(host.vtep.id), UNDERLAY) for host in half.hosts]
    towards, away = half.sides
    for number, target in enumerate(targets):
        ends = [tap for tap in taps if tap.target == target]
        if not ends:
            continue
        x, stroke = half.edge + half.way * BUS_GAP * (number + 1), ends[0].stroke
        levels = {sketch.y_of(target, None): End(id=target, side=away)}
        stops: list[tuple[float, str]] = []
        for tap in ends:
            y = sketch.y_of(tap.place.box, tap.place.row)
            spot = sketch.spot(x, y)
            stops.append((y, spot))
            end = End(id=tap.place.box, row=tap.place.row, side=towards)
            sketch.line(end, End(id=spot), stroke)
        for y, end in levels.items():
            spot = sketch.spot(x, y)
            stops.append((y, spot))
            sketch.line(End(id=spot), end, stroke)
        stops.sort()
        sketch.line(End(id=stops[0][1]), End(id=stops[-1][1]), stroke)


def _routers(
    sketch: Sketch, overlay: Overlay, half: Half, edges: Sequence[Box], buses: int
) -> None:
    """The edge router of each host, beside it, and its cables to the routers in the middle."""
    wiring = Wiring(overlay.underlay)
    towards, away = half.sides
    x = half.edge + half.way * (BUS_GAP * (buses + 1) + ROUTER_GAP + widest(edges) / 2)
    for host, box in zip(half.hosts, edges, strict=True):
        y = sketch.y_of(host.vtep.id, None)
        sketch.put(box, x, y - height_of(box) / 2 + height_of(host.vtep) / 2, widest(edges))
        spot = sketch.spot(x - half.way * widest(edges) / 2, y)
        sketch.line(End(id=host.vtep.id, side=towards), End(id=spot), THIN)
        for cable in wiring.uplinks(host.ports.index):
            sketch.cable(box.id, cable.one, (towards, away), THIN)
