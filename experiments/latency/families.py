"""The modes of a run of `latency` by family, and the title of each of its charts.  Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.latency.analysis import Analysed, First, Warm
from experiments.latency.words import (
    GUEST_ARP,
    KERNEL_ARP,
    KERNEL_FDB,
    KERNEL_NEW_LAB,
    LEARNED_FLOW,
    MEGAFLOW,
    NEW_LAB,
    NO_CACHE,
    VETH,
    VTEP_NEIGHBOUR,
)
from experiments.show.palette import FAMILIES, KERNEL, OVS, family
from experiments.show.report import range_text
from experiments.show.statistics import Difference, Samples, percentile

WITHOUT = {  # an empty cache as the subject of a sentence, and its plural
    NEW_LAB: ("a new lab", False),
    KERNEL_NEW_LAB: ("a new lab with kernel VXLAN", False),
    GUEST_ARP: ("an empty ARP cache", False),
    LEARNED_FLOW: ("a missing learned flow", False),
    MEGAFLOW: ("empty megaflow caches", True),
    VTEP_NEIGHBOUR: ("an unknown VTEP", False),
    KERNEL_ARP: ("an empty ARP cache with kernel VXLAN", False),
    KERNEL_FDB: ("a missing FDB entry of kernel VXLAN", False),
}
VETH_PAIR = "veth pair"
COARSE_MS = 0.1  # from here on one decimal is enough
RANK = 90  # the percentile that the title of the distribution has


def by_family(modes: Sequence[str]) -> dict[str, list[str]]:
    """The modes of each family that has any, untunnelled ones first."""
    found = {name: [mode for mode in modes if family(mode) == name] for name in reversed(FAMILIES)}
    order = sorted(found, key=lambda name: (name == KERNEL, name == OVS))
    return {name: found[name] for name in order if found[name]}


def groups_of(found: Analysed) -> dict[str, list[str]]:
    """The modes named with `--modes` each by itself, else all by family."""
    modes = [mode for mode in found.main.named if mode in found.modes]
    return {mode: [mode] for mode in modes} if modes else by_family(found.modes)


def family_name(name: str, modes: Sequence[str]) -> str:
    """The mode if it is the only one, else the family; kernel VXLAN always."""
    return modes[0] if len(modes) == 1 and name != KERNEL else name


def medians_title(found: Analysed) -> str:
    """The median ping of each family."""
    medians = {each.level: each.median for each in found.main.summaries}
    parts = (
        f"{family_name(name, modes)} {range_text((medians[mode] for mode in modes), '.2f')} ms"
        for name, modes in groups_of(found).items()
    )
    return f"Median ping: {', '.join(parts)}"


def distribution(found: Analysed) -> dict[str, list[str]]:
    """The levels of each curve of the distribution: families of tunnels, and the bare veth pair.

    Without a tunnel mode, it is the untunnelled ones.
    """
    groups = groups_of(found)
    tunnels = {name: groups[name] for name in (KERNEL, OVS) if name in groups}
    veth = {VETH_PAIR: [VETH]} if VETH in found.main.levels else {}
    return {**veth, **(tunnels or groups)}


def distribution_title(found: Analysed) -> str:
    """The time within which most pings are answered, by curve."""
    levels = {
        name: [np.concatenate(found.main.levels[level]) for level in members]
        for name, members in distribution(found).items()
    }
    rank = rank_of([each for members in levels.values() for each in members])
    parts = (
        f"{name} {max(float(np.percentile(each, rank)) for each in members):.2f} ms"
        for name, members in levels.items()
    )
    return f"{rank}% of pings take at most: {', '.join(parts)}"


def rank_of(levels: Sequence[Samples]) -> int:
    """The percentile that is named: 90, or the median if a level has too few samples."""
    return RANK if all(percentile(each, RANK) is not None for each in levels) else 50


def conditions_title(found: Analysed) -> str:
    """How a ping of the OVS tunnels, or of the only family, changes with interval and payload."""
    groups = groups_of(found)
    name = OVS if OVS in groups else next(iter(groups))
    if len(groups) > 1 and name != OVS:
        return _paces_of(found.warms, groups)
    paced, sized = _paces(found.warms, groups[name]), _sizes(found.warms, groups[name])
    margin = found.main.question.margin
    times = [f"{median:.2f} ms {how}" for how, median in paced] or [
        f"{range_text(sized.values(), '.2f')} ms"
    ]
    is_same = len(sized) > 1 and max(sized.values()) - min(sized.values()) < margin
    by_size = (
        f"; {size} bytes: {median:.2f} ms" for size, median in sized.items() if len(sized) > 1
    )
    more = ", whatever its size" if is_same else "".join(by_size)
    return f"{family_name(name, groups[name])}: a ping takes {', '.join(times)}{more}"


def _paces_of(warms: Sequence[Warm], groups: Mapping[str, Sequence[str]]) -> str:
    """The median ping of each group at the shortest and the longest interval."""
    paced = {name: _paces(warms, modes) or _all(warms, modes) for name, modes in groups.items()}
    how = {each: None for times in paced.values() for each, _ in times}
    parts = (
        f"{name} " + ", ".join(f"{median:.2f}" for _, median in times)
        for name, times in paced.items()
    )
    return f"Median ping [ms] {', '.join(how)}: {'; '.join(parts)}"


def _all(warms: Sequence[Warm], modes: Sequence[str]) -> list[tuple[str, float]]:
    """The median ping in each condition, by payload."""
    medians = ((f"with {each.payload_bytes} bytes", middle(each, modes)) for each in warms)
    return [(how, median) for how, median in medians if median is not None]


def _paces(warms: Sequence[Warm], modes: Sequence[str]) -> list[tuple[str, float]]:
    """The median ping at the shortest and the longest interval, with the payload that has most."""
    payloads = [each.payload_bytes for each in warms]
    most = max(payloads, key=payloads.count)
    found = [
        (pace(each), median)
        for each in warms
        if each.payload_bytes == most and (median := middle(each, modes)) is not None
    ]
    return [found[0], found[-1]] if len(found) > 1 else []


def _sizes(warms: Sequence[Warm], modes: Sequence[str]) -> dict[int, float]:
    """The median ping with the least and the greatest payload, at the interval that has most."""
    intervals = [each.interval_ms for each in warms]
    most = max(intervals, key=intervals.count)
    found = {
        each.payload_bytes: median
        for each in warms
        if each.interval_ms == most and (median := middle(each, modes)) is not None
    }
    return {size: found[size] for size in dict.fromkeys((min(found), max(found)))} if found else {}


def middle(warm: Warm, modes: Sequence[str]) -> float | None:
    """The median of the modes' medians of repeats; None if none was measured."""
    medians = [float(np.median(warm.by_mode[mode])) for mode in modes if mode in warm.by_mode]
    return float(np.median(medians)) if medians else None


