"""What `ofproto/trace` printed, as values.  Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OUTPUT = re.compile(r'\s+output:"?([^"\s]+)"?')
TUN_ID = re.compile(r"\s+(?:set_field:|load:)(0x[0-9a-f]+|\d+)->(?:tun_id|NXM_NX_TUN_ID\[\])")
PUSHED = re.compile(r"push_vlan\(.*?\bvid=(\d+)")
ANSWERED = re.compile(r"set\(arp\(sip=([0-9.]+),.*?op=2.*?sha=([0-9a-f:]+)")
SKIPPED = ">> skipping output to input port"


@dataclass(frozen=True, slots=True)
class Sent:
    """One copy that leaves the datapath.

    Attributes:
        port: the port's name.
        tag: the outermost VLAN id then; None: untagged.
        answer: `ADDRESS is-at MAC` if the frame was made an ARP answer before.
    """

    port: str
    tag: int | None
    answer: str | None = None


def sent(trace: str, tag: int | None = None) -> tuple[Sent, ...]:
    """What the datapath sends, in its order; `tag`: the VLAN id the frame came in with."""
    line = re.search(r"^Datapath actions: (.*)$", trace, re.MULTILINE)
    if line is None:
        raise ValueError(f"not a trace: {trace}")
    return tuple(_sent(line[1], [] if tag is None else [tag]))


def _sent(actions: str, tags: list[int]) -> Iterator[Sent]:
    answer = None
    for action in split(actions):
        if pushed := PUSHED.match(action):
            tags.append(int(pushed[1]))
        elif action == "pop_vlan":
            tags.pop()
        elif action.startswith("set(arp("):
            reported = ANSWERED.match(action)  # it does not match where the request is restored
            answer = f"{reported[1]} is-at {reported[2]}" if reported else None
        elif action.startswith("set("):
            continue
        elif action.startswith("clone("):
            yield from _sent(action[len("clone(") : -1], list(tags))
        elif "(" in action:
            raise ValueError(f"unknown datapath action {action!r}")
        elif action != "drop":
            yield Sent(action.strip('"'), tags[-1] if tags else None, answer)


def split(actions: str) -> list[str]:
    """The actions of a comma-separated list; commas inside brackets do not part them."""
    parts, depth = [""], 0
    for char in actions:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def tunnelled(trace: str, tunnels: frozenset[str]) -> tuple[tuple[str, int | None], ...]:
    """Each copy into a tunnel as (port name, tun_id), read from the steps of the translation.

    A dummy datapath has no tunnels of its own, so the id does not stand in its actions.
    """
    lines = trace.splitlines()
    tun_id, found = None, []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if written := TUN_ID.match(line):
            tun_id = int(written[1], 0)
        reached = OUTPUT.match(line)
        if reached and reached[1] in tunnels and SKIPPED not in after:
            found.append((reached[1], tun_id))
    return tuple(found)
