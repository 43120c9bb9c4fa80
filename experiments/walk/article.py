"""The steps of the article compared with the captures: exact, inexact, or not seen.  Pure.

Each step is judged by the captures alone, in every repeat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from experiments.core.results import Run
from experiments.show.report import Table
from experiments.walk.legs import Hop, Leg, legs_of, repeats_of
from experiments.walk.words import BACK, EXACT, INEXACT, THERE, UNSEEN

PC, SERVER = "192.168.1.123", "10.100.0.123"
HOME, OFFICE = "221.234.230.1", "106.38.241.118"
NEAR_END, FAR_END, GATEWAY = "172.16.16.1", "172.16.16.2", "10.100.0.1"
ADDRESS = 4  # bytes of one IPv4 address
IP_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What one repeat captured."""

    there: tuple[Leg, ...]
    back: tuple[Leg, ...]
    heard: tuple[Hop, ...]  # rows of the table `heard`

    @property
    def wan(self) -> tuple[Leg, ...]:
        """The legs across the internet."""
        return tuple(leg for leg in self.there if leg.outer)

    @property
    def tunnel_ends(self) -> tuple[Leg, ...]:
        """The interface gre1 of both routers, in the order of passing."""
        return tuple(leg for leg in self.there if leg.is_inside)


Judged = tuple[bool | None, str]  # if the step is exact (None: not seen), and what was seen
Judge = Callable[[Captured], Judged]


class Step(NamedTuple):
    """A sentence of the article, and how it compares with the captures."""

    number: str
    claim: str
    seen: str
    outcome: str

    @property
    def is_inexact(self) -> bool:
        """True if the captures contradict it."""
        return self.outcome == INEXACT


def steps_of(run: Run) -> tuple[Step, ...]:
    """All the article's steps; none if the scenario's addresses are not the article's."""
    captured = [
        Captured(
            there=legs_of(run, THERE, repeat),
            back=legs_of(run, BACK, repeat),
            heard=tuple(run.tables["heard"].filter(repeat=repeat).rows(named=True)),
        )
        for repeat in repeats_of(run)
    ]
    senders = {each.there[0].inner if each.there else None for each in captured}
    if {inner and (inner.source, inner.target) for inner in senders} != {(PC, SERVER)}:
        return ()
    return tuple(_step(*each, captured) for each in STEPS)


def _step(number: str, claim: str, judge: Judge, captured: Sequence[Captured]) -> Step:
    """The result of all repeats; if they differ, the step is not seen."""
    judged = [_judged(judge, each) for each in captured]
    (is_exact, seen), different = judged[0], {each for each, _ in judged}
    if is_exact is None or len(different) > 1:
        return Step(number, claim, seen, UNSEEN)
    return Step(number, claim, seen, EXACT if is_exact else INEXACT)


def _judged(judge: Judge, captured: Captured) -> Judged:
    try:
        return judge(captured)
    except (IndexError, AttributeError):  # a leg, or a header of it, is missing
        return None, "a packet that was not captured"


def _sent(captured: Captured) -> Judged:
    inner = captured.there[0].ips[0]
    return True, f"{inner.source} > {inner.target} on the home's LAN"


def _routed(captured: Captured) -> Judged:
    mac, router = captured.there[0].rows[0]["eth_target"], captured.back[-1].rows[0]["eth_source"]
    return mac == router, "the frame is sent to the MAC of home-router's lan"


def _in_gre(captured: Captured) -> Judged:
    """Inexact if GRE is too short for two addresses, and no header has the far end's address."""
    before, after = captured.tunnel_ends[0], captured.wan[0]
    gre_bytes = after.frame_bytes - before.frame_bytes - IP_BYTES
    headers = [header for leg in (*captured.there, *captured.back) for header in leg.stack]
    is_seen = any(FAR_END in {header.source, header.target} for header in headers)
    is_bare = gre_bytes < 2 * ADDRESS and not is_seen
    seen = (
        f"GRE is {gre_bytes} bytes and has no address; {NEAR_END} is the inner IP's source, "
        f"{FAR_END} in no header"
    )
    return not is_bare or bool(after.stack[1].source), seen


def _in_public_ip(captured: Captured) -> Judged:
    outer = captured.wan[0].ips[0]
    seen = f"outermost: {outer.source} > {outer.target}"
    return (outer.source, outer.target) == (HOME, OFFICE), seen


