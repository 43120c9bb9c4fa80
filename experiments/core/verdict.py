"""Whether a run can be trusted, by limits that are set before it.  Pure.

The worst window decides nothing.  On a shared machine one window of a few seconds is disturbed now
and then (20% steal was measured in single windows of quiet runs), and a run has dozens.  Results
are medians over repeats, which a few such windows do not change.  These would change them:

* A machine that is busy all the time.  CPU shares are means over **all watched time**, weighted by
  the length of each window; the control ping is the median of all windows.
* A disturbance that always meets the same level, and looks like an effect of it.  So the **median
  lab of each level** must keep the limit too, if a level has 3 labs or more.
* Losses.  Dropped packets, lost upcalls and lost control pings are **counted over the run**.

A limit is not kept if its value is in no window, or could not be measured.

Counts do not depend on the speed of a machine, so that a busy one is no reason to doubt them.  But
a frame that found a full buffer, or whose upcall was lost, is missing from a count although the
network is right.  COUNT_LIMITS are checked in every run; limits that were not kept are its **doubts**.
They matter only if an exact prediction is refuted (`settled`).  Without doubts the refutation is
trusted, also on a busy machine.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from statistics import fmean, median
from typing import Any

# An interval from n repeats reaches at most from the lowest to the highest; the true median
# is outside with probability 2 * 0.5**n, and 6 is the first n for which that is below 5%.
INTERVAL_REPEATS_MIN = 6
# Singular and plural: a ping without a reply, or a frame that is missing from a capture or a counter.
UNACCOUNTED = ("answer or packet unaccounted for", "answers or packets unaccounted for")
DUPLICATES = ("duplicate answer", "duplicate answers")
LEVEL_LABS_MIN = 3  # the median of fewer changes with one disturbed lab


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits that a run must keep; None: this experiment has no such limit."""

    cpu_idle_min: float | None = None  # of all CPU time; below it packets wait for a CPU
    cpu_steal_max: float | None = None  # of all CPU time; above it other machines slow this one
    cpu_others_max: float | None = None  # of all CPU time; above it other programs slow this one
    vswitchd_load_max: float | None = None  # of one CPU, of the busiest ovs-vswitchd
    lost_upcalls_max: int | None = None
    drops_max: int | None = None  # on interfaces and sockets
    overflows_max: int | None = None  # frames that found the buffer of a socket or queue full
    control_median_max_ms: float | None = None  # of the control ping over a plain veth pair
    control_lost_max: int | None = None
    lost_max: int | None = None  # replies and packets, in the whole run
    duplicates_max: int | None = None
    repeats_min: int = INTERVAL_REPEATS_MIN

    def for_quick_run(self) -> "Thresholds":
        """The same limits for a quick run, which has no intervals and needs one repeat."""
        return replace(self, repeats_min=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The machine and the lab during a measurement; None: not measured."""

    length_s: float | None = None
    cpu_idle: float | None = None
    cpu_steal: float | None = None
    cpu_others: float | None = None  # of programs that belong neither to a lab nor to the run
    vswitchd_load: float | None = None
    busiest: str = ""  # the host with that load
    lost_upcalls: int | None = None
    lost_by: tuple[str, ...] = ()  # such as "computer (3)"
    drops: int | None = None
    dropped_by: tuple[str, ...] = ()  # such as "the packet socket on underlay of host1 (3)"
    overflows: int | None = None  # the part of the drops that is due to full buffers
    overflowed_by: tuple[str, ...] = ()
    control_median_ms: float | None = None
    control_lost: int | None = None
    unseen: Mapping[str, str] = field(default_factory=dict)  # why a value could not be measured
    absent: tuple[str, ...] = ()  # values that this lab cannot have, such as the load of an OVS


# Of a lab in which nothing was timed: no value of the machine is needed.
UNTIMED = Window(
    absent=tuple(each.name for each in fields(Window) if each.name not in {"unseen", "absent"})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The values of a run that its limits are checked against."""

    repeats: int  # complete ones
    lost: int = 0  # replies and packets
    duplicates: int = 0
    windows: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)  # by lab
    levels: Mapping[str, str] = field(default_factory=dict)  # by lab
    counted: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)  # during counts, by lab
    doubts: tuple[str, ...] = ()  # of probes, about their own controls


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the run is trusted, and why not."""

    trusted: bool
    reasons: tuple[str, ...]
    thresholds: Thresholds
    doubts: tuple[str, ...] = ()  # about counts: they matter if an exact prediction is refuted


@dataclass(frozen=True, slots=True)
class Found:
    """One value of one window, and the lab it was measured in."""

    value: float
    name: str
    window: Window


def over_time(found: list[Found]) -> float:
    """The mean of windows, weighted by their length."""
    lengths = [each.window.length_s or 0 for each in found]
    if not all(lengths):
        return fmean(each.value for each in found)
    return sum(each.value * s for each, s in zip(found, lengths, strict=True)) / sum(lengths)


def middle(found: list[Found]) -> float:
    """The median window."""
    return median(each.value for each in found)


def in_all(found: list[Found]) -> float:
    """The sum of windows."""
    return sum(each.value for each in found)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on one value of windows."""

    figure: str  # the field of a window
    threshold: str  # the field of the thresholds
    called: str
    template: str  # with {} for the value and {s} for the plural of what is counted
    whole: Callable[[list[Found]], float]  # the value of all windows together
    where: str = ""  # the field of a window that names places
    unit: str = ""

    @property
    def is_floor(self) -> bool:
        """True if the value must not be below the threshold."""
        return self.threshold.endswith("_min")

    def is_exceeded(self, value: float, bound: float) -> bool:
        """True if the value is on the wrong side of the bound."""
        return value < bound if self.is_floor else value > bound

    def worst(self, found: list[Found]) -> Found:
        """The window that is furthest on the wrong side."""
        return (min if self.is_floor else max)(found, key=lambda each: each.value)

    def shown(self, value: float) -> str:
        """The value with its unit."""
        return f"{100 * value:.3g}%" if self.unit == "%" else f"{value:g}{self.unit}"


