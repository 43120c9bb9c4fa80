"""The pictures of a walk: headers leg by leg with what the article has otherwise, and round trips.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from experiments.core.results import Run
from experiments.show.report import Picture
from experiments.show.sheet import Caption
from experiments.show.statistics import Repeats
from experiments.walk import figure as drawn
from experiments.walk.headers import GRE, ICMP, IP, Header
from experiments.walk.report_article import Step
from experiments.walk.report_legs import Leg, legs_of, repeats_of
from experiments.walk.words import BACK, INEXACT, THERE

WAYS = {THERE: "There: the request", BACK: "Back: its reply"}
STEP_AT = {  # which header of which leg a step of the article speaks of; -1: the last leg
    "1.1": (0, 0),
    "2.4": (1, 0),
    "2.3": (2, 0),
    "2.2": (2, 1),
    "3.1": (3, 0),
    "4.1": (-2, 0),
    "4.2": (-2, 0),
    "4.3": (-1, 0),
    "5.1": (-1, 0),
}


def pictures(
    run: Run, steps: Sequence[Step], levels: Mapping[str, Repeats], time: str
) -> Iterator[Picture]:
    """Both; `time` says in words what the round trips say."""
    ways = tuple(_way(run, way, steps) for way in WAYS)
    yield Picture(
        name="walk",
        title="The headers of one ping, leg by leg, there and back",
        alternative="; ".join(_spoken(run, way) for way in WAYS),
        draw=lambda report: drawn.draw(ways, Caption.of(report)),
    )
    if all(any(len(repeat) for repeat in repeats) for repeats in levels.values()):
        yield Picture(
            name="walk-latency",
            title="Round trips by path",
            alternative=f"Box plots of round trips by path. {time}",
            draw=lambda report: drawn.draw_paths(
                levels, replace(Caption.of(report), findings=(time,))
            ),
        )


def _spoken(run: Run, way: str) -> str:
    legs = legs_of(run, way, repeats_of(run)[0])
    return f"{way}: " + ", ".join(
        f"{leg.where} {' in '.join(map(str, leg.ips[::-1]))}" for leg in legs
    )


def _way(run: Run, way: str, steps: Sequence[Step]) -> drawn.Way:
    legs = legs_of(run, way, repeats_of(run)[0])
    notes = _notes(steps, len(legs)) if way == THERE else {}
    columns = [
        _column(leg, legs[at - 1] if at else None, notes.get(at, ""), is_back=way == BACK)
        for at, leg in enumerate(legs)
    ]
    is_back = way == BACK
    return drawn.Way(
        name=WAYS[way], columns=tuple(columns[::-1] if is_back else columns), is_leftward=is_back
    )


NOTES = {"2.2": "GRE: no address", "2.4": "SNAT before GRE", "5.1": "ARP, then unicast"}


def _notes(steps: Sequence[Step], many: int) -> dict[int, str]:
    """What the captures say against the article, by the leg where they do."""
    return {
        STEP_AT[step.number][0] % many: f"not as in {step.number}:\n{NOTES[step.number]}"
        for step in steps
        if step.outcome == INEXACT and step.number in NOTES
    }


def _column(leg: Leg, before: Leg | None, note: str, *, is_back: bool) -> drawn.Column:
    first, last = leg.rows[0], leg.rows[-1]
    ends = (f"{first['node']}", f"{first['interface'] if leg.is_inside else last['node']}")
    head = ends[::-1] if is_back and not leg.is_inside else ends  # as they lie, not as it passes
    ips = sum(header.protocol == IP for header in leg.stack)
    boxes = []
    for header in leg.stack:
        ips -= header.protocol == IP
        boxes.append(_box(header, before, is_inner=not ips))
    return drawn.Column(head=head, boxes=tuple(boxes), is_inside=leg.is_inside, note=note)


def _box(header: Header, before: Leg | None, *, is_inner: bool) -> drawn.Box:
    if header.protocol == GRE:
        return drawn.Box(kind=drawn.GRE, lines=("GRE", "no address"))
    if header.protocol == ICMP:
        return drawn.Box(kind=drawn.ICMP, lines=(header.more.replace("echo", "ICMP"),))
    lines = ("IP", header.source, f"> {header.target}")
    if not is_inner:
        return drawn.Box(kind=drawn.OUTER, lines=("IP (public)", *lines[1:]))
    old = before.inner if before else None
    pairs = ((1, header.source, old and old.source), (2, header.target, old and old.target))
    changed = tuple(number for number, new, was in pairs if was is not None and new != was)
    return drawn.Box(kind=drawn.INNER, lines=lines, changed=changed)
