"""The report of `throughput`: goodput and CPU time by mode, protocol and packet size, and ratios."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median

import polars as pl

from controller.model.wording import counted
from experiments.core.results import Run
from experiments.show import judge
from experiments.show.comparable import Comparable, Series
from experiments.show.palette import family
from experiments.show.report import NONE, Outcome, Picture, Report, Table, sentence
from experiments.show.statistics import Estimate, Repeats
from experiments.throughput import figure
from experiments.throughput.ratios import (
    CPU,
    GOODPUT,
    KEY,
    LARGEST,
    MIDDLE,
    RATIOS,
    SIZES,
    SMALL,
    Compared,
    compared,
)
from experiments.throughput.words import BY_PROTOCOL, SAME_HIGH, SAME_LOW, SENTENCES, TCP, UDP

FEW_MODES = 4  # a chart of so many has rows of modes, one of more rows of families
ONE_DECIMAL_FROM = 2  # ratios from here on have one decimal
SWITCH = "switch_s_per_gb"
PACKETS = "packets"  # retransmitted by TCP, or lost of UDP
COLUMNS = tuple((protocol, size) for protocol in (TCP, UDP) for size in SIZES)
FIGURE, COUNT = ".4g", ",.0f"


def build_report(run: Run) -> Report:
    """The report of one run."""
    transfers = transfers_of(run)
    ratios = {name: compared(transfers, ratio) for name, ratio in RATIOS.items()}
    ratios = {name: each for name, each in ratios.items() if each.ratios}
    findings = tuple(_findings(run, transfers, ratios))
    main = next((name for name in SENTENCES if name in ratios), "")
    shown = _estimates(run, transfers, main) if main else {}
    picture = Picture(
        name=run.question.name,
        title=_sentence(main, shown) if main else findings[0],
        alternative="Goodput of each transfer by packet size, mode and protocol",
        draw=lambda caption: figure.draw(_panels(transfers), caption),
        conditions="Dot: a transfer; stroke: the median of a mode; bar: their median. "
        f"{sentence(f'{main}: {_spans(shown)}') if main else ''} {_conditions(run)}",
    )
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcomes(run, ratios)),
        tables=(_goodput(transfers), _costs(transfers), _losses(run, transfers)),
        pictures=() if transfers.is_empty() else (picture,),
        conditions=_conditions(run),
        data=tuple(
            transfers.group_by(KEY, maintain_order=True)
            .agg(pl.col(GOODPUT, CPU, SWITCH).drop_nulls())
            .rows(named=True)
        ),
    )


def comparable(run: Run) -> Comparable:
    """Goodput and CPU time of each mode, protocol and size, as ratios.

    As in the predictions, a factor of 0.75 to 1.33 is no difference.
    """
    transfers = transfers_of(run)
    units = {GOODPUT: run.question.unit, CPU: "s/GB"}
    return Comparable(
        series=tuple(
            Series(
                figure=column,
                unit=unit,
                levels=_by_repeat(transfers.filter(pl.col(column) > 0), column),
                low=SAME_LOW,
                high=SAME_HIGH,
                is_ratio=True,
                uses_ranges=True,
            )
            for column, unit in units.items()
        )
    )


def _by_repeat(transfers: pl.DataFrame, column: str) -> dict[str, Repeats]:
    return {
        " ".join(map(str, key)): [
            of_repeat[column].to_numpy()
            for _, of_repeat in cell.group_by("repeat", maintain_order=True)
        ]
        for key, cell in transfers.group_by(KEY, maintain_order=True)
    }


def transfers_of(run: Run) -> pl.DataFrame:
    """The samples in the order of the modes, with the columns `size` and `packets`."""
    modes = pl.Enum(list(map(str, run.question.factors["mode"])))
    size = pl.col("ip_bytes").cast(pl.String)
    transfers = run.samples.with_columns(
        pl.coalesce("retransmits", "lost_packets").alias(PACKETS),
        size=pl.when(size.is_in([SMALL, MIDDLE])).then(size).otherwise(pl.lit(LARGEST)),
    )
    order = (pl.col("mode").cast(modes), pl.col("protocol"), pl.col("size").cast(pl.Enum(SIZES)))
    return transfers.sort(*order, maintain_order=True)


def _findings(run: Run, transfers: pl.DataFrame, ratios: Mapping[str, Compared]) -> Iterator[str]:
    """Each ratio with how repeats differ, then goodput of TCP with the largest packets."""
    for name in SENTENCES:
        if name in ratios:
            found = _estimates(run, transfers, name)
            yield f"{_sentence(name, found)} ({_spans(found)})"
    medians = (
        transfers.filter(protocol=TCP, size=LARGEST)
        .group_by("mode", maintain_order=True)
        .agg(pl.col(GOODPUT).median())
        .sort(GOODPUT)
        .rows()
    )
    if medians:
        (slowest, low), (fastest, high) = medians[0], medians[-1]
        to = f" to {high:,.0f} Mbit/s ({fastest})" if len(medians) > 1 else ""
        unit = "" if to else " Mbit/s"
        yield (f"TCP with the largest packets, median per mode: {low:,.0f}{unit} ({slowest}){to}")


def _estimates(run: Run, transfers: pl.DataFrame, name: str) -> Mapping[str, Estimate]:
    """A ratio's estimate of both protocols together, or by protocol."""
    ratio = RATIOS[name]
    groups = [(each,) for each in ratio.protocols] if name in BY_PROTOCOL else [ratio.protocols]
    found = {
        group[0].upper() if len(group) == 1 else "": compared(
            transfers, replace(ratio, protocols=group)
        )
        for group in groups
    }
    return {group: each.estimate(run.seed) for group, each in found.items() if each.ratios}


