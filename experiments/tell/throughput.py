"""The teller of `throughput`: medians by mode, protocol and size, and factors between modes."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from experiments.figures import throughput as figure
from experiments.question import Prediction, Row
from experiments.results import Run
from experiments.story import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Grid,
    Held,
    Picture,
    Story,
    counted,
    is_trusted,
)
from experiments.tell.levels import words_of

TCP, UDP = "tcp", "udp"
SMALL, MIDDLE, LARGEST = "128", "576", "largest"
SIZES = (SMALL, MIDDLE, LARGEST)
KERNEL = "k"  # how the modes of the kernel's data plane begin: kvxlan-mesh beside vxlan-mesh
LEGEND = ("packets of 128 bytes", "of 576", "the largest that pass")
GOODPUT, CPU, SWITCH = "goodput_mbit_s", "cpu_s_per_gb", "switch_s_per_gb"

Key = tuple[str, str, str]  # mode, protocol, size
Cells = Mapping[Key, tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Factor:
    """One median by another."""

    name: str
    value: float


def tell(run: Run) -> Story:
    """The story of one run."""
    found = cells(run)
    factors = {name: tuple(make(found)) for name, make in FACTORS.items()}
    story = Story(
        findings=tuple(_findings(found, factors)), held=tuple(_held(run, factors)),
        grids=(_goodput(found), _costs(found)), pictures=(), conditions=_conditions(run),
        data=tuple(_data(key, rows) for key, rows in found.items()),
    )  # fmt: skip
    return _with_picture(story, run, found)


def cells(run: Run) -> Cells:
    """All transfers by mode, protocol and size, in the order of the run's modes."""
    rows: dict[Key, list[Row]] = defaultdict(list)
    for row in run.rows:
        size = str(row["ip_bytes"]) if str(row["ip_bytes"]) in {SMALL, MIDDLE} else LARGEST
        rows[str(row["mode"]), str(row["protocol"]), size].append(row)
    modes = [str(mode) for mode in run.question.factors["mode"]]
    keys = ((m, p, s) for m in modes for p in (TCP, UDP) for s in SIZES)
    return {key: tuple(rows[key]) for key in keys if key in rows}


def _median(found: Cells, key: Key, column: str = GOODPUT) -> float | None:
    values = _values(found.get(key, ()), column)
    return median(values) if values else None


def _values(rows: Sequence[Row], column: str) -> tuple[float, ...]:
    return tuple(float(row[column] or 0) for row in rows if row[column] is not None)


def _pairs(found: Cells, other: Callable[[Key], Key | None]) -> Iterator[Factor]:
    """The median of each cell by that of its other one, where both are."""
    for key in found:
        against = other(key)
        one, two = _median(found, key), against and _median(found, against)
        if against and one and two:
            yield Factor(f"{key[0]} to {against[0]}, {key[1]} {key[2]}", one / two)


def _gre_to_vxlan(key: Key) -> Key | None:
    mode, protocol, size = key
    return ("vxlan" + mode[3:], protocol, size) if mode.startswith("gre-") else None


def _l2pop_to_mesh(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode.replace("l2pop", "mesh"), protocol, size) if mode.endswith("-l2pop") else None


def _middle_to_small(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode, protocol, SMALL) if (protocol, size) == (UDP, MIDDLE) else None


def _kernel_to_user(key: Key) -> Key | None:
    mode, protocol, size = key
    return (mode[1:], protocol, size) if mode.startswith(KERNEL) and size == LARGEST else None


FACTORS: Mapping[str, Callable[[Cells], Iterator[Factor]]] = {
    "gre to vxlan": lambda found: _pairs(found, _gre_to_vxlan),
    "l2pop to mesh": lambda found: _pairs(found, _l2pop_to_mesh),
    "576 to 128": lambda found: _pairs(found, _middle_to_small),
    "kernel to user space": lambda found: _pairs(found, _kernel_to_user),
}


def _findings(found: Cells, factors: Mapping[str, tuple[Factor, ...]]) -> Iterator[str]:
    """The most and the least by TCP in the largest packets, and each factor's middle."""
    medians = {key[0]: _median(found, key) or 0 for key in found if key[1:] == (TCP, LARGEST)}
    if medians:
        most, least = (pick(medians, key=lambda mode: medians[mode]) for pick in (max, min))
        yield (
            f"TCP in the largest packets: {least} {medians[least]:.0f} Mbit/s, "
            f"{most} {medians[most]:.0f} Mbit/s"
        )
    for name, values in factors.items():
        if values:
            yield f"{name}: {_range(values)}"


def _range(values: Sequence[Factor]) -> str:
    all_ = sorted(each.value for each in values)
    middle = f"x {median(all_):.2f}"
    return (
        middle if len(all_) == 1 else f"{middle} ({all_[0]:.2f}..{all_[-1]:.2f}, n = {len(all_)})"
    )


