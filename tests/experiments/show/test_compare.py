"""Comparison of two runs: a shift is found, none is invented, runs that differ otherwise are refused."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from controller.model.errors import UsageError
from experiments.core.question import integer, text
from experiments.core.results import read
from experiments.show.compare import baseline_shift, compare
from experiments.show.compare_text import to_text
from experiments.show.reports import report_on
from experiments.show.statistics import independent
from tests.experiments.made_runs import CELLS, MACHINE, QUESTION, made, made_cells, pair

DIFFERENCES = {
    "experiment: latency in A, mtu in B": {"question": replace(QUESTION, name="mtu")},
    "unit: ms in A, us in B": {"question": replace(QUESTION, unit="us")},
    "compared: phase: warm in A, cold in B": {
        "question": replace(QUESTION, compared={"phase": "cold"})
    },
    "settings: interval_ms: 10 in A, 1 in B": {"settings": {"pings": 40, "interval_ms": 1}},
    "settings: payload_bytes: nothing in A, 9 in B": {
        "settings": {"pings": 40, "interval_ms": 10, "payload_bytes": 9}
    },
    "scenario: article in A, side-by-side in B": {"scenario": "side-by-side"},
    "hosts: one, two in A, one in B": {"hosts": ["one"]},
    "machine: CPU: a cpu in A, another in B": {"machine": {**MACHINE, "cpu": "another"}},
    "machine: kernel: 6.1 in A, 6.2 in B": {"machine": {**MACHINE, "kernel": "6.2"}},
    "machine: datapath: netdev in A, system in B": {"lab": {"datapath": "system", "app": "os-ken"}},
}


def shifts(found):
    return {each.level: each for each in found.shifts}


def test_a_shift_is_found_only_in_its_level(tmp_path):
    found = shifts(compare(*pair(tmp_path, more={"gre-mesh": 0.06})))

    assert found["gre-mesh"].call == "higher"
    assert found["gre-mesh"].difference.estimate == pytest.approx(0.06, abs=0.015)
    interval = found["gre-mesh"].difference.interval
    assert interval.low < 0.06 < interval.high
    assert found["flat"].call == "no difference that matters"
    assert found["flat"].medians == pytest.approx((0.30, 0.30), abs=0.01)
    assert found["flat"].samples == (240, 240)  # the cold ones do not answer


def test_b_minus_a_is_the_sign(tmp_path):
    a, b = pair(tmp_path, more=0.06)

    assert {each.call for each in compare(a, b).shifts} == {"higher"}
    assert {each.call for each in compare(b, a).shifts} == {"lower"}


def test_a_run_does_not_differ_from_itself(tmp_path):
    a = read(made(tmp_path, "a"))

    assert compare(a, a).is_itself
    for each in compare(a, a).shifts:
        assert each.difference.estimate == 0
        assert each.call == "no difference that matters"


def test_a_shift_within_the_margin_does_not_matter(tmp_path):
    found = shifts(compare(*pair(tmp_path, more={"gre-mesh": 0.015})))

    assert found["gre-mesh"].call in {"no difference that matters", "undecided"}
    assert found["gre-mesh"].difference.estimate > 0.005


def test_a_moved_baseline_is_reported(tmp_path):
    a, b = pair(tmp_path, more=0.06)

    assert baseline_shift(compare(a, b)).level == "flat"
    assert baseline_shift(compare(a, a)) is None


def test_too_few_repeats_give_no_interval_and_no_conclusion(tmp_path):
    found = shifts(compare(*pair(tmp_path, more=0.06, repeats=5)))

    assert found["flat"].difference.interval is None
    assert found["flat"].call == "too few repeats"
    assert found["flat"].repeats == (6, 5)


def test_intervals_are_as_wide_as_welchs_and_contain_the_true_value():
    """Plain percentiles of so few blocks are a sixth narrower, and miss it twice as often."""
    draw = np.random.default_rng(11)

    def repeats(count):
        return [draw.normal(draw.normal(0, 0.03), 0.05, 30) for _ in range(count)]

    widths, missed = [], 0
    for seed in range(40):
        one, other = repeats(6), repeats(8)
        found = independent(one, other, seed=(seed, 1), resamples=249).interval
        medians = ([np.median(each) for each in run] for run in (other, one))
        welch = stats.ttest_ind(*medians, equal_var=False).confidence_interval()
        widths.append((found.high - found.low) / (welch.high - welch.low))
        missed += not found.low <= 0 <= found.high
    assert 0.9 < np.mean(widths) < 1.1
    assert missed <= 5  # of 40, 5% each: more once in 100


def test_a_comparison_is_reproducible(tmp_path):
    a, b = pair(tmp_path)
    assert compare(a, b).shifts == compare(a, b).shifts


def test_levels_that_only_one_run_has_are_listed_not_compared(tmp_path):
    question = replace(QUESTION, factors={"mode": ("flat", "vlan")})
    a, b = pair(tmp_path, question=question, levels={"flat": 0.3, "vlan": 0.3})
    found = compare(a, b)

    assert [each.level for each in found.shifts] == ["flat"]
    assert (found.only_a, found.only_b) == (("gre-mesh",), ("vlan",))


def test_runs_without_a_common_level_are_refused(tmp_path):
    question = replace(QUESTION, factors={"mode": ("vlan",)})
    with pytest.raises(UsageError, match="what both measured: flat, gre-mesh in A, vlan in B"):
        compare(*pair(tmp_path, question=question, levels={"vlan": 0.3}))


def test_a_repeat_without_replies_does_not_count(tmp_path):
    a, b = pair(tmp_path)
    lost = pl.when(pl.col("repeat") != 2).then(pl.col("rtt_ms"))
    found = compare(a, replace(b, tables={"samples": b.samples.with_columns(rtt_ms=lost)}))

    assert {each.repeats for each in found.shifts} == {(6, 5)}


@pytest.mark.parametrize("message", DIFFERENCES)
def test_the_first_mismatch_of_the_runs_is_named(tmp_path, message):
    a, b = pair(tmp_path, **DIFFERENCES[message])

    with pytest.raises(UsageError) as caught:
        compare(a, b)
    assert str(caught.value).startswith(f"{message}; allowed: the same in both runs.")
    assert compare(a, a).shifts


@pytest.mark.parametrize("status", ["interrupted", "running", "failed: no lab"])
def test_an_incomplete_run_is_refused(tmp_path, status):
    a, b = pair(tmp_path, status=status)
    with pytest.raises(UsageError, match=f"run B, .*b: is '{status}'; allowed: a complete run"):
        compare(a, b)


def test_settings_that_do_not_affect_packets_may_differ(tmp_path):
    """Another revision is what one compares; more blocks and another seed are no harm."""
    a, b = pair(
        tmp_path,
        seed=5,
        repeats=7,
        source={"git_revision": "f00", "git_dirty": False},
        machine={**MACHINE, "python": "3.99", "host": "elsewhere"},
        start="2027-01-01T00:00:00Z",
    )
    assert len(compare(a, b).shifts) == 2


def test_an_unreliable_run_is_compared_with_a_warning(tmp_path):
    reasons = {"trusted": False, "reasons": ["CPU idle 3%"]}
    found = compare(*pair(tmp_path, verdict=reasons))

    assert found.doubts == ("B: CPU idle 3%",)
    assert found.shifts
    assert compare(*pair(tmp_path)).doubts == ()


def test_cells_that_differ_are_found(tmp_path):
    a, b = (
        read(made_cells(tmp_path, name, values=values))
        for name, values in (("a", None), ("b", {4: 5}))
    )
    found = compare(a, b)

    assert found.is_exact
    assert found.shifts == ()
    assert found.mismatches.select("mode", "hosts", "a", "b").rows() == [
        ("gre-mesh", 4, [3], [5]),
    ]
    assert len(found.cells) == 3
    assert compare(a, a).mismatches.is_empty()


def test_a_number_and_a_text_can_be_compared(tmp_path):
    texts = replace(CELLS, columns={"copies": text("how many, or what became of it")})
    a = read(made_cells(tmp_path, "a"))
    b = read(made_cells(tmp_path, "b", question=texts, values={4: "dropped"}))

    assert compare(a, b).mismatches.select("a", "b").rows() == [([3], ["dropped"])]


def test_a_cell_that_differs_in_one_repeat_differs(tmp_path):
    a = read(made_cells(tmp_path, "a"))
    further = a.samples.head(1).with_columns(repeat=pl.lit(3, pl.Int64), copies=pl.lit(7, pl.Int64))
    b = replace(a, tables={"samples": pl.concat([a.samples, further])})

    assert compare(a, b).mismatches.select("a", "b").rows() == [([1], [1, 7])]
    assert compare(b, a).mismatches.select("a", "b").rows() == [([1, 7], [1])]


def test_every_predicted_figure_is_compared(tmp_path):
    """A further figure that differs must not make the cell another one."""
    question = replace(
        CELLS, columns={"copies": integer("how many"), "unneeded": integer("unneeded")}
    )
    predicted = [{**point, "copies": 1, "unneeded": 0} for point in question.points()]
    a = read(made_cells(tmp_path, "a", question=question, predicted=predicted, unneeded=0))
    b = read(made_cells(tmp_path, "b", question=question, predicted=predicted, unneeded=2))

    assert (
        compare(a, b).mismatches.select("figure", "a", "b").rows()
        == [
            ("unneeded", [0], [2]),
        ]
        * 3
    )
    assert compare(a, b).only_a == ()


def test_cells_that_only_one_run_has_are_listed(tmp_path):
    fewer = replace(CELLS, factors={"mode": ("gre-mesh",), "hosts": (2, 16)})
    found = compare(
        read(made_cells(tmp_path, "a")), read(made_cells(tmp_path, "b", question=fewer))
    )

    assert len(found.cells) == 1
    assert found.only_a == ("gre-mesh 4", "gre-mesh 8")
    assert found.only_b == ("gre-mesh 16",)


def test_a_run_of_cells_is_not_compared_with_one_of_medians(tmp_path):
    other = replace(QUESTION, name="copies")
    with pytest.raises(UsageError, match="unit: packets in A, ms in B"):
        compare(read(made_cells(tmp_path, "a")), read(made(tmp_path, "b", question=other)))


def test_a_report_has_the_same_rows_as_a_comparison(tmp_path):
    flat, _ = report_on(read(made(tmp_path))).data
    assert (flat["samples"], flat["median"]) == (240, pytest.approx(0.30, abs=0.01))


def test_run_json_records_which_rows_are_compared(tmp_path):
    run = read(made(tmp_path))
    assert json.loads((run.directory / "run.json").read_text())["question"]["compared"] == {
        "phase": "warm"
    }


def test_a_comparison_of_a_run_with_itself_is_marked(tmp_path):
    a, b = pair(tmp_path)

    assert "same measurement" in "".join(
        part for part in to_text(compare(a, a)) if isinstance(part, str)
    )
    assert not compare(a, b).is_itself
