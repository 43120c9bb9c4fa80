"""The charts of a page: each SVG made smaller and put into the page, light and dark.  Pure.

matplotlib draws each letter as a path.  All charts of a page share the paths of their letters, and
each colour is a CSS variable, so that a page can replace it on a dark ground.  The title and the
footer of a chart are cut off: the page has them as text, which a telephone shows large enough.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from xml.etree.ElementTree import Element, fromstring

from experiments.show.pages.dark import dark

COLOUR = re.compile(r"#[0-9a-f]{6}\b")
BLACK = "#000000"  # matplotlib names no colour for it
# Comments, and what XML cannot have: a name in a run may have any character.
UNREAD = re.compile(r"<!--.*?-->|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+")
LINK = re.compile(r"url\(#([^)]+)\)")
HREF = "{http://www.w3.org/1999/xlink}href"
PLACED = re.compile(r"translate\((\S+) (\S+)\) scale\((\S+) \S+\)")
SPACE = re.compile(r"\s*([A-DF-Za-df-z])\s*")  # around each command; an E belongs to a number
ALONG = re.compile(r"translate\((\S+) 0\)$")
GLYPH = re.compile(r"DejaVu|[A-Z]\w*-[0-9a-f]+$")
UNUSED = {"metadata", "style", "title"}
EM = 100  # the size of a letter before it is scaled
GAP = 4.0  # points left above and below what is not cut off


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of one page."""

    drawn: Mapping[str, str]  # <svg> elements, by the names of the charts
    letters: str  # <path> elements, used by all of them
    styles: Mapping[str, str]  # declarations of CSS, by the class
    colours: Mapping[str, tuple[str, str]]  # on white and on dark, by the name of the variable


def charts(figures: Mapping[str, str], labels: Mapping[str, str]) -> Charts:
    """The charts of a page.

    Args:
        figures: SVG texts as matplotlib writes them, by any names.
        labels: their descriptions for readers who cannot see them, by the same names.
    """
    shared = _Shared()
    drawn = {
        name: _Writer(f"f{number}.", shared).svg(text, labels.get(name, ""))
        for number, (name, text) in enumerate(figures.items())
    }
    return Charts(
        drawn=drawn,
        letters="".join(shared.letters.values()),
        styles={name: style for style, name in shared.styles.items()},
        colours={_variable(each): (each, dark(each)) for each in sorted(shared.colours)},
    )


class _Shared:
    """What all charts of a page have in common."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}  # of letters, by matplotlib's; no other id has a dot
        self.letters: dict[str, str] = {}  # by id
        self.styles: dict[str, str] = {}  # classes, by declarations
        self.colours = {BLACK}

    def letter(self, name: str) -> str:
        """The id of a letter on the page."""
        return self.ids.setdefault(name, f"l.{len(self.ids)}")

    def style(self, style: str) -> str:
        """The class of a style."""
        self.colours |= {*COLOUR.findall(style)}
        coloured = COLOUR.sub(lambda match: f"var({_variable(match[0])})", style)
        declared = ";".join(part.replace(": ", ":").strip() for part in coloured.split(";"))
        return self.styles.setdefault(declared, f"s{len(self.styles)}")


class _Writer:
    """Writes one chart."""

    def __init__(self, prefix: str, shared: _Shared) -> None:
        self.prefix = prefix
        self.shared = shared
        self.wanted: set[str] = set()  # ids that the chart links to

    def svg(self, text: str, label: str) -> str:
        root = fromstring(UNREAD.sub("", text))  # noqa: S314, matplotlib wrote it a moment ago
        _, _, width, height = map(float, root.get("viewBox", "0 0 374 374").split())
        top, bottom = _cut(root, height)
        for each in root.iter():
            self.wanted |= {*LINK.findall(each.get("clip-path", "")), each.get(HREF, "#")[1:]}
        inside = "".join(map(self._element, root))
        box = f"0 {top:g} {width:g} {bottom - top:g}"
        shown = f'width="{round(width * 4 / 3)}" height="{round((bottom - top) * 4 / 3)}"'
        return (
            f'<svg role="img" aria-label="{escape(label)}" {shown} viewBox="{box}">{inside}</svg>'
        )

    def _element(self, element: Element) -> str:
        tag = element.tag.rpartition("}")[2]
        name = element.get("id", "")
        if tag in UNUSED or name in {"title", "warning", "footer"} or _is_ground(element, name):
            return ""
        if tag == "path" and GLYPH.match(name):
            self._keep(name, element)
            return ""
        inside = "".join(map(self._element, element))
        attributes = self._attributes(element)
        if (tag == "g" and not attributes) or (tag in {"g", "defs"} and not inside):
            return inside
        said = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
        return f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>"

    def _keep(self, name: str, element: Element) -> None:
        """A letter, with the scale that matplotlib gives it."""
        at, scale = self.shared.letter(name), element.get("transform", "")
        outline = _outline(element.get("d", ""), places=0)
        self.shared.letters[at] = f'<path id="{at}" d="{outline}" transform="{scale}"/>'

    def _attributes(self, element: Element) -> dict[str, str]:
        found = {}
        for key, value in element.attrib.items():
            if key == HREF:  # to a part of the chart; dots may be an image in place
                found["href"] = f"#{self._id(value[1:])}" if value[0] == "#" else value
            elif key == "id":
                found |= {"id": self._id(value)} if value in self.wanted else {}
            elif key == "style":
                found["class"] = self.shared.style(value)
            elif key == "clip-path":
                found[key] = LINK.sub(lambda match: f"url(#{self._id(match[1])})", value)
            elif key == "transform" and element.get(HREF) and (along := ALONG.match(value)):
                found["x"] = _short(along[1])
            else:
                found[key] = _outline(value) if key == "d" else _short(value)
        return found

    def _id(self, name: str) -> str:
        return self.shared.letter(name) if GLYPH.match(name) else self.prefix + name


def _variable(colour: str) -> str:
    return f"--{colour[1:]}"


def _is_ground(element: Element, name: str) -> bool:
    """True for the white area that matplotlib draws below a whole figure."""
    return name == "patch_1" and "fill: #ffffff" in "".join(
        each.get("style", "") for each in element
    )


def _short(text: str, places: int = 2) -> str:
    """The text with few digits in its numbers."""
    return NUMBER.sub(lambda match: f"{round(float(match[0]), places):g}", text)


def _outline(path: str, places: int = 2) -> str:
    """A path with few digits, and without needless space."""
    return SPACE.sub(r"\1", _short(path, places)).strip()


def _cut(root: Element, height: float) -> tuple[float, float]:
    """The top and the bottom of a chart without its title, warning and footer."""
    above = [y for name in ("title", "warning") for y, _ in _lines(root, name)]
    below = [y - size for y, size in _lines(root, "footer")]
    return (
        min(max(above) + GAP, height / 2) if above else 0.0,
        max(min(below) - GAP, height / 2) if below else height,
    )


def _lines(root: Element, name: str) -> list[tuple[float, float]]:
    """The base line and the size of each line of a text [points]."""
    return [
        (float(placed[2]), float(placed[3]) * EM)
        for group in root.iter()
        if group.get("id") == name
        for each in group.iter()
        if (placed := PLACED.match(each.get("transform", "")))
    ]
