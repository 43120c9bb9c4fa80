"""The report of `ecmp`: flows on one path, or spread as evenly as a random choice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import polars as pl

from controller.model.errors import MeasureError
from controller.model.wording import counted, listed
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.ecmp import figure
from experiments.ecmp.chance import FALSE_ALARM, TAIL, band, most_bits, tolerated
from experiments.ecmp.grid import grid_of
from experiments.ecmp.words import MANY, ONE, ONE_SPINE, SPLIT, SPREAD
from experiments.show import judge, report
from experiments.show.comparable import Comparable
from experiments.show.families import NAMES
from experiments.show.report import NONE, Outcome, Picture, Report, Table

GROUP = ("mode", "spines", "hash_policy", "pairs")  # whose cells differ in the number of flows
KEY = (*GROUP, "flows")
HEADS = ("mode", "spines", "policy", "pairs", "flows")  # of KEY in tables
SHOWN = 32  # flows of the headline and of the chart
NAMED = 3  # mismatches that the findings name
ALL_ON_ONE = "all on one"
POLICIES = (
    "Policy: net.ipv4.fib_multipath_hash_policy of the sender's leaf. 0 hashes the outer addresses, 1 "
    "also the outer ports, 2 the inner addresses where the kernel finds them (behind GRE), else the "
    "outer ones."
)
WHICH_SPINE = (
    "Where all flows are on one spine, the hash decides which one. Its fields are the same in every "
    "draw, lab and repeat (the VTEPs keep their addresses), its seed is drawn when the machine boots. "
    "There are three such hashes: of the outer addresses; of these and GRE's protocol number; of one "
    "pair of inner addresses. All three choose the same of 4 spines with a probability of 1 in 16. "
    "Flows that spread over the same routes show that the other spines can be chosen."
)

Row = Mapping[str, Any]  # of `cells`


def build_report(run: Run) -> Report:
    """The report of one run.

    Raises:
        MeasureError: there is no sample of a predicted cell.
    """
    found = cells(run)
    if found.is_empty():
        raise MeasureError(
            "no sample of a predicted cell",
            where=str(run.directory),
            allowed="at least one",
            do="Run it again; `status` in run.json shows how far it came.",
        )
    totals = totals_of(found)
    grid = grid_of(found, SHOWN)
    wrong, agreement = tuple(_mismatches(found, totals)), _agreement(totals)
    findings = (*wrong, grid.finding, *_headline(found), *_policy_2(found), *agreement)
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcome(each, run, totals) for each in run.question.predictions),
        tables=(_overview(found), _all_cells(found)),
        pictures=(
            Picture(
                name=run.question.name,
                title=findings[0],
                alternative="A grid: whether the flows of each encapsulation take one path or spread, by "
                f"what is hashed. {'. '.join(findings)}",
                draw=lambda caption: figure.draw(
                    grid.row_names, grid.column_names, grid.cells, caption
                ),
                conditions=f"{grid.flows} flows on {grid.spines} spines; busiest: the share of the "
                f"path with most flows, median of all draws. Hashed: by "
                "net.ipv4.fib_multipath_hash_policy (0, 1, 2) of the sender's leaf; the kernel finds "
                f"inner addresses behind GRE only. {counted(int(found['draws'].sum()), 'draw')} in "
                "all",
            ),
        ),
        conditions=f"{counted(totals.flows, 'flow')}{_packets(run)} in "
        f"{counted(int(found['draws'].sum()), 'draw')} of ports or addresses, counted at the input of each "
        f"spine; scenario {run.about['scenario']}",
        is_refuted=totals.matching < totals.exact
        or totals.outside > totals.tolerated
        or totals.split > 0,
        data=tuple(
            found.select(
                *KEY,
                "predicted",
                pl.col("entropies").alias("entropy_bits"),
                pl.concat_list("least", "most").alias("on_a_spine"),
                "outside",
                "draws",
            ).iter_rows(named=True)
        ),
    )


def cells(run: Run) -> pl.DataFrame:
    """A row for each predicted cell that was measured, in the order of run.json.

    Columns: those of `KEY`, `predicted` (the predicted row), `is_spread` (a random choice is
    predicted; else all flows are on one path), `draws` (how many), `outside` (draws outside their
    band, or with flows on a second spine), `split` (flows), `entropies` (of the draws of which a
    packet arrived), `entropy` (their median in bits, NaN if there is none), `least` and `most`
    (flows on a spine, over all draws), `mosts` (of each draw), `is_on_one` (all flows of every draw on one spine), `taken`
    (spines with a flow).
    """
    predicted = run.predicted.select(
        *KEY, predicted=pl.struct(pl.all()), is_spread=pl.col("spreads") == 1
    )
    limits, least, most = pl.col("predicted").struct, pl.col("least"), pl.col("most")
    measured = (
        run.samples.join(predicted, on=KEY)
        .group_by(KEY)
        .agg(
            draws=pl.len(),
            outside=pl.when("is_spread")
            .then((least < limits.field("least")) | (most > limits.field("most")))
            .otherwise(most != pl.col("flows"))
            .sum(),
            split=pl.col(SPLIT).sum(),
            entropies=pl.col("entropy_bits").drop_nulls(),
            entropy=pl.col("entropy_bits").median().fill_null(nan),
            is_on_one=((least == 0) & (most == pl.col("flows"))).all(),
            least=least.min(),
            most=most.max(),
            mosts=most,
        )
    )
    taken = (
        run.tables["spines"]
        .filter(pl.col("on_spine") > 0)
        .group_by(KEY)
        .agg(taken=pl.col("spine").unique().sort())
    )
    return predicted.join(measured, on=KEY, maintain_order="left").join(
        taken, on=KEY, how="left", maintain_order="left"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many cells, draws and flows there are, and how many are as predicted."""

    exact: int  # cells for which all flows on one spine are predicted
    matching: int  # of them
    draws: int  # of cells for which a random choice is predicted
    outside: int  # of these draws, outside their band
    tolerated: int  # how many of them chance explains
    flows: int
    split: int


