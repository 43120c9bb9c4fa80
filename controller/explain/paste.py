"""Sorts pasted text: flows of bridges, ports, traces, and lines that are none of these.  Pure.

A paste may have prompts, headers, wrapped lines, list marks, Windows line ends, several bridges,
and the output of `ovs-ofctl show` and `ovs-vsctl show`, whose port names and addresses are used.
"""

import re
from dataclasses import dataclass, field

from controller.explain.ofproto import OLD_BRIDGE

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # colours of a terminal
FLOW = re.compile(r"\bactions?=")
KEY = re.compile(
    r"\b(cookie|duration|table|n_packets|n_bytes|idle_timeout|hard_timeout|idle_age|hard_age|priority)="
)
ADDED = re.compile(r"(?:add|mod)-flow[s]?\s+(?:-\S+\s+)*(\S+)\s+(?=\S)(.*)$")
DUMPED = re.compile(r"dump-flows\s+(?:-\S+\s+)*([\w.-]+)(.*)$")
REPLY = re.compile(r"^[\W\d]*(?:NXST|OFPST)_FLOW reply")
OFPORT = re.compile(r"^\s*(\d+|LOCAL)\(\"?([^\")]+)\"?\): addr")
LINKED = re.compile(r"^\s*(?:Port|Interface) \"?([^\"\s]+)\"?$")
HEADED = re.compile(  # a heading of the operator's own: `# compute1 br-tun`, `br-int:`
    r"^\W*(?:(?:host|node|bridge|flows of|on)\s+)?(?:([\w.-]+)[\s:,/]+)?(br-[\w-]+)\W*$",
    re.IGNORECASE,
)
HOST = re.compile(r"\w@([\w.-]+)")  # of a prompt
OPTIONS = re.compile(r"^\s*((?:gre|vxlan|geneve)-\S+) .*remote_ip=\"?([0-9a-fA-F.:]+)")
REMOTE = re.compile(r"remote_ip=\"?([0-9a-fA-F.:]+)\"?")
TAG = re.compile(r"^\s*tag: (\d{1,4})$")
KNOWN = re.compile(
    r"""^\s*(?:OFPT_\w+|n_tables:|capabilities:|actions:\ |config:\s|state:\s|current:\s|speed:\s|advertised:|
    supported:|peer:|Bridge\ |Controller\ |Manager\ |fail_mode:|is_connected:|datapath_type:|type:\ |options:\ |
    trunks:|ovs_version:|recirc\(0x|\#.*\ ports$|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+$)""",
    re.VERBOSE,
)
PROMPT = re.compile(r"(?:^|[#$>\]]\s*|\bsudo\s+|\bexec\s.*)ovs-(?:ofctl|vsctl|appctl)\s")
IDLE = re.compile(r"^\[?[\w.-]+@[\w.-]+[^#$>]*[#$>]\s*$")  # a prompt without a command
DECORATION = re.compile(r"^[\W_]*$")  # rules, fences, dots
TRACED = re.compile(r"^\s*(?:Flow: |Bridge: \S+$|bridge\(\"|Rule: table=\d)")
TRACE_STEP = re.compile(r"^\s*(?:\d+\. |Rule: table=|OpenFlow actions=)")
TRACE_END = re.compile(r"^\s*Datapath actions: ")
IN_FULL = re.compile(r"[,:(=>]$")
LONGEST = 100_000  # characters of a line; a flow that floods to 1,000 VTEPs has a quarter
HEADING = 500  # characters of a line that may be a prompt or a heading
CONTINUED = 60  # lines of one flow
WRAPPED = 60  # columns; a terminal that wraps has at least as many
CHUNK = re.compile(r"^[\w:.\-,>\[\]()\"=/]+$")  # the rest of a word that was cut


@dataclass(slots=True)
class FlowText:
    """One flow, its lines joined; `line` is the number of its first line."""

    line: int
    text: str


