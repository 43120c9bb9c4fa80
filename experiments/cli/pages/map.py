"""The small drawing of a trace: two hosts, the underlay between them, and where copies go.  Pure.

Lengths are those of the SVG, which a screen of 360 pixels shows in their size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.flows.ports import BR_INT, BR_TUN

if TYPE_CHECKING:
    from topologies.trace.course import Course

WIDTH, COLUMN, BOX, BOX_HEIGHT = 328, 154, 132, 28
GAP, TITLE, MARGIN, INSET = 16, 28, 10, 12
BRANCHES_IN_ROW, BRANCH, BRANCH_HEIGHT = 3, 104, 40
LETTERS_WIDE = 6.6  # per letter, of bold text of 12
UNDERLAY = "underlay"
NEAR, FAR = "near", "far"
SERVER = ""  # no bridge has this name


@dataclass(frozen=True, slots=True, kw_only=True)
class MapBox:
    """One box by its upper left corner; `is_unused`: no copy has a use there."""

    id: str
    text: str
    x: float
    y: float
    width: float
    height: float
    kind: str  # server, bridge, underlay or branch
    note: str = ""
    is_unused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLine:
    """A line between two boxes, by its ends."""

    id: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFrame:
    """A host's frame."""

    text: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The whole drawing."""

    width: float
    height: float
    frames: tuple[MapFrame, ...]
    boxes: tuple[MapBox, ...]
    lines: tuple[MapLine, ...]


def place_id(end: str, name: str) -> str:
    """The id of a server or bridge: `near:br-int`."""
    return f"{end}:{name}"


def line_id(one: str, other: str) -> str:
    """The id of the line between two places, in whichever direction."""
    return "--".join(sorted((one, other)))


def fitted(text: str, width: float) -> str:
    """A text that fits into a box; the end of a longer one is left out."""
    most = int(width / LETTERS_WIDE)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def map_of(course: "Course") -> Map:
    """The drawing of a trace."""
    near = _unique(stage.bridge for stage in course.near)
    far = _unique((BR_INT, *(stage.bridge for stage in reversed(course.far))))
    if not course.far:  # it does not get there; the bridges on the way are those of the first host
        far = near[: near.index(BR_TUN) + 1] if BR_TUN in near else near
    is_alone = course.source_host == course.target_host
    bottom = TITLE + max(1 + len(near), 1 + len(far)) * (BOX_HEIGHT + GAP) - GAP + MARGIN
    right = float(WIDTH - COLUMN)
    frames = [MapFrame(text=course.source_host, x=0, y=0, width=COLUMN, height=bottom)]
    if is_alone:
        frames = [replace(frames[0], width=WIDTH)]
    else:
        frames.append(replace(frames[0], text=course.target_host, x=right))
    far = () if is_alone else far
    columns = ((NEAR, course.source, near, 0.0), (FAR, course.target, far, right))
    boxes: list[MapBox] = []
    lines: list[MapLine] = []
    for end, server, bridges, x in columns:
        _column(boxes, lines, end, (server, *bridges), x)
    if is_alone:
        _joined(boxes, lines, place_id(FAR, SERVER), place_id(NEAR, near[0]))
    else:
        _below(course, boxes, lines, bottom + 2 * GAP)
    height = max(bottom, *(box.y + box.height for box in boxes)) + 2
    return Map(
        width=WIDTH, height=height, frames=tuple(frames), boxes=tuple(boxes), lines=tuple(lines)
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _column(
    boxes: list[MapBox], lines: list[MapLine], end: str, names: Sequence[str], x: float
) -> None:
    """A server, and below it the bridges of its host."""
    left, y, above = x + (COLUMN - BOX) / 2, float(TITLE), ""
    for at, name in enumerate(names):
        id_ = place_id(end, SERVER if at == 0 else name)
        kind = "server" if at == 0 else "bridge"
        boxes.append(
            MapBox(id=id_, text=name, x=left, y=y, width=BOX, height=BOX_HEIGHT, kind=kind)
        )
        if above:
            _joined(boxes, lines, above, id_)
        above, y = id_, y + BOX_HEIGHT + GAP


def _joined(boxes: Sequence[MapBox], lines: list[MapLine], one: str, other: str) -> None:
    """A line from the lower side of a box to the upper side of another one."""
    by_id = {box.id: box for box in boxes}
    upper, lower = sorted((by_id[one], by_id[other]), key=lambda box: box.y)
    narrow, wide = sorted((upper, lower), key=lambda box: box.width)
    middle = narrow.x + narrow.width / 2
    across = min(max(middle, wide.x + INSET), wide.x + wide.width - INSET)
    x1, x2 = (middle, across) if narrow is upper else (across, middle)
    line = line_id(one, other)
    lines.append(MapLine(id=line, x1=x1, y1=upper.y + upper.height, x2=x2, y2=lower.y))


def _below(course: "Course", boxes: list[MapBox], lines: list[MapLine], top: float) -> None:
    """The underlay, and below it the hosts that get other copies."""
    boxes.append(
        MapBox(
            id=UNDERLAY,
            text="underlay",
            x=0,
            y=top,
            width=WIDTH,
            height=BOX_HEIGHT,
            kind="underlay",
        )
    )
    for end in (NEAR, FAR):
        _joined(
            boxes, lines, [box.id for box in boxes if box.id.startswith(f"{end}:")][-1], UNDERLAY
        )
    there = [branch for branch in course.branches if branch.host]
    step = (WIDTH - BRANCH) / (BRANCHES_IN_ROW - 1)
    for at, branch in enumerate(there):
        row, column = divmod(at, BRANCHES_IN_ROW)
        id_ = f"branch:{at}"
        boxes.append(
            MapBox(
                id=id_,
                text=branch.host,
                note=", ".join(branch.guests) or "unneeded copy",
                x=column * step,
                y=top + BOX_HEIGHT + GAP + row * (BRANCH_HEIGHT + MARGIN),
                width=BRANCH,
                height=BRANCH_HEIGHT,
                kind="branch",
                is_unused=not branch.guests,
            )
        )
        if row == 0:
            _joined(boxes, lines, UNDERLAY, id_)