def _held(run: Run, factors: Mapping[str, tuple[Factor, ...]]) -> Iterator[Held]:
    for prediction in run.question.predictions:
        if values := factors.get(prediction.of, ()):
            stands = _stands(prediction, values) if is_trusted(run) else NOT_JUDGED
            yield Held(
                says=prediction.says, because=prediction.because, stands=stands,
                found=_range(values) + _outside(prediction, values),
            )  # fmt: skip


def _is_within(prediction: Prediction, value: float) -> bool:
    return (prediction.low or 0) <= value <= (prediction.high or float("inf"))


def _stands(prediction: Prediction, values: Sequence[Factor]) -> str:
    """Confirmed if all factors are within the band, refuted if their median is not."""
    if all(_is_within(prediction, each.value) for each in values):
        return CONFIRMED
    middle = median(each.value for each in values)
    return UNDECIDED if _is_within(prediction, middle) else REFUTED


def _outside(prediction: Prediction, values: Sequence[Factor]) -> str:
    out = [each for each in values if not _is_within(prediction, each.value)]
    if not out:
        return ""
    return f"; outside: {out[0].name} x {out[0].value:.2f}" + (
        f" (and {len(out) - 1} more)" if len(out) > 1 else ""
    )


def _goodput(found: Cells) -> Grid:
    return Grid(
        title="Payload that arrived [Mbit/s], by protocol and bytes of an IP packet",
        heads=("mode", *(f"{p} {s}" for p in (TCP, UDP) for s in SIZES)),
        rows=tuple(
            (mode, *(_told(found.get((mode, p, s), ()), GOODPUT) for p in (TCP, UDP) for s in SIZES))
            for mode in dict.fromkeys(key[0] for key in found)
        ),
        words=("mode",),
        note=(
            "Median of the transfers; in brackets the least and the most. UDP: as fast as the sender "
            "can, which leaves less of the processors to those who carry it. Packets are of that size "
            "on the wire; of TCP the kernel's VXLAN hands many to the far guest as one (GRO)."
        ),
    )  # fmt: skip


def _costs(found: Cells) -> Grid:
    return Grid(
        title="Seconds of a processor for each gigabyte that arrived",
        heads=("mode", "protocol", "bytes", "machine", "of these ovs-vswitchd", "lost", "sent again"),
        rows=tuple(
            (
                mode, protocol, size, _told(rows, CPU), _told(rows, SWITCH),
                _told(rows, "lost_packets"), _told(rows, "retransmits"),
            )
            for (mode, protocol, size), rows in found.items()
        ),
        words=("mode", "protocol"),
        note="The machine's are all that was not idle or stolen, sender and receiver included, and "
        "whatever else ran.",
    )  # fmt: skip


def _told(rows: Sequence[Row], column: str) -> str:
    values = sorted(_values(rows, column))
    if not values:
        return NONE
    middle = f"{median(values):.4g}"
    return middle if len(values) == 1 else f"{middle} ({values[0]:.4g}..{values[-1]:.4g})"


def _conditions(run: Run) -> str:
    settings = run.about["settings"]
    return (
        f"iperf3, {settings['seconds']} s a transfer, {counted(int(settings['repeats']), 'transfer')} "
        f"of a kind; {counted(int(run.about['blocks']), 'block')}; scenario {run.about['scenario']}; "
        "guests leave no checksum to hardware"
    )


def _with_picture(story: Story, run: Run, found: Cells) -> Story:
    if not found:
        return story
    words = words_of(run, story)
    picture = Picture(
        name=run.question.name, title="Every transfer, by mode and size",
        alternative=f"A mark a transfer, a row a mode. {'. '.join(story.findings)}",
        draw=lambda: figure.draw(tuple(_panels(found)), LEGEND, words),
    )  # fmt: skip
    return replace(story, pictures=(picture,))


def _panels(found: Cells) -> Iterator[figure.Panel]:
    for protocol, column, heading, label in (
        (TCP, GOODPUT, "TCP", "payload that arrived [Mbit/s]"),
        (UDP, GOODPUT, "UDP, as fast as the sender can", "payload that arrived [Mbit/s]"),
        (TCP, CPU, "What TCP costs", "seconds of a processor for a gigabyte that arrived"),
    ):
        dots = tuple(
            figure.Dots(mode=mode, rank=SIZES.index(size), values=_values(rows, column))
            for (mode, kind, size), rows in found.items()
            if kind == protocol
        )
        yield figure.Panel(heading=heading, label=label, dots=dots)


def _data(key: Key, rows: Sequence[Row]) -> Mapping[str, object]:
    mode, protocol, size = key
    return {
        "mode": mode, "protocol": protocol, "size": size, GOODPUT: list(_values(rows, GOODPUT)),
        CPU: list(_values(rows, CPU)), SWITCH: list(_values(rows, SWITCH)),
    }  # fmt: skip