def _translated(captured: Captured) -> Judged:
    """The article has SNAT last; inexact if the source is changed before GRE is added."""
    entering = captured.tunnel_ends[0]
    is_first = entering.ips[0].source == NEAR_END and entering.gre is None
    seen = f"on gre1, without GRE, the source is {entering.ips[0].source} already"
    return not is_first, f"{seen}: SNAT comes first" if is_first else seen


def _crossed(captured: Captured) -> Judged:
    wan = captured.wan
    outer, inner = [leg.ttls[0] for leg in wan], {leg.ttls[1] for leg in wan}
    falls = outer == list(range(outer[0], outer[0] - len(wan), -1))
    same = len({leg.stack for leg in wan}) == 1 and len(inner) == 1
    ttls = ", ".join(map(str, outer))
    seen = f"{len(wan) - 1} routers: outer TTL {ttls}, headers and inner TTL unchanged"
    return falls and same, seen


def _unpacked(captured: Captured) -> Judged:
    last, out = captured.wan[-1], captured.tunnel_ends[-1]
    is_own = last.ips[0].target == OFFICE and out.outer is None
    seen = f"to {last.ips[0].target} on the wire; on gre1 the outer IP is removed"
    return is_own, seen


def _unpacked_gre(captured: Captured) -> Judged:
    last, out = captured.wan[-1], captured.tunnel_ends[-1]
    return last.gre is not None and out.gre is None, "on gre1 GRE is removed as well"


def _replaced(captured: Captured) -> Judged:
    before, after = captured.tunnel_ends[-1].ips[0], captured.there[-1].ips[0]
    seen = f"{before.source} on gre1, {after.source} on the LAN"
    return (before.source, after.source) == (NEAR_END, GATEWAY), seen


def _broadcast(captured: Captured) -> Judged:
    """Inexact if a third machine receives the ARP request, and not the packet."""
    server = captured.there[-1].rows[-1]["node"]
    mac, own = captured.there[-1].rows[-1]["eth_target"], captured.back[0].rows[0]["eth_source"]
    others = [row for row in captured.heard if row["node"] != server]
    requests = sum(row["packets"] or 0 for row in others if row["what"] == "ARP request")
    pings = sum(row["packets"] or 0 for row in others if row["what"] == "ping")
    if not requests:  # no third machine, or no request: nothing is shown
        return None, "no third machine that received anything"
    seen = (
        f"ARP is broadcast (received by others: {requests}), the packet is sent to {server}'s MAC "
        f"({pings})"
    )
    return mac != own or pings > 0, seen


def _received(captured: Captured) -> Judged:
    answer = captured.back[0].ips[0]
    return answer.source == SERVER, f"it answers: {answer.source} > {answer.target}"


STEPS: tuple[tuple[str, str, Judge], ...] = (
    ("1.1", f"the PC sends a packet from {PC} to {SERVER}", _sent),
    ("2.1", "by its default route it goes to 192.168.1.1", _routed),
    ("2.2", f"there a GRE header is added, with target {FAR_END} and source {NEAR_END}", _in_gre),
    ("2.3", f"then a public header, with target {OFFICE} and source {HOME}", _in_public_ip),
    ("2.4", f"packets to 10.100.0.0/24 leave as {NEAR_END} (SNAT; mentioned last)", _translated),
    ("3.1", f"n routers forward it to {OFFICE}", _crossed),
    ("4.1", "the far router sees its own address, and unpacks", _unpacked),
    ("4.2", "it finds GRE, and unpacks further", _unpacked_gre),
    ("4.3", f"it finds another target, and replaces the source by {GATEWAY}", _replaced),
    ("5.1", f"from {GATEWAY} to {SERVER} it is broadcast in the LAN", _broadcast),
    ("5.2", f"{SERVER} sees its own address, and accepts it", _received),
)


def article_table(steps: Sequence[Step]) -> Table:
    """Each step of the article, what was seen, and the outcome."""
    heads = ("step", "the article", "seen", "the article is")
    return Table(
        title="The article's steps",
        heads=heads,
        rows=tuple(steps),
        words=heads,
        note="The article numbers its steps (1) to (5); its words are shortened here. It does not "
        "describe the way back.",
    )
