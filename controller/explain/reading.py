"""One flow of a dump as a value, by the flow parser of the package `ovs`.  Pure.

Old and new spellings of one thing become one: `mod_vlan_vid:1`, `set_field:4097->vlan_vid`;
`strip_vlan`, `pop_vlan`, `load:0->NXM_OF_VLAN_TCI[]`; `set_tunnel:0x6f`, `load:0x6f->NXM_NX_TUN_ID[]`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from ovs.flow.kv import ParseError
from ovs.flow.ofp import OFPFlow

from controller.explain import tables
from controller.explain.foreign import Foreign, foreign_field
from controller.explain.ofproto import split
from controller.explain.paste import FlowText
from controller.explain.written import actions_of
from controller.flows.actions import Action
from controller.flows.pipeline import CURRENT, Match

ACTIONS = re.compile(r"\bactions?=")
DROPS = re.compile(r"\bactions?=\s*drop\s*$")
INFO = frozenset(
    {
        "cookie", "duration", "table", "n_packets", "n_bytes", "idle_timeout", "hard_timeout",
        "idle_age", "hard_age", "importance",
    }
)  # fmt: skip
FLAGS = frozenset(
    {"send_flow_rem", "reset_counts", "no_packet_counts", "no_byte_counts", "check_overlap"}
)
PROTOCOLS = frozenset(
    {"eth", "ip", "ipv6", "icmp", "icmp6", "tcp", "tcp6", "udp", "udp6", "sctp", "sctp6", "arp", "rarp",
     "mpls", "mplsm"}
)  # fmt: skip
SPELT = {  # OpenFlow 1.2+ and NXM spellings -> the name that ovs-ofctl prints
    "eth_src": "dl_src", "eth_dst": "dl_dst", "eth_type": "dl_type", "vlan_tci1": "vlan_tci",
    "tunnel_id": "tun_id", "ip_src": "nw_src", "ip_dst": "nw_dst", "icmpv6_type": "icmp_type",
    "tcp_dst": "tp_dst", "udp_dst": "tp_dst", "tcp_src": "tp_src", "udp_src": "tp_src",
    "ip_proto": "nw_proto", "in_port_oxm": "in_port",
}  # fmt: skip
NUMBERS = frozenset({"tun_id", "dl_vlan", "icmp_type"}) | {f"reg{n}" for n in range(16)}
TABLE_NAME = re.compile(
    r'(?P<before>\btable=|\bgoto_table:|\bresubmit\(,)"?(?P<name>[A-Za-z]\w*)"?'
)
ENDLESS = re.compile(
    r"[0-9a-fA-F]{200}"
)  # no field is as long; Python refuses to print such numbers
DEFAULT_PRIORITY = 32768  # OpenFlow's; ovs-ofctl does not print it
PRESENT = 0x1000
ETHERTYPES = {"0x0800": "ip", "0x0806": "arp", "0x86dd": "ipv6"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpFlow:
    """One flow as a switch has it; a count or time is None if the text does not have it.

    Attributes:
        line: number of its first line in the text.
        odd: parts of it that are not understood, as they are.
        release: whose table numbers it has.
    """

    bridge: str
    table: int
    priority: int
    match: Match = ()
    actions: tuple[Action | Foreign, ...] = ()
    text: str
    line: int
    odd: tuple[str, ...] = ()
    cookie: int | None = None
    packets: int | None = None
    duration_s: float | None = None
    idle_timeout_s: float | None = None
    hard_timeout_s: float | None = None
    idle_age_s: float | None = None
    hard_age_s: float | None = None
    release: str = CURRENT

    @property
    def matched(self) -> dict[str, str | int]:
        """The fields of its match."""
        return dict(self.match)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until a timeout removes the flow, if the text shows them."""
        age = self.duration_s if self.hard_age_s is None else self.hard_age_s
        left = []
        if self.hard_timeout_s and age is not None:
            left.append(self.hard_timeout_s - age)
        if self.idle_timeout_s and self.idle_age_s is not None:
            left.append(self.idle_timeout_s - self.idle_age_s)
        return min(left, default=None)

    @property
    def is_flow(self) -> bool:
        """Whether the text says what it does: any other line with `actions=` may be prose."""
        return bool(self.actions or self.match or DROPS.search(self.text))


def read_flow(flow: FlowText, bridge: str = "") -> DumpFlow:
    """The flow of a text with `actions=`; what the parser refuses is in `odd`."""
    before, after = _sides(TABLE_NAME.sub(_numbered, flow.text))
    info, match, odd = _sorted(before)
    after, comment = _cut(after)
    odd += [comment] if comment else []
    actions = [part for part in split(after) if part.strip()]
    endless = [part for part in (*info, *match, *actions) if ENDLESS.search(part)]
    info, match, actions = (
        [p for p in parts if p not in endless] for parts in (info, match, actions)
    )
    odd += endless
    whole = _parsed(info, match, actions)
    if whole is None:
        odd += [part for part in info if _parsed([part], [], []) is None]
        odd += [part for part in match if _parsed([], [part], []) is None]
        odd += [part for part in actions if _parsed([], [], [part]) is None]
        whole = _parsed(*([p for p in parts if p not in odd] for parts in (info, match, actions)))
    if whole is None:
        return DumpFlow(
            bridge=bridge, table=0, priority=0, text=flow.text, line=flow.line, odd=(flow.text,)
        )
    return _value(whole, flow, bridge, odd)