def pace(warm: Warm) -> str:
    """How often pings were sent."""
    if not warm.interval_ms:
        return "back to back"
    real = warm.interval_ms if warm.kept_ms is None else warm.kept_ms
    return f"every {real:.0f} ms"


def costs_title(firsts: Sequence[First]) -> str:
    """The first empty cache that loses pings, and the single one that costs most time."""
    parts = []
    if lossy := _lossy(firsts):
        of = "the first ping" if _loses_all(lossy) else f"{_lost(lossy)} first pings"
        parts.append(f"{_adds(lossy.cache, 'lose')} {of}")
    if costly := _costliest(firsts):
        cost = costly[1].estimate
        text = f"{cost:.1f}" if abs(cost) >= COARSE_MS else f"{cost:.2f}"
        here = "" if costly[1].interval else " in this run"
        parts.append(f"{_adds(costly[0].cache, 'add')} {text} ms{here}")
    return _joined(parts) or "No empty cache has a cost beyond the spread of the repeats"


def costs_finding(firsts: Sequence[First]) -> tuple[str, ...]:
    """The same with counts and the interval; nothing if no empty cache was measured."""
    parts = []
    if lossy := _lossy(firsts):
        of = f"the first ping ({_lost(lossy)})" if _loses_all(lossy) else f"{_lost(lossy)}"
        parts.append(f"{_adds(lossy.cache, 'lose')} {of}")
    if costly := _costliest(firsts):
        first, cost = costly
        span = cost.interval
        added = (
            f"{span.low:.2f} to {span.high:.2f} ms"
            if span
            else f"{cost.estimate:.2f} ms in this run"
        )
        parts.append(f"{_adds(first.cache, 'add')} {added}")
    return (_joined(parts),) if parts else ()


def _joined(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _single(firsts: Sequence[First]) -> list[First]:
    """Caches that were emptied alone, else all that have a cost."""
    known = [each for each in firsts if each.cost]
    return [each for each in known if each.cache not in {NEW_LAB, KERNEL_NEW_LAB}] or known


def _lossy(firsts: Sequence[First]) -> First | None:
    return next((each for each in _single(firsts) if each.lost_pings), None)


def _costliest(firsts: Sequence[First]) -> tuple[First, Difference] | None:
    """The empty cache that costs most time; one whose interval includes 0 has no cost for certain."""
    costs = [
        (each, each.cost)
        for each in _single(firsts)
        if each.cost
        and not each.lost_pings
        and (each.cost.interval is None or each.cost.interval.low > 0)
    ]
    return max(costs, key=lambda pair: pair[1].estimate, default=None)


def _loses_all(first: First) -> bool:
    return first.lost_pings == first.pings


def _lost(first: First) -> str:
    return f"{first.lost_pings} of {first.pings}"


def _adds(cache: str, verb: str) -> str:
    """Such as `an empty ARP cache adds`."""
    name, is_plural = WITHOUT[cache]
    return f"{name} {verb}{'' if is_plural else 's'}"


def compared_caches(firsts: Sequence[First]) -> list[First]:
    """The empty caches that have a cost: those that lose pings first, then the costliest."""
    known = [each for each in firsts if each.cost and each.cache != NO_CACHE]
    return sorted(known, key=lambda each: -each.cost.estimate if each.cost else 0.0)


def envelope(members: Sequence[Samples], times: Samples) -> tuple[Samples, Samples]:
    """The least and the greatest share of pings up to each time."""
    shares = np.array(
        [np.searchsorted(np.sort(each), times, side="right") / len(each) for each in members]
    )
    return shares.min(axis=0), shares.max(axis=0)