@dataclass(slots=True)
class Part:
    """The flows of one dump; `bridge` and `host` are empty if the text does not name them.

    Attributes:
        is_selection: the command that printed it asked for some flows only.
    """

    bridge: str = ""
    is_selection: bool = False
    flows: list[FlowText] = field(default_factory=list)
    host: str = ""


@dataclass(slots=True)
class Ports:
    """The ports of one bridge, as `ovs-ofctl show` prints them: ofport -> name."""

    host: str = ""
    names: dict[str, str] = field(default_factory=dict)

    @property
    def bridge(self) -> str:
        """The bridge's own port names it; empty if the text does not have that line."""
        return self.names.get("LOCAL", "")


@dataclass(slots=True)
class Paste:
    """A sorted text.

    Attributes:
        remotes: port name -> address of the remote VTEP.
        tags: port name -> local VLAN.
        traces: blocks of `ofproto/trace`.
        unread: (line number, line) of what is none of these.
    """

    parts: list[Part] = field(default_factory=list)
    ports: list[Ports] = field(default_factory=list)
    remotes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)
    unread: list[tuple[int, str]] = field(default_factory=list)


def parse_paste(text: str) -> Paste:
    """Sort any text."""
    return _Sorter(text).sort()


class _Sorter:
    def __init__(self, text: str) -> None:
        plain = ESCAPES.sub("", text.removeprefix("\ufeff")).replace("\r\n", "\n")
        self.lines = [line.rstrip() for line in re.split(r"[\r\n]", plain)]
        self.paste = Paste()
        self.at = 0
        self.host = ""
        self.stepless = 0  # no step of a trace before this line, from the last search on
        self.named = ""  # the port that `ovs-vsctl show` described last

    def sort(self) -> Paste:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if len(line) > LONGEST:
                self.paste.unread.append((self.at + 1, line))
                self.at += 1
            elif TRACED.match(line) and (end := self._end_of_trace()):
                self.paste.traces.append("\n".join(self.lines[self.at : end]))
                self.at = end
            elif _is_flow_start(line):
                self._add_flow()
            else:
                self._sort_line(line)
                self.at += 1
        self.paste.parts = [part for part in self.paste.parts if part.flows]
        return self.paste

    def _end_of_trace(self) -> int:
        """The line after the trace that begins here; 0 if it has no step."""
        if self.at < self.stepless:
            return 0
        last = 0
        for number in range(self.at, len(self.lines)):
            line = self.lines[number]
            if TRACE_END.match(line):
                return self._with_details(number + 1)
            if number > self.at and self._ends_trace(number):
                break
            if TRACE_STEP.match(line):
                last = number + 1  # `ofproto/trace | grep` cuts the end
        if not last:
            self.stepless = number  # else many headings would each be searched to the end
        return last

    def _ends_trace(self, number: int) -> bool:
        """Whether a line belongs to what follows a trace.  Before 2.8 a bridge preceded its frame."""
        line = self.lines[number]
        if line.startswith("Flow: "):
            return OLD_BRIDGE.match(self.lines[number - 1]) is None
        return bool(PROMPT.search(line[:HEADING]) or KEY.match(line) or OLD_BRIDGE.match(line))

    def _with_details(self, number: int) -> int:
        while number < len(self.lines) and self.lines[number].startswith("This flow is handled by"):
            number += 1
        while number < len(self.lines) and re.match(r"^\s+[-*] ", self.lines[number]):
            number += 1
        return number

    def _sort_line(self, line: str) -> None:
        short = line[:HEADING]
        if dumped := DUMPED.search(short):
            rest = dumped[2].strip(" '\"`)")
            is_part = bool(rest) and not rest.startswith(("--", "|less", "| less", "| more", ";"))
            self._read_prompt(line)
            self.paste.parts.append(Part(dumped[1], is_part, host=self.host))
        elif REPLY.match(line):
            if not self.paste.parts or self.paste.parts[-1].flows:
                self.paste.parts.append(Part(host=self.host))
        elif headed := HEADED.match(short):
            self.host = headed[1] or self.host
            self.paste.parts.append(Part(headed[2], host=self.host))
        elif PROMPT.search(short) or IDLE.match(short):
            self._read_prompt(line)
        elif not (self._is_port(line) or DECORATION.match(line) or KNOWN.match(line)):
            self.paste.unread.append((self.at + 1, line))

    def _read_prompt(self, line: str) -> None:
        """Note the host that a prompt names."""
        found = HOST.search(line)
        self.host = found[1] if found else self.host

    def _is_port(self, line: str) -> bool:
        """Whether a line of `ovs-ofctl show` or `ovs-vsctl show` describes a port; it is noted."""
        if port := OFPORT.match(line):
            if not self.paste.ports or port[1] in self.paste.ports[-1].names:
                self.paste.ports.append(Ports(self.host))
            self.paste.ports[-1].names[port[1]] = port[2]
        elif linked := LINKED.match(line):
            self.named = linked[1]
        elif options := OPTIONS.match(line):
            self.paste.remotes[options[1]] = options[2]
        elif (remote := REMOTE.search(line)) and self.named:
            self.paste.remotes[self.named] = remote[1]
        elif (tag := TAG.match(line)) and self.named:
            self.paste.tags[self.named] = int(tag[1])
        else:
            return False
        return True

    def _add_flow(self) -> None:
        first = self.at
        text = _bare(self.lines[first])
        last = min(len(self.lines), first + CONTINUED) - 1
        while self.at < last and self._goes_on(text, self.lines[self.at + 1]):
            self.at += 1
            following = self.lines[self.at]
            is_cut = not following[:1].isspace() and text[-1:] not in ", "
            is_cut = is_cut and not FLOW.match(following)  # cut at the blank before it
            text += following.strip(" \\|") if is_cut else f" {following.strip(' |')}"
            text = text.rstrip("\\")
        self.at += 1
        if not FLOW.search(text):
            numbers = range(first, self.at)
            self.paste.unread += [(number + 1, self.lines[number]) for number in numbers]
            return
        bridge, flow = _added(text)
        self._part(bridge).flows.append(FlowText(first + 1, flow))

    def _part(self, bridge: str) -> Part:
        parts = self.paste.parts
        if not parts or (bridge and bridge != parts[-1].bridge):
            parts.append(Part(bridge, host=self.host))
        return parts[-1]

    def _goes_on(self, text: str, following: str) -> bool:
        """Whether a flow continues on the next line."""
        bare = following.strip(" \\|")
        if (
            DECORATION.match(bare)
            or DUMPED.search(following[:HEADING])
            or REPLY.match(following)
            or ADDED.search(bare)
        ):
            return False
        begins = KEY.match(bare)
        if not FLOW.search(text):
            return not (begins and re.search(rf"\b{begins[1]}=", text))
        if begins or FLOW.search(bare):
            return False
        is_open = (
            text.count("(") > text.count(")") or bool(IN_FULL.search(text)) or text.endswith("\\")
        )
        is_cut = len(self.lines[self.at]) >= WRAPPED and bool(CHUNK.match(bare))
        return is_open or is_cut


def _is_flow_start(line: str) -> bool:
    if FLOW.search(line):
        is_command = PROMPT.search(line[:HEADING]) and not ADDED.search(line)
        return not is_command and not re.match(r"^\s*OpenFlow actions=", line)
    begins = KEY.search(line)
    return (
        bool(begins) and DECORATION.match(line[: begins.start()]) is not None if begins else False
    )


def _bare(line: str) -> str:
    """The line without list marks before the flow, and table borders behind."""
    begins = KEY.search(line)
    if begins and re.match(r"^[\W\d_]*$", line[: begins.start()]):
        line = line[begins.start() :]
    return line.strip().rstrip("|\\ ")


def _added(text: str) -> tuple[str, str]:
    """The bridge and the flow of an `ovs-ofctl add-flow` command; any other flow as it is."""
    found = ADDED.search(text)
    if found is None:
        return "", text
    return found[1], found[2].strip().strip("'\"")
