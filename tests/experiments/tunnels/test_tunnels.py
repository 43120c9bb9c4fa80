"""The experiment `tunnels`: predictions, models of the cost, and the report."""

import os
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows
from controller.flows.ports import BR_TUN, tunnels
from controller.model.errors import CommandError
from experiments.core.results import Recorder, frame, read
from experiments.measure.usage import Memory, parse_rollup
from experiments.show.report import CONFIRMED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from experiments.tunnels.fit import costs, exponent, line, parabola
from experiments.tunnels.labs import groups, predicted, staged
from experiments.tunnels.probe import EXPERIMENT as TUNNELS
from experiments.tunnels.probe import Tunnels, add_args
from experiments.tunnels.report import pairs
from tests.experiments.made_runs import ABOUT
from tests.experiments.seen_texts import assert_readable
from topologies.scenario.load import load

BARE = load("article").overlay
FIGURES = (
    "ports_in_all",
    "pairs",
    "ports_per_host",
    "rules_in_all",
    "devices_in_all",
    "flood_in_all",
)


def cell(mode, membership, hosts, overlay=BARE):
    (row,) = predicted(overlay, ({"mode": mode, "membership": membership, "hosts": hosts},))
    return tuple(row[name] for name in FIGURES)


@pytest.mark.parametrize(
    ("point", "wanted"),
    [
        (("gre-mesh", "dense", 16), (240, 120, 15, 16 * 27, 0, 240)),
        (("gre-mesh", "pairs", 16), (240, 120, 15, 16 * 27, 0, 240)),
        (("vxlan-l2pop", "dense", 16), (240, 120, 15, 16 * 42, 0, 240)),
        (("vxlan-l2pop", "pairs", 16), (16, 8, 1, 16 * 14, 0, 16)),
        (("vxlan-l2pop-arp", "pairs", 4), (4, 2, 1, 4 * 17, 0, 4)),
        (
            ("gre-l2pop", "pairs", 3),
            (2, 1, 1, 14 + 14 + 11, 0, 2),
        ),  # the third host has its own network
        (("mesh", "dense", 3), (12, 3, 4, 3 * 16, 0, 6)),  # the article's hosts have GRE and VXLAN
        (("vlan", "dense", 4), (0, 0, 0, 0, 0, 0)),
        (("kvxlan-mesh", "pairs", 4), (0, 0, 0, 0, 4, 12)),
        (("kvxlan-l2pop", "pairs", 4), (0, 0, 0, 0, 4, 4)),
        (("kvxlan-multicast", "dense", 4), (0, 0, 0, 0, 4, 4)),
    ],
)
def test_predicted_counts(point, wanted):
    assert cell(*point) == wanted


@pytest.mark.parametrize("release", ["queens", "current"])
@pytest.mark.parametrize("membership", ["dense", "pairs"])
@pytest.mark.parametrize("mode", ["gre-mesh", "geneve-l2pop", "vxlan-l2pop-arp", "mesh"])
def test_predicted_ports_and_flows_are_those_of_the_controller(mode, membership, release):
    """Counted in another way: from the flows and ports themselves."""
    point = {"mode": mode, "membership": membership, "hosts": 5}
    overlay = replace(BARE, release=release)
    started = staged(overlay, point)
    ports = [len(tunnels(started, host)) for host in started.hosts]
    rules = [
        len(bridge_flows(started, new_binding(started, host.name), BR_TUN))
        for host in started.hosts
    ]

    found = cell(mode, membership, 5, overlay)

    assert (found[0], found[2], found[3]) == (sum(ports), max(ports), sum(rules))


def test_hosts_are_grouped():
    assert groups({"hosts": 5, "membership": "dense"}) == ((0, 1, 2, 3, 4),)
    assert groups({"hosts": 5, "membership": "pairs"}) == ((0, 1), (2, 3), (4,))


def test_ports_of_the_ladder_are_one_transaction():
    host = staged(BARE, {"mode": "gre-mesh", "membership": "dense", "hosts": 2}).hosts[0]

    assert add_args(host, 0) == ("--", "set", "Bridge", "br-more", "external_ids:ports=0")
    words = add_args(host, 300)
    assert words.count("add-port") == 300
    assert words.count("type=gre") == 300
    assert len({word for word in words if word.startswith("options:remote_ip=")}) == 300