LIMITS = (
    Limit("cpu_idle", "cpu_idle_min", "CPU idle", "CPU idle {}", over_time, unit="%"),
    Limit("cpu_steal", "cpu_steal_max", "CPU steal", "CPU steal {}", over_time, unit="%"),
    Limit(
        "cpu_others",
        "cpu_others_max",
        "CPU time of other programs",
        "CPU time of other programs {}",
        over_time,
        unit="%",
    ),
    Limit(
        "vswitchd_load",
        "vswitchd_load_max",
        "ovs-vswitchd's load",
        "ovs-vswitchd busy {} of a CPU",
        over_time,
        where="busiest",
        unit="%",
    ),
    Limit(
        "lost_upcalls",
        "lost_upcalls_max",
        "lost upcalls",
        "{} upcall{s} lost",
        in_all,
        where="lost_by",
    ),
    Limit("drops", "drops_max", "drops", "{} packet{s} dropped", in_all, where="dropped_by"),
    Limit(
        "overflows",
        "overflows_max",
        "frames that found a full buffer",
        "{} frame{s} found a full buffer",
        in_all,
        where="overflowed_by",
    ),
    Limit(
        "control_median_ms",
        "control_median_max_ms",
        "the control ping",
        "control ping {}",
        middle,
        unit=" ms",
    ),
    Limit(
        "control_lost", "control_lost_max", "lost control pings", "{} control ping{s} lost", in_all
    ),
)


# The limits of the controls that are read with every count.
COUNT_LIMITS = Thresholds(lost_upcalls_max=0, overflows_max=0, control_lost_max=0)


def judge(seen: Seen, limits: Thresholds) -> Verdict:
    """The verdict, with a reason for every limit that is not kept, and the doubts about counts."""
    reasons = tuple(_reasons(seen, limits))
    return Verdict(not reasons, reasons, limits, tuple(_doubts(seen)))


def _doubts(seen: Seen) -> Iterator[str]:
    """Each control that failed while something was counted; one that this lab lacks raises none."""
    controls = replace(seen, windows=seen.counted, levels={})
    for each in LIMITS:
        windows = [window for all_ in controls.windows.values() for window in all_]
        is_seen = any(
            getattr(window, each.figure) is not None or each.figure in window.unseen
            for window in windows
        )
        if (bound := getattr(COUNT_LIMITS, each.threshold)) is not None and is_seen:
            yield from _exceeded(each, bound, controls)
    yield from seen.doubts


