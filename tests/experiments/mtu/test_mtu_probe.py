"""The probe, on a path of a known width."""

from dataclasses import replace

import pytest

from controller.model.errors import MeasureError
from experiments.core.pairs import guests, narrowed
from experiments.mtu.path import Path, went_as_far_as
from experiments.mtu.probe import BULK, EACH, with_large_guests
from experiments.mtu.probe import EXPERIMENT as MTU
from experiments.mtu.sizes import outcomes, sizes
from experiments.mtu.tcp import became_of, mbit_s, tcp_row
from experiments.mtu.words import (
    COMPLETES,
    FRAGMENTED,
    HANGS,
    LOST_FRAGMENTS,
    NO_HANDSHAKE,
    NOWHERE,
    REFUSED,
    RIGHT,
    SILENT,
    TOLD,
    TOO_LARGE,
    UNFINISHED,
    WHOLE,
)
from tests.experiments.fake_path import FakePath, context
from topologies.scenario.load import load

POINT = {"mode": "vxlan-l2pop", "underlay_mtu": 1500}


@pytest.fixture
def staged():
    return with_large_guests(narrowed(load("article").overlay), POINT)


@pytest.fixture
def measure(staged, tmp_path):
    def measure(limit=1450, **options):
        return MTU.probe(FakePath(staged, limit, **options), POINT, context(tmp_path))

    return measure


def became(measured, guest, *, df):
    return {
        row["size"]: row["outcome"]
        for row in measured.more["outcomes"]
        if row["guest"] == guest and row["df"] == df and not row["size"].startswith("control")
    }


def test_what_is_raised_is_wide_for_the_guests_and_narrow_below(staged):
    assert staged.underlay_mtu == 1500
    assert [staged.mtu_of(network) for network in staged.networks] == [1700]


def test_theory_is_written_down_for_every_point():
    overlay = narrowed(load("article").overlay)
    report = MTU.with_levels(mode=("vlan", *MTU.question.factors["mode"]))

    rows = MTU.predict(overlay, report.question.points())

    found = {(row["mode"], row["underlay_mtu"]): row["largest_bytes"] for row in rows}
    assert len(found) == 18
    assert [found["flat", mtu] for mtu in (1500, 1600, 9000)] == [1500, 1600, 9000]
    assert [found["vlan", mtu] for mtu in (1500, 1600, 9000)] == [1500, 1600, 9000]
    assert [found["gre-mesh", mtu] for mtu in (1500, 1600, 9000)] == [1458, 1558, 8958]
    assert [found["vxlan-l2pop", mtu] for mtu in (1500, 1600, 9000)] == [1450, 1550, 8950]
    assert [found["geneve-l2pop", mtu] for mtu in (1500, 1600, 9000)] == [1450, 1550, 8950]
    assert [found["kvxlan-mesh", mtu] for mtu in (1500, 1600, 9000)] == [1450, 1550, 8950]


@pytest.mark.parametrize("limit", [576, 1350, 1449, 1450, 1451, 1699])
def test_the_largest_is_the_path_s_and_not_theory_s(measure, limit):
    (row,) = measure(limit).rows

    assert row["largest_bytes"] == limit
    assert row["stopped_by"] == "path"
    assert (row["answered_at"], row["sent_at"]) == (10, 10)
    assert (row["answered_above"], row["sent_above"]) == (0, 10)


def test_a_path_wider_than_the_guests_is_said_to_be(measure):
    (row,) = measure(5000).rows

    assert (row["largest_bytes"], row["stopped_by"]) == (1700, "guest's own MTU")
    assert row["sent_above"] is None


def test_what_a_busy_machine_loses_is_asked_for_again(measure):
    measured = measure(1450, lose_first=1)

    assert measured.rows[0]["largest_bytes"] == 1450
    assert [row["attempt"] for row in measured.more["pings"][:3]] == [1, 1, 2]


