"""The report of `mtu`, of runs on paths with known largest packets."""

from pathlib import Path

import pytest

from controller.model.errors import MeasureError
from experiments.core.pairs import narrowed
from experiments.mtu.labs import with_large_guests
from experiments.mtu.probe import EXPERIMENT as MTU
from experiments.mtu.report import build_report
from experiments.mtu.words import COMPLETES, FRAGMENTED, HANGS, REFUSED, RIGHT, TOO_LARGE
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED
from tests.experiments.fake_path import FakePath, context
from tests.experiments.run_values import run_of_rows, with_tables
from topologies.scenario.load import load

LIMITS = {"flat": 1500, "gre-mesh": 1458}
TRUSTED = {"trusted": True, "reasons": []}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(LIMITS, tmp_path_factory.mktemp("raw"))


def run_of(limits, folder, *, verdict=TRUSTED, **options):
    overlay = narrowed(load("article").overlay)
    levels = MTU.with_levels(mode=tuple(limits), underlay_mtu=(1500,))
    points = levels.question.points()
    tables = {name: [] for name in levels.question.tables()}
    for order, point in enumerate(points, start=1):
        path = FakePath(with_large_guests(overlay, point), limits[point["mode"]], **options)
        measured = MTU.probe(path, point, context(folder))
        for name, rows in {"samples": measured.rows, **measured.more}.items():
            tables[name] += ({"repeat": 1, "order": order, **point, **row} for row in rows)
    about = {
        "predicted": MTU.predict(overlay, points),
        "scenario": "article",
        "verdict": verdict,
        "seed": 1,
        "quick": False,
    }
    return run_of_rows(
        Path(), levels.question, about, {name: tuple(rows) for name, rows in tables.items()}
    )


def edited(run, table, number, **changes):
    rows = list(run.rows_of(table))
    rows[number] = {**rows[number], **changes}
    return with_tables(run, {**run.tables, table: tuple(rows)})


def outcome(report):
    return [outcomes.outcome for outcomes in report.outcomes]


def test_everything_is_confirmed_if_it_is_as_predicted(run):
    report = build_report(run)

    assert report.findings == (
        "Largest packet over an underlay MTU of 1500: flat 1500, GRE 1458 bytes",
        "The sender's OVS drops larger packets without ICMP (14 of 14 sizes)",
        "With the right MTU the guest's own kernel refuses or fragments larger packets (8 of 8 sizes)",
        "TCP over OVS hangs if the guests' MTU is too large (2 of 2 transfers), and completes with "
        "the right one (2 of 2)",
        "TCP goodput rises 2.5 to 2.6 times from MTU 576 to the limit, and nothing arrives above it",
    )
    assert report.conditions.startswith("2 of 2 largest packets as predicted; ")
    assert not report.is_refuted
    assert outcome(report) == [CONFIRMED] * 4


def test_findings_distinguish_open_vswitch_from_the_kernel(run):
    kernel = [{**row, "mode": "kvxlan-mesh"} for row in run.rows_of()[:1]]
    hung = {**run.rows_of("tcp")[0], "mode": "kvxlan-mesh", "guest": TOO_LARGE, "outcome": HANGS}
    tables = {
        **run.tables,
        "samples": (*run.rows_of(), *kernel),
        "tcp": (*run.rows_of("tcp"), hung),
    }
    predicted = [{**each, "mode": "kvxlan-mesh"} for each in run.about["predicted"][:1]]
    about = {**run.about, "predicted": (*run.about["predicted"], *predicted)}

    findings = build_report(with_tables(run, tables, about=about)).findings

    assert findings[1].endswith("without ICMP (14 of 14 sizes)")
    assert findings[3].startswith("TCP over OVS hangs if the guests' MTU is too large (2 of 2 ")
    assert findings[4].startswith(
        "TCP over kernel VXLAN hangs if the guests' MTU is too large (1 of 1)"
    )


def test_one_byte_of_difference_refutes_and_is_named(run):
    report = build_report(edited(run, "samples", 1, largest_bytes=1457))

    assert report.is_refuted
    assert report.findings[-1] == (
        "Not as predicted: gre-mesh over 1500, largest packet 1457, predicted 1458"
    )
    assert report.tables[0].rows[1] == ("GRE", "1457 (predicted 1458)")
    assert report.conditions.startswith("1 of 2 largest packets as predicted; ")
    assert outcome(report)[0] == REFUTED
    assert ("gre-mesh", "1500", "1457", "1458", "-1") in [row[:5] for row in report.tables[1].rows]
    assert report.data[1]["is_equal"] is False


def test_repeats_that_differ_are_all_shown(run):
    again = {**run.rows_of()[1], "repeat": 2, "largest_bytes": 1457}
    report = build_report(with_tables(run, {**run.tables, "samples": (*run.rows_of(), again)}))

    assert ("gre-mesh", "1500", "1457, 1458", "1458", "-1, 0") in [
        row[:5] for row in report.tables[1].rows
    ]
    assert report.is_refuted


