"""The drawing of an overlay: its hosts with bridges and servers, the tunnels, the underlay.  Pure."""

from collections.abc import Sequence

from controller.model.overlay import Overlay
from topologies.drawing.common_boxes import header
from topologies.drawing.dot import Drawing
from topologies.drawing.host_boxes import HostBoxes
from topologies.drawing.palette import colours_of
from topologies.drawing.ports import HostPorts
from topologies.drawing.sketch import Sketch
from topologies.drawing.tall import draw_tall, fits
from topologies.drawing.wide import draw_wide

LISTED_MOST = 4  # hosts whose tunnel ports are listed one by one


def draw_overlay(overlay: Overlay, ports: Sequence[HostPorts]) -> Drawing:
    """The drawing of hosts with these ports, which are all or some of the overlay's.

    Up to two stand side by side, and each tunnel between them is a line.  More stand in two columns,
    and the tunnels of an encapsulation are one box with their number.
    """
    colours = colours_of(overlay.networks)
    is_grouped = len(ports) > LISTED_MOST
    hosts = [HostBoxes(overlay, each, colours, is_grouped) for each in ports]
    sketch = Sketch()
    draw = draw_tall if fits(hosts) else draw_wide
    draw(sketch, overlay, hosts)
    return sketch.finished(header(overlay, hosts, colours))
