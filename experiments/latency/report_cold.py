"""Part of the story of latency: what a first ping costs, by what was cold.  Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.core.question import Prediction, Row
from experiments.core.results import Run
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Table,
    counted,
    is_trusted,
)
from experiments.show.statistics import (
    Difference,
    Interval,
    Repeats,
    Samples,
    against,
    call,
    over_blocks,
)

PHASE, NOTHING = "cold", "nothing"
EVERYTHING = ("everything-as-raised", "kernel-as-raised")
# As a first packet meets them; others come after.
ORDER = (
    *EVERYTHING,
    "guest-arp",
    "learned-flow",
    "megaflow",
    "vtep-neighbour",
    "kernel-guest-arp",
    "kernel-fdb",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """One thing that was cold: the first pings by mode, and what it cost over nothing cold."""

    name: str
    by_mode: Mapping[str, Repeats]  # round trips that came back
    lost: Mapping[str, int]
    by_block: tuple[float, ...]  # its cost, the mean of modes; a lost ping costs infinitely much
    cost: Difference | None  # None: nothing to hold it against

    @property
    def pings(self) -> int:
        """How many were sent."""
        return self.lost_pings + sum(len(each) for all_ in self.by_mode.values() for each in all_)

    @property
    def lost_pings(self) -> int:
        """How many never came back."""
        return sum(self.lost.values())

    @property
    def median(self) -> float:
        """Of all that came back."""
        came = [repeat for repeats in self.by_mode.values() for repeat in repeats]
        return float(np.median(np.concatenate(came)))

    @property
    def is_mostly_lost(self) -> bool:
        """True if its median is no round trip."""
        return 2 * self.lost_pings > self.pings


def colds(rows: Sequence[Row], value: str, modes: Sequence[str], *, seed: int) -> tuple[Cold, ...]:
    """What was cold, in the order of `ORDER`, nothing last."""
    first = [row for row in rows if row["phase"] == PHASE and row["cold"]]
    found = dict.fromkeys(str(row["cold"]) for row in first)
    inner = [name for name in dict.fromkeys((*ORDER, *found)) if name in found and name != NOTHING]
    warm = _of(first, NOTHING)
    return tuple(
        _cold(name, _of(first, name), warm, value, modes, seed)
        for name in (*inner, *([NOTHING] if NOTHING in found else []))
    )


def _of(rows: Iterable[Row], name: str) -> tuple[Row, ...]:
    return tuple(row for row in rows if row["cold"] == name)


def _cold(  # noqa: PLR0917  the parts of one row
    name: str, rows: Sequence[Row], warm: Sequence[Row], value: str, modes: Sequence[str], seed: int
) -> Cold:
    levels = [mode for mode in modes if any(row["mode"] == mode for row in rows)]
    costs = _costs(rows, warm, value) if name != NOTHING else np.array([])
    return Cold(
        name=name,
        by_mode={mode: _repeats(rows, mode, value) for mode in levels},
        lost={
            mode: sum(row[value] is None for row in rows if row["mode"] == mode) for mode in levels
        },
        by_block=tuple(map(float, costs)),
        cost=_cost(costs, seed) if len(costs) else None,
    )


def _repeats(rows: Sequence[Row], mode: str, value: str) -> Repeats:
    """What came back, block by block; a block may be empty."""
    mine = [row for row in rows if row["mode"] == mode]
    return [
        np.array([each for row in mine if row["repeat"] == repeat for each in _came(row, value)])
        for repeat in dict.fromkeys(row["repeat"] for row in mine)
    ]


def _came(row: Row, value: str) -> tuple[float, ...]:
    found = row[value]
    return () if found is None else (float(found),)


def _costs(rows: Sequence[Row], warm: Sequence[Row], value: str) -> Samples:
    """In each block the mean over modes of the first ping's median minus that with nothing cold."""
    cold_of, warm_of = _medians(rows, value), _medians(warm, value)
    both = [lab for lab in cold_of if lab in warm_of and np.isfinite(warm_of[lab])]
    return np.array(
        [
            np.mean([cold_of[lab] - warm_of[lab] for lab in both if lab[0] == repeat])
            for repeat in dict.fromkeys(repeat for repeat, _ in both)
        ]
    )


def _medians(rows: Sequence[Row], value: str) -> dict[tuple[object, object], float]:
    """The median of each lab, by block and mode; what was lost counts as longer than all."""
    labs: dict[tuple[object, object], list[float]] = {}
    for row in rows:
        found = row[value]
        lab = labs.setdefault((row["repeat"], row["mode"]), [])
        lab.append(np.inf if found is None else float(found))
    return {lab: float(_median(values)) for lab, values in labs.items()}


