"""Describes the frames that a flow matches.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from controller.explain.foreign import ICMP6_TYPES, PROTOCOLS, connection, foreign_field
from controller.explain.names import id_word, segment, spelt
from controller.explain.naming import AnyFlow, Naming
from controller.flows.actions import OFPVID_PRESENT as PRESENT
from controller.flows.actions import LearnReturnPath
from controller.flows.pipeline import (
    BROADCAST,
)
from controller.flows.ports import BR_INT, DEAD_VLAN_TAG
from controller.model.encap import NetworkType
from controller.model.parts import Network
from controller.model.wording import listed

GROUP_BIT = "/01:00:00:00:00:00"
UNTAGGED = 0xFFFF  # OpenFlow 1.0's OFP_VLAN_NONE
FIELD_NAMES = {  # match field -> its name in a sentence
    "in_port": "port",
    "tun_id": "",
    "reg6": "register 6",
    "dl_vlan": "VLAN",
    "dl_src": "source MAC",
    "dl_dst": "destination MAC",
    "arp_spa": "ARP sender address",
    "arp_tpa": "ARP target address",
    "nd_target": "announced address",
}


@dataclass(frozen=True)
class Subject:
    """The frames that `flow` matches.

    Attributes:
        flows: all flows of its bridge.
        rivals: those that may match some of its frames first.
        is_whole: `flows` are all; else there may be others of a higher priority.
    """

    names: Naming
    flow: AnyFlow
    flows: tuple[AnyFlow, ...]
    rivals: tuple[AnyFlow, ...]
    is_whole: bool = True

    @cached_property
    def text(self) -> str:
        """The frames, as the subject of a sentence."""
        if not self.flow.match:
            return self._rest()
        other = "other " if any(map(self._comes_before, self.rivals)) else ""
        in_port = self._matched.get("in_port")
        source = [f"from {self.names.port(self.flow.bridge, str(in_port))}"] if in_port else []
        return " ".join([other + self._kind(), *source, *self._fields()])

    @cached_property
    def network(self) -> Network | None:
        """Their network, if it is certain."""
        matched = self._matched
        if "tun_id" in matched:
            return self.names.network_of_id(self._tunnel_types, int(matched["tun_id"]))
        if "reg6" in matched:
            return self.names.network_in(int(matched["reg6"]))
        if "dl_vlan" in matched and not self._is_outside:
            return self.names.network_in(int(matched["dl_vlan"]))
        return self.names.network_of_port(str(matched.get("in_port", "")))

    @cached_property
    def _matched(self) -> dict[str, str | int]:
        return dict(self.flow.match)

    @property
    def _is_outside(self) -> bool:
        """Whether the VLAN is one of the provider network, on frames from there."""
        return self.flow.bridge == BR_INT and "in_port" in self._matched

    @property
    def _tunnel_types(self) -> tuple[NetworkType, ...]:
        """The types whose ids the flow's table translates to local VLANs."""
        return self.names.tunnel_types(self.flow.table)

    def _comes_before(self, other: AnyFlow) -> bool:
        """Whether `other` has a higher priority than the flow and matches some of its frames."""
        is_above = other.table == self.flow.table and other.priority > self.flow.priority
        return is_above and set(other.match) > set(self.flow.match)

    def _rest(self) -> str:
        """The frames left for a flow that matches all, described by what the other flows match."""
        if not self.is_whole:
            return "frames that no flow of higher priority matches"
        here = (each for each in self.flows if each.table == self.flow.table)
        fields = {name for each in here for name, _ in each.match}
        learns = (a for each in self.flows for a in each.actions if isinstance(a, LearnReturnPath))
        learned = (
            {"dl_vlan", "dl_dst"} if any(a.table == self.flow.table for a in learns) else set()
        )
        kinds = self._tunnel_types
        tunnel_id = dict.fromkeys((spelt(kinds[0]), *id_word(kinds[0]).split())) if kinds else ()
        words = {**FIELD_NAMES, "tun_id": " ".join(tunnel_id)}
        matched = [word for name, word in words.items() if name in fields | learned]
        if matched:
            verb = "is" if len(matched) == 1 else "are"
            known = "no flow above" + (" and by no learned flow" if learned else "")
            return f"all other frames, whose {listed(matched)} {verb} matched by {known},"
        name = self.names.table(self.flow.bridge, self.flow.table)[0] or f"table {self.flow.table}"
        return f"all {'other ' if fields else ''}frames that reach {name}"

    def _kind(self) -> str:
        matched = self._matched
        proto, to = matched.get("proto"), str(matched.get("dl_dst", ""))
        if proto == "icmp6" and "icmp_type" in matched:
            return ICMP6_TYPES.get(str(matched["icmp_type"]), f"ICMPv6 {matched['icmp_type']}")
        what = PROTOCOLS.get(str(proto), "frames")
        if proto == "arp" and to == BROADCAST:
            return "ARP requests (ARP that is broadcast)"
        if proto == "arp" and matched.get("arp_tha") == BROADCAST:
            return "ARP announcements (target MAC ff:ff:ff:ff:ff:ff)"
        if to.endswith(GROUP_BIT):
            is_group = to.startswith("01")
            return f"{'broadcast and multicast' if is_group else 'unicast'} {what}"
        return what

    def _fields(self) -> Iterator[str]:
        """The fields of the match that `_kind` and the port leave; an unknown one as it is."""
        for name, value in self._matched.items():
            is_in_kind = name == "dl_dst" and (str(value).endswith(GROUP_BIT) or value == BROADCAST)
            is_in_kind |= name == "icmp_type" and self._matched.get("proto") == "icmp6"
            is_in_kind |= name == "arp_tha" and value == BROADCAST
            if name not in {"proto", "in_port"} and not is_in_kind:
                yield self._field(name, value)

    def _field(self, name: str, value: str | int) -> str:
        names, network, text = self.names, self.network, str(value)
        texts = {
            "dl_vlan": lambda: self._vlan(int(value)),
            "vlan_tci": lambda: _tci(text),
            "reg6": lambda: f"with {names.local_vlan(int(value))} in register 6",
            "tun_id": lambda: f"with {segment(network, int(value))}",
            "icmp_type": lambda: f"of ICMP type {value}",
            "ct_state": lambda: connection(text),
            "dl_src": lambda: f"that are sent from {names.mac(text)}",
            "dl_dst": lambda: f"for {names.mac(text)}",
            "arp_spa": lambda: f"with sender address {names.address(text, network)}",
            "arp_tpa": lambda: f"that ask for {names.address(text, network)}",
            "nd_target": lambda: f"that announce {names.address(text, network)}",
        }
        own = texts[name]() if name in texts and _is_plain(name, value) else None
        return own or foreign_field(name, text) or f"with {name}={value}"

    def _vlan(self, number: int) -> str:
        if self._is_outside and number != DEAD_VLAN_TAG:
            outside = self.names.network_of_id((NetworkType.VLAN,), number)
            named = f" ({outside.name})" if outside and outside.name else ""
            return f"with VLAN {number} of the provider network{named}"
        return "without a tag" if number == UNTAGGED else f"in {self.names.local_vlan(number)}"


def _is_plain(name: str, value: str | int) -> bool:
    """Whether a number is one, not a masked text."""
    return isinstance(value, int) or name not in {"dl_vlan", "reg6", "tun_id", "icmp_type"}


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