def test_every_size_becomes_what_it_becomes(measure):
    measured = measure(1450)

    assert became(measured, TOO_LARGE, df=1) == {
        "limit - 100": WHOLE,
        "limit": WHOLE,
        "limit + 1": SILENT,
        "underlay's MTU": SILENT,
        "guest's MTU": SILENT,
        "guest's MTU + 1": REFUSED,
        "twice the limit": REFUSED,
    }
    assert became(measured, TOO_LARGE, df=0) == {
        "limit - 100": WHOLE,
        "limit": WHOLE,
        "limit + 1": SILENT,
        "underlay's MTU": SILENT,
        "guest's MTU": SILENT,
        "guest's MTU + 1": LOST_FRAGMENTS,
        "twice the limit": LOST_FRAGMENTS,
    }
    assert became(measured, RIGHT, df=1) == {
        "limit": WHOLE,
        "limit + 1": REFUSED,
        "twice the limit": REFUSED,
    }
    assert became(measured, RIGHT, df=0) == {
        "limit": WHOLE,
        "limit + 1": FRAGMENTED,
        "twice the limit": FRAGMENTED,
    }


def test_a_router_that_tells_is_heard(measure):
    rows = measure(1450, icmp=True).more["outcomes"]

    report = {
        row["size"]: (row["outcome"], row["told_mtu"], row["told_by"])
        for row in rows
        if row["guest"] == TOO_LARGE and row["df"]
    }
    assert report["limit + 1"] == (TOLD, 1450, "10.0.0.1")
    assert report["limit"] == (WHOLE, None, "")


def test_where_it_vanished_is_what_the_counters_say(measure):
    for all_on_wire, place in ((False, "guest_port"), (True, "wire_in")):
        rows = measure(1450, wire_carries_all=all_on_wire).more["outcomes"]
        gone = {row["size"]: row["went_as_far_as"] for row in rows if row["guest"] == TOO_LARGE}
        assert gone["limit + 1"] == place
        assert gone["limit"] == "far_port"


def test_small_talk_is_no_packet():
    chatter = {"guest_port": 7415, "wire_out": 140, "wire_in": 140, "far_port": 90}

    assert went_as_far_as(5 * 1451, chatter) == "guest_port"
    assert went_as_far_as(5 * 1451, dict.fromkeys(chatter, 0)) == NOWHERE


def test_the_limit_passes_before_and_after_all_others(measure):
    rows = [row for row in measure(1450).more["outcomes"] if row["guest"] == TOO_LARGE]

    assert (rows[0]["size"], rows[-1]["size"]) == ("control before", "control after")
    assert {rows[0]["answered"], rows[-1]["answered"]} == {5}
    assert {rows[0]["ip_bytes"], rows[-1]["ip_bytes"]} == {1450}


def test_a_size_of_several_names_is_tried_once():
    named = sizes(1500, underlay_mtu=1500, guest_mtu=1700, guest=TOO_LARGE)

    assert named[1500] == "limit = underlay's MTU"
    assert list(named) == [1400, 1500, 1501, 1700, 1701, 3000]
    assert max(sizes(40000, underlay_mtu=1, guest_mtu=2, guest=RIGHT)) == 65535


def test_tcp_hangs_or_not(measure):
    wide, right = measure(1450).more["tcp"]

    assert (wide["guest"], wide["guest_mtu"], wide["outcome"]) == (TOO_LARGE, 1700, HANGS)
    assert (wide["acked_bytes"], wide["received_bytes"]) == (0, None)
    assert (right["guest"], right["guest_mtu"], right["outcome"]) == (RIGHT, 1450, COMPLETES)
    assert right["received_bytes"] == right["acked_bytes"] == BULK.wanted_bytes


@pytest.mark.parametrize(
    ("greeted", "acked", "received", "outcome"),
    [
        (False, 0, None, NO_HANDSHAKE),
        (True, 101, None, HANGS),
        (True, 102 + 4096, None, UNFINISHED),
        (True, 103 + 262144, 262144, COMPLETES),
        (True, 103 + 262143, 262143, UNFINISHED),
    ],
)
def test_what_became_of_a_transfer(greeted, acked, received, outcome):
    report = {
        "greeted": greeted,
        "sent": 262144 if greeted else 0,
        "acked": acked,
        "acked_before": 101 if greeted else 0,
        "received": received,
    }

    assert became_of(report, BULK) == outcome


