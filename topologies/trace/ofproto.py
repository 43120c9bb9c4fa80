"""The output of `ovs-appctl ofproto/trace` as values.  Pure.

A trace is a tree: a bridge's tables, and below them the bridges that its outputs lead to.
Nested bridges are indented, except the last one of a parent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from controller.model.errors import SwitchError

HEADING = re.compile(r'^( *)bridge\("([^"]+)"\)$')
RULE = re.compile(r"^ *-+$")
HIT = re.compile(r"^ *(\d+)\. (.*)$")
PRIORITY = re.compile(r"^(?:(.*), )?priority (\d+)(?:, cookie 0x[0-9a-f]+)?$")
NO_MATCH = "No match."
NOTE = re.compile(r"^ *(?:->|>>) (.*)$")
COOKIE = re.compile(r"cookie=0x[0-9a-f]+,\s*")
DATAPATH = re.compile(r"^Datapath actions: (.*)$", re.MULTILINE)
NEST = 4  # columns of one indent


@dataclass(slots=True)
class Hit:
    """One flow that the frame hit; with priority None, no flow matched."""

    table: int
    match: str
    priority: int | None
    actions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The flow as `ovs-ofctl --names --no-stats` dumps it, without cookie and timeouts."""
        table = f"table={self.table}, " if self.table else ""
        matched = f",{self.match}" if self.match else ""
        return f"{table}priority={self.priority}{matched} actions={','.join(self.actions)}"


@dataclass(slots=True)
class Section:
    """The frame's path through one bridge.

    Attributes:
        indent: the column of its tables.
        notes: the switch's notes at the output that led here.
    """

    bridge: str
    indent: int
    parent: "Section | None"
    notes: tuple[str, ...] = ()
    hits: list[Hit] = field(default_factory=list)

    def way(self) -> "tuple[Section, ...]":
        """The sections from the first one to this one."""
        return (*(self.parent.way() if self.parent else ()), self)


@dataclass(frozen=True, slots=True)
class Trace:
    """All sections in the order of the text, and the datapath's actions."""

    sections: tuple[Section, ...]
    datapath: str


def parse_trace(text: str) -> Trace:
    """Parse the text of a trace.

    Raises:
        SwitchError: the text is not a trace.
    """
    datapath = DATAPATH.search(text)
    sections = tuple(_sections(text))
    if datapath is None or not sections:
        raise SwitchError(
            (text.strip().splitlines() or ["nothing"])[-1],
            where="ofproto/trace",
            allowed="bridges, and `Datapath actions`",
            do="`overlaylab status` shows whether the lab still runs.",
        )
    return Trace(sections, datapath[1])


def _sections(text: str) -> Iterator[Section]:
    here: Section | None = None
    for line in text.splitlines():
        if line.startswith("Final flow:"):
            return
        if heading := HEADING.match(line):
            here = _opened(here, len(heading[1]), heading[2])
            yield here
        elif here is not None and line.strip() and not RULE.match(line):
            inside = 0 if HIT.match(line) else NEST
            here = _section_at(here, len(line) - len(line.lstrip()) - inside)
            _read(here, line)


def _opened(here: Section | None, indent: int, bridge: str) -> Section:
    """A new section; the last one of a parent has its indent, any other one step more."""
    parent = _section_at(here, indent) if here else None
    notes = tuple(parent.hits[-1].notes) if parent and parent.hits else ()
    is_last = indent % (2 * NEST) == 0
    return Section(bridge, indent if is_last else indent + NEST, parent, notes)


def _section_at(here: Section, indent: int) -> Section:
    """The section of a line with this indent; a smaller indent ends a section."""
    while here.indent > indent and here.parent:
        here = here.parent
    return here


def _read(section: Section, line: str) -> None:
    if found := HIT.match(line):
        section.hits.append(_hit(int(found[1]), found[2]))
    elif not section.hits:
        return
    elif note := NOTE.match(line):
        section.hits[-1].notes.append(note[1])
    else:
        section.hits[-1].actions.append(COOKIE.sub("", line.strip()))


def _hit(table: int, said: str) -> Hit:
    if said == NO_MATCH:
        return Hit(table, "", None)
    found = PRIORITY.match(said)
    if found is None:  # OpenFlow's default priority is not printed
        return Hit(table, said.partition(", cookie ")[0], 32768)
    return Hit(table, found[1] or "", int(found[2]))
