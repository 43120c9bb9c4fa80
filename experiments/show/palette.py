"""The colours of every chart: named inks, a colour for each family and each mode.

A chart uses no other colour.  Inks have values of their own, so that a page can replace them inside
an SVG on a dark ground; families and modes are readable on white and on #14171a (contrast 3:1).
"""

from collections.abc import Sequence
from itertools import cycle

INK = "#222222"  # titles, values
MUTED = "#6b7078"  # footers, ticks, notes
GRID = "#e4e6e8"  # grid lines
GROUND = "#ffffff"  # the inside of boxes and hollow marks
PREDICTED = "#b9c0c8"  # predictions: a faint line or area behind what was measured
GOOD, BAD = "#1d8a5f", "#c8443c"  # passes, matches; is dropped, does not match

OVS, KERNEL, UNTUNNELLED = "OVS tunnels", "kernel VXLAN", "untunnelled"
FAMILIES = {OVS: "#2277bb", KERNEL: "#c8641e", UNTUNNELLED: "#7d838b"}
MODES = {
    # from dark to light: mesh, l2pop, l2pop-arp
    "gre-mesh": "#1c6cae",
    "gre-l2pop": "#3387cf",
    "gre-l2pop-arp": "#4a97dc",
    "vxlan-mesh": "#0b7d79",
    "vxlan-l2pop": "#159490",
    "vxlan-l2pop-arp": "#24a39d",
    "geneve-mesh": "#6658c0",
    "geneve-l2pop": "#7f72d4",
    "geneve-l2pop-arp": "#9489e0",
    "kvxlan-mesh": "#b4530f",
    "kvxlan-l2pop": "#c8641e",
    "kvxlan-multicast": "#d67c35",
    # encapsulations, whatever the flooding
    "gre": "#1c6cae",
    "vxlan": "#0b7d79",
    "geneve": "#6658c0",
    "kvxlan": "#b4530f",
    # ways of flooding, whatever the encapsulation
    "mesh": "#c23b5e",
    "l2pop": "#2277bb",
    "l2pop-arp": "#8a5fc0",
    "multicast": "#b4760a",
    # without a tunnel
    "vlan": "#9a7b4f",
    **dict.fromkeys(("flat", "local", "veth", "same-host", "vtep"), FAMILIES[UNTUNNELLED]),
}
TUNNELS = ("gre", "vxlan", "geneve")
FLOODINGS = ("mesh", "l2pop", "l2pop-arp", "multicast")  # of each network's own type
OTHERS = ("#a8527f", "#5c8a1e", "#c2702c", "#5b74c9")  # of names that are no modes


def family(mode: str) -> str:
    """The family of a mode: OVS, KERNEL or UNTUNNELLED."""
    encapsulation = mode.partition("-")[0]
    if encapsulation == "kvxlan":
        return KERNEL
    return OVS if encapsulation in TUNNELS or mode in FLOODINGS else UNTUNNELLED


def colour(mode: str) -> str:
    """The colour of a mode, an encapsulation, a way of flooding or a family; else the first other."""
    return colours([mode])[mode]


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name; names that are neither modes nor families get others in turn."""
    known = {**FAMILIES, **MODES}
    others = cycle(OTHERS)
    return {name: known.get(name) or next(others) for name in names}
