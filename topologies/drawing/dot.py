"""A drawing as a value, boxes with their places and lines between them, and as text in the DOT language.

Boxes are HTML-like tables (https://graphviz.org/doc/info/shapes.html#html).  Every text is escaped
here, so that a name may contain anything.  Lengths are points, 1/72 inch; x goes to the right, y down.
"""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from controller.system.files import printable

FONT = "Helvetica,Arial,sans-serif"  # metrics.py has its widths
TITLE_PT, KEY_PT, TEXT_PT, SMALL_PT = 15, 12, 11, 10
ROW, PADDING = 22, 3  # height of a row, and the space around its text
MARK = "\N{BLACK SQUARE}"  # of a row
INK, MUTED, LINE = "#1d2024", "#5a6068", "#6b7279"
PAPER, FRAME, FRAME_LINE, HEADING = "#ffffff", "#f3f5f8", "#b4bbc4", "#e1e6ec"
HEADER = "header"  # the id of the title and the key


class Dash(str, Enum):
    """How a line is drawn."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"


class Look(str, Enum):
    """How a box is drawn."""

    SWITCH = "switch"  # a table with a heading
    ROUND = "round"  # round corners: a server, an overlay
    BARE = "bare"  # text only, the heading in bold and the rows after it in one line
    TITLE = "title"  # text only, with a large first line


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a box; `colour` marks it with a square."""

    text: str
    colour: str = ""
    is_muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One node of the drawing; `colour` is that of its border, empty: a thin grey one."""

    id: str
    heading: str
    rows: tuple[Row, ...] = ()
    colour: str = ""
    look: Look = Look.SWITCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A box and the place of its centre; `width`: at least this wide."""

    box: Box
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame behind the boxes of a host, by its centre."""

    id: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """An invisible point where lines meet."""

    id: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a line: a box or spot, and there a row (from 0) if given; `side` is n, e, s or w."""

    id: str
    row: int | None = None
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """How a line looks."""

    colour: str = LINE
    dash: Dash = Dash.SOLID
    width: float = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line between two ends."""

    one: End
    other: End
    stroke: Stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All of it, in the order of drawing: frames, boxes, lines."""

    title: str
    frames: tuple[Frame, ...]
    boxes: tuple[Placed, ...]
    spots: tuple[Spot, ...]
    lines: tuple[Line, ...]


def as_dot(drawing: Drawing) -> str:
    """The drawing in the DOT language, with a newline at its end.

    `dot`, which reads `layout` in it, and `neato -n` draw it alike; the latter is faster.
    """
    return "\n".join((*_lines(drawing), ""))


def _lines(drawing: Drawing) -> Iterator[str]:
    font = f'fontname="{FONT}" fontcolor="{INK}"'
    yield f"digraph {_quoted(drawing.title)} {{"
    yield (
        f'  graph [layout=neato inputscale=72 charset="UTF-8" splines=line outputorder=nodesfirst pad=0.15 '
        f'bgcolor="{PAPER}" {font}]'
    )
    yield f"  node [shape=plain fontsize={TEXT_PT} {font}]"
    yield "  edge [arrowhead=none]"
    yield from (f"  {_frame(frame)}" for frame in drawing.frames)
    yield from (f"  {_placed(placed)}" for placed in drawing.boxes)
    for spot in drawing.spots:
        yield (
            f"  {_quoted(spot.id)} [{_at(spot.x, spot.y)} shape=point style=invis "
            'width=0 height=0 label=""]'
        )
    yield from (f"  {_line(line)}" for line in drawing.lines)
    yield "}"


def _at(x: float, y: float) -> str:
    return f'pos="{x:.1f},{0 - y:.1f}!"'


def _frame(frame: Frame) -> str:
    return (
        f"{_quoted(frame.id)} [{_at(frame.x, frame.y)} id={_quoted(frame.id)} shape=box "
        f'style="rounded,filled" color="{FRAME_LINE}" fillcolor="{FRAME}" fixedsize=true '
        f'width={frame.width / 72:.3f} height={frame.height / 72:.3f} label=""]'
    )


