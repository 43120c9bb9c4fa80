"""Where the time of a ping goes, from stages.csv: a table and a waterfall.  Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.core.question import Row, level_name
from experiments.core.results import Run
from experiments.latency.figure_stages import Stage, end_us, plot_waterfall
from experiments.latency.stages import ANSWER, PING, REPLY, REQUEST, RTT, STAGES, UNMATCHED
from experiments.show.lanes import colours
from experiments.show.report import NONE, Picture, Report, Table, counted
from experiments.show.sheet import Caption, sheet, title
from experiments.show.statistics import Samples, percentile

TABLE = "stages"
LABELS = {
    (REQUEST, "guest-out"): "guest to br-int",
    (REQUEST, "switch"): "br-int to wire",
    (REQUEST, "wire"): "along the wire",
    (REQUEST, "far-switch"): "wire to far br-int",
    (REQUEST, "guest-in"): "br-int to far guest",
    (ANSWER, "answer"): "far guest answers",
    (REPLY, "guest-out"): "far guest to br-int",
    (REPLY, "far-switch"): "far br-int to wire",
    (REPLY, "wire"): "along the wire ",  # its own name in a table of rows
    (REPLY, "switch"): "wire to br-int",
    (REPLY, "guest-in"): "br-int to guest",
}
SWITCHES, WIRES = ("switch", "far-switch"), ("wire",)
OUTWARD = (REQUEST, "switch"), (REPLY, "far-switch")  # the same work, the second time just after
BESIDE = 4  # levels and more stand in two columns; fewer below each other, wide
PANEL_IN, GAP_IN = 1.75, 0.62  # the height of a panel, and of what is between two


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The pings of one level that were followed from hop to hop."""

    samples_us: Mapping[tuple[str, str], Samples]  # by direction and stage, in the order of time
    sums_us: Samples  # of its stages, for each ping
    rtts_us: Samples  # what ping said of the same
    why_not: Mapping[str, int] = field(default_factory=dict)  # pings that could not be followed
    beyond: int = 0  # pings whose stages are longer than ping said

    @property
    def waterfall(self) -> tuple[Stage, ...]:
        """As it is drawn."""
        return tuple(
            Stage(label=LABELS[place].strip(), group=place[0], samples_us=samples)
            for place, samples in self.samples_us.items()
        )

    @property
    def sum_us(self) -> float:
        """The median of the sums; the sum of the medians differs a little."""
        return float(np.median(self.sums_us))

    @property
    def rtt_us(self) -> float:
        """Ping's own median."""
        return float(np.median(self.rtts_us))

    def share(self, stages: Sequence[str]) -> float:
        """Their medians, both ways, as a share of ping's own."""
        some = (np.median(us) for (_, stage), us in self.samples_us.items() if stage in stages)
        return float(sum(some)) / self.rtt_us


def stage_parts(run: Run) -> tuple[tuple[Table, ...], tuple[Picture, ...]]:
    """Tables and figure of the stages; nothing if the run followed no ping."""
    every = followed(run)
    levels = {name: each for name, each in every.items() if len(each.sums_us)}
    if not levels:
        return ((sums_grid(every),) if every else ()), ()
    return (stages_grid(levels), sums_grid(every)), (_picture(run, levels),)


def followed(run: Run) -> dict[str, Followed]:
    """What stages.csv says of each level it has, in the order of the question's points."""
    rows: dict[str, list[Row]] = {level_name(point): [] for point in run.question.points()}
    for row in run.rows_of(TABLE) if TABLE in run.tables else ():
        name = level_name({factor: row[factor] for factor in run.question.factors})  # type: ignore[misc]
        rows.setdefault(name, []).append(row)
    return {name: _followed(each) for name, each in rows.items() if each}


def _followed(rows: Sequence[Row]) -> Followed:
    pings: dict[object, dict[tuple[object, object], float]] = {}
    for row in rows:
        if row["stage"] != UNMATCHED:
            ping = pings.setdefault((row["repeat"], row["seq"]), {})
            ping[row["direction"], row["stage"]] = float(str(row["latency_us"]))
    return Followed(
        samples_us={place: np.array([ping[place] for ping in pings.values()]) for place in STAGES},
        sums_us=np.array([sum(ping[place] for place in STAGES) for ping in pings.values()]),
        rtts_us=np.array([ping[PING, RTT] for ping in pings.values()]),
        why_not=Counter(str(row["note"]) for row in rows if row["stage"] == UNMATCHED),
        beyond=sum(bool(row["note"]) for row in rows if row["stage"] == RTT),
    )


def stages_grid(levels: Mapping[str, Followed]) -> Table:
    """Every stage by level."""
    stages = tuple(_stage_cells(place, levels) for place in STAGES)
    whole = (
        ("", "sum of the stages", *(_spread(each.sums_us) for each in levels.values())),
        ("", "ping itself", *(_spread(each.rtts_us) for each in levels.values())),
    )
    return Table(
        title="Where the time of a warm ping goes, one way at a time",
        heads=("way", "stage", *levels),
        rows=(*stages, *whole),
        words=("way", "stage"),
        note="Microseconds: median (p10 to p90, where ten samples lie beyond either). "
        "Stages are distances of capture stamps at successive hops. br-int to wire is the same "
        "work both ways, but the far host's daemon has just handled the request: it is likely "
        "still awake, and the same difference may part the dots of other stages in two clumps.",
    )


