"""A drawing under construction: boxes are placed one by one, lines between them added.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from topologies.drawing.dot import (
    Box,
    Drawing,
    End,
    Frame,
    Line,
    Placed,
    Spot,
    Stroke,
)
from topologies.drawing.metrics import height_of, row_y, width_of

STACK = 10  # between boxes on top of each other
MARGIN, TITLE = 12, 28  # within a frame: at its sides, and for its title


@dataclass(slots=True)
class Sketch:
    """All parts of a drawing so far."""

    frames: list[Frame] = field(default_factory=list)
    placed: dict[str, Placed] = field(default_factory=dict)
    spots: list[Spot] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def put(self, box: Box, x: float, y: float, width: float = 0) -> None:
        """Place a box by its centre."""
        place = Placed(box=box, x=x, y=y, width=max(width, width_of(box)))
        self.placed[box.id] = place

    def frame(self, id_: str, title: Box, x: float, top: float, size: tuple[float, float]) -> None:
        """A frame with its title, by the middle of its upper border."""
        width, height = size
        self.frames.append(Frame(id=id_, x=x, y=top + height / 2, width=width, height=height))
        self.put(title, x - width / 2 + MARGIN + width_of(title) / 2, top + TITLE / 2)

    def stack(self, boxes: Iterable[Box], x: float, top: float, width: float = 0) -> None:
        """Place boxes on top of each other, from `top` down."""
        for box in boxes:
            self.put(box, x, top + height_of(box) / 2, width)
            top += height_of(box) + STACK

    def in_a_row(self, boxes: Sequence[Box], x: float, top: float, gap: float) -> None:
        """Place boxes side by side, around `x`."""
        left = x - row_width(boxes, gap) / 2
        for box in boxes:
            self.put(box, left + width_of(box) / 2, top + height_of(box) / 2)
            left += width_of(box) + gap

    def y_of(self, box: str, row: int | None) -> float:
        """The middle of a box, or of one of its rows."""
        place = self.placed[box]
        return place.y if row is None else place.y + row_y(place.box, row)

    def row_to(self, box: str, neighbour: str) -> int | None:
        """The row of a router's interface to `neighbour`; None if the box lists no such row."""
        rows = enumerate(self.placed[box].box.rows)
        return next((n for n, row in rows if row.text.startswith(f"{neighbour}: ")), None)

    def cable(self, one: str, other: str, sides: tuple[str, str], stroke: Stroke) -> None:
        """A line between the interfaces of two routers."""
        here = End(id=one, row=self.row_to(one, other), side=sides[0])
        self.line(here, End(id=other, row=self.row_to(other, one), side=sides[1]), stroke)

    def line(self, one: End, other: End, stroke: Stroke) -> None:
        self.lines.append(Line(one=one, other=other, stroke=stroke))

    def spot(self, x: float, y: float) -> str:
        """The id of a new point."""
        self.spots.append(Spot(id=f"spot{len(self.spots)}", x=x, y=y))
        return self.spots[-1].id

    def finished(self, header: Box) -> Drawing:
        """The drawing, with its title and key above everything, flush with the left."""
        left = min(
            *(frame.x - frame.width / 2 for frame in self.frames),
            *(place.x - place.width / 2 for place in self.placed.values()),
        )
        top = min(
            *(frame.y - frame.height / 2 for frame in self.frames),
            *(place.y - height_of(place.box) / 2 for place in self.placed.values()),
        )
        self.put(header, left + width_of(header) / 2, top - 10 - height_of(header) / 2)
        return Drawing(
            title=header.heading,
            frames=tuple(self.frames),
            boxes=tuple(self.placed.values()),
            spots=tuple(self.spots),
            lines=tuple(self.lines),
        )


def stack_height(boxes: Sequence[Box]) -> float:
    """The height of boxes on top of each other."""
    return sum(height_of(box) for box in boxes) + STACK * max(0, len(boxes) - 1)


def row_width(boxes: Sequence[Box], gap: float) -> float:
    """The width of boxes side by side."""
    return sum(width_of(box) for box in boxes) + gap * max(0, len(boxes) - 1)


def widest(boxes: Iterable[Box]) -> float:
    """The width of the widest box; 0 without any."""
    return max((width_of(box) for box in boxes), default=0)
