"""docs/images/article-lab.svg, which README.md shows, is what `make drawing` would draw."""

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.topologies.drawing.drawn import SVG, drawing, svg_of, texts

FILE = Path(__file__).resolve().parents[3] / "docs" / "images" / "article-lab.svg"


def parts(svg):
    """Every box and line by its title; not their places, which differ between releases and fonts."""
    return [each.findtext(f"{SVG}title") for each in svg.iter(f"{SVG}g")]


def test_the_drawing_in_the_readme_is_current():
    committed, now = ET.parse(FILE).getroot(), svg_of(drawing("article"))  # noqa: S314  our own

    assert texts(committed) == texts(now)
    assert parts(committed) == parts(now)
    assert "VXLAN tunnel" in texts(now)