def test_packets_that_cause_icmp_are_not_dropped_silently(tmp_path):
    report = build_report(run_of(LIMITS, tmp_path, icmp=True))

    assert outcome(report)[1] == REFUTED
    assert "14 of 14" not in report.findings[1]


def test_packets_dropped_after_the_wire_are_not_dropped_by_the_sender_s_switch(tmp_path):
    report = build_report(run_of(LIMITS, tmp_path, wire_carries_all=True))

    assert report.findings[1] == (
        "Larger packets that the sender's OVS drops without ICMP: 0 of 14 sizes"
    )
    assert outcome(report)[1] == REFUTED


def test_drops_are_judged_only_between_controls_that_passed(run):
    rows = run.rows_of("outcomes")
    last = max(at for at, row in enumerate(rows) if row["size"] == "control after")

    report = build_report(edited(run, "outcomes", last, answered=3))

    assert outcome(report)[1] == UNDECIDED
    assert report.outcomes[1].found.endswith("in 7 of 8")


def test_a_transfer_that_completes_where_it_should_hang_refutes(run):
    at = next(at for at, row in enumerate(run.rows_of("tcp")) if row["guest"] == TOO_LARGE)

    report = build_report(edited(run, "tcp", at, outcome="completes"))

    assert outcome(report)[2] == REFUTED
    assert "1 of 2 transfers hang" in report.findings[3]
    assert not report.is_refuted  # only the largest packets are an exact prediction


def test_nothing_is_judged_by_an_unreliable_run(run, tmp_path):
    unreliable = run_of(LIMITS, tmp_path, verdict={"trusted": False, "reasons": ["CPU steal 9%"]})

    assert outcome(build_report(unreliable)) == [NOT_JUDGED] * 4


def test_goodput_that_overlaps_its_other_end_is_undecided_and_one_that_falls_refuted(run):
    rows = run.rows_of("goodput")
    least = [at for at, row in enumerate(rows) if (row["mode"], row["guest_mtu"]) == ("flat", 576)]
    once = edited(run, "goodput", least[0], mbit_s=9999.0)
    falling = run
    for at in least:
        falling = edited(falling, "goodput", at, mbit_s=9999.0)

    assert len(least) == 4
    assert outcome(build_report(once))[3] == UNDECIDED
    assert outcome(build_report(falling))[3] == REFUTED


def test_a_trend_is_not_judged_from_too_few_transfers(run):
    few = tuple(row for row in run.rows_of("goodput") if row["transfer"] <= 3)

    assert outcome(build_report(with_tables(run, {**run.tables, "goodput": few})))[3] == NOT_JUDGED


def test_goodput_above_the_limit_refutes(run):
    at = next(at for at, row in enumerate(run.rows_of("goodput")) if row["mbit_s"] == 0)

    assert outcome(build_report(edited(run, "goodput", at, mbit_s=100.0)))[3] == REFUTED


def test_a_finding_claims_only_what_every_sample_shows(run):
    hung = next(at for at, row in enumerate(run.rows_of("tcp")) if row["guest"] == TOO_LARGE)
    completes = build_report(edited(run, "tcp", hung, outcome=COMPLETES)).findings
    silent = next(
        at
        for at, row in enumerate(run.rows_of("outcomes"))
        if row["guest"] == RIGHT and row["outcome"] in {REFUSED, FRAGMENTED}
    )
    lost = build_report(edited(run, "outcomes", silent, outcome="lost")).findings

    assert completes[3] == (
        "TCP over OVS: with too large an MTU in guests 1 of 2 transfers hang, with the right one 2 of 2 "
        "complete"
    )
    assert lost[2] == (
        "Larger packets that the guest's own kernel refuses or fragments with the right MTU: 7 of 8 sizes"
    )


def test_goodput_is_said_to_rise_only_if_it_does_and_nothing_of_mtus_not_tried(run):
    rows = run.rows_of("goodput")
    falling = [{**row, "mbit_s": 9999.0} if row["guest_mtu"] == 576 else row for row in rows]
    fitting = [row for row in rows if row["mbit_s"]]

    def last(goodput):
        tables = {**run.tables, "goodput": tuple(goodput)}
        return build_report(with_tables(run, tables)).findings[4]

    assert last(falling).startswith("TCP goodput at the limit is 0.")
    assert last(fitting).endswith("times from MTU 576 to the limit")


def test_every_row_of_a_table_has_a_cell_for_each_head(run):
    assert all(
        len(row) == len(each.heads) for each in build_report(run).tables for row in each.rows
    )


def test_no_finding_has_a_semicolon(run):
    """A headline joins findings by it."""
    assert not any(";" in finding for finding in build_report(run).findings)


def test_a_run_without_goodput_has_a_report_without_it(run):
    report = build_report(with_tables(run, {**run.tables, "goodput": ()}))

    assert [picture.name for picture in report.pictures] == ["mtu"]
    assert outcome(report)[3] == NOT_JUDGED
    assert len(report.findings) == 4


def test_a_run_without_samples_is_an_error(run):
    with pytest.raises(MeasureError, match="no sample"):
        build_report(with_tables(run, dict.fromkeys(run.tables, ())))
