"""Whether a run's figures can be trusted, by thresholds written down before it.  Pure.

What is held against a limit, and why not the worst window: on a machine that others share,
one window of a few seconds is disturbed by itself now and then (20% stolen was seen in single
windows of quiet runs), and a run has dozens.  The figures of a run are medians over blocks, so
a window here and there moves none of them, while these would:

* a machine that was busy all along: shares of processor time are taken over **all the time that
  was watched**, each window by its length, and so is the control ping, by the median of windows;
* something that met one level time and again, which would be read as that level's own figure:
  the **median round of each level** has to keep the limit, too, where a level has 3 or more;
* anything lost: packets dropped, upcalls and control pings lost are **counted over the run**.

A limit on something that no window shows, or that could not be looked at, is not kept.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from statistics import fmean, median

# An interval from n blocks reaches at most from the lowest to the highest; the true median
# lies outside with probability 2 * 0.5**n, and 6 is the first n for which that is below 5%.
INTERVAL_REPEATS_MIN = 6
# Of one and of several: a ping without its reply, a frame that capture and counters tell apart.
UNACCOUNTED = ("answer or packet unaccounted for", "answers or packets unaccounted for")
LEVEL_ROUNDS_MIN = 3  # fewer have no median that one disturbed round leaves alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits a run must keep; None: not asked of this experiment."""

    cpu_idle_min: float | None = None  # of all processor time; below it packets wait for one
    cpu_steal_max: float | None = None  # above it another machine's work is in our figures
    vswitchd_load_max: float | None = None  # of one processor, by the busiest switch daemon
    lost_upcalls_max: int | None = None
    drops_max: int | None = None  # by interfaces and sockets
    control_median_max_ms: float | None = None  # of the control ping, on a bare veth pair
    control_lost_max: int | None = None
    lost_max: int | None = None  # answers that never came, packets amiss, in the whole run
    duplicates_max: int | None = None
    repeats_min: int = INTERVAL_REPEATS_MIN

    def for_quick_run(self) -> "Thresholds":
        """The same limits for a quick run, which claims no interval and needs one block."""
        return replace(self, repeats_min=1)

    def to_json(self) -> dict[str, float | None]:
        """As run.json keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The machine and the lab while something was measured; None: was not looked at."""

    length_s: float | None = None
    cpu_idle: float | None = None
    cpu_steal: float | None = None
    vswitchd_load: float | None = None
    busiest: str = ""  # the host whose daemon had that load
    lost_upcalls: int | None = None
    lost_by: tuple[str, ...] = ()  # where, as "computer (3)"
    drops: int | None = None
    dropped_by: tuple[str, ...] = ()  # where, as "the packet socket on underlay of host1 (3)"
    control_median_ms: float | None = None
    control_lost: int | None = None
    unseen: Mapping[str, str] = field(default_factory=dict)  # why a figure could not be had
    absent: tuple[str, ...] = ()  # figures of what this lab has not: no OVS, no daemon to be busy