def _stage_cells(place: tuple[str, str], levels: Mapping[str, Followed]) -> tuple[str, ...]:
    way = "" if place[0] == ANSWER else place[0]
    spreads = (_spread(each.samples_us[place]) for each in levels.values())
    return (way, LABELS[place].strip(), *spreads)


def _spread(samples_us: Samples) -> str:
    low, high = percentile(samples_us, 10), percentile(samples_us, 90)
    middle = f"{float(np.median(samples_us)):.1f}"
    return middle if low is None or high is None else f"{middle} ({low:.1f} to {high:.1f})"


def sums_grid(levels: Mapping[str, Followed]) -> Table:
    """The stages held against what ping itself said."""
    return Table(
        title="Stages held against ping itself",
        heads=(
            "level",
            "followed",
            "not followed",
            "sum of stages",
            "ping itself",
            "covered",
            "longer than ping said",
            "in the switches",
            "on the wire",
            "why not followed",
        ),
        rows=tuple(_sum_cells(level, each) for level, each in levels.items()),
        words=("level", "why not followed"),
        note="Medians in microseconds. What the stages do not cover is ping's own way through "
        "the guest's kernel. A ping is followed if request and reply were seen once at every "
        "hop, in order. Shares are of ping's own: medians of the stages, both ways.",
    )


def _sum_cells(level: str, each: Followed) -> tuple[str, ...]:
    figures = (
        (
            f"{each.sum_us:.0f}",
            f"{each.rtt_us:.0f}",
            f"{float(np.median(each.sums_us / each.rtts_us)):.0%}",
            str(each.beyond),
            f"{each.share(SWITCHES):.0%}",
            f"{each.share(WIRES):.0%}",
        )
        if len(each.sums_us)
        else (NONE,) * 6
    )
    why_not = "; ".join(f"{many} x {why}" for why, many in each.why_not.items())
    pings = str(len(each.sums_us)), str(sum(each.why_not.values()))
    return (level, *pings, *figures, why_not or NONE)


def findings(levels: Mapping[str, Followed]) -> tuple[str, ...]:
    """What the waterfall says, a line each."""
    shares = (
        _percents([each.share(kind) for each in levels.values()]) for kind in (SWITCHES, WIRES)
    )
    asked, answered = ([_median(each, place) for each in levels.values()] for place in OUTWARD)
    lost = sum(sum(each.why_not.values()) for each in levels.values())
    return (
        "Switches take {} of a warm ping's time, the wire {}".format(*shares),
        *(
            (f"br-int to wire takes a request {_range(asked)} µs, its reply {_range(answered)} µs",)
            if 2 * max(answered) < min(asked)
            else ()
        ),
        *((f"{counted(lost, 'ping')} could not be followed",) if lost else ()),
    )


def _median(each: Followed, place: tuple[str, str]) -> float:
    return float(np.median(each.samples_us[place]))


def _percents(shares: Sequence[float]) -> str:
    return f"{_range([100 * share for share in shares])}%"


def _range(values: Sequence[float]) -> str:
    low, high = (f"{value:.0f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _picture(run: Run, levels: Mapping[str, Followed]) -> Picture:
    words = _words(run, levels)
    sums = ", ".join(f"{level} {each.sum_us:.0f} µs" for level, each in levels.items())
    return Picture(
        name="latency-stages",
        title="Where the time of a ping goes",
        alternative=f"Waterfall of a ping's stages by level; sums of the stages: {sums}. "
        f"{'. '.join(words.findings)}",
        draw=lambda _: draw(run, levels, _words(run, levels)),
    )


def _words(run: Run, levels: Mapping[str, Followed]) -> Caption:
    pings = sum(len(each.sums_us) for each in levels.values())
    report = Report(
        run=run,
        findings=findings(levels),
        conditions=f"{counted(pings, 'ping')} followed over six hops each way; bar: median, from "
        "the end of the one before; dot: sample; triangle: sample beyond the axis; "
        f"scenario {run.about['scenario']}",
    )
    return Caption.of(report)


def draw(run: Run, levels: Mapping[str, Followed], words: Caption) -> Figure:
    """A panel per level, all on one axis of time."""
    columns = 2 if len(levels) >= BESIDE else 1
    lines = -(-len(levels) // columns)
    figure, (whole,) = sheet(words, [lines * PANEL_IN + (lines - 1) * GAP_IN])
    places = whole.get_subplotspec().subgridspec(lines, columns)  # type: ignore[union-attr]
    whole.remove()
    palette = colours(list(levels), level_name(run.question.baseline))
    waterfalls = {level: each.waterfall for level, each in levels.items()}
    end = end_us(waterfalls)
    for at, (level, each) in enumerate(levels.items()):
        ax = figure.add_subplot(places[divmod(at, columns)])
        plot_waterfall(ax, waterfalls[level], colour=palette[level], end=end)
        _frame(ax, level, each, palette[level])
        is_last = at + columns >= len(levels)
        ax.set_xlabel("time since the request left [µs]" if is_last else "")
        ax.tick_params(axis="x", labelbottom=is_last)
        ax.tick_params(axis="y", labelleft=at % columns == 0)
    return figure


def _frame(ax: Axes, level: str, each: Followed, colour: str) -> None:
    title(ax, level, f"stages {each.sum_us:.0f} of ping's {each.rtt_us:.0f} µs")
    ax.texts[-1].set_in_layout(False)  # else a long one would make its panel narrow
    ax.title.set_color(colour)
    ax.set_gid(f"waterfall {level}")