def test_memory_is_read_from_the_kernels_sum():
    text = (
        "55d0c0000000-7ffd0000 ---p 00000000 00:00 0 [rollup]\n"
        "Rss:  18496 kB\nPss:  11870 kB\nPrivate_Clean:  80 kB\nPrivate_Dirty:  11500 kB\n"
    )
    assert parse_rollup(text) == Memory(pss=11870, private=11580)


PORTS = np.array([0, 1, 15, 255, 1023], dtype=float)


def setup_s(a=0.01, b=2e-4, c=7e-7):
    return a + b * PORTS + c * PORTS**2


def test_models_find_the_terms_of_ideal_measurements():
    assert line(PORTS, np.array([12.0 * PORTS])) == pytest.approx([12.0])
    assert parabola(PORTS, setup_s()) == pytest.approx((0.01, 2e-4, 7e-7))
    assert parabola(PORTS, setup_s(c=0)) == pytest.approx((0.01, 2e-4, 0), abs=1e-9)


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [((0.01, 2e-4, 0), 1), ((0.01, 0, 7e-7), 2), ((0.01, 0, 0), None), ((0.01, -1e-6, 0), None)],
)
def test_the_exponent_is_found_beside_the_time_of_a_transaction(terms, wanted):
    found = exponent(PORTS, setup_s(*terms))
    assert found == (None if wanted is None else pytest.approx(wanted))


def test_the_exponent_is_taken_from_a_quarter_of_the_most_ports_on():
    ports, seconds = np.array([0, 1, 60, 127, 255]), np.array([0.0, 9.0, 1.0, 9.0, 2.0])
    assert exponent(ports, seconds) == pytest.approx(np.log(2) / np.log(255 / 60))
    assert exponent(np.array([0, 255]), np.array([0.1, 1.0])) is None


def steps(labs, kind="gre", kib=lambda lab: 12 + lab):
    """Rows of the table `ladder`: an ideal line, and a parabola."""
    return [
        {
            "repeat": 1,
            "order": lab,
            "type": kind,
            "ports": int(ports),
            "setup_s": seconds,
            "pss_kib": 11_000 + kib(lab) * int(ports),
            "private_kib": 0,
        }
        for lab in range(labs)
        for ports, seconds in zip(PORTS, setup_s(), strict=True)
    ]


def cost_of(rows):
    (cost,) = costs(frame(rows, TUNNELS.question.tables()["ladder"]), seed=1)
    return cost


def test_labs_are_the_unit_and_six_make_an_interval():
    few, many = cost_of(steps(5)), cost_of(steps(6))

    assert (few.memory_at(1).value, few.memory_at(1).is_interval) == (pytest.approx(14), False)
    assert (few.memory_at(1).low, few.memory_at(1).high) == pytest.approx((12, 16))
    assert many.memory_at(1).is_interval
    assert 12 <= many.memory_at(1).low < 14.5 < many.memory_at(1).high <= 17
    assert many.memory_at(1000).value == pytest.approx(14_500)
    assert many.most == 1023
    assert many.misfit == pytest.approx(0, abs=1e-6)


def test_each_type_of_tunnel_has_its_own_cost():
    rows = [*steps(2), *({**row, "order": 9} for row in steps(1, "vxlan", lambda _: 20))]
    gre, vxlan = costs(frame(rows, TUNNELS.question.tables()["ladder"]), seed=1)

    assert (gre.type, gre.memory_at(1).value) == ("gre", pytest.approx(12.5))
    assert (vxlan.type, vxlan.memory_at(1).value) == ("vxlan", pytest.approx(20))


