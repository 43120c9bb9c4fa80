"""Scenarios as drawings, for tests that look at the values or at what Graphviz makes of them."""

import re
import shutil
import xml.etree.ElementTree as ET

import pytest

from controller.model.enlarge import enlarge
from controller.model.modes import parse_mode, with_mode
from controller.model.sites import Sites
from experiments.cli.graph import rendered
from topologies.drawing.dot import as_dot
from topologies.drawing.overlay_drawing import draw_overlay
from topologies.drawing.ports import planned
from topologies.drawing.sites_drawing import draw_sites
from topologies.scenario.load import load

SVG = "{http://www.w3.org/2000/svg}"


def drawing(name, mode=None, hosts=None):
    described = load(name).described
    if isinstance(described, Sites):
        return draw_sites(described)
    overlay = with_mode(described, parse_mode(mode) if mode else None)
    overlay = enlarge(overlay, hosts) if hosts else overlay
    return draw(overlay)


def draw(overlay):
    return draw_overlay(overlay, [planned(overlay, host) for host in overlay.hosts])


def svg_of(drawn):
    """What Graphviz draws, as a tree; `make test` installs it, so that its absence is a failure."""
    if shutil.which("dot") is None:
        pytest.fail("no Graphviz: `apt-get install graphviz` as root, or `make ready-dev`")
    return ET.fromstring(rendered(as_dot(drawn), "svg"))  # noqa: S314  our own


def texts(svg):
    """All texts of a picture, in its order."""
    return [re.sub(r"\s+", " ", "".join(each.itertext())) for each in svg.iter(f"{SVG}text")]


def words(drawn):
    """All texts of a drawing's boxes."""
    return [
        text
        for placed in drawn.boxes
        for text in (placed.box.heading, *(row.text for row in placed.box.rows))
        if text
    ]