def totals_of(found: pl.DataFrame) -> Totals:
    """The totals of `cells`."""
    exact, spread = found.filter(~pl.col("is_spread")), found.filter("is_spread")
    chances = (
        band(flows, spines).outside
        for flows, spines, draws in spread.select("flows", "spines", "draws").rows()
        for _ in range(draws)
    )
    return Totals(
        exact=exact.height,
        matching=exact.filter(outside=0).height,
        draws=int(spread["draws"].sum()),
        outside=int(spread["outside"].sum()),
        tolerated=tolerated(chances),
        flows=int((found["flows"] * found["draws"]).sum()),
        split=int(found[SPLIT].sum()),
    )


def comparable(run: Run) -> Comparable:
    """How the flows of each cell spread, as the report judges it; the draws themselves are chance."""
    found = cells(run).drop_nulls("draws")
    return Comparable(
        cells=pl.concat(
            found.select(*KEY, figure=pl.lit(figure), measured=pl.concat_list(measured))
            for figure, measured in (
                ("flows on a spine", pl.Series(_spreads(found), dtype=pl.String)),
                ("split flows", pl.col(SPLIT).cast(pl.String)),
            )
        )
    )


def _spreads(found: pl.DataFrame) -> Iterator[str]:
    """How the flows of each cell spread, in words."""
    for row in found.iter_rows(named=True):
        chances = [band(row["flows"], row["spines"]).outside] * row["draws"]
        # Of many cells, some have a draw outside its band by chance.
        most = tolerated(chances, false_alarm=FALSE_ALARM / found.height)
        if row["is_spread"] and row["outside"] <= most:
            yield "like a random choice"
        else:
            yield ALL_ON_ONE if row["is_on_one"] else "unevenly"


def _mismatches(found: pl.DataFrame, totals: Totals) -> Iterator[str]:
    """What is not as predicted."""
    mismatches = found.filter(~pl.col("is_spread"), pl.col("outside") > 0)
    for row in mismatches.head(NAMED).iter_rows(named=True):
        yield (
            f"{row['mode']}, {row['spines']} spines, policy {row['hash_policy']}, {_pairs(row)}, "
            f"{row['flows']} flows: {_flows_on_a_spine(row)} on a spine, predicted all on one"
        )
    if totals.split:
        yield f"{counted(totals.split, 'flow')} used more than one path"


def _agreement(totals: Totals) -> Iterator[str]:
    if totals.exact:
        matching = f"{totals.matching} of {counted(totals.exact, 'cell')}"
        yield f"All flows on one spine as predicted: {matching}"
    if totals.draws:
        within = f"{totals.draws - totals.outside} of {counted(totals.draws, 'draw')}"
        more = (
            f" (of the others chance explains up to {totals.tolerated})" if totals.outside else ""
        )
        yield f"Flows spread like a random choice as predicted: {within}{more}"


def _pairs(row: Row) -> str:
    return f"{row['pairs']} pair{'s' if row['pairs'] == MANY else ''}"


def _headline(found: pl.DataFrame) -> Iterator[str]:
    """32 flows by outer ports, on the fewest spines."""
    shown = found.filter(hash_policy=1, pairs=ONE, flows=SHOWN)
    if not shown.is_empty():
        spines = min(shown["spines"])
        by_mode = (
            f"{_protocol(row)} {_flows_on_a_spine(row)}{'' if row['is_on_one'] else ' on each'}"
            for row in shown.filter(spines=spines).iter_rows(named=True)
        )
        yield f"{SHOWN} flows on {spines} paths, outer ports hashed: {', '.join(by_mode)}"


