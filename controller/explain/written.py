"""Actions as the parser of the package `ovs` returns them, as values of our own.  Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Protocol, cast

from ovs.flow.ofp_fields import field_aliases

from controller.explain.foreign import Foreign
from controller.flows.actions import (
    TPID,
    Action,
    Goto,
    InPort,
    LearnReturnPath,
    Move,
    Normal,
    Output,
    PopVlan,
    PushVlan,
    Resubmit,
    SetField,
)

FIELDS = {"eth_src": "eth_src", "dl_src": "eth_src", "dl_dst": "eth_dst", "tunnel_id": "tun_id"}
PRESENT = 0x1000
MACS = frozenset({"arp_sha", "arp_tha", "eth_src", "eth_dst", "nd_sll", "nd_tll"})
ADDRESSES = frozenset({"arp_spa", "arp_tpa", "nw_src", "nw_dst", "tun_dst", "tun_src"})
PLAIN = {  # action -> the rest of the sentence
    "ct_clear": "lose their connection tracking state",
    "dec_ttl": "have their TTL decremented",
    "decap": "lose their outermost header",
    "exit": "are not looked up any further",
    "pop_queue": "go back to the default queue",
    "clear_actions": "lose the actions collected so far",
    "dec_mpls_ttl": "have their MPLS TTL decremented",
    "dec_nsh_ttl": "have their NSH TTL decremented",
}
VALUED = {
    "group": "go to group {}",
    "meter": "are limited by meter {}",
    "set_queue": "go to queue {}",
    "enqueue": "are output to port and queue {}",
    "note": "(note {})",
    "bundle": "are output to one port of several ({})",
    "bundle_load": "have one port of several noted ({})",
    "multipath": "have a link chosen ({})",
    "sample": "are sampled ({})",
    "encap": "get another header ({})",
    "push_mpls": "get an MPLS label",
    "pop_mpls": "lose their MPLS label",
    "clone": "are copied; the copies undergo {}",
    "write_actions": "are to undergo {} at the end",
    "write_metadata": "have metadata set to {}",
    "fin_timeout": "shorten this flow's timeouts when their connection ends ({})",
    "push": "have {} saved",
    "pop": "have {} restored",
    "delete_field": "lose {}",
    "check_pkt_larger": "have it noted whether they are larger than {}",
    "set_mpls_label": "have their MPLS label set to {}",
    "set_mpls_tc": "have their MPLS traffic class set to {}",
    "set_mpls_ttl": "have their MPLS TTL set to {}",
    "mod_nw_src": "have their source address set to {}",
    "mod_nw_dst": "have their destination address set to {}",
    "mod_nw_tos": "have their type of service set to {}",
    "mod_nw_ecn": "have their ECN bits set to {}",
    "mod_nw_ttl": "have their TTL set to {}",
    "mod_tp_src": "have their source port set to {}",
    "mod_tp_dst": "have their destination port set to {}",
    "mod_vlan_pcp": "have their VLAN priority set to {}",
    "set_vlan_pcp": "have their VLAN priority set to {}",
}
PORTS = {
    "FLOOD": "are flooded to all ports but the one they came in by",
    "ALL": "are output to all ports but the one they came in by",
    "CONTROLLER": "are sent to the OpenFlow controller",
    "TABLE": "start again in table 0",
}


class Meta(Protocol):
    kstring: str
    vstring: str


class Pair(Protocol):
    """One action of the parser."""

    key: str
    value: object
    meta: Meta


def actions_of(
    pairs: Iterable[object], match: Mapping[str, str | int]
) -> Iterator[Action | Foreign]:
    """The actions in their order; `match` tells whether a frame has a tag already."""
    listed = [cast("Pair", pair) for pair in pairs]
    is_tagged = "tun_id" not in match and not str(match.get("vlan_tci", "")).startswith("0x0000/")
    for number, pair in enumerate(listed):
        is_last = number == len(listed) - 1
        try:
            found = list(_action(pair, is_last=is_last, is_tagged=is_tagged))
        except ValueError:  # a number that is none: the parser leaves some to the caller
            found = [Foreign(_whole(pair))]
        for action in found:
            is_tagged = is_tagged or isinstance(action, PushVlan)
            yield action


def _action(pair: Pair, *, is_last: bool, is_tagged: bool) -> Iterator[Action | Foreign]:
    key, text = pair.key.lower(), pair.meta.vstring
    whole = _whole(pair)
    if key in {"resubmit", "goto_table"}:
        yield _jump(pair.value, whole, is_last=is_last)
    elif key == "push_vlan" and text == f"{TPID:#x}":
        yield PushVlan()
    elif key in {"mod_vlan_vid", "set_vlan_vid"}:
        yield from () if is_tagged else (PushVlan(),)
        yield SetField("vlan_vid", int(text, 0) | PRESENT)
    elif key in READERS:
        yield READERS[key](pair, whole)
    else:
        yield from _others(pair)


def _whole(pair: Pair) -> str:
    key, text = pair.meta.kstring, pair.meta.vstring
    if not text:
        return key
    is_in_brackets = key in {
        "resubmit",
        "learn",
        "ct",
        "conjunction",
        "clone",
        "write_actions",
        "sample",
    }
    return f"{key}({text})" if is_in_brackets else f"{key}:{text}"


def _others(pair: Pair) -> Iterator[Foreign]:
    key, text, whole = pair.key.lower(), pair.meta.vstring, _whole(pair)
    if key == "drop":
        return
    if key == "ct":
        yield Foreign(whole, tracking(text))
    elif key == "conjunction":
        number, _, part = text.partition(",")
        yield Foreign(whole, f"are part {part.replace('/', ' of ')} of conjunction {number}")
    elif key == "controller":
        yield Foreign(whole, PORTS["CONTROLLER"])
    elif key == "push_vlan":
        yield Foreign(whole, f"get a tag of type {text}")
    elif key in PLAIN:
        yield Foreign(whole, PLAIN[key])
    elif key in VALUED:
        yield Foreign(whole, VALUED[key].format(text))
    else:
        yield Foreign(whole)


def _output(pair: Pair, whole: str) -> Action | Foreign:
    value = pair.value
    port = str(value.get("port", "")) if isinstance(value, dict) else str(value)
    if port.upper() == "NORMAL":
        return Normal()
    if port.upper() == "IN_PORT":
        return InPort()
    if port.upper() in PORTS:
        return Foreign(whole, PORTS[port.upper()])
    if "[" in port:
        return Foreign(whole, f"are output to the port whose number is in {port}")
    # Free text that is neither a number nor quoted may be a port name, or an unknown action.
    is_free = not pair.meta.vstring and not pair.meta.kstring.strip('"').isdigit()
    if is_free and port != "LOCAL" and '"' not in pair.meta.kstring:
        return Foreign(whole)
    return Output(port)


def _jump(value: object, whole: str, *, is_last: bool) -> Action | Foreign:
    if isinstance(value, int):
        return Goto(value)
    parts = value if isinstance(value, dict) else {}
    table, port = parts.get("table"), str(parts.get("port", ""))
    if not isinstance(table, int):
        return (
            Foreign(whole, f"are looked up again as if they came in by port {port}")
            if port
            else Foreign(whole)
        )
    if port:
        return Foreign(whole, f"are looked up in table {table} as if they came in by port {port}")
    return Goto(table) if is_last else Resubmit(table)


def _field(text: str) -> tuple[str, bool]:
    """A field's name, and whether all of it is meant: `NXM_NX_TUN_ID[]`."""
    name, _, bits = text.partition("[")
    spelt = field_aliases.get(name, name)
    return FIELDS.get(spelt, spelt), bits in {"", "]"}


