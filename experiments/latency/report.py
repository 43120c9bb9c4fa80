"""The story of latency: what a tunnel and its way of flooding cost, warm and cold.  Pure.

What is compared is of one condition; the same pings along a bare veth, within a host and from
VTEP to VTEP stand beside the modes as levels of their own.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.core.question import Prediction, of_point
from experiments.core.results import Run
from experiments.latency.analysis import Analysed, analysed
from experiments.latency.report_cold import cold_finding, cold_grid, cold_held
from experiments.latency.report_effects import effect_findings, effect_grid, effect_held
from experiments.latency.report_pictures import pictures
from experiments.latency.report_warm import kept_interval_ms, kept_text, warm_grid
from experiments.show.levels import data, findings, outcomes, repeats_of, table
from experiments.show.report import NOT_JUDGED, Outcome, Picture, Report, Table, counted

MAIN = ("encapsulation", "flooding")  # what the 2x2 is for
NAMES = {  # what a prediction is of, in the words of its difference
    "baseline": "tunnel to flat",
    "encapsulation": "gre to vxlan",
    "flooding": "l2pop to mesh",
    "responder": "ARP responder",
    "kernel": "kernel to user space",
}


def build_report(run: Run) -> Report:
    """The story of a run of latency."""
    found = analysed(run)
    tables, drawn = _stages(run)
    report = Report(
        run=run,
        findings=_findings(found),
        outcomes=_outcomes(found),
        tables=(*_tables(found), *tables),
        pictures=(),
        conditions=conditions(found),
        data=(*data(found.main), *_effects_data(found)),
    )
    return replace(report, pictures=(*pictures(found), *drawn))


def _findings(found: Analysed) -> tuple[str, ...]:
    """Effects against the margin, or what else can be said; then the largest cost of a cold start."""
    of_effects = effect_findings(found.main, found.effects)
    return (
        *(of_effects or findings(found.main)),
        *cold_finding(found.colds, found.main.question.unit),
    )


def _outcomes(found: Analysed) -> tuple[Outcome, ...]:
    """Every prediction, and what became of it."""
    return tuple(
        replace(
            each,
            name=NAMES.get(prediction.about, prediction.about),
            is_main=prediction.about in MAIN,
        )
        for prediction in found.main.question.predictions
        for each in (
            outcomes(found.main)
            if prediction.about == "baseline"
            else (_judged(prediction, found),)
        )
    )


def _judged(prediction: Prediction, found: Analysed) -> Outcome:
    for effect in found.effects:
        if effect.name == prediction.about:
            return effect_held(prediction, effect, found.main)
    for cold in found.colds:
        if f"cold {cold.name}" == prediction.about:
            return cold_held(prediction, cold, found.main.run, found.main.question.unit)
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        outcome=NOT_JUDGED,
        found=f"nothing was measured of {prediction.about}",
    )


def _tables(found: Analysed) -> tuple[Table, ...]:
    unit, margin = found.main.question.unit, found.main.question.margin
    return (
        table(found.main),
        *([effect_grid(found.main, found.effects)] if found.effects else []),
        *([cold_grid(found.colds, found.modes, unit, margin)] if found.colds else []),
        *([warm_grid(found.warms, found.modes, unit)] if len(found.warms) > 1 else []),
    )


def _effects_data(found: Analysed) -> tuple[Mapping[str, Any], ...]:
    """Effects, for `--format json`; what tells them from levels is their key."""
    return tuple(
        {
            "effect": each.name,
            "claim": each.claim,
            "estimate": each.found.estimate,
            "interval": (
                {"low": each.found.interval.low, "high": each.found.interval.high}
                if each.found.interval
                else None
            ),
        }
        for each in found.effects
    )


def _stages(run: Run) -> tuple[tuple[Table, ...], tuple[Picture, ...]]:
    if "stages" not in run.tables or run.tables["stages"].is_empty():
        return (), ()
    from experiments.latency.report_stages import stage_parts

    return stage_parts(run)


def conditions(found: Analysed) -> str:
    """How the samples were taken, in one line: a figure is only as good as its run."""
    run, along = found.main.run, found.main.question.compared
    lab, context = _part(run.about, "lab"), _part(_part(run.about, "machine"), "tools")
    return (
        f"{counted(repeats_of(found.main), 'repeat')} of fresh labs, {_pings(found)} warm pings each, "
        f"every {_kept(run)} (asked {along.get('interval_ms')} ms), "
        f"{along.get('payload_bytes')} bytes; OVS {context.get('ovs')}, datapath "
        f"{lab.get('datapath')}, {lab.get('app')}; scenario {run.about.get('scenario')}"
    )


def _pings(found: Analysed) -> int:
    """How many warm pings a mode had in a block, the most."""
    levels = (found.main.levels[mode] for mode in found.modes)
    return max((len(repeat) for repeats in levels for repeat in repeats), default=0)


def _kept(run: Run) -> str:
    return kept_text(kept_interval_ms(of_point(run.rows_of(), run.question.compared)))


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