def settled(verdict: Mapping[str, Any], *, is_refuted: bool) -> Mapping[str, Any]:
    """A recorded verdict, once it is known whether an exact prediction was refuted.

    Refuted while a control failed: the doubts become reasons, and the run is not trusted.
    """
    doubts = tuple(verdict.get("doubts") or ())
    if not is_refuted or not doubts:
        return verdict
    because = (f"a prediction was refuted, but {each}" for each in doubts)
    return {**verdict, "trusted": False, "reasons": [*verdict["reasons"], *because]}


def _reasons(seen: Seen, limits: Thresholds) -> Iterator[str]:
    for each in LIMITS:
        if (bound := getattr(limits, each.threshold)) is not None:
            yield from _exceeded(each, bound, seen)
    for names, count, most in (
        (UNACCOUNTED, seen.lost, limits.lost_max),
        (DUPLICATES, seen.duplicates, limits.duplicates_max),
    ):
        if most is not None and count > most:
            yield f"{count} {names[count != 1]}; wanted at most {most}"
    if seen.repeats < limits.repeats_min:
        many = f"{seen.repeats} repeat{'' if seen.repeats == 1 else 's'}"
        is_fewest = limits.repeats_min == INTERVAL_REPEATS_MIN
        why = ", the fewest for a 95% interval" if is_fewest else ""
        yield f"{many} complete; wanted {limits.repeats_min}{why}"


def _exceeded(limit: Limit, bound: float, seen: Seen) -> Iterator[str]:
    """Why one limit is not kept: unmeasured values, the whole run, or else single levels."""
    windows = [(name, each) for name, all_ in seen.windows.items() for each in all_]
    yield from _unseen(limit, windows, seen)
    found = [
        Found(value, name, window)
        for name, window in windows
        if (value := getattr(window, limit.figure)) is not None
    ]
    if not found:
        return
    if limit.is_exceeded(whole := limit.whole(found), bound):
        yield _reason(limit, bound, whole, found)
    elif limit.whole is not in_all:
        yield from _levels(limit, bound, found, seen.levels)


def _levels(
    limit: Limit, bound: float, found: list[Found], levels: Mapping[str, str]
) -> Iterator[str]:
    """One line for each level whose median lab exceeds the limit."""
    of_level: dict[str, dict[str, list[Found]]] = {}
    for each in found:
        of_level.setdefault(levels.get(each.name, ""), {}).setdefault(each.name, []).append(each)
    for level, labs in of_level.items():
        value = median(map(limit.whole, labs.values()))
        if level and len(labs) >= LEVEL_LABS_MIN and limit.is_exceeded(value, bound):
            windows = [each for windows in labs.values() for each in windows]
            yield _reason(limit, bound, value, windows, f" in the median lab of {level}")


def _reason(
    limit: Limit, bound: float, value: float, found: list[Found], of_level: str = ""
) -> str:
    """The value, the worst window it comes from, and the limit."""
    described = limit.template.format(limit.shown(value), s="" if value == 1 else "s")
    wanted = f"wanted {'at least' if limit.is_floor else 'at most'} {limit.shown(bound)}"
    return f"{described}{of_level}{_most(limit, found)}; {wanted}"


def _most(limit: Limit, found: list[Found]) -> str:
    """The worst window, and its places in the lab."""
    worst = limit.worst(found)
    where = getattr(worst.window, limit.where) if limit.where else ()
    places = ", ".join((where,) if isinstance(where, str) else where)
    at = f"{worst.name}{f': {places}' if places else ''}"
    if len(found) == 1:
        return f" in {at}"
    return f", {'lowest' if limit.is_floor else 'most'} {limit.shown(worst.value)} in {at}"


def _unseen(limit: Limit, windows: list[tuple[str, Window]], seen: Seen) -> Iterator[str]:
    """Why a value with a limit is missing."""
    failed = [(name, each) for name, each in windows if limit.figure in each.unseen]
    if failed:
        name, window = failed[0]
        many = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        yield f"{limit.called} could not be measured in {name}{many}: {window.unseen[limit.figure]}"
    elif seen.windows and all(
        getattr(each, limit.figure) is None and limit.figure not in each.absent
        for _, each in windows
    ):
        yield f"{limit.called} has a limit, but was not measured"
