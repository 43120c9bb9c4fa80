"""What `throughput` answers about named modes: their goodput and CPU time, as ratios."""

from collections.abc import Iterator, Sequence
from statistics import median

import polars as pl

from controller.model.wording import counted
from experiments.core.results import Run
from experiments.throughput.ratios import CPU, GOODPUT, LARGEST, Ratio, compared
from experiments.throughput.report import transfers_of
from experiments.throughput.words import TCP, UDP

ASKED = (  # what is compared, as Ratio and in words, with its unit and decimals
    (GOODPUT, TCP, "TCP goodput with the largest packets", "Mbit/s", 0),
    (GOODPUT, UDP, "UDP goodput with the largest packets", "Mbit/s", 0),
    (CPU, TCP, "CPU time per gigabyte of TCP with the largest packets", "s", 1),
)


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """Each named mode divided by the first: goodput, then CPU time; of one mode nothing."""
    transfers = transfers_of(run)
    first, *others = named
    for one in others:
        for column, protocol, what, unit, decimals in ASKED:
            ratio = Ratio(
                column=column, mode=(f"^{one}$", first), sizes=(LARGEST,), protocols=(protocol,)
            )
            found = compared(transfers, ratio)
            if found.ratios:
                shown = transfers.filter(protocol=protocol, size=LARGEST)
                values = [_values(shown, mode, column) for mode in (one, first)]
                times = found.estimate(run.seed)
                spread = (
                    times.span("repeat", ".2f") if times.count > 1 else _ranges(values, decimals)
                )
                medians = " and ".join(f"{median(each):,.{decimals}f}" for each in values)
                are = "medians " if max(map(len, values)) > 1 else ""
                yield (
                    f"{what}: {times.value:.2f} times as much with {one} as with {first} "
                    f"({are}{medians} {unit}; {spread})"
                )


def _ranges(values: Sequence[Sequence[float]], decimals: int) -> str:
    """How many transfers the only repeat has, and their range."""
    many = min(map(len, values))
    if many == 1:
        return "1 transfer each"
    ranges = " and ".join(
        f"{min(each):,.{decimals}f} to {max(each):,.{decimals}f}" for each in values
    )
    return f"{counted(many, 'transfer')} each: {ranges}"


def _values(shown: pl.DataFrame, mode: str, column: str) -> list[float]:
    values: list[float] = shown.filter(mode=mode)[column].drop_nulls().to_list()
    return values
