"""The interfaces of a node: what each is connected to, and which one a name means."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.model.errors import LabError, OverlayError
from controller.model.names import int_port_name, tap_name
from controller.model.near import did_you_mean
from topologies.lab.base import LabBase

LOOPBACK = "lo"
TUNNELS = ("gre", "vxlan", "geneve", "ip6gre")


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of a node.

    Attributes:
        mtu: bytes.
        addresses: with prefix lengths, link-local ones left out.
        peer: the node at the other end of its link; empty if it is no end of a link.
        peer_interface: its name in that node.
        more_names: other names of a guest's port: its `qvo...`, its `tap...` and its id.
    """

    name: str
    mtu: int
    is_up: bool = True
    addresses: tuple[str, ...] = ()
    peer: str = ""
    peer_interface: str = ""
    more_names: tuple[str, ...] = ()


def interfaces_of(lab: LabBase, node: str) -> tuple[Interface, ...]:
    """The interfaces of `node` in the kernel's order, without its loopback.

    Raises:
        LabError: there is no such node.
    """
    shown = json.loads(lab.run(node, "ip", "-json", "address", "show"))
    ends = {name: end for name, *end in _ends(lab, node)}
    ports = _guest_ports(lab)
    return tuple(
        Interface(
            name=link["ifname"],
            mtu=link["mtu"],
            is_up="UP" in link["flags"],
            addresses=tuple(
                f"{at['local']}/{at['prefixlen']}"
                for at in link["addr_info"]
                if at.get("scope") != "link"
            ),
            peer=peer,
            peer_interface=far_end,
            more_names=ports.get((peer, far_end), ()),
        )
        for link in shown
        if link["ifname"] != LOOPBACK
        for peer, far_end in [ends.get(link["ifname"], ("", ""))]
    )


def _ends(lab: LabBase, node: str) -> Iterator[tuple[str, str, str]]:
    """Each link of `node`: its interface, the other node, and the interface there."""
    for link in lab.links():
        one, other = (link["node1"], link["intfName1"]), (link["node2"], link["intfName2"])
        for (near, name), (far, far_name) in ((one, other), (other, one)):
            if near == node:
                yield name, far, far_name


def _guest_ports(lab: LabBase) -> dict[tuple[str, str], tuple[str, ...]]:
    """The names of each guest's port on its host, by guest and interface."""
    return {
        (name, f"eth{number}"): (int_port_name(id_), tap_name(id_), id_)
        for name, entry in lab.nodes().items()
        for id_, _, number in entry.facts.get("ports", ())
    }


def interface_named(lab: LabBase, node: str, wanted: str) -> str:
    """The interface of `node` that `wanted` means: its own name, or that of its peer.

    Raises:
        LabError: none is meant, several are, or it is a port that exists in Open vSwitch only.
    """
    found = interfaces_of(lab, node)
    named = meant(found, wanted)
    where = f"node {node!r} of lab {lab.name!r}"
    if len(named) == 1:
        (one,) = named
        if not one.is_up and not one.peer and "br-int" in {each.name for each in found}:
            raise LabError(
                f"{one.name!r} is a bridge of Open vSwitch that is down: no frame passes it",
                where=where,
                allowed=_listed(found),
                do="`underlay` has the packets of tunnels, and each guest's port its frames.",
            )
        return one.name
    if named:
        raise LabError(
            f"{len(named)} interfaces are connected to {wanted!r}",
            where=where,
            allowed=_listed(named),
            do="Name the interface.",
        )
    kind = _kind_in_ovs(lab, node, wanted)
    if kind:
        is_tunnel = kind in TUNNELS
        raise LabError(
            f"{wanted!r} is a {'tunnel' if is_tunnel else kind} port of Open vSwitch, "
            "and no interface of the kernel",
            where=where,
            allowed=_listed(found),
            do="Its packets leave through `underlay`."
            if is_tunnel
            else "`overlaylab trace` shows which frames pass it.",
        )
    names = [name for each in found for name in (each.name, each.peer) if name]
    raise LabError(
        f"no interface {wanted!r}",
        where=where,
        allowed=_listed(found),
        do=did_you_mean(wanted, names, f"`overlaylab capture {lab.name} {node}` describes them."),
    )


def meant(interfaces: Sequence[Interface], wanted: str) -> list[Interface]:
    """The interfaces connected to `wanted`, or else the one with that name or other name."""
    return (
        [each for each in interfaces if wanted == each.peer]
        or [each for each in interfaces if wanted == each.name]
        or [each for each in interfaces if wanted in each.more_names]
    )


def _listed(interfaces: Sequence[Interface]) -> str:
    used = (each for each in interfaces if each.is_up or each.peer)
    texts = (f"{each.name} (to {each.peer})" if each.peer else each.name for each in used)
    return ", ".join(texts) or "none"


def _kind_in_ovs(lab: LabBase, node: str, name: str) -> str:
    """The type of a port of the node's Open vSwitch: `patch`, `vxlan` and so on; empty if none."""
    if lab.node(node).kind != "host" or set(name) & set('"\\'):
        return ""
    argv = ("ovs-vsctl", "--bare", "--columns=type", "find", "Interface", f'name="{name}"')
    try:
        return lab.run(node, *argv).strip()
    except OverlayError:  # a host with Linux bridges
        return ""