def test_the_misfit_of_a_cost_that_is_no_line():
    cost = cost_of([{**row, "pss_kib": 11_000 + row["ports"] ** 2 // 100} for row in steps(1)])
    assert cost.misfit == pytest.approx(0.18, abs=0.01)


def recorded(path, *, spoil=None, labs=1, factors=None, ladder=steps):
    """The files of a run, as predicted except for what `spoil` makes of a lab's row."""
    factors = factors or {
        "mode": ("gre-mesh", "gre-l2pop"),
        "membership": ("dense", "pairs"),
        "hosts": (2, 4),
    }
    question = replace(TUNNELS.question, factors=factors)
    recorder = Recorder(path, "run", question.tables())
    report = predicted(BARE, question.points())
    recorder.about({**ABOUT, "question": question.to_json(), "predicted": list(report)})
    spoil = spoil or (lambda row: row)
    for order, row in enumerate(report, start=1):
        place = {"repeat": 1, "order": order}
        recorder.samples([{**place, **spoil(dict(row))}])
        point = {name: row[name] for name in factors}
        host = {
            "host": "one",
            "ports": row["ports_per_host"],
            "rules": 13,
            "devices": 0,
            "flood": 1,
            "pss_kib": 11_900,
            "private_kib": 11_500,
        }
        recorder.samples([{**place, **point, **host}], "hosts")
    place = {"mode": "gre-mesh", "membership": "dense", "hosts": 2}
    recorder.samples([{**row, **place} for row in ladder(labs)], "ladder")
    return read(recorder.directory)


def two_labs(_):
    """The ladder of two labs that agree: one alone judges no prediction about the cost."""
    return steps(2, kib=lambda lab: 12)


def test_the_report_of_a_run_as_predicted(tmp_path):
    report = report_on(recorded(tmp_path, ladder=two_labs))

    assert report.findings == (
        "4 hosts that share networks two by two: 12 tunnel ports in a mesh, 4 with l2population",
        "A GRE port takes 12.0 KiB of ovs-vswitchd's memory",
        "Adding 1,023 GRE ports takes 0.9 s, twice as many 3.1 times as long",
        "Arithmetic, not measured: 40,000 hosts in a mesh have 799,980,000 tunnels, and 0.46 GiB per "
        "host if memory grows linearly up to 39 times the ports that were measured",
    )
    assert report.conditions.startswith("48 of 48 cells match their prediction; ")
    assert [each.name for each in report.pictures] == ["tunnels", "tunnels-memory", "tunnels-setup"]
    assert [each.title for each in report.pictures] == list(report.findings[:3])
    assert [each.outcome for each in report.outcomes] == [CONFIRMED] * 4
    assert report.outcomes[3].found == "gre 1.64 (range of 2 labs: 1.64 to 1.64)"
    assert report.tables[0].rows == (
        ("gre-mesh", "dense", "2", "12"),
        ("gre-mesh", "pairs", "2", "12"),
        ("gre-l2pop", "dense", "2", "12"),
        ("gre-l2pop", "pairs", "2", "4"),
    )
    assert not report.is_refuted


def test_arithmetic_has_its_own_table_with_how_far_it_goes_beyond_the_measurements(tmp_path):
    table = report_on(recorded(tmp_path)).tables[-1]

    assert "not measured" in table.title
    assert table.rows[0][:3] == ("16", "15", "120")
    assert table.rows[0][-1] == "no"
    last = table.rows[-1]
    assert last[:3] == ("40,000", "39,999", "799,980,000")
    assert last[-1] == "39 times"
    assert last[3] == "468.7 (468.7 to 468.7)"
    assert pairs(40_000) == 40_000 * 39_999 // 2 == 799_980_000


def test_one_port_too_many_refutes(tmp_path):
    def one_more(row):
        is_it = (row["mode"], row["membership"], row["hosts"]) == ("gre-l2pop", "pairs", 4)
        return {**row, "ports_in_all": row["ports_in_all"] + 1} if is_it else row

    report = report_on(recorded(tmp_path, spoil=one_more, ladder=two_labs))

    assert report.is_refuted
    assert report.findings[0].endswith("12 tunnel ports in a mesh, 5 with l2population")
    assert report.findings[-1] == "gre-l2pop pairs 4: 5 ports, predicted 4"
    assert report.conditions.startswith("47 of 48 cells match their prediction; ")
    assert [each.outcome for each in report.outcomes] == [CONFIRMED, REFUTED, CONFIRMED, CONFIRMED]
    assert report.tables[0].rows[-1] == ("gre-l2pop", "pairs", "2", "5 (predicted 4)")


@pytest.mark.parametrize(
    ("took_s", "wanted"),
    [(lambda n: n**0.5, REFUTED), (lambda n: n**1.5, CONFIRMED), (lambda n: n**3, REFUTED)],
)
def test_set_up_time_that_grows_too_slowly_or_too_fast_refutes(tmp_path, took_s, wanted):
    def ladder(labs):
        return [{**row, "setup_s": 0.01 + took_s(row["ports"])} for row in steps(labs)]

    report = report_on(recorded(tmp_path, labs=6, ladder=ladder))
    assert report.outcomes[3].outcome == wanted
    assert "95% interval of 6 labs" in report.outcomes[3].found


def test_the_table_of_the_ladder_has_the_median_before_the_ends(tmp_path):
    def ladder(labs):
        slow = {0: 1.0, 1: 1.0, 2: 9.0}  # seconds of 1023 ports: one lab was disturbed
        return [
            {**row, "setup_s": slow[row["order"]] * (row["ports"] + 1) / 1024}
            for row in steps(labs)
        ]

    tables = report_on(recorded(tmp_path, labs=3, ladder=ladder)).tables
    (table,) = [each for each in tables if each.title.startswith("Cost of gre ports")]
    assert table.heads[5:] == ("set-up [ms]", "lowest", "highest")
    assert table.rows[-1][5:] == ("1000.0", "1000.0", "9000.0")


class FakeLab:
    """Open vSwitch without ports or flows; its ovs-vswitchd is this process."""

    def __init__(self, point):
        self.overlay = staged(BARE, point)
        self.is_watched = False
        self.added = []  # ports of each transaction, and whether the machine was watched

    def attempt(self, _, *argv, timeout_s=10):
        return subprocess.CompletedProcess(argv, 0, stdout='{"data": []}', stderr="")

    def run(self, _, *argv, timeout_s=10):
        if argv[0] == "cat":
            return f"{os.getpid()}\n"
        if any("external_ids:ports=" in word for word in argv):
            self.added.append((argv.count("add-port"), self.is_watched))
        return "[]" if argv[0] == "ip" else ""

    @contextmanager
    def watch(self):
        self.is_watched = True
        yield
        self.is_watched = False


@pytest.mark.parametrize(
    ("membership", "added"), [("dense", [(0, True), (1, True), (15, True)]), ("pairs", [])]
)
def test_the_machine_is_watched_only_while_ports_are_added(membership, added):
    point = {"mode": "gre-mesh", "membership": membership, "hosts": 2}
    lab = FakeLab(point)

    found = Tunnels(ladder=(1, 15))(lab, point, SimpleNamespace(keep=print, watch=lab.watch))

    assert lab.added == added
    assert [row["ports"] for row in found.more["ladder"]] == [ports for ports, _ in added]
    assert found.untimed is (membership == "pairs")
    assert TUNNELS.watches
    assert TUNNELS.thresholds.cpu_steal_max == pytest.approx(0.1)


def test_an_open_vswitch_host_without_a_daemon_is_an_error():
    point = {"mode": "gre-mesh", "membership": "dense", "hosts": 2}
    lab = FakeLab(point)
    run = lab.run

    def without_daemon(node, *argv, timeout_s=10):
        if argv[0] == "cat":
            raise CommandError("No such file", where="`cat`", allowed="exit status 0", do="Look.")
        return run(node, *argv)

    lab.run = without_daemon
    with pytest.raises(CommandError, match="No such file"):
        Tunnels(ladder=(1,))(lab, point, SimpleNamespace(keep=print, watch=lab.watch))


ALL = {
    "mode": ("gre-mesh", "gre-l2pop", "vxlan-mesh", "vxlan-l2pop", "kvxlan-mesh"),
    "membership": ("dense", "pairs"),
    "hosts": (2, 4, 16),
}


def lines(report):
    """The measured lines of the first chart, by name."""
    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
        assert_readable(figure, at_least=6)
    (ax,) = figure.axes
    return {
        line.get_gid().removeprefix("measured "): [tuple(xy) for xy in line.get_xydata()]
        for line in ax.get_lines()
        if line.get_gid().startswith("measured")
    }


@pytest.mark.filterwarnings("error")
def test_modes_and_memberships_with_the_same_ports_are_one_line(tmp_path):
    found = lines(report_on(recorded(tmp_path, factors=ALL)))

    assert found == {
        "mesh, l2pop (1 network)": [(2, 2), (4, 12), (16, 240)],
        "l2pop (networks of 2 hosts)": [(2, 2), (4, 4), (16, 16)],
        "kernel VXLAN": [(2, 0), (4, 0), (16, 0)],
    }


def test_a_mode_that_differs_from_others_of_its_kind_has_a_line_of_its_own(tmp_path):
    def one_more(row):
        is_it = (row["mode"], row["membership"], row["hosts"]) == ("vxlan-l2pop", "pairs", 16)
        return {**row, "ports_in_all": 100} if is_it else row

    found = lines(report_on(recorded(tmp_path, factors=ALL, spoil=one_more)))

    assert found["vxlan-l2pop (networks of 2 hosts)"][-1] == (16, 100)
    assert found["gre-l2pop (networks of 2 hosts)"][-1] == (16, 16)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("modes", "names"),
    [
        (("gre-mesh", "vxlan-mesh"), ["mesh (1 network)"]),
        (("kvxlan-mesh", "vlan"), ["kernel VXLAN", "vlan"]),
        (("gre-l2pop",), ["l2pop (1 network)"]),
    ],
)
def test_the_chart_of_few_modes_and_one_number_of_hosts(tmp_path, modes, names):
    factors = {"mode": modes, "membership": ("dense",), "hosts": (3,)}
    report = report_on(recorded(tmp_path, factors=factors))

    assert list(lines(report)) == names
    ports = 0 if "vlan" in modes else 6
    assert report.findings[0] == (
        f"Tunnel ports of 3 hosts together: {', '.join(f'{name} {ports}' for name in names)}"
    )


def both(labs, kib=lambda lab: 12, factor=1.0):
    """GRE of 12 KiB per port, and VXLAN."""
    vxlan = [{**row, "setup_s": row["setup_s"] * factor} for row in steps(labs, "vxlan", kib)]
    return [*steps(labs, kib=lambda lab: 12), *vxlan]


@pytest.mark.filterwarnings("error")
def test_types_of_tunnels_that_agree_have_one_label_and_others_have_their_own(tmp_path):
    agree = report_on(recorded(tmp_path / "one", ladder=both))
    differ = report_on(
        recorded(tmp_path / "two", ladder=lambda labs: both(labs, lambda _: 20, factor=2.0))
    )

    assert agree.findings[1] == "A GRE or VXLAN port takes 12.0 KiB of ovs-vswitchd's memory"
    assert differ.findings[1:3] == (
        "A GRE or VXLAN port takes 12.0 to 20.0 KiB of ovs-vswitchd's memory",
        "Adding 1,023 GRE or VXLAN ports takes 0.9 to 1.9 s, twice as many 3.1 times as long",
    )
    for report, labels in (
        (agree, ["GRE and VXLAN:\n12.0 KiB per\nport"]),
        (differ, ["VXLAN: 20.0 KiB\nper port", "GRE: 12.0 KiB\nper port"]),
    ):
        with mpl.rc_context(fname=STYLE):
            figures = [report.draw(picture) for picture in report.pictures[1:]]
            for figure in figures:
                assert_readable(figure, at_least=8)
        (ax,) = figures[0].axes
        assert [text.get_text() for text in ax.texts] == labels
        assert (ax.get_xlim()[0], ax.get_ylim()[0]) == (0, 0)
        marks = {line.get_gid(): line for line in ax.get_lines()}
        assert {"measured gre", "fitted gre", "measured vxlan", "fitted vxlan"} == set(marks)
        assert max(marks["measured gre"].get_ydata()) == pytest.approx(12 * 1023 / 1024)


def test_without_a_ladder_there_is_only_the_chart_of_ports(tmp_path):
    report = report_on(recorded(tmp_path, ladder=lambda labs: []))

    assert [each.name for each in report.pictures] == ["tunnels"]
    assert report.findings[1] == (
        "Arithmetic, not measured: 40,000 hosts in a mesh have 799,980,000 tunnels"
    )
