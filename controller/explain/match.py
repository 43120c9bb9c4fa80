"""Describes the frames that a flow matches.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.explain.names import Names, id_word, listed, segment, spelt
from controller.flows.actions import OFPVID_PRESENT as PRESENT
from controller.flows.actions import LearnReturnPath
from controller.flows.pipeline import (
    BROADCAST,
    NEIGHBOUR_ADVERTISEMENT,
    ROUTER_ADVERTISEMENT,
    TUN_TO_LV,
    Flow,
)
from controller.flows.ports import BR_INT, DEAD_VLAN_TAG
from controller.model.encap import NetworkType
from controller.model.parts import Network

GROUP_BIT = "/01:00:00:00:00:00"
ICMP6 = {
    ROUTER_ADVERTISEMENT: "IPv6 router advertisements",
    NEIGHBOUR_ADVERTISEMENT: "IPv6 neighbour advertisements",
}
FIELD_NAMES = {  # match field -> its name in a sentence
    "in_port": "port",
    "tun_id": "",
    "dl_vlan": "VLAN",
    "dl_src": "source MAC",
    "dl_dst": "destination MAC",
    "arp_spa": "ARP sender address",
    "arp_tpa": "ARP target address",
    "nd_target": "announced address",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The frames that a flow matches, and their network, if it is certain."""

    text: str
    network: Network | None


def subject(names: Names, flow: Flow, flows: Iterable[Flow]) -> Subject:
    """The frames that `flow` matches; `flows` are all flows of its bridge."""
    seen = dict(flow.match)
    network = _network(names, flow, seen)
    if not seen:
        return Subject(_rest(flow, tuple(flows)), network)
    other = "other " if any(_comes_before(each, flow) for each in flows) else ""
    words = [other + _kind(seen), *_from(names, flow, seen), *_marks(names, flow, seen, network)]
    return Subject(" ".join(words), network)


def _comes_before(one: Flow, flow: Flow) -> bool:
    """Whether `one` has a higher priority than `flow` and matches some of its frames."""
    is_above = one.table == flow.table and one.priority > flow.priority
    return is_above and set(one.match) > set(flow.match)


def _network(names: Names, flow: Flow, seen: dict[str, str | int]) -> Network | None:
    if "tun_id" in seen:
        kinds = tuple(kind for kind, table in TUN_TO_LV.items() if table == flow.table)
        return names.network_of_id(kinds, int(seen["tun_id"]))
    if "dl_vlan" in seen and not _is_outside(flow, seen):
        return names.network_in(int(seen["dl_vlan"]))
    return names.network_of_port(str(seen.get("in_port", "")))


def _is_outside(flow: Flow, seen: dict[str, str | int]) -> bool:
    """Whether the VLAN is one of the provider network, on frames from there."""
    return flow.bridge == BR_INT and "in_port" in seen


def _rest(flow: Flow, flows: tuple[Flow, ...]) -> str:
    """The frames left for a flow that matches all, described by what the other flows match."""
    here = (each for each in flows if each.table == flow.table)
    fields = {name for each in here for name, _ in each.match}
    learned = _learned_by(flow, flows)
    words = {**FIELD_NAMES, "tun_id": _tunnel_id(flow)}
    asked = [word for name, word in words.items() if name in fields | learned]
    if asked:
        verb = "is" if len(asked) == 1 else "are"
        known = "no flow above" + (" and by no learned flow" if learned else "")
        return f"all other frames, whose {listed(asked)} {verb} matched by {known},"
    name = getattr(flow.table, "name", "")
    return f"all {'other ' if fields else ''}frames that reach {name}"


def _tunnel_id(flow: Flow) -> str:
    """The name of the id that the flow's table translates to a local VLAN."""
    kinds = [kind for kind, table in TUN_TO_LV.items() if table == flow.table]
    return " ".join(dict.fromkeys((spelt(kinds[0]), *id_word(kinds[0]).split()))) if kinds else ""


def _learned_by(flow: Flow, flows: Iterable[Flow]) -> set[str]:
    """The fields of learned flows in the flow's table."""
    learns = (a for each in flows for a in each.actions if isinstance(a, LearnReturnPath))
    return {"dl_vlan", "dl_dst"} if any(a.table == flow.table for a in learns) else set()


def _kind(seen: dict[str, str | int]) -> str:
    proto, to = seen.get("proto"), str(seen.get("dl_dst", ""))
    if proto == "icmp6":
        return ICMP6.get(int(seen.get("icmp_type", 0)), "ICMPv6")
    what = "ARP packets" if proto == "arp" else "frames"
    if proto == "arp" and to == BROADCAST:
        return "ARP requests (ARP that is broadcast)"
    if proto == "arp" and seen.get("arp_tha") == BROADCAST:
        return "ARP announcements (target MAC ff:ff:ff:ff:ff:ff)"
    if to.endswith(GROUP_BIT):
        is_group = to.startswith("01")
        return f"{'broadcast and multicast' if is_group else 'unicast'} {what}"
    return what


def _from(names: Names, flow: Flow, seen: dict[str, str | int]) -> Iterable[str]:
    if "in_port" in seen:
        yield f"from {names.port(flow.bridge, str(seen['in_port']))}"


def _marks(
    names: Names, flow: Flow, seen: dict[str, str | int], network: Network | None
) -> Iterable[str]:
    """The other fields of the match; an unknown one is printed as it is."""
    for name, value in seen.items():
        if name in {"proto", "in_port", "icmp_type", "arp_tha"}:
            continue
        if name == "dl_dst" and (str(value).endswith(GROUP_BIT) or value == BROADCAST):
            continue
        yield _mark(names, flow, seen, network, name, value)


def _mark(  # noqa: PLR0917  all that the description of a field may need
    names: Names,
    flow: Flow,
    seen: dict[str, str | int],
    network: Network | None,
    name: str,
    value: str | int,
) -> str:
    if name == "dl_vlan":
        return _vlan(names, flow, seen, int(value))
    if name == "vlan_tci":
        return _tci(str(value))
    texts = {
        "tun_id": lambda: f"with {segment(network, int(value))}",
        "dl_src": lambda: f"that are sent from {names.mac(str(value))}",
        "dl_dst": lambda: f"for {names.mac(str(value))}",
        "arp_spa": lambda: f"with sender address {names.address(str(value), network)}",
        "arp_tpa": lambda: f"that ask for {names.address(str(value), network)}",
        "nd_target": lambda: f"that announce {names.address(str(value), network)}",
    }
    return texts[name]() if name in texts else f"with {name}={value}"


def _vlan(names: Names, flow: Flow, seen: dict[str, str | int], number: int) -> str:
    if _is_outside(flow, seen) and number != DEAD_VLAN_TAG:
        outside = names.network_of_id((NetworkType.VLAN,), number)
        named = f" ({outside.name})" if outside else ""
        return f"with VLAN {number} of the provider network{named}"
    return f"in {names.local_vlan(number)}"


def _tci(value: str) -> str:
    """A masked VLAN tag: `0x0000/0x1fff` matches untagged frames."""
    tci, _, mask = value.partition("/")
    tag, mask_bits = int(tci, 16), int(mask or "0xffff", 16)
    if mask_bits & PRESENT and not tag & PRESENT:
        vlan = tag & 0xFFF
        if vlan:
            return (
                f"that have VLAN id {vlan} but no tag (there are none: a bug in Neutron before 20.0.0; "
                "only its tag isolates a dead port)"
            )
        return "without a tag"
    return f"with the tag {value}"