def _set(text: str, whole: str) -> Action | Foreign:
    value, _, target = text.partition("->")
    name, is_all = _field(target)
    number = _number(value)
    if name == "vlan_tci" and number == 0 and is_all:
        return PopVlan()
    if name in {"vlan_tci", "vlan_vid"} and number is not None:
        return SetField("vlan_vid", (number & 0xFFF) | PRESENT)
    if not is_all or "[" in value:
        return Foreign(whole, f"have {target} set to {value}")
    return SetField(name, value if number is None else _written(name, number))


def _written(name: str, number: int) -> int | str:
    """A number as a MAC or an address, if its field has those."""
    if name in MACS and number < 2**48:
        return ":".join(f"{number:012x}"[i : i + 2] for i in range(0, 12, 2))
    return str(IPv4Address(number)) if name in ADDRESSES and number < 2**32 else number


def _number(text: str) -> int | None:
    try:
        number = int(text, 0)
    except ValueError:
        return None
    return number if number >= 0 else None  # no field holds a sign


def _move(text: str, whole: str) -> Action | Foreign:
    source, _, target = text.partition("->")
    (one, is_all), (other, is_whole) = _field(source), _field(target)
    if is_all and is_whole:
        return Move(one, other, 0)
    return Foreign(whole, f"have {source} copied to {target}")


def _learn(value: object, whole: str) -> Action | Foreign:
    parts: dict[str, object] = {}
    for part in value if isinstance(value, list) else []:
        parts.update(part)
    table, timeout = parts.get("table"), parts.get("hard_timeout", 0)
    is_return = {"NXM_OF_VLAN_TCI[0..11]", "NXM_OF_ETH_DST[]", "output"} <= set(parts)
    if isinstance(table, int) and is_return and isinstance(timeout, int | float):
        priority = parts.get("priority")
        return LearnReturnPath(table, int(timeout), priority if isinstance(priority, int) else 0)
    where = f" in table {table}" if isinstance(table, int) else ""
    return Foreign(whole, f"make the switch learn a flow{where} from each of them")


def tracking(text: str) -> str:
    """A `ct(...)` action in words."""
    table = next((part[6:] for part in text.split(",") if part.startswith("table=")), "")
    words = []
    if "commit" in text.split(","):
        words.append("have their connection remembered")
        if "CT_MARK" in text or "ct_mark" in text:
            is_bad = "0x1->" in text
            words[-1] += " with mark 1 (no longer allowed)" if is_bad else " with a mark"
    if "nat" in text:
        words.append("have their addresses translated")
    if table:
        words.append(f"are looked up in connection tracking and go on to table {table}")
    return " and ".join(words) or "pass through connection tracking"


READERS: Mapping[str, Callable[[Pair, str], Action | Foreign]] = {
    "output": _output,
    "strip_vlan": lambda _, __: PopVlan(),
    "pop_vlan": lambda _, __: PopVlan(),
    "set_tunnel": lambda pair, _: SetField("tun_id", int(pair.meta.vstring, 0)),
    "set_tunnel64": lambda pair, _: SetField("tun_id", int(pair.meta.vstring, 0)),
    "mod_dl_src": lambda pair, _: SetField("eth_src", pair.meta.vstring),
    "mod_dl_dst": lambda pair, _: SetField("eth_dst", pair.meta.vstring),
    "load": lambda pair, whole: _set(pair.meta.vstring, whole),
    "set_field": lambda pair, whole: _set(pair.meta.vstring, whole),
    "move": lambda pair, whole: _move(pair.meta.vstring, whole),
    "learn": lambda pair, whole: _learn(pair.value, whole),
}
