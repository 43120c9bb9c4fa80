"""The teller of `throughput`: medians by mode, protocol and size, and factors between modes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from experiments.core.question import Row
from experiments.core.results import Run
from experiments.show.report import (
    NONE,
    NOT_JUDGED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption
from experiments.throughput import factors as by
from experiments.throughput import figure
from experiments.throughput.factors import (
    CPU,
    GOODPUT,
    KINDS,
    LARGEST,
    SIZES,
    SWITCH,
    TCP,
    UDP,
    Cells,
    Factor,
    Key,
    cells,
    middle_of,
    values,
)

AMISS = {TCP: "retransmits", UDP: "lost_packets"}  # by protocol, where it is counted
LEGEND = ("128 bytes", "576", "the largest")  # of IP packets


def build_report(run: Run) -> Report:
    """The story of one run."""
    found = cells(run)
    factors = {name: tuple(by.factors(found, kind)) for name, kind in KINDS.items()}
    report = Report(
        run=run,
        findings=tuple(_findings(run, found, factors)),
        outcomes=tuple(_outcomes(run, factors)),
        tables=(_goodput(found), _costs(found), _losses(run, found)),
        pictures=(),
        conditions=_conditions(run),
        data=tuple(_data(key, rows) for key, rows in found.items()),
    )
    return _with_picture(report, run, found)


def _findings(run: Run, found: Cells, factors: Mapping[str, tuple[Factor, ...]]) -> Iterator[str]:
    """The least and the most by TCP in the largest packets, and each factor's middle."""
    medians = {
        key[0]: middle_of(rows, GOODPUT) or 0
        for key, rows in found.items()
        if key[1:] == (TCP, LARGEST)
    }
    if medians:
        least, most = (pick(medians, key=lambda mode: medians[mode]) for pick in (min, max))
        yield (
            f"TCP in the largest packets, by medians: least {medians[least]:,.0f} Mbit/s ({least}), "
            f"most {medians[most]:,.0f} ({most})"
        )
    for name, all_ in factors.items():
        if all_:
            yield f"{name}: {by.described(all_, run.seed)}"


def _outcomes(run: Run, factors: Mapping[str, tuple[Factor, ...]]) -> Iterator[Outcome]:
    for prediction in run.question.predictions:
        if found := factors.get(prediction.about, ()):
            outcome = by.outcome(prediction, found, run.seed) if is_trusted(run) else NOT_JUDGED
            yield Outcome(
                claim=prediction.claim,
                reason=prediction.reason,
                outcome=outcome,
                found=by.described(found, run.seed) + by.outside(prediction, found),
            )


def _goodput(found: Cells) -> Table:
    return Table(
        title="Payload that arrived [Mbit/s], by protocol and bytes of an IP packet",
        heads=("mode", *(f"{p} {s}" for p in (TCP, UDP) for s in SIZES)),
        rows=tuple(
            (
                mode,
                *(_told(found.get((mode, p, s), ()), GOODPUT) for p in (TCP, UDP) for s in SIZES),
            )
            for mode in dict.fromkeys(key[0] for key in found)
        ),
        words=("mode",),
        note=(
            "Median of all transfers; in brackets the least and the most. UDP: as fast as the sender "
            "can, which leaves less of the processors to those who carry it. Packets are of that size "
            "on the wire; of TCP the kernel's VXLAN hands many to the far guest as one (GRO)."
        ),
    )


def _costs(found: Cells) -> Table:
    return Table(
        title="Seconds of a processor for each gigabyte that arrived",
        heads=("mode", "protocol", "bytes", "machine [s/GB]", "of these ovs-vswitchd [s/GB]"),
        rows=tuple(
            (mode, protocol, size, _told(rows, CPU), _told(rows, SWITCH))
            for (mode, protocol, size), rows in found.items()
        ),
        words=("mode", "protocol"),
        note="The machine's are all that was not idle or stolen, sender and receiver included, and "
        "whatever else ran. A gigabyte is 10^9 bytes of payload.",
    )


def _losses(run: Run, found: Cells) -> Table:
    seconds = run.about["settings"]["seconds"]
    return Table(
        title=f"Packets in a transfer of {seconds} s: segments that TCP sent again, and of UDP lost ones",
        heads=("mode", *(f"{p} {s}" for p in (TCP, UDP) for s in SIZES)),
        rows=tuple(
            (
                mode,
                *(_told(found.get((mode, p, s), ()), AMISS[p]) for p in (TCP, UDP) for s in SIZES),
            )
            for mode in dict.fromkeys(key[0] for key in found)
        ),
        words=("mode",),
        note="By protocol and bytes of an IP packet; median, least and most. UDP is sent faster than "
        "it can be carried, so that what is lost says how much too fast.",
    )


def _told(rows: Sequence[Row], column: str) -> str:
    """The median, and in brackets the least and the most; counts are whole, with commas."""
    form = ",.0f" if column in AMISS.values() else ".4g"
    found = sorted(values(rows, column))
    if not found:
        return NONE
    middle, low, high = (f"{each:{form}}" for each in (median(found), found[0], found[-1]))
    return middle if low == high else f"{middle} ({low} to {high})"


def _conditions(run: Run) -> str:
    settings = run.about["settings"]
    return (
        f"iperf3, {settings['seconds']} s a transfer, {counted(int(settings['transfers']), 'transfer')} "
        f"of a kind in each lab; {counted(int(run.about['repeats']), 'repeat')}; scenario {run.about['scenario']}; "
        "guests leave no checksum to hardware"
    )


def _with_picture(report: Report, run: Run, found: Cells) -> Report:
    if not found:
        return report
    picture = Picture(
        name=run.question.name,
        title="Every transfer, by mode and size",
        alternative=f"A mark a transfer, a row a mode. {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(tuple(_panels(found)), LEGEND, Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def _panels(found: Cells) -> Iterator[figure.Panel]:
    for protocol, column, heading, label in (
        (TCP, GOODPUT, "TCP", "payload that arrived [Mbit/s]"),
        (UDP, GOODPUT, "UDP, as fast as the sender can", "payload that arrived [Mbit/s]"),
        (TCP, CPU, "What TCP costs", "seconds of a processor for a gigabyte that arrived"),
    ):
        dots = tuple(
            figure.Dots(mode=mode, rank=SIZES.index(size), values=values(rows, column))
            for (mode, kind, size), rows in found.items()
            if kind == protocol
        )
        yield figure.Panel(heading=heading, label=label, dots=dots)


def _data(key: Key, rows: Sequence[Row]) -> Mapping[str, object]:
    mode, protocol, size = key
    return {
        "mode": mode,
        "protocol": protocol,
        "size": size,
        GOODPUT: list(values(rows, GOODPUT)),
        CPU: list(values(rows, CPU)),
        SWITCH: list(values(rows, SWITCH)),
    }