def test_goodput_is_what_arrived_and_nil_where_it_hangs():
    report = {
        "greeted": True,
        "sent": 10**6,
        "acked": 10**6 + 103,
        "acked_before": 101,
        "received": 10**6,
        "seconds": 0.1,
    }
    hung = {**report, "acked": 101, "received": None, "seconds": None}

    assert mbit_s(tcp_row(report, BULK), BULK) == 80.0
    assert mbit_s(tcp_row(hung, BULK), BULK) == 0.0


def test_goodput_is_measured_round_the_limit_by_turns(measure):
    rows = measure(1450).more["goodput"]

    assert [row["guest_mtu"] for row in rows[:5]] == [576, 1000, 1280, 1450, 1458]
    assert [row["transfer"] for row in rows] == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert {row["guest_mtu"] for row in rows if row["mbit_s"] == 0} == {1458}


def test_goodput_is_left_out_on_other_underlays(staged, tmp_path):
    wide = replace(staged, underlay_mtu=1600)

    assert MTU.probe(FakePath(wide, 1450), POINT, context(tmp_path)).more["goodput"] == ()


def test_a_dead_path_is_an_error(measure):
    with pytest.raises(MeasureError, match="not even 576 bytes pass"):
        measure(100)


def test_all_that_ping_said_is_kept(measure, tmp_path):
    measured = measure(1450)

    assert len(list(tmp_path.glob("ping-*.txt"))) == len(measured.more["pings"])
    assert "packets transmitted" in next(tmp_path.glob("ping-001-*.txt")).read_text()
    assert {path.name for path in tmp_path.glob("tcp-*.json")} >= {"tcp-right.json"}


def test_a_sender_that_says_nothing_is_an_error(staged, tmp_path, monkeypatch):
    path = FakePath(staged, 1450)
    monkeypatch.setattr(path, "_sent", lambda wanted: None)
    monkeypatch.setattr("tests.experiments.fake_path.json.dumps", lambda report: "")

    with pytest.raises(MeasureError, match=r"no report .*allowed: a line of JSON in time"):
        MTU.probe(path, POINT, context(tmp_path))


def test_every_column_is_described(measure):
    measured = measure(1450)
    tables = {"samples": measured.rows, **measured.more}

    for name, columns in MTU.question.tables().items():
        assert {*tables[name][0]} <= {*columns}, name
        assert {*columns} - {*tables[name][0]} == {"repeat", "order", "mode", "underlay_mtu"}, name


@pytest.fixture
def mapped(staged, tmp_path):
    """What the map says of one size, by DF, over a path of 1450 bytes."""

    def mapped(ip_bytes, *, guest_mtu, **options):
        lab = FakePath(staged, 1450, guest_mtu=guest_mtu, pings=1, **options)
        source, target = guests(staged)
        path = Path(lab=lab, source=source, target=target, context=context(tmp_path))
        rows = outcomes(path, {ip_bytes: "it"}, 1450, EACH, guest="g", guest_mtu=guest_mtu)
        return {row["df"]: row["outcome"] for row in rows if row["size"] == "it"}, path.tried

    return mapped


def test_what_ought_to_pass_is_doubted_when_a_stall_hides_it(mapped):
    """The first runs lost are those of the control before."""
    assert mapped(1400, guest_mtu=1450, lose_first=2)[0] == {1: WHOLE, 0: WHOLE}
    whole, tried = mapped(1451, guest_mtu=1450, lose_first=2)
    assert whole == {1: REFUSED, 0: FRAGMENTED}
    assert [each["attempt"] for each in tried] == [1, 2, 3, 1, 1, 1]


def test_what_ought_not_to_pass_is_tried_once(mapped):
    became_of_it, tried = mapped(1500, guest_mtu=1700)

    assert became_of_it == {1: SILENT, 0: SILENT}
    assert [each["attempt"] for each in tried] == [1, 1, 1, 1]


def test_a_server_that_is_slow_to_start_is_no_path_without_a_handshake(measure):
    measured = measure(starts_after=4)

    assert {row["guest"]: row["outcome"] for row in measured.more["tcp"]} == {
        TOO_LARGE: HANGS,
        RIGHT: COMPLETES,
    }
