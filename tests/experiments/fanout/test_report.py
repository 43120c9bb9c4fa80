"""The report of `fanout`: cells that match, cells that do not and by how much, and the figure."""

import matplotlib as mpl
import polars as pl
import pytest

from experiments.core.results import read
from experiments.fanout.report import cells_of, frames_of, panels
from experiments.fanout.words import NO_END_FRAME, UNEQUAL
from experiments.show.judge import MATCHES, MISMATCH
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from tests.experiments.fanout.ideal_lab import NO_FAULTS, run_of
from tests.experiments.run_values import with_tables
from tests.experiments.seen_texts import assert_readable

MESH, L2POP, ARP = (
    {"mode": mode, "hosts": 4} for mode in ("gre-mesh", "vxlan-l2pop", "vxlan-l2pop-arp")
)
TWO = {"mode": "gre-mesh", "hosts": 2}
POINTS = (TWO, MESH, L2POP, ARP)


def lost(packets):
    """The copies that arrive at computer3 through a tunnel are missing."""
    return [p for p in packets if not (p["node"] == "computer3" and p["ip.src"])]


def test_all_cells_match(tmp_path):
    report = report_on(run_of(tmp_path, POINTS))

    assert report.findings == (
        "4 hosts, 2 with a member: mesh sends 3 copies, l2pop 1",
        "2 of the 3 copies in a mesh of 4 hosts go to hosts without a member",
        "ARP responder: no copies of a request for a known address, 1 copy of one for an unknown "
        "address",
        "31 of 31 cells match their prediction exactly (62 frames)",
    )
    assert not report.is_refuted
    assert {each.outcome for each in report.outcomes} == {CONFIRMED}
    assert [each.found for each in report.outcomes] == [
        "15 of 15 cells match",
        "8 of 8 cells match",
        "8 of 8 cells match",
    ]
    assert report.conditions == (
        "2 frames of each kind per lab, 1 repeat; scenario article; "
        "captures equal the counters on 14 of 14 interfaces"
    )
    assert {each["result"] for each in report.data} == {MATCHES}


def test_the_first_table_has_copies_by_mode_over_hosts(tmp_path):
    table = report_on(run_of(tmp_path, POINTS)).tables[0]

    assert table.heads == ("members on", "mode", "frame", "2 hosts", "4 hosts")
    assert table.rows == (
        ("50%", "gre-mesh", "any", "1 (1)", "3 (2)"),
        ("50%", "vxlan-l2pop", "any", "-", "1 (0)"),
        ("50%", "vxlan-l2pop-arp", "ARP known", "-", "0 (0)"),
        ("50%", "vxlan-l2pop-arp", "others", "-", "1 (0)"),
        ("100%", "gre-mesh", "any", "1 (0)", "3 (0)"),
        ("100%", "vxlan-l2pop", "any", "-", "3 (0)"),
        ("100%", "vxlan-l2pop-arp", "ARP known", "-", "0 (0)"),
        ("100%", "vxlan-l2pop-arp", "others", "-", "3 (0)"),
    )
    widths = [max(map(len, column)) + 2 for column in zip(table.heads, *table.rows, strict=True)]
    assert sum(widths) <= 80 - 2 * 10  # two more numbers of hosts


def test_a_lost_copy_is_reported_with_host_and_count(tmp_path):
    report = report_on(run_of(tmp_path, POINTS, change=lost))

    assert report.is_refuted
    # computer3 receives all frames in the mesh, otherwise only those of the network it is on.
    assert report.findings[0].startswith("16 of 31 cells match")
    assert report.findings[1] == (
        "gre-mesh, 4 hosts, 2 with a member, ARP known: arrived 2, predicted 3; "
        "unneeded 1, predicted 2; computer3 received 0 of 1 (and 14 more)"
    )
    mesh, l2pop, arp = report.outcomes
    assert (mesh.outcome, l2pop.outcome, arp.outcome) == (REFUTED,) * 3
    assert mesh.found.startswith("7 of 15 cells match; gre-mesh, 4 hosts")
    rows = report.tables[1].rows
    row = next(row for row in rows if row[:3] == ("gre-mesh", "4", "4"))
    assert row[5] == "2 (predicted 3)"
    assert row[-1] == "0 of 8"


