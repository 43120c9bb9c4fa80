"""The experiment `mactable`: predictions, guests and frames, the report."""

from dataclasses import dataclass, replace

import matplotlib as mpl
import pytest

from controller.model.names import underlay_mac
from experiments.core.results import Recorder, read
from experiments.mactable.labs import (
    STEPS,
    Guest,
    announcement,
    guests_by_host,
    owners,
    predicted,
    staged,
    unicast_frames,
)
from experiments.mactable.probe import EXPERIMENT as MACTABLE
from experiments.mactable.probe import _in_br_tun
from experiments.mactable.words import MISDELIVERED
from experiments.measure.frames import BROADCAST, mac_bytes
from experiments.show.report import CONFIRMED, REFUTED
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from tests.experiments.made_runs import ABOUT
from tests.experiments.seen_texts import assert_readable
from topologies.scenario.load import load

BARE = load("article").overlay


def cells(mode, hosts):
    rows = predicted(BARE, ({"mode": mode, "hosts": hosts},))
    return {
        (row["guests"], row["room"]): tuple(
            row[n] for n in ("learned", "sent", "arrived", MISDELIVERED)
        )
        for row in rows
    }


def test_without_tunnels_each_guest_takes_an_entry_and_frames_to_guests_without_one_are_flooded():
    found = cells("flat", 4)

    assert found == cells("vlan", 4)
    assert found[16, 0] == (16, 12, 12, 0)
    assert found[1024, 0] == (1024, 768, 768, 0)
    assert found[128, 128] == (128, 96, 96, 0)
    assert found[192, 128] == (128, 144, 144, 64 * 2)
    assert found[512, 128] == (128, 384, 384, 384 * 2)


def test_with_tunnels_each_host_takes_one_entry():
    for mode in ("gre-mesh", "vxlan-l2pop", "kvxlan-multicast"):
        found = cells(mode, 8)
        assert {each[0] for each in found.values()} == {8}
        assert {each[3] for each in found.values()} == {0}


def test_a_vxlan_device_that_does_not_learn_floods_frames_to_guests_unknown_to_neutron():
    found = cells("kvxlan-l2pop", 4)
    assert {each[0] for each in found.values()} == {4}
    assert found[1024, 0] == (*found[1024, 0][:3], 768 * 2)
    assert found[512, 128][3] == 384 * 2


def test_with_two_hosts_no_frame_can_be_misdelivered():
    assert {each[3] for each in cells("flat", 2).values()} == {0}


def test_guests_are_spread_evenly_and_the_first_hosts_have_one_more():
    assert [len(there) for there in guests_by_host(3, 16)] == [6, 5, 5]
    everyone = [guest for there in guests_by_host(3, 1024) for guest in there]
    assert len({guest.mac for guest in everyone}) == 1024
    assert all(int(guest.mac[:2], 16) & 3 == 2 for guest in everyone), "local, unicast"


def test_one_frame_is_sent_to_each_guest_on_another_host():
    frames = unicast_frames(3, 7, step=0, seed=1)

    targets = (Guest(1, 0), Guest(1, 1), Guest(2, 0), Guest(2, 1))
    for target, frame in zip(targets, frames, strict=True):
        assert (frame.sender, frame.receiver) == (Guest(0, 0), target.host)
        assert frame.data[:12] == mac_bytes(target.mac) + mac_bytes(Guest(0, 0).mac)
        assert frame.nonce in frame.data
    assert len({frame.nonce for frame in frames}) == 4
    assert unicast_frames(3, 7, step=1, seed=1)[0].nonce != frames[0].nonce


def test_an_announcement_is_a_broadcast_from_the_guest():
    frame = announcement(Guest(2, 300), seed=1, step=2)
    assert frame.data[:12] == mac_bytes(BROADCAST) + mac_bytes("06:6d:61:02:01:2c")
    assert frame.receiver == 0
    assert announcement(Guest(0, 1), seed=1, step=2).receiver == 1


def test_entries_are_counted_by_owner():
    overlay = staged(BARE, {"mode": "flat", "hosts": 3})
    macs = {
        Guest(0, 1).mac,
        Guest(2, 7).mac,
        underlay_mac(overlay.hosts[1].local_ip),
        "02:00:00:00:00:01",
    }
    assert owners(overlay, frozenset(macs)) == {"of_guests": 2, "of_vteps": 1, "of_others": 1}
    assert not overlay.ports[0].port_security_enabled


OUTPUT = {
    "ovs-ofctl": "cookie=0x0, table=20, hard_timeout=300, priority=1,vlan_tci=0x0001/0x0fff actions=output:2\n"
    "cookie=0x0, table=20, priority=0 actions=resubmit(,22)\n",
    "ip": '[{"ifname":"vxlan-77"}]',
    "bridge": "06:6d:61:01:00:00 dst 192.168.150.11 self \n06:6d:61:01:00:01 dst 192.168.150.12 self \n"
    "00:00:00:00:00:00 dst 192.168.150.11 self permanent\n06:6d:61:00:00:00 master brq1 \n",
}


@dataclass
class Lab:
    """A lab in which the first host has learned one guest in br-tun, or two in its VXLAN device."""

    overlay: object

    def run(self, node, *argv, timeout_s=10):
        return OUTPUT[argv[0]]