def _sentence(name: str, found: Mapping[str, Estimate]) -> str:
    """What a ratio says, such as `... 3.2 (TCP) and 6.2 (UDP) times ...`."""
    values = {
        group: f"{each.value:.1f}" if each.value >= ONE_DECIMAL_FROM else f"{each.value:.2f}"
        for group, each in found.items()
    }
    many = name in BY_PROTOCOL
    texts = (f"{text} ({group})" if many else text for group, text in values.items())
    return SENTENCES[name].format(" and ".join(texts))


def _spans(found: Mapping[str, Estimate]) -> str:
    """How repeats differ, such as `range of 4 repeats: TCP 2.25 to 3.45, UDP 4.62 to 7.87`."""
    spans = {group: each.span("repeat", ".2f") for group, each in found.items()}
    what, _, first = next(iter(spans.values())).partition(": ")
    if len(spans) == 1 or not first:
        return next(iter(spans.values()))
    ranges = (f"{group} {span.partition(': ')[2]}" for group, span in spans.items())
    return f"{what}: {', '.join(ranges)}"


def _outcomes(run: Run, ratios: Mapping[str, Compared]) -> Iterator[Outcome]:
    for prediction in run.question.predictions:
        if each := ratios.get(prediction.about):
            found = each.text(run.seed)
            if outside := each.outside(prediction).rows(named=True):
                more = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
                found += (
                    f"; {counted(len(outside), 'pair')} outside: {outside[0]['name']}: "
                    f"{outside[0]['ratio']:.2f}{more}"
                )
            yield judge.judged(run, prediction, each.outcome(prediction, run.seed), found)


def _goodput(transfers: pl.DataFrame) -> Table:
    return Table(
        title="Goodput [Mbit/s], by protocol and bytes of an IP packet",
        heads=("mode", *(f"{protocol} {size}" for protocol, size in COLUMNS)),
        rows=tuple(_by_mode(transfers, GOODPUT, FIGURE)),
        words=("mode",),
        note="Median of all transfers; in brackets the lowest and the highest. UDP is sent as fast "
        "as the sender can, which leaves less CPU time for the switches. Packets have that size on "
        "the wire; with TCP, the kernel's VXLAN device joins many for the receiving guest (GRO).",
    )