def _policy_2(found: pl.DataFrame) -> Iterator[str]:
    """The policy made for tunnels, and which of them it helps."""
    rows = found.filter(hash_policy=2, pairs=MANY, flows=SHOWN).rows(named=True)
    spread = dict.fromkeys(_protocol(row) for row in rows if row["entropy"] > 0)
    on_one = dict.fromkeys(_protocol(row) for row in rows if not row["entropy"] > 0)
    if spread and on_one:
        verb, other = ("spreads" if len(spread) == 1 else "spread"), listed(on_one)
        stay = "stays" if len(on_one) == 1 else "stay"
        yield f"Inner addresses hashed: {listed(spread)} {verb}; {other} {stay} on one path"


def _protocol(row: Row) -> str:
    kind = str(row["mode"]).partition("-")[0]
    return NAMES.get(kind, kind)


def _flows_on_a_spine(row: Row, *, with_name: bool = False) -> str:
    """Fewest to most flows on a spine, over all draws; `with_name`: which one has all of them."""
    if row["is_on_one"]:
        return f"all on {' or '.join(row['taken'])}" if with_name and row["taken"] else ALL_ON_ONE
    return report.range_text((row["least"], row["most"]), "d")


def _outcome(prediction: Prediction, run: Run, totals: Totals) -> Outcome:
    """Undecided if there is no cell that the prediction is about."""
    about, is_met, found = {
        ONE_SPINE: (
            totals.exact,
            totals.matching == totals.exact,
            f"all flows on one spine in {totals.matching} of {counted(totals.exact, 'cell')}",
        ),
        SPREAD: (
            totals.draws,
            totals.outside <= totals.tolerated,
            (
                f"{totals.outside} of {counted(totals.draws, 'draw')} outside the band; chance "
                f"explains up to {totals.tolerated}"
            ),
        ),
        SPLIT: (
            totals.flows,
            totals.split == 0,
            f"split: {totals.split} of {counted(totals.flows, 'flow')}{_packets(run)}",
        ),
    }[prediction.about]
    outcome = report.CONFIRMED if is_met else report.REFUTED
    return judge.judged(run, prediction, outcome if about else report.UNDECIDED, found)


def _overview(found: pl.DataFrame) -> Table:
    shown = tuple(flows for flows in (2, 8, SHOWN, 512) if flows in found["flows"])
    rows = []
    for group, cells_ in found.group_by(GROUP, maintain_order=True):
        by_flows = {row["flows"]: row for row in cells_.iter_rows(named=True)}
        entropies = (f"{by_flows[n]['entropy']:.3f}" if n in by_flows else NONE for n in shown)
        where = _flows_on_a_spine(by_flows[SHOWN], with_name=True) if SHOWN in by_flows else NONE
        rows.append((*map(str, group), *entropies, where))
    return Table(
        title="Entropy in bits, by the number of flows",
        heads=(*HEADS[:-1], *map(str, shown), f"on a spine of {SHOWN}"),
        rows=tuple(rows),
        words=("mode", "pairs"),
        note="Medians over all draws. 0: all flows on one spine; log2(spines): evenly spread. "
        f"{POLICIES} Pairs: of inner addresses. {WHICH_SPINE}",
    )


def _all_cells(found: pl.DataFrame) -> Table:
    mismatches = (found["outside"] > 0).sum()
    return Table(
        title="Every cell",
        heads=(*HEADS, "entropy", "predicted", "at most", "on a spine", "band", "draws", "outside"),
        rows=tuple(map(_cell_row, found.iter_rows(named=True))),
        words=("mode", "pairs", "band"),
        note="Entropy: median of the draws, and the mean for a random choice; at most: log2 of flows or "
        "spines, whichever is less. On a spine: fewest to most flows, over all draws and spines. Band: "
        f"flows on a spine for a random choice (binomial), without {TAIL:.2%} of draws at either end. "
        "Outside: draws with a spine outside the band.",
        summary=f"{mismatches} with a draw outside its band" if mismatches else "all as predicted",
    )


def _cell_row(row: Row) -> tuple[str, ...]:
    predicted = row["predicted"]
    return (
        *(str(row[name]) for name in KEY),
        f"{row['entropy']:.3f}",
        f"{predicted['entropy_bits']:.3f}",
        f"{most_bits(row['flows'], row['spines']):.3f}",
        _flows_on_a_spine(row),
        f"{predicted['least']} to {predicted['most']}" if row["is_spread"] else ALL_ON_ONE,
        str(row["draws"]),
        str(row["outside"]),
    )


def _packets(run: Run) -> str:
    """How many packets of each flow show whether it is split."""
    copies = run.about.get("settings", {}).get("copies")
    return f" of {counted(copies, 'packet')} each" if copies else ""
