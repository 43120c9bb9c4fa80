"""How large texts and boxes are, so that places can be computed without Graphviz.  Pure."""

from topologies.drawing.dot import (
    KEY_PT,
    PADDING,
    ROW,
    SMALL_PT,
    TEXT_PT,
    TITLE_PT,
    Box,
    Look,
    Row,
)

# Widths of the characters 32 to 126 in Helvetica, in 1/1000 of the font's size (Adobe's
# Helvetica.afm); those of Arial and Liberation Sans are the same.
WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
OTHER = 1000  # of all other characters: as wide as the widest
BOLD = 1.08
NAME_MOST = 40  # characters of a name in a box


def shortened(name: str, most: int = NAME_MOST) -> str:
    """A name that fits; the end of a longer one is left out."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def text_width(text: str, size: float) -> float:
    """The width of a text [points]."""
    known = range(32, 32 + len(WIDTHS))
    total = sum(WIDTHS[ord(char) - 32] if ord(char) in known else OTHER for char in text)
    return total * size / 1000


def width_of(box: Box) -> float:
    """The width of a box [points]."""
    if box.look is Look.TITLE:
        rows = (text_width(row.text, KEY_PT) + 22 for row in box.rows)
        return max((text_width(box.heading, TITLE_PT) * BOLD, *rows)) + 8
    if box.look is Look.BARE:
        heading = text_width(box.heading, TEXT_PT) * BOLD
        return heading + sum(text_width(f"  {row.text}", SMALL_PT) for row in box.rows)
    rows = (_row_width(row) for row in box.rows)
    return max((text_width(box.heading, TEXT_PT) * BOLD, *rows)) + 2 * PADDING + 6


def _row_width(row: Row) -> float:
    mark = 10 if row.colour else 0
    return text_width(row.text, SMALL_PT if row.is_muted else TEXT_PT) + mark


def height_of(box: Box) -> float:
    """The height of a box [points]."""
    if box.look is Look.TITLE:
        return ROW + 4 + 3 + (ROW - 1) * len(box.rows) + 6
    if box.look is Look.BARE:
        return ROW
    return (1 + len(box.rows)) * ROW + (4 if box.colour else 2)


def row_y(box: Box, row: int) -> float:
    """The middle of a row, from the middle of the box [points, down]."""
    return (1 + row + 0.5 - (1 + len(box.rows)) / 2) * ROW
