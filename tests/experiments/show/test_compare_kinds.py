"""Experiments compared by their own way of judging: like with like, and chance is no difference."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from experiments.core.results import read
from experiments.show.compare import compare
from experiments.show.compare_text import to_json, to_text

REFERENCE = Path(__file__).parents[3] / "results/reference"


def with_samples(run, samples):
    return replace(run, tables={**run.tables, "samples": samples})


def where(run, column, value, **rows):
    """The run with another value of a column in some rows."""
    is_one = pl.all_horizontal(pl.col(name) == each for name, each in rows.items())
    return with_samples(
        run,
        run.samples.with_columns(
            pl.when(is_one).then(value).otherwise(pl.col(column)).alias(column)
        ),
    )


@pytest.fixture(scope="module")
def runs():
    return {name: read(REFERENCE / name) for name in ("throughput", "ecmp", "migration")}


@pytest.mark.parametrize("name", ["throughput", "ecmp", "migration", "state", "filter", "walk"])
def test_the_repeats_of_one_run_do_not_differ_from_each_other(name):
    run = read(REFERENCE / name)
    odd, even = (
        replace(
            run,
            tables={
                table: rows.filter(pl.col("repeat") % 2 == half)
                for table, rows in run.tables.items()
            },
        )
        for half in (1, 0)
    )
    found = compare(odd, even)

    assert found.mismatches.is_empty()
    assert {each.call for each in found.shifts} <= {
        "no difference that matters",
        "undecided",
        "too few repeats",
    }
    assert found.is_exact or found.shifts


def test_goodput_is_compared_by_mode_protocol_and_size(runs):
    a = runs["throughput"]
    twice = pl.col("goodput_mbit_s") * 2
    b = where(a, "goodput_mbit_s", twice, mode="gre-mesh", protocol="tcp", ip_bytes=128)
    found = compare(a, b)

    moved = [each for each in found.shifts if each.call in {"higher", "lower"}]
    assert [(each.level, each.series.figure, each.call) for each in moved] == [
        ("gre-mesh tcp 128", "goodput_mbit_s", "higher")
    ]
    assert moved[0].difference.estimate == pytest.approx(2)
    assert moved[0].repeats == (4, 4)
    assert moved[0].is_range
    assert len(found.shifts) == 10 * 2 * 3 * 2  # modes, protocols, sizes, figures


def test_a_factor_within_a_quarter_is_no_difference_of_goodput(runs):
    a, b = (
        with_samples(
            runs["throughput"],
            runs["throughput"].samples.with_columns(
                goodput_mbit_s=goodput + pl.col("repeat") + pl.col("transfer")
            ),
        )
        for goodput in (1000, 1200)
    )

    goodput = [e for e in compare(a, b).shifts if e.series.figure == "goodput_mbit_s"]
    for each in goodput:
        assert each.difference.estimate == pytest.approx(1.2, rel=0.01)
    assert {each.call for each in goodput} == {"no difference that matters"}


def test_six_repeats_give_an_interval_of_the_ratio(runs):
    a = runs["throughput"]
    samples = a.samples.filter(mode="flat", protocol="tcp", ip_bytes=128)
    more = samples.filter(pl.col("repeat") <= 2).with_columns(pl.col("repeat") + 4)
    a = with_samples(a, pl.concat([samples, more]))
    b = with_samples(a, a.samples.with_columns(pl.col("goodput_mbit_s") * 9))

    (goodput,) = [e for e in compare(a, b).shifts if e.series.figure == "goodput_mbit_s"]
    assert (goodput.call, goodput.is_range, goodput.repeats) == ("higher", False, (6, 6))
    assert goodput.difference.interval.low < 9 < goodput.difference.interval.high


def test_flows_that_no_longer_spread_are_a_difference(runs):
    a = runs["ecmp"]
    cell = {"mode": "vxlan-mesh", "spines": 2, "hash_policy": 1, "pairs": "one", "flows": 32}
    b = where(where(a, "least", 0, **cell), "most", 32, **cell)
    found = compare(a, b)

    assert found.mismatches.select("mode", "flows", "figure", "a", "b").rows() == [
        ("vxlan-mesh", 32, "flows on a spine", ["like a random choice"], ["all on one"])
    ]


def test_a_split_flow_is_a_difference(runs):
    a = runs["ecmp"]
    b = where(a, "split", 1, mode="gre-mesh", spines=4, hash_policy=0, pairs="one", flows=8)

    assert compare(a, b).mismatches["figure"].to_list() == ["split flows"]


def test_times_of_moves_are_compared(runs):
    a = runs["migration"]
    later = pl.col("downtime_ms") + 900
    b = where(a, "downtime_ms", later, mode="flat", way="with gratuitous ARP")
    found = compare(a, b)

    moved = [each for each in found.shifts if each.call in {"higher", "lower"}]
    assert [(each.level, each.series.figure) for each in moved] == [
        ("flat with gratuitous ARP", "downtime_ms")
    ]
    assert found.mismatches.is_empty()


def test_a_guest_that_became_unreachable_is_a_difference(runs):
    a = runs["migration"]
    b = where(a, "censored", 1, mode="flat", way="with gratuitous ARP", move=1)

    assert compare(a, b).mismatches.select("mode", "a", "b").rows() == [("flat", [0], [0, 1])]


def test_text_and_json_name_the_figure_and_its_unit(runs):
    a = runs["throughput"]
    found = compare(a, with_samples(a, a.samples.with_columns(pl.col("goodput_mbit_s") * 9)))

    headline = next(part for part in to_text(found) if "goodput" in str(part))
    assert headline.startswith("throughput: goodput_mbit_s: 60 of 60 levels moved")
    level = to_json(found)["levels"][0]
    assert (level["figure"], level["unit"], level["is_ratio"]) == ("goodput_mbit_s", "Mbit/s", True)
    assert level["estimate"] == pytest.approx(9)


def test_few_moves_lead_to_no_conclusion(runs):
    a = runs["migration"]
    few = with_samples(a, a.samples.filter(pl.col("move") == 1))
    later = with_samples(few, few.samples.with_columns(pl.col("downtime_ms") + 5000))

    assert {each.call for each in compare(few, later).shifts} == {"too few samples"}