def _costs(transfers: pl.DataFrame) -> Table:
    return Table(
        title="CPU time per gigabyte that arrived",
        heads=("mode", "protocol", "bytes", "machine [s/GB]", "of these ovs-vswitchd [s/GB]"),
        rows=tuple(
            (*map(str, key), *(_text(cell[column], FIGURE) for column in (CPU, SWITCH)))
            for key, cell in transfers.group_by(KEY, maintain_order=True)
        ),
        words=("mode", "protocol"),
        note="Machine: all CPU time that was not idle or stolen, with sender, receiver and other "
        "processes. A gigabyte is 10^9 bytes of payload.",
    )


def _losses(run: Run, transfers: pl.DataFrame) -> Table:
    return Table(
        title="Segments that TCP retransmitted, and lost packets of UDP, in a transfer of "
        f"{run.about['settings']['seconds']} s",
        heads=("mode", *(f"{protocol} {size}" for protocol, size in COLUMNS)),
        rows=tuple(_by_mode(transfers, PACKETS, COUNT)),
        words=("mode",),
        note="By protocol and bytes of an IP packet; median, lowest and highest. UDP is sent faster "
        "than it can be forwarded: losses show by how much.",
    )


def _by_mode(transfers: pl.DataFrame, column: str, form: str) -> Iterator[tuple[str, ...]]:
    for (mode,), of_mode in transfers.group_by("mode", maintain_order=True):
        cells = (of_mode.filter(protocol=protocol, size=size) for protocol, size in COLUMNS)
        yield (str(mode), *(_text(cell[column], form) for cell in cells))


def _text(values: pl.Series, form: str) -> str:
    """The median, and in brackets the lowest and the highest value."""
    found: list[float] = values.drop_nulls().sort().to_list()
    if not found:
        return NONE
    middle, low, high = (f"{each:{form}}" for each in (median(found), found[0], found[-1]))
    return middle if low == high else f"{middle} ({low} to {high})"


def _conditions(run: Run) -> str:
    settings = run.about["settings"]
    transfers = counted(int(settings["transfers"]), "transfer")
    return (
        f"{transfers} of {settings['seconds']} s of each kind in each lab, by iperf3; "
        f"{counted(int(run.about['repeats']), 'repeat')}; scenario {run.about['scenario']}; no "
        "checksum offload in guests"
    )


def _panels(transfers: pl.DataFrame) -> Mapping[str, tuple[figure.Row, ...]]:
    """The rows of the chart by packet size, of families, or of modes if there are few of them."""
    few = transfers["mode"].n_unique() <= FEW_MODES
    headings = {size: f"IP packets of {size} bytes" for size in (MIDDLE, SMALL)}
    shown = transfers.drop_nulls(GOODPUT).with_columns(pl.col("mode", "size").cast(pl.String))
    names = [mode if few else family(mode) for mode in shown["mode"]]
    named = shown.with_columns(row=pl.Series(names, dtype=pl.String))
    return {
        headings.get(size, "Largest IP packets that pass"): tuple(
            _row(str(name), str(protocol), rows)
            for (protocol, name), rows in of_size.group_by("protocol", "row", maintain_order=True)
        )
        for size in reversed(SIZES)
        if not (of_size := named.filter(size=size).sort("protocol", maintain_order=True)).is_empty()
    }


def _row(name: str, protocol: str, rows: pl.DataFrame) -> figure.Row:
    by_mode = rows.group_by("mode", maintain_order=True)
    return figure.Row(
        name=f"{name}, {protocol.upper()}",
        colour=name,
        transfers={str(mode): each[GOODPUT].to_list() for (mode,), each in by_mode},
    )
