"""The output of `ovs-appctl ofproto/trace` as values, with the copies that leave the host.  Pure.

A trace is a tree: a bridge's tables, and below them the bridges that its outputs lead to.
Nested bridges are indented, except the last one of a parent.  The copies are in its last line,
`Datapath actions`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from textwrap import dedent

from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.errors import SwitchError

HEADING = re.compile(r'^( *)bridge\("([^"]+)"\)$')
RULE = re.compile(r"^ *-+$")
HIT = re.compile(r"^ *(\d{1,9})\. (.*)$")
PRIORITY = re.compile(r"^(?:(.*), )?priority (\d{1,9})(?:, cookie 0x[0-9a-f]+)?$")
NOTE = re.compile(r"^ *(?:->|>>) (.*)$")
COOKIE = re.compile(r"cookie=0x[0-9a-f]+,\s*")
DATAPATH = re.compile(r"^Datapath actions: (.*)$", re.MULTILINE)
OLD_BRIDGE = re.compile(r"^Bridge: (\S+)$")
OLD_RULE = re.compile(r"^Rule: table=(\d{1,9}) cookie=\S+ ?(?:priority=(\d{1,9}))?,?(.*)$")
PEER = "the bridge behind the patch port"
NEST = 4  # columns of one indent
CLONES_MOST = 64  # within each other: MAX_DEPTH in ofproto-dpif-xlate.c
PUSHED = re.compile(r"push_vlan\(.*?\bvid=(\d{1,4})\b")
ANSWERED = re.compile(r"set\(arp\(sip=([0-9.]+),.*?op=2.*?sha=([0-9a-f:]+)")
ETHERNET = re.compile(r"eth\(dst=([0-9a-f:]+),src=([0-9a-f:]+)")
IP = re.compile(r"ipv([46])\(src=([^,]+),dst=([^,]+)")
ID = re.compile(r"\b(?:vni|key)=(?:0x([0-9a-f]{1,16})|(\d{1,19}))\b")
TUNNEL = re.compile(
    r"set\(tunnel\(tun_id=(0x[0-9a-f]{1,16}),(?:src=([^,]+),)?(?:ipv6_)?dst=([^,]+)"
)
KERNEL = {"gre_sys": NetworkType.GRE, "genev_sys": NetworkType.GENEVE}


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


def read_trace(text: str) -> Trace:
    """The trace in a text of any version of Open vSwitch; what is missing is empty."""
    text = dedent(text)
    datapath = DATAPATH.search(text)
    sections = tuple(_sections(text)) or tuple(old_sections(text))
    return Trace(sections, datapath[1] if datapath else "")


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


def old_sections(text: str) -> Iterator[Section]:
    """The sections of a trace of Open vSwitch before 2.8, whose lines begin with `Rule:`.

    It does not say where the frame enters another bridge by a patch port; a look-up in table 0
    that no flow asked for shows it.
    """
    here: Section | None = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith(("Final flow:", "Megaflow:", "Relevant fields:")):
            return
        if bridge := OLD_BRIDGE.match(line):
            here = Section(bridge[1], 0, None)
            yield here
        elif rule := OLD_RULE.match(line):
            last = here.hits[-1].actions if here and here.hits else ()
            if here is None or (rule[1] == "0" and last and "resubmit(,0)" not in last):
                here = Section("" if here is None else PEER, 0, here)
                yield here
            here.hits.append(Hit(int(rule[1]), rule[3], int(rule[2] or 32768)))
        elif here is not None and here.hits and line and not line.startswith("Resubmitted"):
            _read_old(here.hits[-1], line)


def _read_old(hit: Hit, line: str) -> None:
    if line.startswith("OpenFlow actions="):
        actions = split(COOKIE.sub("", line.partition("=")[2]))
        hit.actions += [action for action in actions if action != "drop"] or ["drop"]
    else:
        hit.notes.append(line)


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
    if said == "No match.":
        return Hit(table, "", None)
    found = PRIORITY.match(said)
    if found is None:  # OpenFlow's default priority is not printed
        return Hit(table, said.partition(", cookie ")[0], 32768)
    return Hit(table, found[1] or "", int(found[2]))


@dataclass(frozen=True, slots=True)
class Outer:
    """The headers that a tunnel adds; a field is empty if the datapath does not show it."""

    kind: NetworkType
    source: str
    target: str
    segmentation_id: int
    source_mac: str = ""
    target_mac: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy that leaves.

    Attributes:
        port: the port's name.
        tag: the outermost VLAN id then; None: untagged.
        outer: the tunnel's headers, if it leaves through one.
        answer: `ADDRESS is at MAC` if the switch turned the frame into an ARP reply.
    """

    port: str
    tag: int | None = None
    outer: Outer | None = None
    answer: str = ""


def copies(datapath: str, tag: int | None = None) -> tuple[Copy, ...]:
    """The copies in the order of sending; `tag`: the VLAN id of the incoming frame."""
    return tuple(_sent(datapath, [] if tag is None else [tag]))


def _sent(actions: str, tags: list[int], depth: int = 0) -> Iterator[Copy]:
    answer, outer = "", None
    for action in split(actions):
        if pushed := PUSHED.match(action):
            tags.append(int(pushed[1]))
        elif action == "pop_vlan":
            tags[-1:] = []
        elif action.startswith("set(arp("):
            reply = ANSWERED.match(action)  # no match where the request is restored
            answer = f"{reply[1]} is at {reply[2]}" if reply else ""
        elif action.startswith("clone("):
            if depth < CLONES_MOST:
                yield from _sent(action[len("clone(") : -1], list(tags), depth + 1)
        elif action.startswith(("tnl_push(", "set(tunnel(")):
            outer = _outer(action)
        elif "(" not in action and action not in {"drop", ""}:
            port = action.strip('"')
            yield Copy(port, tags[-1] if tags else None, _by_port(outer, port), answer)


def _by_port(outer: Outer | None, port: str) -> Outer | None:
    """The headers, with the tunnel type by the port's name; the kernel shows it nowhere else."""
    kinds = [kind for name, kind in KERNEL.items() if port.startswith(name)]
    return replace(outer, kind=kinds[0]) if outer and kinds else outer


def _outer(action: str) -> Outer | None:
    kind = next((kind for kind in TUNNEL_TYPES if f"{kind}(" in action), NetworkType.VXLAN)
    if tunnel := TUNNEL.match(action):  # the kernel's datapath
        return Outer(kind, tunnel[2] or "", tunnel[3], int(tunnel[1], 16))
    ethernet, ip, number = ETHERNET.search(action), IP.search(action), ID.search(action)
    if ethernet is None or ip is None or number is None:
        return None
    return Outer(
        kind=kind,
        source=ip[2],
        target=ip[3],
        segmentation_id=int(number[1], 16) if number[1] else int(number[2]),
        source_mac=ethernet[2],
        target_mac=ethernet[1],
    )


def split(actions: str) -> list[str]:
    """The actions of a comma-separated list; commas inside brackets do not separate."""
    parts, depth = [""], 0
    for char in actions:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts
