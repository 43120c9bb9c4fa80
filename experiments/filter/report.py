"""The teller of `filter`: what each rule stops, and what it costs a packet."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.filter import figure
from experiments.show import cells as exact
from experiments.show.cells import MATCH, MISSING, Cell
from experiments.show.judge import MISMATCH
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption
from experiments.show.statistics import Samples

OUTER, OUTER_FLOW = ("none", "outer addresses", "outer service"), "outer flow"
INNER = ("inner without id, nft", "inner, nft", "inner, u32")
ABOUT = {
    "outer": OUTER,
    OUTER_FLOW: (OUTER_FLOW,),
    "inner": INNER,
    "conntrack": ("conntrack",),
    "masquerade": ("masquerade",),
}
ORDER = (*OUTER, OUTER_FLOW, *INNER, "masquerade", "conntrack")  # down the page
MANY = 100  # rules, of which the cost is told
Costs = Mapping[tuple[str, int], Mapping[str, Samples]]  # by rule and rules, by mode, in us


def build_report(run: Run) -> Report:
    """The story of one run.

    Raises:
        MeasureError: nothing was foretold.
    """
    found, took = cells(run), costs(run)
    findings = (*exact.findings(found, run.question), *_alike(found), *_cost(took))
    report = Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcomes(each, run, found, took) for each in run.question.predictions),
        tables=(_matrix(found), _costs_grid(took), exact.table(run, found)),
        pictures=(),
        conditions=_conditions(run, took),
        is_refuted=any(cell.outcome == MISMATCH for cell in found),
        data=tuple(map(_data, found)),
    )
    picture = Picture(
        name=run.question.name,
        title="What each rule lets through, and what it costs",
        alternative="Above: packets let through, by rule and flow, for each encapsulation; below: "
        f"microseconds a packet takes, by rules. {'. '.join(findings)}",
        draw=lambda report: figure.draw(_squares(found), took, Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def cells(run: Run) -> tuple[Cell, ...]:
    """Every cell, from the rule that is easiest to write on."""
    return tuple(sorted(exact.cells_of(run), key=lambda cell: ORDER.index(str(cell.key["rule"]))))


def costs(run: Run) -> Costs:
    """Batches that came through whole."""
    found: dict[tuple[str, int], dict[str, list[float]]] = {}
    for row in run.rows_of("cost"):
        if row["us_per_packet"] is not None:
            place = found.setdefault((str(row["rule"]), int(str(row["rules"]))), {})
            place.setdefault(str(row["mode"]), []).append(float(str(row["us_per_packet"])))
    order = sorted(found, key=lambda key: (key[0] != "none", key))
    modes = [str(mode) for mode in run.question.factors["mode"]]
    return {
        key: {mode: np.array(found[key][mode]) for mode in modes if mode in found[key]}
        for key in order
    }


def _alike(found: Sequence[Cell]) -> Iterator[str]:
    """What can be named from without, and what from within."""
    good = [cell for cell in found if cell.outcome == MATCH and not cell.further]
    if any(cell.key["rule"] in OUTER[1:] for cell in good):
        yield "Outer headers name both tenants or none; inner ones with the id name one"


def _cost(took: Costs) -> Iterator[str]:
    """Each encapsulation's median, as a range: they differ by more than chance."""
    base = took.get(("none", 0), {})
    more = " and ".join(
        f"{_ends(_above(by_mode, base).values())} µs by {rule.partition(', ')[2]}"
        for (rule, many), by_mode in took.items()
        if many == MANY and _above(by_mode, base)
    )
    if more:
        alone = _ends(_medians(base).values())
        yield f"By encapsulation, a packet takes {alone} µs; {MANY} inner rules add {more}"


def _medians(by_mode: Mapping[str, Samples]) -> Mapping[str, float]:
    return {mode: float(np.median(samples)) for mode, samples in by_mode.items()}


def _above(by_mode: Mapping[str, Samples], base: Mapping[str, Samples]) -> Mapping[str, float]:
    """What rules add to each encapsulation's own packet without any."""
    bare = _medians(base)
    return {mode: us - bare[mode] for mode, us in _medians(by_mode).items() if mode in bare}


def _ends(values: Collection[float]) -> str:
    """The least and the most, or one of them if they read the same."""
    return " to ".join(dict.fromkeys(f"{end:.1f}" for end in (min(values), max(values))))


def _outcomes(prediction: Prediction, run: Run, found: Sequence[Cell], took: Costs) -> Outcome:
    outcome, report = (
        _of_cost(took) if prediction.about == "cost" else _of_cells(prediction, run, found)
    )
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        outcome=outcome if is_trusted(run) else NOT_JUDGED,
        found=report,
    )


def _of_cells(prediction: Prediction, run: Run, found: Sequence[Cell]) -> tuple[str, str]:
    about = tuple(cell for cell in found if cell.key["rule"] in ABOUT[prediction.about])
    outcome = {cell.outcome for cell in about}
    judged = (
        REFUTED
        if MISMATCH in outcome
        else UNDECIDED
        if MISSING in outcome or not outcome
        else CONFIRMED
    )
    return judged, "; ".join(exact.findings(about, run.question)) if about else NONE


def _of_cost(took: Costs) -> tuple[str, str]:
    """In every mode, for nft and for u32."""
    pairs = [
        (float(np.median(took[rule, 1][mode])), float(np.median(took[rule, MANY][mode])))
        for rule in INNER
        for mode in took.get((rule, 1), ())
        if mode in took.get((rule, MANY), ())
    ]
    grown = sum(one < hundred for one, hundred in pairs)
    if not pairs:
        return UNDECIDED, NONE
    return CONFIRMED if grown == len(
        pairs
    ) else REFUTED, f"so in {grown} of {counted(len(pairs), 'case')}"


def _matrix(found: Sequence[Cell]) -> Table:
    """Packets let through, by rule over flows and modes."""
    modes = tuple(dict.fromkeys(str(cell.key["mode"]) for cell in found))
    plain = {
        (str(c.key["rule"]), str(c.key["what"]), str(c.key["mode"])): c
        for c in found
        if not c.further
    }
    lines = dict.fromkeys((rule, what) for rule, what, _ in plain)
    return Table(
        title="Packets that the far guest got, of 16 (conntrack: entries)",
        heads=("rule", "flow", *modes),
        rows=tuple(
            (rule, what, *(_seen(plain.get((rule, what, mode))) for mode in modes))
            for rule, what in lines
        ),
        words=("rule", "flow"),
        note="The rule is to stop red. An entry with `not` is unlike what was foretold.",
    )


def _seen(cell: Cell | None) -> str:
    if cell is None or not cell.measured:
        return NONE
    return cell.seen if cell.outcome == MATCH else f"{cell.seen} not {cell.predicted}"


def _costs_grid(took: Costs) -> Table:
    base = took.get(("none", 0), {})
    return Table(
        title="What rules cost a packet that none of them matches",
        heads=(
            "rule",
            "rules",
            "mode",
            "median [µs]",
            "quartiles [µs]",
            "above none [µs]",
            "a rule [ns]",
            "batches",
        ),
        rows=tuple(
            _cost_cells(rule, many, mode, samples, base.get(mode))
            for (rule, many), by_mode in took.items()
            for mode, samples in by_mode.items()
        ),
        words=("rule", "mode"),
        note="From the first packet of a batch until the last is through, by the packets in it: "
        "sending, two routers' forwarding and the rules. Above none: than the same mode takes "
        "without rules; a rule: that, by the number of rules. The figure has every batch: where they "
        "fall in two heaps, the quartiles tell more than the median.",
    )


def _cost_cells(
    rule: str, many: int, mode: str, samples: Samples, base: Samples | None
) -> tuple[str, ...]:
    low, middle, high = np.percentile(samples, (25, 50, 75))
    above = None if base is None or not many else float(middle - np.median(base))
    return (
        rule,
        str(many),
        mode,
        f"{middle:.2f}",
        f"{low:.2f} to {high:.2f}",
        NONE if above is None else f"{above:+.2f}",
        NONE if above is None else f"{1000 * above / many:.0f}",
        str(len(samples)),
    )


def _squares(found: Sequence[Cell]) -> tuple[figure.Square, ...]:
    return tuple(
        figure.Square(
            rule=str(cell.key["rule"]),
            what=str(cell.key["what"]),
            mode=str(cell.key["mode"]),
            passed=median(float(str(value)) for value in cell.measured),
            predicted=float(str(cell.predicted)),
            is_as_foretold=cell.outcome == MATCH,
        )
        for cell in found
        if not cell.further and cell.measured and cell.key["rule"] != "conntrack"
    )


def _conditions(run: Run, took: Costs) -> str:
    batches = sum(len(each) for by_mode in took.values() for each in by_mode.values())
    repeats = len({row["repeat"] for row in run.rows_of()})
    return (
        f"{counted(repeats, 'repeat')}; 16 packets a cell; cost: {batches} batches of 100 packets; "
        f"scenario {run.about['scenario']}, as a WAN"
    )


def _data(cell: Cell) -> Mapping[str, object]:
    return {
        **cell.key,
        "figure": cell.further or "count",
        "predicted": cell.predicted,
        "measured": cell.measured,
        "is": cell.outcome,
    }
