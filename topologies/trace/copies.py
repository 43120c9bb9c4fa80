"""The copies of a frame that leave a host, parsed from a trace's `Datapath actions`.  Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from controller.model.encap import NetworkType

PUSHED = re.compile(r"push_vlan\(.*?\bvid=(\d+)")
ANSWERED = re.compile(r"set\(arp\(sip=([0-9.]+),.*?op=2.*?sha=([0-9a-f:]+)")
ETHERNET = re.compile(r"eth\(dst=([0-9a-f:]+),src=([0-9a-f:]+)")
IP = re.compile(r"ipv([46])\(src=([^,]+),dst=([^,]+)")
ID = re.compile(r"\b(?:vni|key)=(0x[0-9a-f]+|\d+)")
TUNNEL = re.compile(r"set\(tunnel\(tun_id=(0x[0-9a-f]+),(?:src=([^,]+),)?(?:ipv6_)?dst=([^,]+)")
SIZE = re.compile(r"header\(size=(\d+)")
KINDS = {"vxlan": NetworkType.VXLAN, "gre": NetworkType.GRE, "geneve": NetworkType.GENEVE}
KERNEL = {"gre_sys": NetworkType.GRE, "genev_sys": NetworkType.GENEVE}


@dataclass(frozen=True, slots=True)
class Outer:
    """The headers that a tunnel adds; a field is empty if the datapath does not show it."""

    kind: NetworkType
    source: str
    target: str
    segmentation_id: int
    source_mac: str = ""
    target_mac: str = ""
    size: int = 0  # bytes


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


def _sent(actions: str, tags: list[int]) -> Iterator[Copy]:
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
            yield from _sent(action[len("clone(") : -1], list(tags))
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
    kind = next((kind for name, kind in KINDS.items() if f"{name}(" in action), NetworkType.VXLAN)
    if tunnel := TUNNEL.match(action):  # the kernel's datapath
        return Outer(kind, tunnel[2] or "", tunnel[3], int(tunnel[1], 16))
    ethernet, ip, number = ETHERNET.search(action), IP.search(action), ID.search(action)
    if ethernet is None or ip is None or number is None:
        return None
    size = SIZE.search(action)
    return Outer(
        kind=kind,
        source=ip[2],
        target=ip[3],
        segmentation_id=int(number[1], 0),
        source_mac=ethernet[2],
        target_mac=ethernet[1],
        size=int(size[1]) if size else 0,
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
