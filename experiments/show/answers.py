"""Answers to what was asked: the modes that `--modes` names, compared with the first of them.  Pure.

Times and rates are compared by their medians in the same repeat, with an interval from six repeats
on.  With fewer, only what was observed is said, and how it spread.  Exact counts stand side by side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from controller.model.wording import counted, listed
from experiments.core.results import Run
from experiments.core.verdict import INTERVAL_REPEATS_MIN
from experiments.show.report import is_quick
from experiments.show.statistics import (
    Difference,
    Repeats,
    Samples,
    by_repeat,
    call,
    median_interval,
    median_of,
    over_repeats,
)

NAMED_MOST = 6  # counts that differ and are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a difference is said; the templates have `{by}`, `{one}` and `{first}`."""

    more: str
    less: str
    same: str  # without `{by}`
    what: str  # such as `pings took`
    unit: str = ""
    margin: float = 0.0  # a smaller difference does not matter; in `unit`
    decimals: int = 3

    def figure(self, value: float, *, signed: bool = False) -> str:
        """A figure without its unit."""
        return f"{value:{'+' if signed else ''}.{self.decimals}f}"

    def span(self, low: float, high: float, *, signed: bool = False) -> str:
        """`0.1 to 0.3`."""
        return f"{self.figure(low, signed=signed)} to {self.figure(high, signed=signed)}"


VALUES = Wording(
    more="{one} is higher than {first} by {by}",
    less="{one} is lower than {first} by {by}",
    same="{one} and {first} are equal",
    what="samples are",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A mode compared with the first named one."""

    one: str
    first: str
    found: Difference
    call: str  # the conclusion
    text: str

    @property
    def data(self) -> Mapping[str, object]:
        """For `--format json`; summaries of levels and effects have no key `difference`."""
        difference = f"{self.one} minus {self.first}"
        return {"difference": difference, **asdict(self.found), "call": self.call}


def differences(
    levels: Mapping[str, Repeats], named: Sequence[str], said: Wording, *, seed: int
) -> Iterator[Answer]:
    """Each named level minus the first, if both have samples in the same repeat."""
    first, *others = named
    for one in others:
        pair = (levels[one], levels[first])
        sums = by_repeat(pair, (1.0, -1.0))
        if len(sums):
            found = over_repeats(sums, seed=seed)
            text = difference_text((one, first), found, said, _spread(pair, sums, said))
            conclusion = call(found, said.margin)
            yield Answer(one=one, first=first, found=found, call=conclusion, text=text)


def difference_text(pair: tuple[str, str], found: Difference, said: Wording, spread: str) -> str:
    """A difference in words, with its interval; without one, what was observed and its spread."""
    one, first = pair
    by = f"{said.figure(abs(found.estimate))} {said.unit}"
    template = said.less if found.estimate < 0 else said.more
    observed = template.format(by=by, one=one, first=first)
    if found.interval is None:
        return f"{observed} in this run ({spread})"
    span = said.span(found.interval.low, found.interval.high, signed=True)
    interval, margin = f"95% interval {span} {said.unit}", f"{said.margin:g} {said.unit}"
    conclusion = call(found, said.margin)
    if conclusion == "undecided":
        at = f"undecided at the margin of {margin}" if said.margin else "undecided"
        return f"{observed} ({interval}): {at}"
    if conclusion == "no difference that matters":
        return f"{said.same.format(one=one, first=first)} within {margin} ({interval})"
    return f"{observed} ({interval})"


def _spread(pair: tuple[Repeats, Repeats], sums: Samples, said: Wording) -> str:
    """The range of the repeats' differences; of one repeat, where the middle half of its samples lies."""
    if len(sums) > 1:
        span = said.span(float(sums.min()), float(sums.max()), signed=True)
        return f"differences {span} {said.unit} in {len(sums)} repeats, no confidence interval"
    medians = " and ".join(said.figure(median_of(each)) for each in pair)
    halves = _middle_halves(pair, said)
    return f"medians {medians} {said.unit}; half of the {said.what} {halves} {said.unit}"


def _middle_halves(levels: Sequence[Repeats], said: Wording) -> str:
    """The quartiles of all samples of each level, as in `0.78 to 0.95 and 0.80 to 1.02`."""
    quartiles = (np.percentile(np.concatenate(each), (25, 75)) for each in levels)
    return " and ".join(said.span(*map(float, edges)) for edges in quartiles)


def of_one(mode: str, repeats: Repeats, said: Wording, *, seed: int) -> str:
    """The median of one mode, where there is no other to compare it with."""
    interval = median_interval(repeats, seed=seed)
    spread = (
        f"95% interval {said.span(interval.low, interval.high)}"
        if interval
        else f"half of the {said.what} {_middle_halves([repeats], said)}"
    )
    median = f"{said.figure(median_of(repeats))} {said.unit}"
    return f"{mode}: median {median} ({spread})"


def quick_note(run: Run) -> tuple[str, ...]:
    """What a quick run with few repeats cannot say; nothing of other runs."""
    repeats = run.samples["repeat"].n_unique()
    if not is_quick(run) or repeats >= INTERVAL_REPEATS_MIN:
        return ()
    many = "one repeat" if repeats == 1 else counted(repeats, "repeat")
    return (f"Quick run, {many}: no confidence intervals",)


def side_by_side(values: Mapping[str, str], unit: str = "") -> str:
    """Exact values by mode: `1458 bytes with gre-mesh, 1450 with vxlan-mesh`; equal ones once."""
    groups = grouped(values)
    parts: list[str] = []
    for value, modes in groups.items():
        with_unit = f"{value} {unit}" if unit and not parts else value
        both = "both " if len(groups) == 1 and len(modes) == 2 else ""
        parts.append(f"{with_unit} with {both}{listed(modes)}")
    return ", ".join(parts)


def each_does(values: Mapping[str, str], verb: str, verbs: str) -> str:
    """`gre-mesh and vxlan-mesh both send 15 copies`, by the verb of one mode and that of several."""
    both = {1: "", 2: " both"}
    return ", ".join(
        f"{listed(modes)}{both.get(len(modes), ' all')} {verb if len(modes) == 1 else verbs} {value}"
        for value, modes in grouped(values).items()
    )


def same_counts(
    counts: Mapping[tuple[str, str], Mapping[str, str]], named: Sequence[str]
) -> Iterator[str]:
    """Each named mode compared with the first, count by count, then those that differ.

    Args:
        counts: by what is counted and when, then by mode; those of both modes are compared.
    """
    first, *others = named
    for one in others:
        both = {key: by for key, by in counts.items() if {first, one} <= by.keys()}
        differ: dict[tuple[str, str], list[str]] = {}  # when, by what and both values
        for (what, when), by in both.items():
            if by[first] != by[one]:
                values = side_by_side({mode: by[mode] for mode in (first, one)})
                differ.setdefault((what, values), []).append(when)
        same = len(both) - sum(map(len, differ.values()))
        yield f"{first} and {one}: {same} of {counted(len(both), 'count')} the same"
        for (what, values), moments in list(differ.items())[:NAMED_MOST]:
            when = listed(moments)
            yield f"{what}{f', {when}' if when else ''}: {values}"
        if len(differ) > NAMED_MOST:
            yield f"and {len(differ) - NAMED_MOST} more that differ"


def grouped(values: Mapping[str, str]) -> dict[str, list[str]]:
    """The modes with each value, in their order."""
    groups: dict[str, list[str]] = {}
    for mode, value in values.items():
        groups.setdefault(value, []).append(mode)
    return groups
