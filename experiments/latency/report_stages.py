"""The stages of a ping in the report of `latency`: tables and a chart.  Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from controller.model.wording import counted
from experiments.core.question import level_name
from experiments.core.results import Run
from experiments.latency.figure_stages import PARTS, Stages, draw_stages
from experiments.latency.words import ANSWER, LABELS, PING, REPLY, REQUEST, RTT, STAGES, UNMATCHED
from experiments.show.report import NONE, Picture, Table, range_text
from experiments.show.statistics import Samples, percentile

SWITCHES, WIRES = PARTS["switches"], PARTS["wire"]
OUTWARD = (REQUEST, "switch"), (REPLY, "far-switch")  # the same work; the reply comes just after


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The pings of one level that were followed from hop to hop."""

    samples_us: Stages
    rtts_us: Samples  # ping's round-trip time, for each ping
    why_not: Mapping[str, int]  # how many pings could not be followed, by reason
    beyond: int  # pings whose stages are longer than their round-trip time

    @property
    def sums_us(self) -> Samples:
        """The sum of the stages, for each ping."""
        sums: Samples = np.sum(list(self.samples_us.values()), axis=0)
        return sums

    @property
    def sum_us(self) -> float:
        """The median of the sums; the sum of the medians differs a little."""
        return float(np.median(self.sums_us))

    @property
    def rtt_us(self) -> float:
        """The median round-trip time."""
        return float(np.median(self.rtts_us))

    def share(self, stages: Sequence[str]) -> float:
        """The medians of these stages, in both directions, as a share of the round-trip time."""
        some = (np.median(us) for (_, stage), us in self.samples_us.items() if stage in stages)
        return float(sum(some)) / self.rtt_us


def stage_parts(run: Run) -> tuple[tuple[Table, ...], tuple[Picture, ...]]:
    """Tables and figure of the stages; nothing if the run followed no ping."""
    every = followed(run)
    levels = {name: each for name, each in every.items() if len(each.rtts_us)}
    if not levels:
        return ((_sums_table(every),) if every else ()), ()
    return (_stages_table(levels), _sums_table(every)), (_picture(run, levels),)


def followed(run: Run) -> dict[str, Followed]:
    """The followed pings of each level in stages.csv, in the order of the question's points."""
    if "stages" not in run.tables:
        return {}
    rows = run.tables["stages"]
    levels = {level_name(point): rows.filter(**point) for point in run.question.points()}
    return {name: _followed(mine) for name, mine in levels.items() if len(mine)}


def _followed(rows: pl.DataFrame) -> Followed:
    unmatched = pl.col("stage") == UNMATCHED
    place = pl.concat_str("direction", "stage", separator=" ")
    pings = (
        rows.filter(~unmatched)
        .with_columns(place=place)
        .pivot("place", index=["repeat", "seq"], values="latency_us")
    )

    def of(*place: str) -> Samples:
        return pings[" ".join(place)].to_numpy() if len(pings) else np.array([])

    return Followed(
        samples_us={place: of(*place) for place in STAGES},
        rtts_us=of(PING, RTT),
        why_not=Counter(rows.filter(unmatched)["note"]),
        beyond=rows.filter(stage=RTT)["note"].count(),
    )


def _stages_table(levels: Mapping[str, Followed]) -> Table:
    rows = [
        (
            "" if place[0] == ANSWER else place[0],
            LABELS[place],
            *(_spread(each.samples_us[place]) for each in levels.values()),
        )
        for place in STAGES
    ]
    sums = (_spread(each.sums_us) for each in levels.values())
    rtts = (_spread(each.rtts_us) for each in levels.values())
    return Table(
        title="The time of a warm ping by stage",
        heads=("way", "stage", *levels),
        rows=(*rows, ("", "sum of the stages", *sums), ("", "ping", *rtts)),
        words=("way", "stage"),
        note="Microseconds: median (p10 to p90, if at least ten samples lie beyond each). A stage "
        "is the difference of the capture timestamps at two successive hops. br-int to wire is the "
        "same work in both directions, but for a reply the far host's daemon has just handled the "
        "request and is probably still awake. The same difference may separate the dots of other "
        "stages into two groups.",
    )


def _spread(samples_us: Samples) -> str:
    low, high = percentile(samples_us, 10), percentile(samples_us, 90)
    middle = f"{float(np.median(samples_us)):.1f}"
    return middle if low is None or high is None else f"{middle} ({low:.1f} to {high:.1f})"


def _sums_table(levels: Mapping[str, Followed]) -> Table:
    return Table(
        title="Stages compared with the round-trip time of ping",
        heads=(
            "level",
            "followed",
            "not followed",
            "sum of stages",
            "ping",
            "covered",
            "stages longer than ping",
            "in the switches",
            "on the wire",
            "why not followed",
        ),
        rows=tuple((level, *_sums_row(each)) for level, each in levels.items()),
        words=("level", "why not followed"),
        note="Medians in microseconds. The stages do not cover the path of the packets through the "
        "guest's kernel. A ping is followed if request and reply were seen once at every hop, in "
        "order. Shares are of the round-trip time: medians of the stages, in both directions.",
    )


def _sums_row(each: Followed) -> tuple[str, ...]:
    pings = str(len(each.rtts_us)), str(sum(each.why_not.values()))
    why_not = "; ".join(f"{many} x {why}" for why, many in each.why_not.items()) or NONE
    if not len(each.rtts_us):
        return (*pings, *(NONE,) * 6, why_not)
    return (
        *pings,
        f"{each.sum_us:.0f}",
        f"{each.rtt_us:.0f}",
        f"{np.median(each.sums_us / each.rtts_us):.0%}",
        str(each.beyond),
        f"{each.share(SWITCHES):.0%}",
        f"{each.share(WIRES):.0%}",
        why_not,
    )


def _findings(levels: Mapping[str, Followed]) -> Iterator[str]:
    shares = (
        range_text((100 * each.share(kind) for each in levels.values()), ".0f")
        for kind in (SWITCHES, WIRES)
    )
    yield "Switches take {}% of a warm ping's time, the wire {}%".format(*shares)
    asked, answered = (
        [float(np.median(each.samples_us[place])) for each in levels.values()] for place in OUTWARD
    )
    if 2 * max(answered) < min(asked):
        times = (range_text(each, ".0f") for each in (asked, answered))
        yield "br-int to wire takes {} µs for a request, {} µs for its reply".format(*times)
    if lost := sum(sum(each.why_not.values()) for each in levels.values()):
        yield f"{counted(lost, 'ping')} could not be followed"


def _picture(run: Run, levels: Mapping[str, Followed]) -> Picture:
    findings = tuple(_findings(levels))
    sums = ", ".join(f"{level} {each.sum_us:.0f} µs" for level, each in levels.items())
    pings = sum(len(each.rtts_us) for each in levels.values())
    shares = range_text((100 * each.share(SWITCHES) for each in levels.values()), ".0f")
    return Picture(
        name="latency-stages",
        title=f"{shares}% of a ping's time is spent in the switches",
        conditions=f"{counted(pings, 'ping')} followed over six hops in each direction; medians; "
        f"not captured: in the guests' kernels; scenario {run.about['scenario']}",
        alternative=f"Stacked bars of a ping's stages by level; sums of the stages: {sums}. "
        f"{'. '.join(findings)}",
        draw=lambda caption: draw_stages(
            {level: (each.samples_us, each.rtt_us) for level, each in levels.items()}, caption
        ),
    )
