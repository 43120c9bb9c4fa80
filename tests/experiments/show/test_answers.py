"""Answers about named modes, from the files of the reference run and from made-up ones."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from experiments.core.results import read
from experiments.show.answers import (
    Wording,
    difference_text,
    differences,
    each_does,
    quick_note,
    same_counts,
    side_by_side,
)
from experiments.show.reports import report_on
from experiments.show.statistics import Difference, Interval
from tests.experiments.made_runs import CELLS, made, made_cells
from tests.experiments.small_run import small_report

REFERENCE = Path(__file__).resolve().parents[3] / "results" / "reference"


@cache
def reference(experiment):
    return read(REFERENCE / experiment)


def named(experiment, *modes, **about):
    """The reference run as if it had been made with `--modes`."""
    run = reference(experiment)
    question = replace(run.question, factors={**run.question.factors, "mode": modes})
    return replace(
        run,
        question=question,
        about={
            **run.about,
            "named_modes": list(modes),
            "predicted": [row for row in run.about["predicted"] if row["mode"] in modes],
            **about,
        },
        tables={
            name: table.filter(pl.col("mode").is_in(modes)) if "mode" in table.columns else table
            for name, table in run.tables.items()
        },
    )


EXACT = {
    ("fanout", "gre-mesh", "vxlan-mesh"): (
        "16 hosts, 8 with a member, a broadcast: gre-mesh and vxlan-mesh both send 15 copies (8 unneeded)",
        "16 hosts, a broadcast: gre-mesh and vxlan-mesh both send 15 copies",
    ),
    ("fanout", "vxlan-l2pop", "vxlan-l2pop-arp"): (
        "16 hosts, 8 with a member, a broadcast: vxlan-l2pop and vxlan-l2pop-arp both send 7 copies",
        "16 hosts, 8 with a member, an ARP request for a known address: vxlan-l2pop sends 7 copies, "
        "vxlan-l2pop-arp sends 0 copies",
    ),
    ("fanout", "kvxlan-multicast", "gre-mesh", "vxlan-l2pop"): (
        "16 hosts, 8 with a member, a broadcast: kvxlan-multicast sends 1 copy, gre-mesh sends 15 "
        "copies (8 unneeded), vxlan-l2pop sends 7 copies",
    ),
    ("mtu", "gre-mesh", "vxlan-l2pop"): (
        "Largest packet over an underlay MTU of 1500: 1458 bytes with gre-mesh, 1450 with vxlan-l2pop",
    ),
    ("mtu", "vxlan-l2pop", "geneve-l2pop"): (
        "Largest packet over an underlay MTU of 1500: 1450 bytes with both vxlan-l2pop and geneve-l2pop",
    ),
    ("tunnels", "gre-mesh", "vxlan-l2pop"): (
        "16 hosts in one network: gre-mesh and vxlan-l2pop both have 240 tunnel ports in all",
        "16 hosts that share networks two by two: gre-mesh has 240 tunnel ports in all, vxlan-l2pop has "
        "16 tunnel ports in all",
        "Quick run",
    ),
    ("state", "gre-mesh", "vxlan-mesh"): ("gre-mesh and vxlan-mesh: 24 of 24 counts the same",),
    ("mactable", "flat", "gre-mesh"): (
        "Underlay switch, 1024 guests on 8 hosts: 1024 MAC entries with flat, 8 with gre-mesh",
        "Table of 128 entries, 512 guests on 8 hosts: 2304 misdelivered copies with flat, 0 with gre-mesh",
    ),
    ("ecmp", "gre-mesh", "vxlan-mesh"): (
        "32 flows over 2 spines, outer addresses and ports hashed (policy 1): all on one spine with "
        "gre-mesh, 9 to 23 on a spine with vxlan-mesh",
    ),
    ("segments", "gre-mesh", "vxlan-mesh"): (
        "Isolated networks: 64 of 64 with both gre-mesh and vxlan-mesh",
        "Ids of networks: 4,294,967,295 with gre-mesh, 16,777,215 with vxlan-mesh",
    ),
}


@pytest.mark.parametrize("asked", EXACT, ids=" ".join)
def test_named_modes_of_exact_experiments_stand_side_by_side(asked):
    for found, wanted in zip(
        report_on(named(*asked, quick=True)).findings, EXACT[asked], strict=False
    ):
        assert found.startswith(wanted)


def test_state_names_the_counts_that_differ():
    first, *others = report_on(named("state", "vxlan-mesh", "kvxlan-mesh")).findings

    assert first.startswith("vxlan-mesh and kvxlan-mesh: ")
    assert any(
        each.startswith("UDP sockets") and "0 with vxlan-mesh, 1 with kvxlan-mesh" in each
        for each in others
    ), others


@pytest.mark.parametrize(
    "experiment", ["fanout", "mtu", "tunnels", "state", "mactable", "ecmp", "segments"]
)
def test_without_named_modes_the_findings_are_those_of_the_report(experiment):
    run = reference(experiment)
    assert "named_modes" not in run.about or not run.named_modes
    asked = {answer for key, answers in EXACT.items() if key[0] == experiment for answer in answers}
    assert not asked & set(report_on(run).findings)


def test_migration_compares_downtimes_and_counts_lost_guests():
    first, *others = report_on(named("migration", "gre-mesh", "kvxlan-l2pop")).findings

    assert re.fullmatch(
        r"With gratuitous ARP, traffic stops \d+ ms less with kvxlan-l2pop than with gre-mesh in this "
        r"run \(differences -\d+ to -\d+ ms in 2 repeats, no confidence interval\)",
        first,
    )
    assert (
        "Without gratuitous ARP, still unreachable after 1.4 s: 20 of 20 moves with both gre-mesh and "
        "kvxlan-l2pop" in others
    )
    assert any(
        each.startswith("Without gratuitous ARP, MAC unknown, downtime with kvxlan-l2pop: median")
        for each in others
    ), "gre-mesh has no such moves"


def test_a_quick_run_of_migration_gives_the_spread_of_its_moves():
    run = named("migration", "gre-mesh", "vxlan-mesh", quick=True)
    run = replace(run, tables={name: rows.filter(repeat=1) for name, rows in run.tables.items()})
    report = report_on(run)

    assert re.search(
        r"\(medians \d+ and \d+ ms; half of the moves took \d+ to \d+ and \d+ to \d+ ms\)",
        report.findings[0],
    )
    assert report.findings.count("Quick run, one repeat: no confidence intervals") == 1
    (cached,) = [each for each in report.outcomes if each.claim.startswith("OVS mesh")]
    assert cached.outcome == "not judged"
    assert {each.outcome for each in report.outcomes if each is not cached} == {"confirmed"}, (
        "exact"
    )


def test_filter_compares_the_time_of_a_packet_then_counts():
    first, nft, _, counts, *others = report_on(named("filter", "gre-mesh", "vxlan-mesh")).findings

    assert re.match(
        r"A packet takes \d\.\d\d µs longer through the firewall with vxlan-mesh than with", first
    )
    assert re.fullmatch(
        r"100 inner rules of nft add to a packet: [\d.]+ µs with gre-mesh, [\d.]+ with "
        "vxlan-mesh",
        nft,
    )
    assert counts == "gre-mesh and vxlan-mesh: 19 of 22 counts the same"
    assert others[0] == "conntrack: entries: 1 with gre-mesh, 16 with vxlan-mesh"


def test_a_report_of_cells_compares_the_cells_of_named_modes(tmp_path):
    question = replace(CELLS, factors={"mode": ("gre-mesh", "flat"), "hosts": (2, 4)})
    run = read(made_cells(tmp_path, question=question, named_modes=["gre-mesh", "flat"]))

    assert report_on(run).findings[0] == "gre-mesh and flat: 2 of 2 counts the same"


def test_a_report_of_levels_compares_named_modes(tmp_path):
    run = read(made(tmp_path, named_modes=["gre-mesh", "flat"]))
    (first, *_) = report_on(replace(run, question=replace(run.question, report="levels"))).findings
    assert first.startswith("flat is lower than gre-mesh by 0.0")
    assert "(95% interval -0.0" in first


def test_equal_values_are_said_once():
    assert side_by_side({"a": "7", "b": "7"}, "copies") == "7 copies with both a and b"
    assert (
        side_by_side({"a": "7", "b": "6", "c": "7"}, "copies") == "7 copies with a and c, 6 with b"
    )
    assert side_by_side({"a": "7"}) == "7 with a"
    assert (
        each_does(dict.fromkeys("abc", "7 copies"), "sends", "send")
        == "a, b and c all send 7 copies"
    )


def test_of_many_counts_that_differ_some_are_named():
    differ, same = {"a": "1", "b": "2"}, {"a": "1", "b": "1"}
    counts = {(f"count {n}", ""): differ for n in range(8)} | {("same", ""): same}
    twice = {("sockets", "before"): differ, ("sockets", "after"): differ}
    found = list(same_counts({**twice, **counts, ("only", ""): {"a": "1"}}, ["a", "b"]))

    assert found[0] == "a and b: 1 of 11 counts the same"
    assert found[1:3] == [
        "sockets, before and after: 1 with a, 2 with b",
        "count 0: 1 with a, 2 with b",
    ]
    assert found[-1] == "and 3 more that differ"


def test_a_quick_run_says_once_that_it_has_no_intervals():
    run = small_report(quick=True).run
    run = replace(run, tables={"samples": pl.DataFrame({"repeat": [1, 1]})})
    assert quick_note(run) == ("Quick run, one repeat: no confidence intervals",)
    three = replace(run, tables={"samples": pl.DataFrame({"repeat": [1, 2, 3]})})
    assert quick_note(three) == ("Quick run, 3 repeats: no confidence intervals",)
    six = replace(run, tables={"samples": pl.DataFrame({"repeat": range(6)})})
    assert quick_note(six) == quick_note(small_report().run) == ()


PINGS = Wording(
    more="{one} takes {by} longer than {first}",
    less="{one} takes {by} less than {first}",
    same="{one} takes as long as {first}",
    what="pings took",
    unit="ms",
    margin=0.1,
)
WORDS = {  # by an estimate and the ends of its interval
    (0.3, 0.2, 0.4): "b takes 0.300 ms longer than a (95% interval +0.200 to +0.400 ms)",
    (-0.3, -0.4, -0.2): "b takes 0.300 ms less than a (95% interval -0.400 to -0.200 ms)",
    (0.05, 0.01, 0.09): "b takes as long as a within 0.1 ms (95% interval +0.010 to +0.090 ms)",
    (0.15, 0.05, 0.25): "b takes 0.150 ms longer than a (95% interval +0.050 to +0.250 ms): "
    "undecided at the margin of 0.1 ms",
}


@pytest.mark.pure
@pytest.mark.parametrize("found", WORDS)
def test_an_interval_is_judged_by_the_margin(found):
    estimate, low, high = found
    difference = Difference(estimate=estimate, interval=Interval(low=low, high=high))
    assert difference_text(("b", "a"), difference, PINGS, "") == WORDS[found]


@pytest.mark.pure
def test_without_a_margin_an_interval_around_zero_is_undecided():
    said = replace(PINGS, margin=0.0)
    found = Difference(estimate=0.1, interval=Interval(low=-0.1, high=0.3))
    text = difference_text(("b", "a"), found, said, "")
    assert text == "b takes 0.100 ms longer than a (95% interval -0.100 to +0.300 ms): undecided"


def repeats(*medians):
    return [np.array([middle - 0.1, middle, middle + 0.1]) for middle in medians]


@pytest.mark.pure
def test_the_first_is_subtracted_and_the_margin_decides():
    levels = {"a": repeats(*[1.0] * 6), "b": repeats(*[1.05] * 6), "c": repeats(*[1.5] * 6)}
    by_mode = {each.one: each for each in differences(levels, ("a", "b", "c"), PINGS, seed=1)}
    assert by_mode["b"].call == "no difference that matters"
    assert by_mode["c"].call == "higher"
    assert by_mode["c"].data["difference"] == "c minus a"


@pytest.mark.pure
def test_few_repeats_give_what_was_observed_and_no_conclusion():
    several = {"a": repeats(1.0, 1.0), "b": repeats(1.2, 0.9)}
    one = {"a": repeats(1.0), "b": repeats(1.2)}
    (of_several,) = differences(several, ("a", "b"), PINGS, seed=1)
    (of_one,) = differences(one, ("a", "b"), PINGS, seed=1)
    assert of_several.text.endswith(
        "in this run (differences -0.100 to +0.200 ms in 2 repeats, no confidence interval)"
    )
    assert of_one.text == (
        "b takes 0.200 ms longer than a in this run (medians 1.200 and 1.000 ms; half of the pings "
        "took 1.150 to 1.250 and 0.950 to 1.050 ms)"
    )
    assert of_several.call == of_one.call == "too few repeats"