@pytest.mark.parametrize(("mode", "learned"), [("flat", None), ("gre-mesh", 1), ("kvxlan-mesh", 2)])
def test_learned_guests_are_read_from_br_tun_or_from_the_vxlan_device(mode, learned):
    assert _in_br_tun(Lab(staged(BARE, {"mode": mode, "hosts": 4}))) == learned


def recorded(path, spoil=lambda row: row, modes=("flat", "gre-mesh"), hosts=(4,)):
    factors = {"mode": modes, "hosts": hosts}
    question = replace(MACTABLE.question, factors=factors)
    recorder = Recorder(path, "run", question.tables())
    cells = predicted(BARE, question.points())
    recorder.about({**ABOUT, "question": question.to_json(), "predicted": list(cells)})
    more = {"of_guests": 0, "of_vteps": 4, "of_others": 0, "unlearned": 0, "in_br_tun": None}
    for order, row in enumerate(cells, start=1):
        recorder.samples([{"repeat": 1, "order": order, **spoil(dict(row)), **more}])
    return read(recorder.directory)


def test_the_report_of_a_run_that_matches_every_prediction(tmp_path):
    report = report_on(recorded(tmp_path))

    assert report.findings == (
        "1,024 guests on 4 hosts: the switch learns 1,024 MACs with flat, 4 with gre-mesh",
        "512 guests and a table of 128 entries: 2.0 misdelivered copies per frame with flat, none "
        "with gre-mesh",
    )
    cells = 2 * 4 * len(STEPS)
    assert report.conditions.startswith(f"{cells} of {cells} cells match their prediction; ")
    assert [each.outcome for each in report.outcomes] == [CONFIRMED] * 3
    assert report.tables[0].rows == (
        ("flat", "4", "16", "128", "1024"),
        ("gre-mesh", "4", "4", "4", "4"),
    )
    assert report.tables[1].rows[0] == ("flat", "4", "0", "0", "128", "256", "768")


@pytest.mark.parametrize(("column", "refuted"), [("learned", 1), (MISDELIVERED, 2)])
def test_one_cell_that_differs_refutes_the_prediction_about_it(tmp_path, column, refuted):
    def leaky(row):
        is_it = row["mode"] == "gre-mesh" and (row["guests"], row["room"]) in {
            (1024, 0),
            (512, 128),
        }
        return {**row, column: row[column] + 3} if is_it else row

    report = report_on(recorded(tmp_path, leaky))

    assert report.is_refuted
    outcome = [CONFIRMED] * 3
    outcome[refuted] = REFUTED
    assert [each.outcome for each in report.outcomes] == outcome


@pytest.mark.filterwarnings("error")
def test_the_figure_shows_what_was_measured_over_the_number_of_guests(tmp_path):
    def more(row):
        is_it = (row["mode"], row["guests"], row["room"]) == ("flat", 1024, 0)
        return {**row, "learned": 1000} if is_it else row

    with mpl.rc_context(fname=STYLE):
        figure = report_on(recorded(tmp_path, more)).draw()
    upper, lower = (
        {line.get_gid(): [tuple(xy) for xy in line.get_xydata()] for line in ax.get_lines()}
        for ax in figure.axes
    )
    assert upper["predicted flat"] == [(16, 16), (128, 128), (1024, 1024)]
    assert upper["measured flat"] == [(16, 16), (128, 128), (1024, 1000)]
    assert lower["measured flat"][-1] == (512, pytest.approx(2.0))
    assert "room" in lower
    assert figure.axes[0].get_ylim()[0] == 0


def test_modes_that_agree_are_one_line_of_the_most_hosts(tmp_path):
    modes = ("flat", "vlan", "gre-mesh", "vxlan-l2pop", "kvxlan-mesh")
    run = recorded(tmp_path, modes=modes, hosts=(4, 8))
    report = report_on(run)
    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
        assert_readable(figure, at_least=12)

    names = {line.get_gid() for ax in figure.axes for line in ax.get_lines()} - {"room"}
    assert names == {
        f"{what} {each}"
        for what in ("measured", "predicted")
        for each in ("untunnelled", "tunnels")
    }
    assert report.findings[0] == (
        "1,024 guests on 8 hosts: the switch learns 1,024 MACs untunnelled, 8 with tunnels"
    )


@pytest.mark.parametrize(
    ("modes", "wanted"),
    [
        (("gre-mesh",), {"gre-mesh"}),
        (("vlan",), {"vlan"}),
        (
            ("kvxlan-mesh", "kvxlan-l2pop"),
            {"kvxlan-mesh, kvxlan-l2pop", "kvxlan-mesh", "kvxlan-l2pop"},
        ),
    ],
)
def test_the_figure_of_any_modes_is_readable(tmp_path, modes, wanted):
    with mpl.rc_context(fname=STYLE):
        figure = report_on(recorded(tmp_path, modes=modes)).draw()
        assert_readable(figure, at_least=6)
    names = {line.get_gid() for ax in figure.axes for line in ax.get_lines()}
    assert {name.removeprefix("measured ") for name in names if "measured" in name} <= wanted