def _placed(placed: Placed) -> str:
    box = placed.box
    return (
        f"{_quoted(box.id)} [{_at(placed.x, placed.y)} id={_quoted(box.id)} "
        f"label={_label(box, placed.width)}]"
    )


def _label(box: Box, width: float) -> str:
    if box.look is Look.TITLE:
        return _title(box)
    if box.look is Look.BARE:
        return _bare(box)
    has_rules = box.look is Look.SWITCH
    ground, sides = (
        (_ground(HEADING), f' border="1" sides="T" color="{FRAME_LINE}"') if has_rules else ("", "")
    )
    align = "left" if has_rules else "center"
    size = f'width="{width - 2:.0f}" height="{ROW}"'
    rows = [f"<tr><td {size}{ground}><b>{_text(box.heading)}</b></td></tr>"]
    rows += [_row(at, row, sides, align) for at, row in enumerate(box.rows)]
    style = ' style="rounded"' if box.look is Look.ROUND else ""
    frame = f'border="{2 if box.colour else 1}" color="{box.colour or LINE}"{style}{_ground(PAPER)}'
    return _table(f'{frame} cellborder="0" cellspacing="0" cellpadding="{PADDING}"', rows)


def _bare(box: Box) -> str:
    words = [f"<b>{_text(box.heading)}</b>"] if box.heading else []
    words += [_muted(_text(row.text)) for row in box.rows]
    return f"<{'&#160;&#160;'.join(words)}>"


def _muted(text: str) -> str:
    return f'<font color="{MUTED}" point-size="{SMALL_PT}">{text}</font>'


def _title(box: Box) -> str:
    heading = f'<font point-size="{TITLE_PT}"><b>{_text(box.heading)}</b></font>'
    rows = [f'<tr><td colspan="2" align="left" height="{ROW + 4}">{heading}</td></tr>']
    is_key = any(row.colour for row in box.rows)
    for row in box.rows:
        swatch = f'<td width="16" height="12" fixedsize="true"{_ground(row.colour)}></td>'
        text = f'<font point-size="{KEY_PT}">{_text(row.text)}</font>'
        span, mark = ("", swatch) if is_key else (' colspan="2"', "")
        rows.append(f'<tr>{mark}<td{span} align="left" height="{ROW - 4}">{text}</td></tr>')
    return _table('border="0" cellborder="0" cellspacing="3" cellpadding="0"', rows)


def _row(at: int, row: Row, sides: str, align: str) -> str:
    text = _text(row.text) or " "
    if row.is_muted:
        text = _muted(text)
    if row.colour:
        text = f'<font color="{row.colour}">{MARK}</font>&#160;{text}'
    return f'<tr><td port="r{at}" height="{ROW}" align="{align}"{sides}>{text}</td></tr>'


def _ground(colour: str) -> str:
    return f' bgcolor="{colour}"' if colour else ""


def _table(attributes: str, rows: Iterable[str]) -> str:
    return f"<<table {attributes}>{''.join(rows)}</table>>"


def _line(line: Line) -> str:
    stroke = line.stroke
    return (
        f'{_end(line.one)} -> {_end(line.other)} [color="{stroke.colour}" '
        f"style={stroke.dash.value} penwidth={stroke.width:g}]"
    )


def _end(end: End) -> str:
    row = "" if end.row is None else f'"r{end.row}"'
    return ":".join(filter(None, (_quoted(end.id), row, end.side)))


def _text(text: str) -> str:
    r"""Text within an HTML-like label, where Graphviz reads `\N` as the node's name and `\\` as `\`."""
    return html.escape(printable(text)).replace("\\", "\\\\")


def _quoted(text: str) -> str:
    """A quoted string: the lexer ends it at a quote, and labels have escapes of their own."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
