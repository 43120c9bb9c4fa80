"""The report of `fanout`: cells that match, cells that do not and by how much, and the figure."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from experiments.core.results import read
from experiments.fanout.figure import Line, Panel, plot_panel
from experiments.fanout.report import cells_of, frames_of, panels
from experiments.fanout.words import NO_END_FRAME, UNEQUAL
from experiments.show.curves import spread
from experiments.show.judge import MATCHES, MISMATCH
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from tests.experiments.fanout.ideal_lab import NO_FAULTS, run_of
from tests.experiments.run_values import with_tables

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
        "31 of 31 cells match their prediction exactly (62 frames)",
        "4 hosts, 2 with a member: mesh sends 3 copies, 2 of them to hosts without a member; "
        "l2pop sends 1",
        "ARP requests with the ARP responder: 0 copies for a known address, 1 for an unknown one",
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

    assert report.findings[1:3] == (
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

    assert report.findings[0] == "8 of 8 cells match their prediction exactly (16 frames)"
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
    dots = [
        y for panel in panels_of(changed) for frames in panel.measured.values() for _, y in frames
    ]
    assert dots.count(9) == 1


def panels_of(run):
    frames = frames_of(run)
    return list(panels(frames, cells_of(frames)))


def artists(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def test_every_frame_is_a_dot_at_its_count_in_the_lane_of_its_mode(tmp_path):
    run = run_of(tmp_path, POINTS, change=lost)
    first, unneeded, all_members = panels_of(run)
    ax = plot_panel(Figure().add_subplot(), first)

    (mesh,), (arp,) = artists(ax, "measured gre-mesh"), artists(ax, "measured vxlan-l2pop-arp")
    assert sorted(mesh.get_ydata()) == [1] * 6 + [3] * 8
    assert sorted(arp.get_ydata()) == [0] * 2 + [1] * 6
    at_four = [x for x in mesh.get_xdata() if x > 0.5]
    assert max(at_four) < min(arp.get_xdata())
    assert "hosts without a member" in unneeded.heading
    assert "every host" in all_members.heading
    assert sorted(y for _, y in unneeded.measured["gre-mesh"]) == [1] * 14  # one of two was lost


def test_predictions_are_lines_and_the_axis_starts_at_zero(tmp_path):
    run = run_of(tmp_path, POINTS, change=lost)
    panel = panels_of(run)[0]
    ax = plot_panel(Figure().add_subplot(), panel)

    lines = {tuple(line.get_ydata()) for line in artists(ax, "predicted")}
    assert lines == {(1, 1, 3, 3), (1, 1), (0, 0)}
    low, high = ax.get_ylim()
    assert low < 0
    assert high > 3
    assert -low < 0.1 * high
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "4"]
    assert ax.get_ylabel() == "copies of one frame"


def test_names_are_beside_their_line_in_the_colour_of_their_mode():
    line = Line(
        points={2: 1, 4: 3},
        names={"gre-mesh": "gre-mesh", "vxlan-mesh": "vxlan-mesh"},
    )
    flat = Line(points={2: 0, 4: 0}, names={"arp: known": "vxlan-l2pop-arp"})
    measured = {"gre-mesh": [(2, 1)], "vxlan-mesh": [(2, 1)], "vxlan-l2pop-arp": [(2, 0)]}
    ax = plot_panel(
        Figure().add_subplot(), Panel(heading="", lines=(flat, line), measured=measured)
    )

    names = {text.get_text(): text for text in ax.texts if text.get_gid() != "value"}
    assert list(names) == ["gre-mesh", "vxlan-mesh", "arp: known"]
    assert names["gre-mesh"].get_color() == "#0072B2"
    assert names["vxlan-mesh"].get_color() == names["arp: known"].get_color() == "#D55E00"
    heights = [text.get_position()[1] for text in names.values()]
    assert heights == sorted(heights, reverse=True)
    assert [text.get_text() for text in ax.texts if text.get_gid() == "value"] == ["3", "0"]


def test_lines_with_the_same_end_share_one_value():
    lines = tuple(
        Line(points=points, names={text: "gre-mesh"})
        for points, text in (({2: 0, 4: 0}, "both"), ({4: 0}, "four"), ({2: 0, 4: 3}, "most"))
    )
    ax = plot_panel(Figure().add_subplot(), Panel(heading="", lines=lines))

    values = [text for text in ax.texts if text.get_gid() == "value"]
    names = [text for text in ax.texts if text.get_gid() != "value"]
    assert [text.get_text() for text in values] == ["3", "0"]
    assert [text.get_text() for text in names] == ["most", "both", "four"]
    assert values[1].xy[1] == names[1].get_position()[1]


@pytest.mark.parametrize(
    ("wanted", "sizes"),
    [
        ([1, 0.5, 0], [0.2, 0.2, 0.2]),
        ([0.1, 0.06, 0.0], [0.2, 0.2, 0.2]),
        ([1, 1, 1], [0.1, 0.3, 0.1]),
        ([0.5, 0.5, 0.5], [0.3, 0.3, 0.3]),
    ],
)
def test_names_do_not_overlap(wanted, sizes):
    tops = spread(wanted, sizes)

    bottoms = [top - size for top, size in zip(tops, sizes, strict=True)]
    assert max(tops) <= 1
    assert min(bottoms) >= -1e-9
    assert all(low >= top - 1e-9 for low, top in zip(bottoms, tops[1:], strict=False))


def test_the_figure_has_all_panels(tmp_path):
    report = report_on(run_of(tmp_path, POINTS))
    (picture,) = report.pictures

    with mpl.rc_context(fname=STYLE):
        figure = report.draw(picture)
        figure.canvas.draw()
    assert picture.name == "fanout"
    assert "31 of 31 cells" in picture.alternative
    assert len(figure.axes) == 3
    assert figure.axes[-1].get_xlabel() == "compute hosts, one VTEP each"