# Of a lab of which nothing was timed: no figure of the machine is wanted.
UNTIMED = Window(
    absent=tuple(each.name for each in fields(Window) if each.name not in {"unseen", "absent"})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run showed of itself."""

    repeats: int  # complete ones
    lost: int = 0  # what should have come, or have been counted, and was not
    duplicates: int = 0
    windows: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)  # by round
    levels: Mapping[str, str] = field(default_factory=dict)  # of each round, what was measured


@dataclass(frozen=True, slots=True)
class Verdict:
    """Trusted, or why not."""

    trusted: bool
    reasons: tuple[str, ...]
    thresholds: Thresholds

    def to_json(self) -> dict[str, object]:
        """As run.json keeps it."""
        return {
            "trusted": self.trusted,
            "reasons": list(self.reasons),
            "thresholds": self.thresholds.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """One figure of one window, and the round it was seen in."""

    value: float
    name: str
    window: Window


Whole = Callable[[list[Found]], float]


def over_time(found: list[Found]) -> float:
    """The mean of windows, each by its length."""
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
    """One figure of a window: the threshold that bounds it, and how it is told."""

    figure: str
    threshold: str
    called: str
    report: str  # with {} for the figure, {s} for the plural of what is counted
    whole: Whole  # what of all windows is held against the threshold
    where: str = ""  # the field of a window that says where
    unit: str = ""

    @property
    def is_floor(self) -> bool:
        """True if the figure must not be below the threshold."""
        return self.threshold.endswith("_min")

    def is_passed(self, value: float, bound: float) -> bool:
        """True if the figure is on the wrong side."""
        return value < bound if self.is_floor else value > bound

    def worst(self, found: list[Found]) -> Found:
        """The window that is furthest on the wrong side."""
        return (min if self.is_floor else max)(found, key=lambda each: each.value)

    def build_report(self, value: float) -> str:
        """The figure in words."""
        return self.report.format(self.shown(value), s="" if value == 1 else "s")

    def shown(self, value: float) -> str:
        """With its unit."""
        return f"{100 * value:.3g}%" if self.unit == "%" else f"{value:g}{self.unit}"


LIMITS = (
    Limit("cpu_idle", "cpu_idle_min", "CPU idle", "CPU idle {}", over_time, unit="%"),
    Limit("cpu_steal", "cpu_steal_max", "CPU steal", "CPU steal {}", over_time, unit="%"),
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


def judge(seen: Seen, limits: Thresholds) -> Verdict:
    """Every limit that was passed, in words."""
    passed = (
        reason
        for each in LIMITS
        if (bound := getattr(limits, each.threshold)) is not None
        for reason in _passed(each, bound, seen)
    )
    reasons = (
        *passed,
        *_over(UNACCOUNTED, seen.lost, limits.lost_max),
        *_over(("duplicate answer", "duplicate answers"), seen.duplicates, limits.duplicates_max),
        *_few(seen.repeats, limits.repeats_min),
    )
    return Verdict(not reasons, reasons, limits)


def _passed(limit: Limit, bound: float, seen: Seen) -> Iterator[str]:
    """What stands against one limit: what was not seen, the whole run, or else single levels."""
    windows = [(name, each) for name, all_ in seen.windows.items() for each in all_]
    yield from _unseen(limit, windows, seen)
    found = [
        Found(value, name, window)
        for name, window in windows
        if (value := getattr(window, limit.figure)) is not None
    ]
    if not found:
        return
    if limit.is_passed(whole := limit.whole(found), bound):
        yield f"{limit.build_report(whole)}{_most(limit, found)}{_wanted(limit, bound)}"
    elif limit.whole is not in_all:
        yield from _levels(limit, bound, found, seen.levels)


def _levels(
    limit: Limit, bound: float, found: list[Found], levels: Mapping[str, str]
) -> Iterator[str]:
    """One line for each level whose median round passed the limit."""
    of_level: dict[str, dict[str, list[Found]]] = {}
    for each in found:
        of_level.setdefault(levels.get(each.name, ""), {}).setdefault(each.name, []).append(each)
    for level, rounds in of_level.items():
        value = median(map(limit.whole, rounds.values()))
        if level and len(rounds) >= LEVEL_ROUNDS_MIN and limit.is_passed(value, bound):
            most = _most(limit, [each for windows in rounds.values() for each in windows])
            yield f"{limit.build_report(value)} in the median round of {level}{most}{_wanted(limit, bound)}"


def _most(limit: Limit, found: list[Found]) -> str:
    """The worst window, and where in the lab."""
    worst = limit.worst(found)
    where = getattr(worst.window, limit.where) if limit.where else ()
    places = ", ".join((where,) if isinstance(where, str) else where)
    at = f"{worst.name}{f': {places}' if places else ''}"
    if len(found) == 1:
        return f" in {at}"
    return f", {'lowest' if limit.is_floor else 'most'} {limit.shown(worst.value)} in {at}"


def _wanted(limit: Limit, bound: float) -> str:
    return f"; wanted {'at least' if limit.is_floor else 'at most'} {limit.shown(bound)}"


def _unseen(limit: Limit, windows: list[tuple[str, Window]], seen: Seen) -> Iterator[str]:
    """Why a figure is missing that a limit was set for."""
    failed = [(name, each) for name, each in windows if limit.figure in each.unseen]
    if failed:
        name, window = failed[0]
        many = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        yield f"{limit.called} could not be looked at in {name}{many}: {window.unseen[limit.figure]}"
    elif seen.windows and all(_is_missing(limit, each) for _, each in windows):
        yield f"{limit.called} was in no window, but has a limit"


def _is_missing(limit: Limit, window: Window) -> bool:
    return getattr(window, limit.figure) is None and limit.figure not in window.absent


def _over(names: tuple[str, str], count: int, limit: int | None) -> tuple[str, ...]:
    """`names`: what is counted, of one and of several."""
    if limit is None or count <= limit:
        return ()
    return (f"{count} {names[count != 1]}; wanted at most {limit}",)


def _few(repeats: int, limit: int) -> tuple[str, ...]:
    if repeats >= limit:
        return ()
    many = f"{repeats} repeat{'' if repeats == 1 else 's'}"
    why = ", the fewest a 95% interval can come from" if limit == INTERVAL_REPEATS_MIN else ""
    return (f"{many} complete; wanted {limit}{why}",)
