"""The effect of one factor, all others equal: contrasts of modes in the same repeat.  Pure.

In each repeat a contrast is a weighted sum of the modes' medians, such as half of (gre-mesh minus
vxlan-mesh) and half of (gre-l2pop minus vxlan-l2pop); what all modes of a repeat have in common
cancels out.  The estimate is the median over repeats; its interval is from
`experiments.show.statistics`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.model.encap import TUNNEL_TYPES
from controller.model.wording import counted
from experiments.show.statistics import Difference, Repeats, Samples, by_repeat, over_repeats

Weights = Mapping[str, float]  # of levels; they add up to 0

ENCAPSULATIONS = ("gre", "vxlan")
FLOODINGS = ("mesh", "l2pop")
RESPONDER = "l2pop-arp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One contrast, and its estimate."""

    name: str  # as in a prediction's `about`
    brief: str  # which levels are compared, such as `gre minus vxlan`
    claim: str  # the same, with what it is the mean of
    by_repeat: tuple[float, ...]
    found: Difference
    levels: tuple[str, ...]  # two, or more if it is the mean of several pairs


def effects(levels: Mapping[str, Repeats], *, baseline: str, seed: int) -> tuple[Effect, ...]:
    """The effects whose modes were measured, and the interaction of encapsulation and flooding."""
    return tuple(
        Effect(
            name=each.name,
            brief=each.brief,
            claim=f"{each.brief}{each.over}",
            by_repeat=tuple(map(float, sums)),
            found=over_repeats(sums, seed=seed),
            levels=tuple(each.weights),
        )
        for each in _contrasts(levels, baseline)
        if each.weights and len(sums := contrast(levels, each.weights))
    )


def contrast(levels: Mapping[str, Repeats], weights: Weights) -> Samples:
    """The weighted sum of medians in each repeat."""
    return by_repeat([levels[level] for level in weights], list(weights.values()))


@dataclass(frozen=True, slots=True)
class _Contrast:
    name: str
    brief: str
    over: str  # what it is the mean of
    weights: Weights  # empty if its modes were not measured


def _contrasts(levels: Mapping[str, Repeats], baseline: str) -> Iterator[_Contrast]:
    (one, other), (mesh, l2pop) = ENCAPSULATIONS, FLOODINGS
    yield _mean(
        "encapsulation",
        f"{one} minus {other}",
        levels,
        {way: (f"{one}-{way}", f"{other}-{way}") for way in FLOODINGS},
    )
    yield _mean(
        "flooding",
        f"{l2pop} minus {mesh}",
        levels,
        {each: (f"{each}-{l2pop}", f"{each}-{mesh}") for each in ENCAPSULATIONS},
    )
    # By how much the effect of flooding differs between encapsulations.
    weights = {
        f"{one}-{l2pop}": 1.0,
        f"{one}-{mesh}": -1.0,
        f"{other}-{l2pop}": -1.0,
        f"{other}-{mesh}": 1.0,
    }
    over = f": that of {l2pop} with {one} minus that with {other}"
    measured = weights if weights.keys() <= levels.keys() else {}
    yield _Contrast("interaction", "of the two effects", over, measured)
    yield _mean(
        "responder",
        f"{RESPONDER} minus {l2pop}",
        levels,
        {each: (f"{each}-{RESPONDER}", f"{each}-{l2pop}") for each in ENCAPSULATIONS},
    )
    tunnelled = [level for level in levels if level.partition("-")[0] in TUNNEL_TYPES]
    shares = _shares([(level, baseline) for level in tunnelled]) if baseline in levels else {}
    over = f", mean of {counted(len(tunnelled), 'mode')}"
    yield _Contrast("tunnel", f"tunnel minus {baseline}", over, shares)
    # Both answer ARP on the host with l2population.
    kernel = {"mesh": ("kvxlan-mesh", "vxlan-mesh"), "l2pop": ("kvxlan-l2pop", "vxlan-l2pop-arp")}
    yield _mean("kernel", "kvxlan minus vxlan", levels, kernel)


def _mean(
    name: str, brief: str, levels: Mapping[str, Repeats], pairs: Mapping[str, tuple[str, str]]
) -> _Contrast:
    """The mean of the pairs of which both levels were measured."""
    kept = {each: pair for each, pair in pairs.items() if levels.keys() >= set(pair)}
    over = f", mean of {' and '.join(kept)}" if len(kept) > 1 else f", {''.join(kept)} alone"
    return _Contrast(name, brief, over, _shares(list(kept.values())))


def _shares(pairs: Sequence[tuple[str, str]]) -> Weights:
    """The mean over pairs of the first level minus the second."""
    weights: dict[str, float] = {}
    for more, less in pairs:
        weights[more] = weights.get(more, 0) + 1 / len(pairs)
        weights[less] = weights.get(less, 0) - 1 / len(pairs)
    return weights
