"""Whether a run's figures can be trusted, by thresholds written down before it.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

# An interval from n blocks reaches at most from the lowest to the highest; the true median
# lies outside with probability 2 * 0.5**n, and 6 is the first n for which that is below 5%.
INTERVAL_BLOCKS_MIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits a run must keep; fractions of all processor time, over each measured window."""

    cpu_idle_min: float  # below it the pings wait for a processor, not for the network
    cpu_steal_max: float  # above it another machine's work is in our figures
    lost_max: int  # warm pings without an answer, in the whole run
    duplicates_max: int
    blocks_min: int = INTERVAL_BLOCKS_MIN

    def for_first_look(self) -> "Thresholds":
        """The same limits for a quick run, which claims no interval and needs one block."""
        return replace(self, blocks_min=1)

    def to_json(self) -> dict[str, float]:
        """As run.json keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run showed of itself."""

    blocks: int  # complete ones
    lost: int
    duplicates: int
    cpu_idle: Mapping[str, float]  # by window, as "block 2, gre-mesh"
    cpu_steal: Mapping[str, float]


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


def judge(seen: Seen, limits: Thresholds) -> Verdict:
    """Every limit that was passed, in words."""
    reasons = (
        *_busy("idle", seen.cpu_idle, floor=limits.cpu_idle_min),
        *_busy("steal", seen.cpu_steal, ceiling=limits.cpu_steal_max),
        *_over(("ping lost", "pings lost"), seen.lost, limits.lost_max),
        *_over(("duplicate reply", "duplicate replies"), seen.duplicates, limits.duplicates_max),
        *_few(seen.blocks, limits.blocks_min),
    )
    return Verdict(not reasons, reasons, limits)


def _busy(
    what: str, seen: Mapping[str, float], *, floor: float = 0, ceiling: float = 1
) -> Sequence[str]:
    bad = {window: part for window, part in seen.items() if not floor <= part <= ceiling}
    if not bad:
        return ()
    worst = (min if floor else max)(bad, key=lambda window: bad[window])
    limit = f"at least {floor:.0%}" if floor else f"at most {ceiling:.0%}"
    many = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    return (f"CPU {what} {bad[worst]:.0%} in {worst}{many}; wanted {limit}",)


def _over(names: tuple[str, str], count: int, limit: int) -> Sequence[str]:
    """`names`: what is counted, of one and of several."""
    return (f"{count} {names[count != 1]}; wanted at most {limit}",) if count > limit else ()


def _few(blocks: int, limit: int) -> Sequence[str]:
    if blocks >= limit:
        return ()
    many = f"{blocks} block{'' if blocks == 1 else 's'}"
    return (f"{many} complete; wanted {limit}, the fewest a 95% interval can come from",)
