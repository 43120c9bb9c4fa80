"""The colours of networks and the strokes of encapsulations.

The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people who see
colours differently can tell apart: sky blue and orange darker, so that all have a contrast of 3 to white, and
without black, which is for ink, and yellow.
"""

from collections.abc import Iterable
from itertools import cycle

from controller.model.encap import NetworkType
from controller.model.parts import Network
from topologies.drawing.dot import Dash, Stroke

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#3a9bdc", "#c07f00", "#5b3a8c", "#7a7a00")
NAMES = ("blue", "red", "green", "pink", "sky", "orange", "purple", "olive")
NAMED = dict(zip(NAMES, COLOURS, strict=True))
TUNNEL = "#3d4248"
STROKES = {
    NetworkType.VXLAN: Stroke(colour=TUNNEL, width=2.5),
    NetworkType.GRE: Stroke(colour=TUNNEL, width=2.5, dash=Dash.DASHED),
    NetworkType.GENEVE: Stroke(colour=TUNNEL, width=2.5, dash=Dash.DOTTED),
}


def colours_of(networks: Iterable[Network]) -> dict[str, str]:
    """A colour for each network, by its id; with more than eight networks colours come again.

    A network that is called `red` is red.
    """
    listed = tuple(networks)
    fixed = {network.id: NAMED[network.name] for network in listed if network.name in NAMED}
    free = cycle([colour for colour in COLOURS if colour not in fixed.values()] or COLOURS)
    return {network.id: fixed.get(network.id) or next(free) for network in listed}
