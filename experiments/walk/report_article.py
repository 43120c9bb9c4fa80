"""The article's five steps beside what was caught: exact, inexact, or not seen.  Pure.

Each is judged by the captures alone, in every block; none is inexact because we say so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.core.question import Row
from experiments.core.results import Run
from experiments.show.report import Table
from experiments.walk.report_legs import Leg, addresses, legs_of, repeats_of
from experiments.walk.words import BACK, EXACT, INEXACT, THERE, UNSEEN

PC, SERVER = "192.168.1.123", "10.100.0.123"
HOME, OFFICE = "221.234.230.1", "106.38.241.118"
NEAR_END, FAR_END, GATEWAY = "172.16.16.1", "172.16.16.2", "10.100.0.1"
ADDRESS = 4  # bytes of one IPv4 address
IP_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What one block caught."""

    there: tuple[Leg, ...]
    back: tuple[Leg, ...]
    heard: tuple[Row, ...]

    @property
    def wan(self) -> tuple[Leg, ...]:
        """The legs across the internet."""
        return tuple(leg for leg in self.there if leg.outer)

    @property
    def tunnel_ends(self) -> tuple[Leg, ...]:
        """gre1 of both routers, in the order of passing."""
        return tuple(leg for leg in self.there if leg.is_inside)