def _numbered(found: re.Match[str]) -> str:
    """A table by its number where the dump has Neutron's name for it."""
    number = tables.number_of(found["name"])
    return found[0] if number is None else f"{found['before']}{number}"


def _cut(after: str) -> tuple[str, str]:
    """The actions, and what somebody wrote behind them: a space follows a comma only."""
    found = re.search(r"(?<![,\s])\s+(?=\S)", after.rstrip())
    return (after[: found.start()], after[found.end() :].strip()) if found else (after, "")


def _sides(text: str) -> tuple[str, str]:
    """What stands before `actions=`, and behind."""
    found = ACTIONS.search(text)
    return (text[: found.start()], text[found.end() :]) if found else (text, "")


def _sorted(before: str) -> tuple[list[str], list[str], list[str]]:
    """The parts of a flow before its actions: statistics, match, and what is neither."""
    info, match, odd = [], [], []
    for part in re.findall(r'(?:"[^"]*"|[^\s,"])+', before):
        key, equals, _ = part.partition("=")
        if key in INFO and equals:
            info.append(part)
        elif equals or key in PROTOCOLS or key == "priority":
            match.append(part)
        elif part not in FLAGS:
            odd.append(part)
    return info, match, odd


def _parsed(info: list[str], match: list[str], actions: list[str]) -> OFPFlow | None:
    """What the parser makes of the parts; None if it refuses them."""
    # `importance` is OpenFlow 1.4's; the parser does not know it, and it changes no forwarding.
    known = [part for part in info if not part.startswith("importance=")]
    text = f" {', '.join(known)} {','.join(match or [f'priority={DEFAULT_PRIORITY}'])} actions={','.join(a.strip() for a in actions)}"
    try:
        return OFPFlow(text)
    except (
        ParseError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ):
        return None  # the decoders are strict and raise all of these


def _value(parsed: OFPFlow, flow: FlowText, bridge: str, odd: list[str]) -> DumpFlow:
    info = {pair.key: pair.value for pair in parsed.info_kv}
    fields = [(pair.key, pair.meta.vstring) for pair in parsed.match_kv if pair.key != "priority"]
    priority = next((pair.value for pair in parsed.match_kv if pair.key == "priority"), None)
    match = tuple(dict(_fields(fields)).items())
    actions = tuple(actions_of(parsed.actions_kv, dict(match)))
    unknown = [a.text for a in actions if isinstance(a, Foreign) and not a.words]
    strange = [
        f"{name}={value}" for name, value in match if foreign_field(name, str(value)) is None
    ]
    return DumpFlow(
        bridge=bridge,
        table=int(info.get("table", 0)),
        priority=DEFAULT_PRIORITY if priority is None else int(priority),
        match=match,
        actions=actions,
        text=flow.text,
        line=flow.line,
        odd=tuple(dict.fromkeys((*odd, *unknown, *strange))),
        cookie=info.get("cookie"),
        packets=info.get("n_packets"),
        duration_s=_seconds(info.get("duration")),
        idle_timeout_s=_seconds(info.get("idle_timeout")),
        hard_timeout_s=_seconds(info.get("hard_timeout")),
        idle_age_s=_seconds(info.get("idle_age")),
        hard_age_s=_seconds(info.get("hard_age")),
    )


def _seconds(value: float | None) -> float | None:
    """A time; None for `nan` and `inf`, which are numbers to the parser and none in JSON."""
    return value if value is not None and isfinite(value) else None


def _fields(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str | int]]:
    """The match in the spelling of our own flows."""
    for key, text in fields:
        name, value = SPELT.get(key, key), text.strip('"')
        if name in PROTOCOLS:
            yield "proto", name
        elif name == "dl_type" and value in ETHERTYPES:
            yield "proto", ETHERTYPES[value]
        elif name == "vlan_vid" or (name == "vlan_tci" and _vlan(value)):
            yield ("dl_vlan", vlan) if (vlan := _vlan(value)) else (name, value)
        elif name in NUMBERS and (number := _number(value)) is not None:
            yield name, number
        else:
            yield name, value


def _vlan(value: str) -> int | None:
    """The VLAN id that a `vlan_tci` or `vlan_vid` asks for: `0x0001/0x0fff`, `0x1001/0x1fff`."""
    text, _, mask_text = value.partition("/")
    tci, mask = _number(text), _number(mask_text or "0xffff")
    if tci is None or mask is None or mask & 0xFFF != 0xFFF or not tci & 0xFFF:
        return None
    is_tagged = bool(tci & PRESENT) or not mask & PRESENT
    return tci & 0xFFF if is_tagged else None


def _number(value: str) -> int | None:
    try:
        return int(value, 0)
    except ValueError:
        return int(value) if value.isdecimal() and value.isascii() and len(value) < 20 else None