def test_a_single_frame_that_differs_from_others_of_its_cell_is_a_mismatch(tmp_path):
    def once(packets):
        first = next(p for p in packets if p["node"] == "computer" and p["ip.src"])
        return [*packets, first]

    run = run_of(tmp_path, (MESH,), change=once)
    report = report_on(run)

    assert report.findings[0] == "7 of 8 cells match their prediction exactly (16 frames)"
    (cell,) = cells_of(frames_of(run)).filter(result=MISMATCH).rows(named=True)
    assert cell["arrived"] == [3, 4]
    assert cell["frames"] - cell["matching"] == 1
    assert "3-4 (predicted 3)" in {row[5] for row in report.tables[1].rows}
    assert "computer received 2 of 1" in report.findings[1]


def test_a_misdelivered_frame_alone_refutes_the_prediction(tmp_path):
    def misdelivered(packets):
        one = next(p for p in packets if p["node"] == "computer" and p["ip.src"])
        return [*packets, {**one, "node": "computer2"}]

    report = report_on(run_of(tmp_path, (MESH,), change=misdelivered))

    assert report.is_refuted
    assert "1 misdelivered" in report.findings[1]


def test_faults_of_the_measurement_are_findings(tmp_path):
    facts = {
        **NO_FAULTS,
        UNEQUAL: {"computer underlay": 2},
        NO_END_FRAME: ["s50g3"],
    }
    report = report_on(run_of(tmp_path, (MESH, L2POP), facts=facts, trusted=False))

    assert report.findings[2:4] == (
        "Guests that missed the end-of-test frame: gre-mesh, 4 hosts: s50g3 (and 1 more labs)",
        "Packets by which capture and counter differ: gre-mesh, 4 hosts: computer underlay 2 "
        "(and 1 more labs)",
    )
    assert {each.outcome for each in report.outcomes} == {NOT_JUDGED}


def test_an_incomplete_run_is_reported_as_far_as_it_was_measured(tmp_path):
    run = run_of(tmp_path, (MESH,))
    about = {
        **run.about,
        "predicted": [
            *run.about["predicted"],
            {
                **run.about["predicted"][0],
                "mode": "gre-l2pop",
            },
        ],
    }
    report = report_on(type(run)(run.directory, run.question, about, run.tables))

    assert report.findings[-1] == "8 of 8 cells match their prediction exactly (16 frames)"
    nothing = {**run.tables, "samples": (), "vteps": (), "interfaces": ()}
    report = report_on(with_tables(run, nothing, about=about))
    assert report.findings == ("0 of 0 cells match their prediction exactly (0 frames)",)
    assert report.pictures == ()


def test_an_edited_sample_changes_figure_and_table(tmp_path):
    run = run_of(tmp_path, (MESH,))
    path = run.directory / "samples.csv"
    lines = path.read_text().splitlines()
    at = lines[0].split(",").index("copies_sent")
    edited = lines[1].split(",")
    edited[at] = "9"
    path.write_text("\n".join([lines[0], ",".join(edited), *lines[2:], ""]))
    changed = read(run.directory)
    every = report_on(changed).tables[1]
    assert every.summary == "of 8 cells 1 do not match"
    sent = {row[4] for row in every.rows}
    assert "3-9 (predicted 3)" in sent
    measured = [line.measured[4] for line in panels_of(changed)[0].lines]
    assert sorted(measured) == [(3,), (3, 9)]


def panels_of(run):
    return panels(cells_of(frames_of(run)))


def counts(panel):
    """What was measured at each number of hosts, by the names of the line."""
    return {", ".join(line.names): dict(line.measured) for line in panel.lines}


