"""The teller of `fanout`: what is exact, what is not and by how much, and its figure by its artists."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from experiments.core.results import read
from experiments.fanout.cells import cells
from experiments.fanout.figure import Line, Name, Panel, plot_panel, spread
from experiments.fanout.report import panels
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from tests.experiments.fanout.fanout_world import KEPT, run_of
from tests.experiments.run_values import with_tables

MESH, L2POP, ARP = (
    {"mode": mode, "hosts": 4} for mode in ("gre-mesh", "vxlan-l2pop", "vxlan-l2pop-arp")
)
TWO = {"mode": "gre-mesh", "hosts": 2}
POINTS = (TWO, MESH, L2POP, ARP)


def lost(packets):
    """As if one copy had not come out of its tunnel: of each frame that goes to computer3."""
    return [p for p in packets if not (p["node"] == "computer3" and p["ip.src"])]


def test_all_as_foretold(tmp_path):
    report = report_on(run_of(tmp_path, POINTS))

    assert report.findings == (
        "31 of 31 cells equal their prediction to the packet (62 frames)",
        "4 hosts, 2 with a member: mesh sends 3 copies, 2 in vain; l2pop sends 1",
        "ARP responder: a known address costs 0 copies, an unknown one 1",
    )
    assert not report.is_refuted
    assert {each.outcome for each in report.outcomes} == {CONFIRMED}
    assert [each.found for each in report.outcomes] == [
        "15 of 15 cells exact",
        "8 of 8 cells exact",
        "8 of 8 cells exact",
    ]
    assert report.conditions == (
        "2 frames of each kind a lab, 1 repeat; scenario article; "
        "captures equal the counters on 14 of 14 interfaces"
    )
    assert all(each["exact"] for each in report.data)


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
    assert sum(widths) <= 80 - 2 * 10  # of two more numbers of hosts


def test_a_lost_copy_is_told_with_where_and_by_how_much(tmp_path):
    report = report_on(run_of(tmp_path, POINTS, spoil=lost))

    assert report.is_refuted
    # computer3 gets a copy of all in the mesh, and else on the network where it is a member.
    assert report.findings[0].startswith("16 of 31 cells equal")
    assert report.findings[1] == (
        "gre-mesh, 4 hosts, 2 with a member, ARP known: arrived 2, foretold 3; "
        "in vain 1, foretold 2; computer3 got 0 of 1 (and 14 more)"
    )
    mesh, l2pop, arp = report.outcomes
    assert (mesh.outcome, l2pop.outcome, arp.outcome) == (REFUTED,) * 3
    assert mesh.found.startswith("7 of 15 cells exact; gre-mesh, 4 hosts")
    rows = report.tables[1].rows
    row = next(row for row in rows if row[:3] == ("gre-mesh", "4", "4"))
    assert row[5] == "2 (foretold 3)"
    assert row[-1] == "0 of 8"


def test_a_single_frame_that_differs_from_its_like_is_seen(tmp_path):
    def once(packets):
        first = next(p for p in packets if p["node"] == "computer" and p["ip.src"])
        return [*packets, first]

    run = run_of(tmp_path, (MESH,), spoil=once)
    report = report_on(run)

    assert report.findings[0] == "7 of 8 cells equal their prediction to the packet (16 frames)"
    (cell,) = [cell for cell in cells(run) if not cell.is_exact]
    assert cell.found("arrived") == (3, 4)
    assert cell.shown("arrived") == "3-4 (foretold 3)"
    assert len(cell.mismatches) == 1
    assert "computer got 2 of 1" in report.findings[1]


def test_a_stray_alone_refutes(tmp_path):
    def misdelivered(packets):
        one = next(p for p in packets if p["node"] == "computer" and p["ip.src"])
        return [*packets, {**one, "node": "computer2"}]

    report = report_on(run_of(tmp_path, (MESH,), spoil=misdelivered))

    assert report.is_refuted
    assert "1 astray" in report.findings[1]


def test_what_the_instruments_admit_is_said(tmp_path):
    facts = {
        **KEPT,
        "capture_unlike_counters": {"computer underlay": 2},
        "guests_without_barrier": ["s50g3"],
    }
    report = report_on(run_of(tmp_path, (MESH, L2POP), facts=facts, trusted=False))

    assert report.findings[1:3] == (
        "Guests that never heard the last frame: gre-mesh, 4 hosts: s50g3 (and 1 more labs)",
        "Packets apart between capture and counters: gre-mesh, 4 hosts: computer underlay 2 "
        "(and 1 more labs)",
    )
    assert {each.outcome for each in report.outcomes} == {NOT_JUDGED}


def test_a_run_cut_short_tells_what_there_is(tmp_path):
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

    assert report.findings[0] == "8 of 8 cells equal their prediction to the packet (16 frames)"
    nothing = {**run.tables, "samples": (), "vteps": (), "interfaces": ()}
    report = report_on(with_tables(run, nothing, about=about))
    assert report.findings == ("0 of 0 cells equal their prediction to the packet (0 frames)",)
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
    assert every.summary == "of 8 cells 1 not as foretold"
    sent = {row[4] for row in every.rows}
    assert "3-9 (foretold 3)" in sent
    dots = [
        y
        for panel in panels([c for c in cells(changed) if c.rows])
        for frames in panel.counted.values()
        for _, y in frames
    ]
    assert dots.count(9) == 1


def artists(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def test_every_frame_is_a_dot_at_its_count_in_the_lane_of_its_mode(tmp_path):
    run = run_of(tmp_path, POINTS, spoil=lost)
    first, vain, all_members = panels([cell for cell in cells(run) if cell.rows])
    ax = plot_panel(Figure().add_subplot(), first)

    (mesh,), (arp,) = artists(ax, "counted gre-mesh"), artists(ax, "counted vxlan-l2pop-arp")
    assert sorted(mesh.get_ydata()) == [1] * 6 + [3] * 8
    assert sorted(arp.get_ydata()) == [0] * 2 + [1] * 6
    at_four = [x for x in mesh.get_xdata() if x > 0.5]
    assert max(at_four) < min(arp.get_xdata())
    assert ("in vain" in vain.heading, "every host" in all_members.heading) == (True, True)
    assert sorted(y for _, y in vain.counted["gre-mesh"]) == [1] * 14  # one of two was lost


def test_the_prediction_stands_beside_the_dots_and_the_axis_starts_at_nothing(tmp_path):
    run = run_of(tmp_path, POINTS, spoil=lost)
    panel = next(panels([cell for cell in cells(run) if cell.rows]))
    ax = plot_panel(Figure().add_subplot(), panel)

    lines = {tuple(line.get_ydata()) for line in artists(ax, "predicted")}
    assert lines == {(1, 1, 3, 3), (1, 1), (0, 0)}
    low, high = ax.get_ylim()
    assert low < 0
    assert high > 3
    assert -low < 0.1 * high
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "4"]
    assert ax.get_ylabel() == "copies of one frame"


def test_who_follows_a_line_stands_beside_it_in_their_colour():
    line = Line(
        points={2: 1, 4: 3},
        names=(
            Name(mode="gre-mesh", words="gre-mesh"),
            Name(mode="vxlan-mesh", words="vxlan-mesh"),
        ),
    )
    flat = Line(points={2: 0, 4: 0}, names=(Name(mode="vxlan-l2pop-arp", words="arp: known"),))
    counted = {"gre-mesh": [(2, 1)], "vxlan-mesh": [(2, 1)], "vxlan-l2pop-arp": [(2, 0)]}
    ax = plot_panel(Figure().add_subplot(), Panel(heading="", lines=(flat, line), counted=counted))

    names = {text.get_text(): text for text in ax.texts if text.get_gid() == "name"}
    assert list(names) == ["gre-mesh", "vxlan-mesh", "arp: known"]
    assert names["gre-mesh"].get_color() == "#0072B2"
    assert names["vxlan-mesh"].get_color() == names["arp: known"].get_color() == "#D55E00"
    heights = [text.xy[1] for text in names.values()]
    assert heights == sorted(heights, reverse=True)
    assert [text.get_text() for text in ax.texts if text.get_gid() == "value"] == ["3", "0"]


def test_lines_that_end_alike_have_their_end_written_once():
    lines = tuple(
        Line(points=points, names=(Name(mode="gre-mesh", words=words),))
        for points, words in (({2: 0, 4: 0}, "both"), ({4: 0}, "four"), ({2: 0, 4: 3}, "most"))
    )
    ax = plot_panel(Figure().add_subplot(), Panel(heading="", lines=lines))

    values, names = (
        [text for text in ax.texts if text.get_gid() == gid] for gid in ("value", "name")
    )
    assert [text.get_text() for text in values] == ["3", "0"]
    assert [text.get_text() for text in names] == ["most", "both", "four"]
    assert values[1].xy[1] == names[1].xy[1]


@pytest.mark.parametrize(
    ("wanted", "sizes"),
    [
        ([1, 0.5, 0], [0.2, 0.2, 0.2]),
        ([0.1, 0.06, 0.0], [0.2, 0.2, 0.2]),
        ([1, 1, 1], [0.1, 0.3, 0.1]),
        ([0.5, 0.5, 0.5], [0.3, 0.3, 0.3]),
    ],
)
def test_names_never_lie_on_each_other(wanted, sizes):
    tops = spread(wanted, sizes)

    bottoms = [top - size for top, size in zip(tops, sizes, strict=True)]
    assert max(tops) <= 1
    assert min(bottoms) >= -1e-9
    assert all(low >= top - 1e-9 for low, top in zip(bottoms, tops[1:], strict=False))


def test_the_figure_is_drawn_with_all_its_panels(tmp_path):
    report = report_on(run_of(tmp_path, POINTS))
    (picture,) = report.pictures

    with mpl.rc_context(fname=STYLE):
        figure = report.draw(picture)
        figure.canvas.draw()
    assert picture.name == "fanout"
    assert "31 of 31 cells" in picture.alternative
    assert len(figure.axes) == 3
    assert figure.axes[-1].get_xlabel() == "compute hosts, one VTEP each"
