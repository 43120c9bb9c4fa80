"""How one cell of `throughput` compares with another: factors, their spread, and what they refute.  Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from experiments.core.question import Prediction, Row
from experiments.core.results import Run
from experiments.show.estimate import Estimate, estimate
from experiments.show.estimate import outcome as estimate_stands
from experiments.show.report import CONFIRMED, UNDECIDED, counted

TCP, UDP = "tcp", "udp"
SMALL, MIDDLE, LARGEST = "128", "576", "largest"
SIZES = (SMALL, MIDDLE, LARGEST)
KERNEL = "k"  # how the modes of the kernel's data plane begin: kvxlan-mesh beside vxlan-mesh
GOODPUT, CPU, SWITCH = "goodput_mbit_s", "cpu_s_per_gb", "switch_s_per_gb"

Key = tuple[str, str, str]  # mode, protocol, size
Cells = Mapping[Key, tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Factor:
    """The figure of one cell by that of another."""

    name: str
    value: float  # of the medians of all blocks
    by_block: Mapping[object, float] = field(default_factory=dict)  # of each block's own medians


@dataclass(frozen=True, slots=True)
class Kind:
    """Which other cell one is held against, and by which figure."""

    other: Callable[[Key], Key | None]
    column: str = GOODPUT


def cells(run: Run) -> Cells:
    """All transfers by mode, protocol and size, in the order of the run's modes."""
    rows: dict[Key, list[Row]] = defaultdict(list)
    for row in run.rows_of():
        size = str(row["ip_bytes"]) if str(row["ip_bytes"]) in {SMALL, MIDDLE} else LARGEST
        rows[str(row["mode"]), str(row["protocol"]), size].append(row)
    modes = [str(mode) for mode in run.question.factors["mode"]]
    keys = ((m, p, s) for m in modes for p in (TCP, UDP) for s in SIZES)
    return {key: tuple(rows[key]) for key in keys if key in rows}


def values(rows: Sequence[Row], column: str) -> tuple[float, ...]:
    """What is there of a column."""
    return tuple(float(row[column] or 0) for row in rows if row[column] is not None)


def middle_of(rows: Sequence[Row], column: str) -> float | None:
    """The median transfer; None: there is none."""
    found = values(rows, column)
    return median(found) if found else None


def factors(found: Cells, kind: Kind) -> Iterator[Factor]:
    """Each cell by its other one, where both are."""
    for key, rows in found.items():
        against = kind.other(key)
        others = found.get(against, ()) if against else ()
        if against and (value := _ratio(rows, others, kind.column)):
            yield Factor(
                f"{key[0]} to {against[0]}, {key[1]} {key[2]}",
                value,
                dict(_by_block(rows, others, kind.column)),
            )


def _ratio(rows: Sequence[Row], others: Sequence[Row], column: str) -> float | None:
    one, two = middle_of(rows, column), middle_of(others, column)
    return one / two if one and two else None


def _by_block(
    rows: Sequence[Row], others: Sequence[Row], column: str
) -> Iterator[tuple[object, float]]:
    """The ratio within each block: its labs were raised one after the other."""
    for repeat in dict.fromkeys(row["repeat"] for row in rows):
        one, two = ([row for row in each if row["repeat"] == repeat] for each in (rows, others))
        if ratio := _ratio(one, two, column):
            yield repeat, ratio


def _gre_to_vxlan(key: Key) -> Key | None:
    mode, protocol, size = key
    return ("vxlan" + mode[3:], protocol, size) if mode.startswith("gre-") else None


def _l2pop_to_mesh(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode.replace("l2pop", "mesh"), protocol, size) if mode.endswith("-l2pop") else None


def _middle_to_small(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode, protocol, SMALL) if (protocol, size) == (UDP, MIDDLE) else None


def _small_to_middle(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode, protocol, MIDDLE) if size == SMALL else None


def _kernel_to_user(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode[1:], protocol, size) if mode.startswith(KERNEL) and size == LARGEST else None


def _user_to_kernel(key: Key) -> Key | None:
    mode, protocol, size = key
    return (KERNEL + mode, protocol, size) if size == LARGEST else None


KINDS: Mapping[str, Kind] = {  # by what a prediction is of
    "gre to vxlan": Kind(_gre_to_vxlan),
    "l2pop to mesh": Kind(_l2pop_to_mesh),
    "576 to 128": Kind(_middle_to_small),
    "kernel to user space": Kind(_kernel_to_user),
    "CPU time, 128 to 576": Kind(_small_to_middle, CPU),
    "CPU time, user space to kernel": Kind(_user_to_kernel, CPU),
}


def over_blocks(found: Sequence[Factor], seed: int) -> Estimate:
    """The middle factor of each block: what another block would have said."""
    repeats = dict.fromkeys(repeat for each in found for repeat in each.by_block)
    middles = [
        median(f.by_block[repeat] for f in found if repeat in f.by_block) for repeat in repeats
    ]
    return estimate(middles or [median(each.value for each in found)], seed)


def described(found: Sequence[Factor], seed: int) -> str:
    """The middle of blocks; how blocks differ, and how pairings of cells, which is not the same."""
    all_ = sorted(each.value for each in found)
    repeats = over_blocks(found, seed)
    spans = (
        repeats.span("repeat", ".2f") if repeats.count > 1 else "",
        f"{len(all_)} pairings, {all_[0]:.2f} to {all_[-1]:.2f}" if len(all_) > 1 else "",
    )
    within = "; ".join(filter(None, spans))
    return f"x {repeats.value:.2f}{f' ({within})' if within else ''}"


def outcome(prediction: Prediction, found: Sequence[Factor], seed: int) -> str:
    """By the blocks' interval, or range; but confirmed only if no pairing leaves the band."""
    by_blocks = estimate_stands(prediction, (over_blocks(found, seed),))
    has_left = any(not is_within(prediction, each.value) for each in found)
    return UNDECIDED if by_blocks == CONFIRMED and has_left else by_blocks


def is_within(prediction: Prediction, value: float) -> bool:
    """True if the factor is in the band."""
    return (prediction.low or 0) <= value <= (prediction.high or float("inf"))


def outside(prediction: Prediction, found: Sequence[Factor]) -> str:
    """The first pairing that left the band, if any did."""
    out = [each for each in found if not is_within(prediction, each.value)]
    if not out:
        return ""
    more = f" (and {len(out) - 1} more)" if len(out) > 1 else ""
    return f"; {counted(len(out), 'pairing')} outside: {out[0].name} x {out[0].value:.2f}{more}"
