"""The report of `latency`: warm round trips, effects of each factor, first pings, stages.  Pure.

Levels and effects are compared in one condition.  The same pings on a veth pair, within a host
and from VTEP to VTEP are levels of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

import numpy as np

from controller.model.wording import counted
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.latency import families, figure
from experiments.latency.analysis import Analysed, First, Warm, analysed, kept_interval_ms
from experiments.latency.figure_costs import draw_costs
from experiments.latency.report_stages import stage_parts
from experiments.latency.words import NO_CACHE, first_ping
from experiments.show import judge
from experiments.show.answers import quick_note
from experiments.show.effects import Effect
from experiments.show.levels import (
    answered,
    between,
    data,
    figure_text,
    findings,
    outcomes,
    repeats_of,
    table,
)
from experiments.show.report import (
    CONFIRMED,
    NONE,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
)
from experiments.show.statistics import Difference, call

MAIN = ("encapsulation", "flooding")  # the effects that the experiment is about
FOUND = (*MAIN, "tunnel")  # the effects with a finding
NAMED = {"gre": "GRE", "vxlan": "VXLAN", "l2pop": "l2population"}  # what effects compare
NAMES = {  # of predictions, in short
    "baseline": "tunnel to flat",
    "encapsulation": "gre to vxlan",
    "flooding": "l2pop to mesh",
    "responder": "ARP responder",
    "kernel": "kernel to user space",
}


def build_report(run: Run) -> Report:
    """The report of a run of latency."""
    found = analysed(run)
    tables, pictures = stage_parts(run)
    shown = _findings(found)
    return Report(
        run=run,
        findings=shown,
        outcomes=tuple(_outcomes(found)),
        tables=(*_tables(found), *tables),
        pictures=(*_pictures(found, shown[0]), *pictures),
        conditions=_conditions(found),
        data=(  # levels have no key `effect`
            *data(found.main),
            *(
                {"effect": each.name, "claim": each.claim, **asdict(each.found)}
                for each in found.effects
            ),
        ),
    )


def _findings(found: Analysed) -> tuple[str, ...]:
    """What was asked, else effects compared with the margin or levels; then the costliest empty cache."""
    asked = answered(found.main)
    # The effect of one pair of named modes is an answer already.
    effects = tuple(
        _effect_finding(each, found)
        for each in found.effects
        if each.name in FOUND and not (asked and len(each.levels) == 2)
    )
    note = quick_note(found.main.run)
    shown = (*asked, *effects, *note) if asked or effects else findings(found.main)
    medians = () if asked else (families.medians_title(found),)
    return (*medians, *shown, *families.costs_finding(found.firsts))


def _effect_finding(each: Effect, found: Analysed) -> str:
    unit, margin = found.main.question.unit, found.main.question.margin
    one, other = (NAMED.get(level, level) for level in each.brief.split(" minus "))
    if each.found.interval is None:
        by = f"{figure_text(each.found.estimate, signed=True)} {unit}"
        text = f"{one} and {other} differ by {by} ({one} minus {other}) in this run"
        return text[:1].upper() + text[1:]
    interval = (
        f"{between(each.found.interval, signed=True)} {unit} ({one} minus {other}, 95% interval)"
    )
    many = counted(len(each.by_repeat), "repeat")
    words = {
        "no difference that matters": f", within the margin of ±{margin:g} {unit}",
        "undecided": f": {many} are too few to tell whether that is within ±{margin:g} {unit}",
        "higher": f": {one} is higher by more than the margin of {margin:g} {unit}",
        "lower": f": {one} is lower by more than the margin of {margin:g} {unit}",
    }
    text = f"{one} and {other} differ by {interval}{words[call(each.found, margin)]}"
    return text[:1].upper() + text[1:]


def _outcomes(found: Analysed) -> Iterator[Outcome]:
    for prediction in found.main.question.predictions:
        about = prediction.about
        of_one = outcomes(found.main) if about == "baseline" else _outcome(prediction, found)
        for each in of_one:
            yield replace(each, name=NAMES.get(about, about), is_main=about in MAIN)


def _outcome(prediction: Prediction, found: Analysed) -> Iterator[Outcome]:
    """The outcome, unless the prediction is about modes that were not measured."""
    run = found.main.run
    for effect in found.effects:
        if effect.name == prediction.about:
            said = f"{effect.claim}: {_estimate(effect.found, run)}"
            yield judge.within(run, prediction, [effect.found.interval], said)
    for first in found.firsts:
        if first_ping(first.cache) == prediction.about:
            yield _first_outcome(prediction, first, run)


def _estimate(found: Difference, run: Run) -> str:
    interval = f" ({between(found.interval, signed=True) if found.interval else judge.NO_INTERVAL})"
    return f"{figure_text(found.estimate, signed=True)} {run.question.unit}{interval}"


def _tables(found: Analysed) -> Iterator[Table]:
    yield table(found.main)
    if found.effects:
        yield _effects_table(found)
    if found.firsts:
        yield _first_table(found)
    if len(found.warms) > 1:
        yield _warm_table(found.warms, found.modes, found.main.question.unit)


def _effects_table(found: Analysed) -> Table:
    def row(each: Effect) -> tuple[str, ...]:
        prediction = found.prediction(each.name)
        return (
            each.name,
            each.claim,
            figure_text(each.found.estimate, signed=True),
            between(each.found.interval, signed=True),
            call(each.found, found.main.question.margin),
            next(_outcome(prediction, found)).outcome if prediction else NONE,
        )

    return Table(
        title="Effects",
        heads=("effect", "which", "estimate", "its interval", "conclusion", "prediction"),
        rows=tuple(map(row, found.effects)),
        words=("effect", "which", "conclusion", "prediction"),
        note=f"In {found.main.question.unit}: in each repeat, the difference of medians; the median "
        "of all repeats. Intervals: bootstrap over repeats, 95%.",
    )


def _warm_table(warms: Sequence[Warm], modes: Sequence[str], unit: str) -> Table:
    def row(each: Warm) -> tuple[str, ...]:
        medians = (each.by_mode.get(mode) for mode in modes)
        interval = figure.interval_text(each.kept_ms)
        figures = (f"{np.median(rtts):.3f}" if rtts else NONE for rtts in medians)
        return (str(each.payload_bytes), each.pace, interval, *figures)

    return Table(
        title="Warm round trips by payload and interval",
        heads=("payload", "requested interval", "real interval", *modes),
        rows=tuple(map(row, warms)),
        note=f"In {unit}: the median of the medians of all repeats; payload in bytes of ICMP. Do not "
        "compare rows with different intervals: a daemon that sleeps longer wakes up later.",
    )


def _first_table(found: Analysed) -> Table:
    """Medians by empty cache and mode, and the cost of each empty cache."""
    question = found.main.question

    def row(each: First) -> tuple[str, ...]:
        medians = (_cell(each, mode) for mode in found.modes)
        if each.cost is None:
            what = "baseline" if each.cache == NO_CACHE else NONE
            return (each.cache, *medians, NONE, NONE, what)
        cost = f"{each.cost.estimate:+.3f}" if np.isfinite(each.cost.estimate) else "lost"
        lost = f"{each.lost_pings} of {each.pings} lost"
        conclusion = lost if each.lost_pings else call(each.cost, question.margin)
        return (each.cache, *medians, cost, between(each.cost.interval, signed=True), conclusion)

    return Table(
        title="First pings by empty cache",
        heads=("empty cache", *found.modes, "cost", "its interval", "conclusion"),
        rows=tuple(map(row, found.firsts)),
        words=("empty cache", "conclusion"),
        note=f"Medians in {question.unit}. Cost: minus a ping with no cache emptied, mean of the "
        "modes. Each cache was emptied just before its ping, and checked to be empty.",
    )


def _cell(each: First, mode: str) -> str:
    """The median of answered pings, and how many were lost."""
    if mode not in each.by_mode:
        return NONE
    lost = each.lost[mode]
    if not len(each.by_mode[mode]):
        return f"all {lost} lost"
    return f"{each.median_of([mode]):.3f}" + (f", {lost} lost" if lost else "")


def _first_outcome(prediction: Prediction, each: First, run: Run) -> Outcome:
    """The result of a prediction; one without bounds claims that there is no reply."""
    cost, lost = each.cost, each.lost_pings
    said = f"{lost} of {counted(each.pings, 'first ping')} lost"
    if cost and not lost:
        said = _estimate(cost, run)
    if prediction.low is None and prediction.high is None:
        return judge.judged(run, prediction, CONFIRMED if lost == each.pings else REFUTED, said)
    if lost:  # a lost ping has no round-trip time that could be within bounds
        is_mostly_lost = 2 * lost > each.pings
        return judge.judged(run, prediction, REFUTED if is_mostly_lost else UNDECIDED, said)
    return judge.within(run, prediction, [cost.interval if cost else None], said)


def _conditions(found: Analysed) -> str:
    """How the samples were taken, in one line."""
    run, compared = found.main.run, found.main.question.compared
    lab, machine = (run.about.get(part) or {} for part in ("lab", "machine"))
    # Of the mode with the most warm pings in a repeat.
    pings = max(
        (len(repeat) for mode in found.modes for repeat in found.main.levels[mode]), default=0
    )
    kept_ms = kept_interval_ms(run.samples.filter(**compared))
    return (
        f"{counted(repeats_of(found.main), 'repeat')} with new labs, {pings} warm pings each, "
        f"every {figure.interval_text(kept_ms)} (requested: {compared.get('interval_ms')} ms), "
        f"{compared.get('payload_bytes')} bytes; OVS {machine.get('tools', {}).get('ovs')}, datapath "
        f"{lab.get('datapath')}, {lab.get('app')}; scenario {run.about.get('scenario')}"
    )


def _pictures(found: Analysed, first: str) -> Iterator[Picture]:
    """The run's own first, then distributions, first pings, and conditions."""
    medians = ", ".join(f"{each.level} {each.median:.3f} ms" for each in found.main.summaries)
    yield Picture(
        name="latency",
        title=first.partition(" (")[0],  # the interval is drawn
        alternative=f"Box plots of warm round trips by level; medians: {medians}",
        draw=lambda caption: figure.draw_levels(found, caption),
    )
    yield Picture(
        name="latency-ecdf",
        title=families.distribution_title(found),
        alternative="Share of warm round trips up to a time, by family of modes",
        draw=lambda caption: figure.draw_ecdf(found, caption),
    )
    if caches := families.compared_caches(found.firsts):
        said = "; ".join(
            f"{each.cache}: {each.lost_pings} of {each.pings} lost"
            if each.lost_pings
            else f"{each.cache}: {_estimate(each.cost, found.main.run)}"
            for each in caches
            if each.cost
        )
        yield Picture(
            name="latency-cold",
            title=families.costs_title(found.firsts),
            alternative=f"What each empty cache adds to a ping. {said}",
            draw=lambda caption: draw_costs(found, caption),
        )
    if len(found.warms) > 1:
        yield Picture(
            name="latency-conditions",
            title=families.conditions_title(found),
            alternative="Medians of warm round trips by family, payload and interval",
            draw=lambda caption: figure.draw_conditions(found, caption),
        )