def _median(values: Sequence[float]) -> float:
    """The upper one of two, so that half lost is lost: the mean of a time and none is none."""
    return sorted(values)[len(values) // 2]


def _cost(costs: Samples, seed: int) -> Difference:
    if np.isfinite(costs).all():
        return over_blocks(costs, seed=seed)
    return Difference(estimate=float(np.inf), interval=None)


def cold_grid(found: Sequence[Cold], modes: Sequence[str], unit: str, margin: float) -> Table:
    """The table: medians by what was cold and mode, and what it cost."""
    return Table(
        title="First pings by what was cold",
        heads=("cold", *modes, "cost", "its interval", "verdict on it"),
        rows=tuple(_row(each, modes, margin) for each in found),
        words=("cold", "verdict on it"),
        note=f"Medians in {unit}. Cost: minus a ping with nothing cold, mean of the modes. "
        "Each thing was flushed on purpose right before its ping, and seen to be gone.",
    )


def _row(each: Cold, modes: Sequence[str], margin: float) -> tuple[str, ...]:
    cost = each.cost
    return (
        each.name,
        *(_cell(each, mode) for mode in modes),
        NONE if cost is None else _time(cost.estimate),
        _between(cost.interval) if cost else NONE,
        ("baseline" if each.name == NOTHING else NONE) if cost is None else _called(each, margin),
    )


def _called(each: Cold, margin: float) -> str:
    if each.lost_pings:
        return f"{each.lost_pings} of {each.pings} lost"
    return call(each.cost, margin) if each.cost else NONE


def _cell(each: Cold, mode: str) -> str:
    """The median of what came back, and how many did not; nothing if it cannot be cold here."""
    if mode not in each.by_mode:
        return NONE
    came, lost = np.concatenate(each.by_mode[mode]), each.lost[mode]
    if not len(came):
        return f"all {lost} lost"
    return f"{np.median(came):.3f}" + (f", {lost} lost" if lost else "")


def _time(value: float) -> str:
    return f"{value:+.3f}" if np.isfinite(value) else "lost"


def _between(interval: Interval | None) -> str:
    return f"{interval.low:+.3f} to {interval.high:+.3f}" if interval else NONE


def cold_finding(found: Sequence[Cold], unit: str) -> tuple[str, ...]:
    """What loses first pings, and which one thing costs them most; nothing if none was measured."""
    single = [each for each in found if each.cost and each.name not in EVERYTHING]
    lost = [
        f"{each.name}: {each.lost_pings} of {each.pings} lost" for each in single if each.lost_pings
    ]
    came = max((each for each in single if not each.lost_pings), key=_worth, default=None)
    most = [] if came is None else [f"{came.name}: {_most(came)} {unit}"]
    said = ", ".join((*lost[:1], *most))
    return (f"Cold {said}",) if said else ()


def _most(each: Cold) -> str:
    """The interval of its cost; the figure alone where there is none."""
    interval = each.cost.interval if each.cost else None
    return f"{interval.low:+.2f} to {interval.high:+.2f}" if interval else f"{_worth(each):+.2f}"


def cold_held(prediction: Prediction, each: Cold, run: Run, unit: str) -> Outcome:
    """What became of a prediction; one without a band says that no answer comes."""
    cost = each.cost
    if each.lost_pings or cost is None:
        found = f"{each.lost_pings} of {counted(each.pings, 'first ping')} lost"
    else:
        found = f"{cost.estimate:+.3f} {unit}{_in_brackets(cost.interval)}"
    outcome = _stands(prediction, each) if is_trusted(run) else NOT_JUDGED
    return Outcome(claim=prediction.claim, reason=prediction.reason, outcome=outcome, found=found)


def _stands(prediction: Prediction, each: Cold) -> str:
    if is_of_loss(prediction):
        return CONFIRMED if each.lost_pings == each.pings else REFUTED
    if each.lost_pings:  # a lost ping has no round trip to be within a band
        return REFUTED if each.is_mostly_lost else UNDECIDED
    return against(prediction, each.cost) if each.cost else NOT_JUDGED


def is_of_loss(prediction: Prediction) -> bool:
    """True if it says that no answer comes."""
    return prediction.low is None and prediction.high is None


def _in_brackets(interval: Interval | None) -> str:
    return f" ({_between(interval)})" if interval else ""


def _worth(each: Cold) -> float:
    return each.cost.estimate if each.cost else 0.0
