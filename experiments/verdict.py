"""Whether a run's figures can be trusted, by thresholds written down before it.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

# An interval from n blocks reaches at most from the lowest to the highest; the true median
# lies outside with probability 2 * 0.5**n, and 6 is the first n for which that is below 5%.
INTERVAL_BLOCKS_MIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits a run must keep in every watched window; None: not asked of this experiment."""

    cpu_idle_min: float | None = (
        None  # of all processor time; below it packets wait for a processor
    )
    cpu_steal_max: float | None = None  # above it another machine's work is in our figures
    vswitchd_load_max: float | None = None  # of one processor, by the busiest switch daemon
    lost_upcalls_max: int | None = None
    drops_max: int | None = None  # by interfaces and sockets
    control_median_max_ms: float | None = None  # of the control ping, on a bare veth pair
    control_lost_max: int | None = None
    lost_max: int | None = None  # answers that never came, in the whole run
    duplicates_max: int | None = None
    blocks_min: int = INTERVAL_BLOCKS_MIN

    def for_first_look(self) -> "Thresholds":
        """The same limits for a quick run, which claims no interval and needs one block."""
        return replace(self, blocks_min=1)

    def to_json(self) -> dict[str, float | None]:
        """As run.json keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The machine and the lab while something was measured; None: was not looked at."""

    cpu_idle: float | None = None
    cpu_steal: float | None = None
    vswitchd_load: float | None = None
    lost_upcalls: int | None = None
    drops: int | None = None
    dropped_by: tuple[str, ...] = ()  # where, as "underlay of host1 (3)"
    control_median_ms: float | None = None
    control_lost: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run showed of itself."""

    blocks: int  # complete ones
    lost: int = 0
    duplicates: int = 0
    windows: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)  # by round


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
class Limit:
    """One figure of a window: the threshold that bounds it, and how it is told."""

    figure: str
    threshold: str
    told: str  # with {} for the figure
    percent: bool = False

    def is_floor(self) -> bool:
        """True if the figure must not be below the threshold."""
        return self.threshold.endswith("_min")


LIMITS = (
    Limit("cpu_idle", "cpu_idle_min", "CPU idle {}", percent=True),
    Limit("cpu_steal", "cpu_steal_max", "CPU steal {}", percent=True),
    Limit("vswitchd_load", "vswitchd_load_max", "ovs-vswitchd busy {} of a CPU", percent=True),
    Limit("lost_upcalls", "lost_upcalls_max", "{} upcalls lost"),
    Limit("drops", "drops_max", "{} packets dropped"),
    Limit("control_median_ms", "control_median_max_ms", "control ping {} ms"),
    Limit("control_lost", "control_lost_max", "{} control pings lost"),
)


def judge(seen: Seen, limits: Thresholds) -> Verdict:
    """Every limit that was passed, in words."""
    passed = (reason for each in LIMITS for reason in _passed(each, seen.windows, limits))
    reasons = (
        *passed,
        *_over(("answer missing", "answers missing"), seen.lost, limits.lost_max),
        *_over(("duplicate answer", "duplicate answers"), seen.duplicates, limits.duplicates_max),
        *_few(seen.blocks, limits.blocks_min),
    )
    return Verdict(not reasons, reasons, limits)


def _passed(
    limit: Limit, rounds: Mapping[str, tuple[Window, ...]], limits: Thresholds
) -> Iterator[str]:
    """One line for all windows that passed a limit, naming the worst."""
    bound = getattr(limits, limit.threshold)
    if bound is None:
        return
    found = [
        (getattr(window, limit.figure), name, window)
        for name, windows in rounds.items()
        for window in windows
        if getattr(window, limit.figure) is not None
    ]
    bad = [each for each in found if (each[0] < bound if limit.is_floor() else each[0] > bound)]
    if bad:
        figure, name, window = (min if limit.is_floor() else max)(bad, key=lambda each: each[0])
        where = f" at {', '.join(window.dropped_by)}" if limit.figure == "drops" else ""
        many = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        least = "at least" if limit.is_floor() else "at most"
        told = limit.told.format(_figure(figure, limit))
        yield f"{told}{where} in {name}{many}; wanted {least} {_figure(bound, limit)}"


def _figure(value: float, limit: Limit) -> str:
    return f"{value:.0%}" if limit.percent else f"{value:g}"


def _over(names: tuple[str, str], count: int, limit: int | None) -> tuple[str, ...]:
    """`names`: what is counted, of one and of several."""
    if limit is None or count <= limit:
        return ()
    return (f"{count} {names[count != 1]}; wanted at most {limit}",)


def _few(blocks: int, limit: int) -> tuple[str, ...]:
    if blocks >= limit:
        return ()
    many = f"{blocks} block{'' if blocks == 1 else 's'}"
    why = ", the fewest a 95% interval can come from" if limit == INTERVAL_BLOCKS_MIN else ""
    return (f"{many} complete; wanted {limit}{why}",)
