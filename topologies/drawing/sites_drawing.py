"""The drawing of two sites with a GRE tunnel between them, across the routers of an internet.  Pure."""

from collections.abc import Iterator
from itertools import pairwise

from controller.model.sites import ETH, LAN, TUNNEL, WAN, Site, Sites, Snat
from controller.model.wording import counted
from topologies.drawing.dot import HEADER, Box, Dash, Drawing, End, Look, Row, Stroke
from topologies.drawing.host_boxes import THIN
from topologies.drawing.metrics import height_of, width_of
from topologies.drawing.palette import COLOURS
from topologies.drawing.palette import TUNNEL as TUNNEL_INK
from topologies.drawing.sketch import MARGIN, TITLE, Sketch, stack_height, widest
from topologies.plan.sites_plan import core_wire

GAP = 40
LAN_ROW, TUNNEL_ROW, WAN_ROW = 0, 1, 2  # of an edge router
SNATS = {
    Snat.TUNNEL: "source NAT into the tunnel",
    Snat.LAN: "source NAT out of the tunnel",
    Snat.NONE: "no NAT",
}
GRE = Stroke(colour=TUNNEL_INK, width=2.5, dash=Dash.DASHED)


def draw_sites(sites: Sites) -> Drawing:
    """The drawing of two sites, side by side."""
    sketch = Sketch()
    edge = _site(sketch, sites.near, COLOURS[0], 0, 1)
    transits = [_transit(sites, name, at) for at, name in enumerate(sites.routers)]
    middle = sum(map(width_of, transits)) + GAP * (len(transits) + 1)
    top = sketch.y_of(sites.near.router, TUNNEL_ROW) + GAP
    _site(sketch, sites.far, COLOURS[1], edge + middle, -1)
    left = edge + GAP
    for box in transits:
        sketch.put(box, left + width_of(box) / 2, top + height_of(box) / 2)
        left += width_of(box) + GAP
    _attacker(sketch, sites)
    for site, transit, sides in (
        (sites.near, sites.routers[0], ("e", "w")),
        (sites.far, sites.routers[-1], ("w", "e")),
    ):
        row = sketch.row_to(transit, site.router)
        wan = End(id=site.router, row=WAN_ROW, side=sides[0])
        sketch.line(wan, End(id=transit, row=row, side=sides[1]), THIN)
    for one, other in pairwise(sites.routers):
        sketch.cable(one, other, ("e", "w"), THIN)
    _tunnel(sketch, sites, edge + middle / 2)
    return sketch.finished(_header(sites))


def _site(sketch: Sketch, site: Site, colour: str, x: float, way: int) -> float:
    """A site in its frame, whose border towards the other site is at the returned x.

    `x` is the frame's left border.
    """
    stations = [
        Box(
            id=station.name,
            heading=station.name,
            rows=(Row(text=str(station.ip)),),
            colour=colour,
            look=Look.ROUND,
        )
        for station in site.stations
    ]
    lan = Box(id=site.switch, heading=site.switch, rows=(Row(text=f"Ethernet, {site.lan}"),))
    router = Box(id=site.router, heading=site.router, rows=tuple(_edge_rows(site)))
    widths = (widest(stations), width_of(lan), width_of(router))
    width = sum(widths) + 2 * GAP + 2 * MARGIN
    height = max(stack_height(stations), height_of(router)) + TITLE + MARGIN
    title = Box(id=f"{site.name}/title", heading=site.name, look=Look.BARE)
    sketch.frame(site.name, title, x + width / 2, -TITLE, (width, height))
    middle, outer = height / 2 - TITLE / 2 - MARGIN / 2, x if way > 0 else x + width
    outer += way * MARGIN
    sketch.stack(
        stations, outer + way * widths[0] / 2, middle - stack_height(stations) / 2, widths[0]
    )
    sketch.put(lan, outer + way * (widths[0] + GAP + widths[1] / 2), middle)
    sketch.put(router, outer + way * (widths[0] + widths[1] + 2 * GAP + widths[2] / 2), middle)
    towards, away = ("e", "w") if way > 0 else ("w", "e")
    for station in site.stations:
        stroke = Stroke(colour=colour, width=2.5)
        sketch.line(End(id=station.name, side=towards), End(id=lan.id, side=away), stroke)
    sketch.line(End(id=lan.id, side=towards), End(id=router.id, row=LAN_ROW, side=away), THIN)
    return x + width


def _edge_rows(site: Site) -> Iterator[Row]:
    yield Row(text=f"{LAN}: {site.gateway_ip}/{site.lan.prefixlen}")
    yield Row(text=f"{TUNNEL}: {site.tunnel_ip}/30")
    yield Row(text=f"{WAN}: {site.public_ip}/{site.uplink.prefixlen}")
    yield Row(text=SNATS[site.snat], is_muted=True)


def _transit(sites: Sites, name: str, at: int) -> Box:
    """A router of the internet, with an address on each of its wires."""
    last = len(sites.routers) - 1
    rows = []
    for site, place in ((sites.near, 0), (sites.far, last)):
        if at == place:
            rows.append(f"{site.router}: {site.provider_ip}/{site.uplink.prefixlen}")
    for wire, end in ((at - 1, 1), (at, 0)):
        if 0 <= wire < last:
            network, neighbour = core_wire(wire), sites.routers[wire + 1 - end]
            rows.append(f"{neighbour}: {list(network.hosts())[end]}/{network.prefixlen}")
    if name == sites.attacker.router:
        attacker = sites.attacker
        rows.append(f"{attacker.name}: {attacker.gateway_ip}/{attacker.network.prefixlen}")
    return Box(id=name, heading=name, rows=tuple(Row(text=row) for row in rows))


def _attacker(sketch: Sketch, sites: Sites) -> None:
    """The attacker, below its router."""
    attacker = sites.attacker
    row = Row(text=f"{ETH}: {attacker.ip}/{attacker.network.prefixlen}")
    box = Box(id=attacker.name, heading=attacker.name, rows=(row,), look=Look.ROUND)
    router = sketch.placed[attacker.router]
    below = router.y + height_of(router.box) / 2
    sketch.put(box, router.x, below + GAP + height_of(box) / 2)
    sketch.line(End(id=attacker.router, side="s"), End(id=attacker.name, side="n"), THIN)


def _tunnel(sketch: Sketch, sites: Sites, x: float) -> None:
    """The tunnel from router to router, with its name above it."""
    near, far = sites.near.router, sites.far.router
    sketch.line(End(id=near, row=TUNNEL_ROW, side="e"), End(id=far, row=TUNNEL_ROW, side="w"), GRE)
    y = (sketch.y_of(near, TUNNEL_ROW) + sketch.y_of(far, TUNNEL_ROW)) / 2
    row = Row(text=f"GRE tunnel, MTU {sites.tunnel_mtu}", is_muted=True)
    sketch.put(Box(id="tunnel", heading="", rows=(row,), look=Look.BARE), x, y - 9)


def _header(sites: Sites) -> Box:
    machines = counted(len(sites.stations), "machine")
    routers = counted(len(sites.routers), "router")
    text = f"underlay: {routers} between the sites, MTU {sites.underlay_mtu}"
    heading = f"{sites.name}: 2 sites, {machines}, a GRE tunnel"
    return Box(id=HEADER, heading=heading, rows=(Row(text=text),), look=Look.TITLE)