def test_ways_of_flooding_with_the_same_counts_are_one_line(tmp_path):
    points = [{"mode": mode, "hosts": 4} for mode in ("vlan", "gre-mesh", "vxlan-mesh")]
    sent, unneeded = panels_of(run_of(tmp_path, [*points, TWO, L2POP, ARP]))

    assert counts(sent) == {
        "mesh": {2: (1,), 4: (3,)},
        "l2pop, vlan": {4: (1,)},
        "ARP responder, known address": {4: (0,)},
    }
    assert counts(unneeded) == {
        "mesh": {2: (1,), 4: (2,)},
        "vlan": {4: (2,)},
        "l2pop": {4: (0,)},
    }


def test_a_mode_that_differs_from_others_of_its_way_has_a_line_of_its_own(tmp_path):
    points = [{"mode": mode, "hosts": 4} for mode in ("gre-mesh", "vxlan-mesh")]
    run = run_of(tmp_path, points)
    changed = run.samples.with_columns(
        copies_sent=pl.when(mode="vxlan-mesh", share=50).then(2).otherwise("copies_sent")
    )
    run = with_tables(run, {**run.tables, "samples": changed.to_dicts()})
    sent, _ = panels_of(run)

    assert counts(sent) == {"mesh": {4: (3,)}, "vxlan-mesh": {4: (2,)}}
    assert {tuple(line.predicted.values()) for line in sent.lines} == {(3,)}
    assert report_on(run).pictures[0].title.startswith("12 of 16 cells match")


def test_predictions_are_below_the_measured_line_and_the_axes_have_plain_numbers(tmp_path):
    report = report_on(run_of(tmp_path, POINTS, change=lost))
    with mpl.rc_context(fname=STYLE):
        sent, unneeded = report.draw().axes

    assert "mesh: 1\n(predicted 2)" in {
        text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in unneeded.texts
    }
    lines = {line.get_gid(): line for line in unneeded.lines}
    assert list(lines["predicted mesh"].get_ydata()) == [1, 2]
    assert list(lines["measured mesh"].get_ydata()) == [1, 1]  # one of two was lost
    assert lines["predicted mesh"].get_zorder() < lines["measured mesh"].get_zorder()
    assert sent.get_ylim()[0] == unneeded.get_ylim()[0] == 0
    assert [text.get_text() for text in sent.get_xticklabels()] == ["2", "4"]
    assert sent.get_ylabel() == "copies"
    assert unneeded.get_xlabel() == "compute hosts, one VTEP each"


MANY = [
    {"mode": mode, "hosts": hosts} for mode in ("gre-mesh", "vxlan-l2pop-arp") for hosts in (2, 8)
]


@pytest.mark.parametrize(
    "points", [POINTS, (TWO,), (MESH,), (ARP,), ({"mode": "vlan", "hosts": 4},), MANY]
)
@pytest.mark.parametrize("change", [None, lost])
def test_the_figure_is_readable_with_any_modes_and_hosts(tmp_path, points, change):
    report = report_on(run_of(tmp_path, points, **({"change": change} if change else {})))

    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
        assert_readable(figure, at_least=6)
    labels = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert all(any(char.isdigit() for char in label) for label in labels[1:] if ":" in label)


def test_the_title_is_the_first_finding(tmp_path):
    report = report_on(run_of(tmp_path, POINTS))
    (picture,) = report.pictures

    assert picture.name == "fanout"
    assert picture.title == report.findings[0]
    assert picture.title in picture.alternative


def test_with_one_host_count_and_one_mode_the_title_says_so(tmp_path):
    (picture,) = report_on(run_of(tmp_path, (TWO,))).pictures

    assert picture.title == "2 hosts, 1 with a member: mesh sends 1 copy"


def test_two_ways_with_the_same_copies_have_a_plural_verb(tmp_path):
    points = [{**TWO, "hosts": 4, "mode": mode} for mode in ("vxlan-l2pop", "kvxlan-multicast")]
    report = report_on(run_of(tmp_path, points))

    assert any("l2pop and multicast send 1 copy" in each for each in report.findings)
