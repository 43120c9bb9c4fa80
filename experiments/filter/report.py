"""The report of `filter`: what each rule stops, and what rules cost a packet."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from controller.model.wording import counted
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.filter import figure, words
from experiments.filter.grid import SEPARATION, grid_of
from experiments.filter.words import BATCH, MANY, PACKETS
from experiments.show import cells, judge
from experiments.show.judge import MATCHES, MISMATCH, NOT_MEASURED
from experiments.show.report import NONE, Outcome, Picture, Report, Table, range_text

KEY = ("rule", "what", "mode")


def build_report(run: Run) -> Report:
    """The report of one run.

    Raises:
        MeasureError: run.json has no prediction, or no sample is of a predicted cell.
    """
    report, costs = cells.build_report(run), costs_of(run)
    found = cells.exact_cells(run).sort(
        pl.col("rule").cast(pl.Enum(words.RULES)), maintain_order=True
    )
    counts = found.filter(figure=run.question.value)
    matches = cells.match_findings(found, run.question)
    told = (*_separation(found), *_cost(costs))
    findings = (*matches, *told) if report.is_refuted else (*told, *matches)
    return replace(
        report,
        findings=findings,
        outcomes=tuple(_outcome(each, run, found, costs) for each in run.question.predictions),
        tables=(_matrix(counts), _costs_table(costs), cells.cells_table(found, run.question)),
        pictures=tuple(_pictures(run, counts, costs, matches[0] if report.is_refuted else "")),
        conditions=f"{report.conditions}, as a WAN; {PACKETS} packets per cell; cost: "
        f"{run.tables['cost']['us_per_packet'].count()} batches of {BATCH} packets",
    )


def _pictures(
    run: Run, counts: pl.DataFrame, costs: pl.DataFrame, refuted: str
) -> Iterator[Picture]:
    """What each rule stops, if that was measured, and what rules cost."""
    grid = grid_of(_passed(run, counts))
    if grid.cells:
        yield Picture(
            name=run.question.name,
            title=refuted or grid.finding,
            alternative=f"A grid: which flows each rule passes or stops. {grid.in_words}",
            draw=lambda caption: figure.draw_grid(
                grid.row_names, grid.column_names, grid.cells, caption
            ),
            conditions=f"Every rule is to stop tenant A's flow from and to one pair of addresses and "
            f"ports; tenant B has the same addresses and ports. {PACKETS} packets of each flow"
            + (f". {grid.note}" if grid.note else ""),
        )
    if not costs.is_empty():
        names = tuple(
            map(_ruleset, costs.select("rule", "rules").unique(maintain_order=True).rows())
        )
        batches = run.tables["cost"]["us_per_packet"].count()
        yield Picture(
            name=f"{run.question.name}-cost",
            title=next(_cost(costs), "Time per packet by rules"),
            alternative="Medians of the time per packet [µs] by rules and encapsulation. "
            + "; ".join(
                f"{name}: {range_text(each['median'], '.1f')}"
                for name, (_, each) in zip(
                    names, costs.group_by("rule", "rules", maintain_order=True), strict=True
                )
            ),
            draw=lambda caption: figure.draw_costs(costs, names, caption),
            conditions="Dot: median, line: quartiles of batches; numbers: lowest and highest median. No "
            f"rule matches the packets. {batches} batches of {BATCH} packets",
        )


def _ruleset(row: tuple[str, int]) -> str:
    rule, many = row
    if rule == words.NO_RULE:
        return "no rules"
    name = rule.replace(", ", " headers,\n")
    return name if rule == words.CONNTRACK else f"{name}: {counted(many, 'rule')}"


def costs_of(run: Run) -> pl.DataFrame:
    """A row for each ruleset and mode, from the batches that passed without loss.

    Columns: `low`, `median` and `high` (quartiles), `added` (the median minus that without rules)
    and `batches` (the list of all), per packet in µs.
    """
    us = pl.col("us_per_packet")
    modes = pl.Enum(list(map(str, run.question.factors["mode"])))
    found = (
        run.tables["cost"]
        .drop_nulls("us_per_packet")
        .group_by("rule", "rules", "mode")
        .agg(
            low=us.quantile(0.25, "linear"),
            median=us.median(),
            high=us.quantile(0.75, "linear"),
            batches=us,
        )
        .sort(pl.col("rule") != words.NO_RULE, "rule", "rules", pl.col("mode").cast(modes))
    )
    bare = found.filter(rule=words.NO_RULE).select("mode", bare="median")
    return (
        found.join(bare, on="mode", how="left", maintain_order="left")
        .with_columns(added=pl.when(pl.col("rules") > 0).then(pl.col("median") - pl.col("bare")))
        .drop("bare")
    )


def _separation(found: pl.DataFrame) -> Iterator[str]:
    """Whether filters on outer and inner headers separate tenants, if that is as predicted."""
    about = found.filter(
        pl.col("rule").is_in([words.ADDRESSES, words.SERVICE, words.INNER_NFT, words.INNER_U32])
    )
    if set(about["result"]) == {MATCHES}:
        yield SEPARATION


def _cost(costs: pl.DataFrame) -> Iterator[str]:
    """The medians of each encapsulation, as a range: they differ by more than chance."""
    bare, many = costs.filter(rule=words.NO_RULE), costs.drop_nulls("added").filter(rules=MANY)
    added = " or ".join(
        f"{range_text(rows['added'], '.1f')} µs ({str(rule).partition(', ')[2]})"
        for (rule,), rows in many.group_by("rule", maintain_order=True)
    )
    if added:
        yield f"{MANY} rules on inner headers add {added} to a packet"
        yield f"Without rules a packet takes {range_text(bare['median'], '.1f')} µs"


def _outcome(prediction: Prediction, run: Run, found: pl.DataFrame, costs: pl.DataFrame) -> Outcome:
    if prediction.about == words.COST:
        return _cost_outcome(prediction, run, costs)
    about = found.filter(pl.col("rule").is_in(words.ABOUT[prediction.about]))
    matches = NONE if about.is_empty() else "; ".join(cells.match_findings(about, run.question))
    return judge.exact(run, prediction, about["result"], matches)


def _cost_outcome(prediction: Prediction, run: Run, costs: pl.DataFrame) -> Outcome:
    """Confirmed if many rules cost more than one in every mode, with nft and with u32."""
    one, many = costs.filter(rules=1), costs.filter(rules=MANY)
    both = one.join(many, on=("rule", "mode"), suffix=" of many")
    is_higher = both["median"] < both["median of many"]
    found = f"true in {is_higher.sum()} of {counted(both.height, 'case')}"
    results = (MATCHES if each else MISMATCH for each in is_higher)
    return judge.exact(run, prediction, results, NONE if both.is_empty() else found)


def _matrix(counts: pl.DataFrame) -> Table:
    """Packets that pass, by rule and flow, with a column for each mode."""
    by_mode = cells.by_level(counts, "mode", "rule", "what")
    return Table(
        title=f"Packets that arrived at the guest, of {PACKETS} (conntrack: entries)",
        heads=("rule", "flow", *by_mode.columns[2:]),
        rows=cells.text_rows(by_mode),
        words=("rule", "flow"),
        note="The rule is to stop tenant A's first flow.",
    )


def _costs_table(costs: pl.DataFrame) -> Table:
    return Table(
        title="Cost of rules for a packet that matches none of them",
        heads=(
            "rule",
            "rules",
            "mode",
            "median [µs]",
            "quartiles [µs]",
            "added [µs]",
            "per rule [ns]",
            "batches",
        ),
        rows=tuple(
            (
                row["rule"],
                str(row["rules"]),
                row["mode"],
                f"{row['median']:.2f}",
                f"{row['low']:.2f} to {row['high']:.2f}",
                NONE if row["added"] is None else f"{row['added']:+.2f}",
                NONE if row["added"] is None else f"{1000 * row['added'] / row['rules']:.0f}",
                str(len(row["batches"])),
            )
            for row in costs.iter_rows(named=True)
        ),
        words=("rule", "mode"),
        note="From the first packet of a batch until the last has passed, per packet: sending, "
        "forwarding by two routers, and the rules. Added: more than in the same mode without rules; "
        "per rule: that, by the number of rules. The figure has every batch: where they form two "
        "groups, read the quartiles rather than the median.",
    )


def _passed(run: Run, counts: pl.DataFrame) -> pl.DataFrame:
    """The squares of the figure: the median over all samples of each measured cell."""
    medians = run.samples.group_by(KEY).agg(passed=pl.col(run.question.value).median())
    squares = counts.filter(pl.col("result") != NOT_MEASURED, pl.col("rule") != words.CONNTRACK)
    return squares.join(medians, on=KEY, maintain_order="left").select(
        *KEY, "passed", is_match=pl.col("result") == MATCHES
    )
