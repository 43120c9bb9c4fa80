"""What one factor does, all else being equal: contrasts of modes, paired by block.  Pure.

In each block a contrast is a weighted sum of the modes' medians there, such as half of
(gre-mesh minus vxlan-mesh) and half of (gre-l2pop minus vxlan-l2pop); what all modes of a
block have in common falls out.  The estimate is the median over blocks; its interval comes
from resampled blocks, as all of `experiments.show.statistics`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.model.encap import TUNNEL_TYPES
from experiments.show.report import counted
from experiments.show.statistics import Difference, Repeats, Samples, by_block, over_blocks

Weights = Mapping[str, float]  # of levels; they add up to 0

ENCAPSULATIONS = ("gre", "vxlan")
FLOODINGS = ("mesh", "l2pop")
RESPONDER = "l2pop-arp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One contrast, and what the blocks say of it."""

    name: str  # as a `Prediction` names it in `of`
    brief: str  # which levels are held against which, in few words
    claim: str  # the same in full
    by_block: tuple[float, ...]
    found: Difference


def effects(levels: Mapping[str, Repeats], *, baseline: str, seed: int) -> tuple[Effect, ...]:
    """The effects that the measured modes bear, and their interaction if all four are there."""
    wanted = (
        _encapsulation(levels),
        _flooding(levels),
        _interaction(levels),
        _responder(levels),
        _tunnel(levels, baseline),
        _kernel(levels),
    )
    borne = ((each, contrast(levels, each.weights)) for each in wanted if each.weights)
    return tuple(_effect(each, sums, seed) for each, sums in borne if len(sums))


@dataclass(frozen=True, slots=True)
class _Contrast:
    name: str
    brief: str
    over: str  # what it is the mean of
    weights: Weights  # none: the modes for it were not measured


def contrast(levels: Mapping[str, Repeats], weights: Weights) -> Samples:
    """The weighted sum of medians, block by block."""
    return by_block([levels[level] for level in weights], list(weights.values()))


def _effect(each: _Contrast, sums: Samples, seed: int) -> Effect:
    return Effect(
        name=each.name,
        brief=each.brief,
        claim=f"{each.brief}{each.over}",
        by_block=tuple(map(float, sums)),
        found=over_blocks(sums, seed=seed),
    )


def _encapsulation(levels: Mapping[str, Repeats]) -> _Contrast:
    """The first encapsulation minus the second, over the ways of flooding that both have."""
    one, other = ENCAPSULATIONS
    pairs = {way: (f"{one}-{way}", f"{other}-{way}") for way in FLOODINGS}
    return _mean("encapsulation", f"{one} minus {other}", pairs, levels)


def _flooding(levels: Mapping[str, Repeats]) -> _Contrast:
    """The second way of flooding minus the first, over the encapsulations that have both."""
    mesh, l2pop = FLOODINGS
    pairs = {each: (f"{each}-{l2pop}", f"{each}-{mesh}") for each in ENCAPSULATIONS}
    return _mean("flooding", f"{l2pop} minus {mesh}", pairs, levels)


def _responder(levels: Mapping[str, Repeats]) -> _Contrast:
    """The ARP responder on top of l2population, over the encapsulations that have both."""
    _, l2pop = FLOODINGS
    pairs = {each: (f"{each}-{RESPONDER}", f"{each}-{l2pop}") for each in ENCAPSULATIONS}
    return _mean("responder", f"{RESPONDER} minus {l2pop}", pairs, levels)


def _tunnel(levels: Mapping[str, Repeats], baseline: str) -> _Contrast:
    """All tunnelled modes minus the baseline."""
    tunnelled = [level for level in levels if level.partition("-")[0] in TUNNEL_TYPES]
    weights = _shares([(level, baseline) for level in tunnelled])
    brief, over = f"tunnel minus {baseline}", f", mean of {counted(len(tunnelled), 'mode')}"
    return _Contrast("tunnel", brief, over, weights if baseline in levels else {})


def _kernel(levels: Mapping[str, Repeats]) -> _Contrast:
    """The kernel's VXLAN minus Open vSwitch's, over the ways of flooding that both have."""
    pairs = {
        "mesh": ("kvxlan-mesh", "vxlan-mesh"),
        "l2pop": ("kvxlan-l2pop", "vxlan-l2pop-arp"),  # both answer ARP on the host
    }
    return _mean("kernel", "kvxlan minus vxlan", pairs, levels)


def _interaction(levels: Mapping[str, Repeats]) -> _Contrast:
    """By how much the effect of flooding differs between encapsulations."""
    (one, other), (mesh, l2pop) = ENCAPSULATIONS, FLOODINGS
    weights = {
        f"{one}-{l2pop}": 1.0,
        f"{one}-{mesh}": -1.0,
        f"{other}-{l2pop}": -1.0,
        f"{other}-{mesh}": 1.0,
    }
    over = f": that of {l2pop} with {one} minus that with {other}"
    measured = weights if weights.keys() <= levels.keys() else {}
    return _Contrast("interaction", "of the two effects", over, measured)


def _mean(
    name: str, brief: str, pairs: Mapping[str, tuple[str, str]], levels: Mapping[str, Repeats]
) -> _Contrast:
    """The mean of those pairs of which both levels were measured."""
    kept = {each: pair for each, pair in pairs.items() if levels.keys() >= set(pair)}
    over = f", mean of {' and '.join(kept)}" if len(kept) > 1 else f", {''.join(kept)} alone"
    return _Contrast(name, brief, over, _shares(list(kept.values())))


def _shares(pairs: Sequence[tuple[str, str]]) -> Weights:
    """An even share of each pair's first minus its second."""
    weights: dict[str, float] = {}
    for more, less in pairs:
        weights[more] = weights.get(more, 0) + 1 / len(pairs)
        weights[less] = weights.get(less, 0) - 1 / len(pairs)
    return weights