Judged = tuple[str, str]  # stands, seen
Judge = Callable[[Caught], Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A sentence of the article, and what became of it."""

    number: str
    claim: str
    outcome: str
    seen: str


def steps_of(run: Run) -> tuple[Step, ...]:
    """All the article's steps; none if the scenario's addresses are not the article's."""
    caught = [_caught(run, repeat) for repeat in repeats_of(run)]
    if not caught or not all(each.there and _is_articles(each) for each in caught):
        return ()
    return tuple(_step(*each, caught) for each in STEPS)


def _caught(run: Run, repeat: object) -> Caught:
    return Caught(
        there=legs_of(run, THERE, repeat),
        back=legs_of(run, BACK, repeat),
        heard=tuple(row for row in run.rows_of("heard") if row["repeat"] == repeat),
    )


def _is_articles(caught: Caught) -> bool:
    inner = caught.there[0].inner
    return inner is not None and (inner.source, inner.target) == (PC, SERVER)


def _step(number: str, claim: str, judge: Judge, caught: Sequence[Caught]) -> Step:
    """What stands in every block; where blocks differ it is not seen for sure."""
    judged = [_judged(judge, each) for each in caught]
    outcome = judged[0][0] if len({each for each, _ in judged}) == 1 else UNSEEN
    return Step(number=number, claim=claim, outcome=outcome, seen=judged[0][1])


def _judged(judge: Judge, caught: Caught) -> Judged:
    try:
        return judge(caught)
    except (IndexError, AttributeError):  # a leg, or a header of it, is missing
        return UNSEEN, "a packet that was not caught"


def _sent(caught: Caught) -> Judged:
    inner = caught.there[0].ips[0]
    return EXACT, f"{inner.source} > {inner.target} on the home's LAN"


def _routed(caught: Caught) -> Judged:
    mac, router = caught.there[0].rows[0]["eth_target"], caught.back[-1].rows[0]["eth_source"]
    return _if(mac == router), "the frame is for the MAC of home-router's lan"


def _wrapped(caught: Caught) -> Judged:
    """Not so if GRE took too few bytes for two addresses, and the far one is in no header."""
    before, after = caught.tunnel_ends[0], caught.wan[0]
    gre_bytes = after.frame_bytes - before.frame_bytes - IP_BYTES
    is_bare = gre_bytes < 2 * ADDRESS and FAR_END not in addresses((*caught.there, *caught.back))
    seen = (
        f"GRE is {gre_bytes} bytes and has no address; {NEAR_END} is the inner IP's source, "
        f"{FAR_END} in no header"
    )
    return (INEXACT, seen) if is_bare and not after.stack[1].source else (EXACT, seen)


def _carried(caught: Caught) -> Judged:
    outer = caught.wan[0].ips[0]
    seen = f"outermost: {outer.source} > {outer.target}"
    return _if((outer.source, outer.target) == (HOME, OFFICE)), seen


def _translated(caught: Caught) -> Judged:
    """Told last; inexact if the source is new where there is no GRE yet."""
    entering = caught.tunnel_ends[0]
    is_first = entering.ips[0].source == NEAR_END and entering.gre is None
    seen = f"on gre1, without GRE, the source is {entering.ips[0].source} already"
    return (INEXACT, f"{seen}: SNAT comes first") if is_first else (EXACT, seen)


def _crossed(caught: Caught) -> Judged:
    wan = caught.wan
    outer, inner = [leg.ttls[0] for leg in wan], {leg.ttls[1] for leg in wan}
    falls = outer == list(range(outer[0], outer[0] - len(wan), -1))
    same = len({leg.stack for leg in wan}) == 1 and len(inner) == 1
    ttls = ", ".join(map(str, outer))
    seen = f"{len(wan) - 1} routers: outer TTL {ttls}, headers and inner TTL as they were"
    return _if(falls and same), seen


def _unwrapped(caught: Caught) -> Judged:
    last, out = caught.wan[-1], caught.tunnel_ends[-1]
    is_own = last.ips[0].target == OFFICE and out.outer is None
    return _if(is_own), f"for {last.ips[0].target} on the wire; on gre1 the outer IP is gone"


def _unwrapped_gre(caught: Caught) -> Judged:
    last, out = caught.wan[-1], caught.tunnel_ends[-1]
    return _if(last.gre is not None and out.gre is None), "on gre1 GRE is gone, too"


def _replaced(caught: Caught) -> Judged:
    before, after = caught.tunnel_ends[-1].ips[0], caught.there[-1].ips[0]
    seen = f"{before.source} on gre1, {after.source} on the LAN"
    return _if((before.source, after.source) == (NEAR_END, GATEWAY)), seen


def _broadcast(caught: Caught) -> Judged:
    """Inexact if a third machine hears the question for the MAC, and not the packet."""
    server = str(caught.there[-1].rows[-1]["node"])
    mac, own = caught.there[-1].rows[-1]["eth_target"], caught.back[0].rows[0]["eth_source"]
    others = [row for row in caught.heard if row["node"] != server]
    asked = sum(int(row["packets"] or 0) for row in others if row["what"] == "ARP request")
    pings = sum(int(row["packets"] or 0) for row in others if row["what"] == "ping")
    if not asked:  # nobody else is there, or nobody asked: nothing is shown
        return UNSEEN, "no third machine that heard anything"
    seen = (
        f"ARP is broadcast (heard by others: {asked}), the packet is for {server}'s MAC ({pings})"
    )
    return (INEXACT, seen) if mac == own and not pings else (EXACT, seen)


def _taken(caught: Caught) -> Judged:
    answer = caught.back[0].ips[0]
    return _if(answer.source == SERVER), f"it answers: {answer.source} > {answer.target}"


def _if(is_so: bool) -> str:  # noqa: FBT001  there is nothing else to call it
    return EXACT if is_so else INEXACT


STEPS: tuple[tuple[str, str, Judge], ...] = (
    ("1.1", f"the PC sends a packet from {PC} to {SERVER}", _sent),
    ("2.1", "by its default route it goes to 192.168.1.1", _routed),
    ("2.2", f"there a GRE header is put on, with target {FAR_END} and source {NEAR_END}", _wrapped),
    ("2.3", f"then a public header, with target {OFFICE} and source {HOME}", _carried),
    ("2.4", f"what goes to 10.100.0.0/24 leaves as {NEAR_END} (SNAT; told last)", _translated),
    ("3.1", f"by n routers it gets to {OFFICE}", _crossed),
    ("4.1", "the far router sees that it is for itself, and unpacks", _unwrapped),
    ("4.2", "it finds GRE, and unpacks further", _unwrapped_gre),
    ("4.3", f"it finds a target that is not its own, and puts {GATEWAY} for the source", _replaced),
    ("5.1", f"from {GATEWAY} to {SERVER} it is broadcast in the LAN", _broadcast),
    ("5.2", f"{SERVER} sees that it is meant, and takes it", _taken),
)


def article_grid(steps: Sequence[Step]) -> Table:
    """The article's words, what was seen, and how the two stand."""
    return Table(
        title="The article's steps",
        heads=("step", "the article", "seen", "the article is"),
        rows=tuple((each.number, each.claim, each.seen, each.outcome) for each in steps),
        words=("step", "the article", "seen", "the article is"),
        note="The article numbers its steps (1) to (5); its words are shortened here. It says "
        "nothing of the way back.",
    )
