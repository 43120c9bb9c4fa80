"""The probe of `mtu`, on a path with a known largest packet."""

from dataclasses import replace

import pytest

from controller.model.errors import MeasureError
from experiments.core.pairs import guests, narrowed
from experiments.mtu.labs import sizes, with_large_guests
from experiments.mtu.path import Path, last_place
from experiments.mtu.probe import BULK, EACH
from experiments.mtu.probe import EXPERIMENT as MTU
from experiments.mtu.tcp import mbit_s, outcome_of, tcp_row
from experiments.mtu.words import (
    COMPLETES,
    DROPPED,
    FRAG_NEEDED,
    FRAGMENTED,
    HANGS,
    LOST_FRAGMENTS,
    NO_HANDSHAKE,
    NOWHERE,
    REFUSED,
    RIGHT,
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


def outcomes_of(measured, guest, *, df):
    return {
        row["size"]: row["outcome"]
        for row in measured.more["outcomes"]
        if row["guest"] == guest and row["df"] == df and not row["size"].startswith("control")
    }


def test_the_lab_has_a_larger_mtu_for_guests_than_for_the_underlay(staged):
    assert staged.underlay_mtu == 1500
    assert [staged.mtu_of(network) for network in staged.networks] == [1700]


def test_every_point_has_a_predicted_largest_packet():
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
def test_the_largest_packet_is_measured_and_not_predicted(measure, limit):
    (row,) = measure(limit).rows

    assert row["largest_bytes"] == limit
    assert row["stopped_by"] == "path"
    assert (row["answered_at"], row["sent_at"]) == (10, 10)
    assert (row["answered_above"], row["sent_above"]) == (0, 10)


def test_the_guests_own_mtu_is_named_if_it_is_the_limit(measure):
    (row,) = measure(5000).rows

    assert (row["largest_bytes"], row["stopped_by"]) == (1700, "guest's own MTU")
    assert row["sent_above"] is None


def test_pings_lost_by_a_busy_machine_are_repeated(measure):
    measured = measure(1450, lose_first=1)

    assert measured.rows[0]["largest_bytes"] == 1450
    assert [row["attempt"] for row in measured.more["pings"][:3]] == [1, 1, 2]


def test_every_size_has_its_outcome(measure):
    measured = measure(1450)

    assert outcomes_of(measured, TOO_LARGE, df=1) == {
        "limit - 100": WHOLE,
        "limit": WHOLE,
        "limit + 1": DROPPED,
        "underlay's MTU": DROPPED,
        "guest's MTU": DROPPED,
        "guest's MTU + 1": REFUSED,
        "twice the limit": REFUSED,
    }
    assert outcomes_of(measured, TOO_LARGE, df=0) == {
        "limit - 100": WHOLE,
        "limit": WHOLE,
        "limit + 1": DROPPED,
        "underlay's MTU": DROPPED,
        "guest's MTU": DROPPED,
        "guest's MTU + 1": LOST_FRAGMENTS,
        "twice the limit": LOST_FRAGMENTS,
    }
    assert outcomes_of(measured, RIGHT, df=1) == {
        "limit": WHOLE,
        "limit + 1": REFUSED,
        "twice the limit": REFUSED,
    }
    assert outcomes_of(measured, RIGHT, df=0) == {
        "limit": WHOLE,
        "limit + 1": FRAGMENTED,
        "twice the limit": FRAGMENTED,
    }


def test_icmp_from_a_router_is_an_outcome(measure):
    rows = measure(1450, icmp=True).more["outcomes"]

    report = {
        row["size"]: (row["outcome"], row["reported_mtu"], row["icmp_from"])
        for row in rows
        if row["guest"] == TOO_LARGE and row["df"]
    }
    assert report["limit + 1"] == (FRAG_NEEDED, 1450, "10.0.0.1")
    assert report["limit"] == (WHOLE, None, "")


def test_where_it_vanished_is_what_the_counters_say(measure):
    for all_on_wire, place in ((False, "guest_port"), (True, "wire_in")):
        rows = measure(1450, wire_carries_all=all_on_wire).more["outcomes"]
        gone = {row["size"]: row["reached"] for row in rows if row["guest"] == TOO_LARGE}
        assert gone["limit + 1"] == place
        assert gone["limit"] == "far_port"


def test_other_packets_of_the_guests_do_not_count():
    others = {"guest_port": 7415, "wire_out": 140, "wire_in": 140, "far_port": 90}

    assert last_place(5 * 1451, others) == "guest_port"
    assert last_place(5 * 1451, dict.fromkeys(others, 0)) == NOWHERE


def test_the_limit_passes_before_and_after_all_other_sizes(measure):
    rows = [row for row in measure(1450).more["outcomes"] if row["guest"] == TOO_LARGE]

    assert (rows[0]["size"], rows[-1]["size"]) == ("control before", "control after")
    assert {rows[0]["answered"], rows[-1]["answered"]} == {5}
    assert {rows[0]["ip_bytes"], rows[-1]["ip_bytes"]} == {1450}


def test_a_size_with_several_names_is_tried_once():
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
def test_the_outcome_of_a_transfer(greeted, acked, received, outcome):
    report = {
        "greeted": greeted,
        "sent": 262144 if greeted else 0,
        "acked": acked,
        "acked_before": 101 if greeted else 0,
        "received": received,
    }

    assert outcome_of(report, BULK) == outcome


def test_goodput_is_of_received_data_and_zero_if_a_transfer_hangs():
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


def test_goodput_is_measured_around_the_limit_with_alternating_mtus(measure):
    rows = measure(1450).more["goodput"]

    assert [row["guest_mtu"] for row in rows[:5]] == [576, 1000, 1280, 1450, 1458]
    assert [row["transfer"] for row in rows] == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert {row["guest_mtu"] for row in rows if row["mbit_s"] == 0} == {1458}


def test_goodput_is_not_measured_on_other_underlays(staged, tmp_path):
    wide = replace(staged, underlay_mtu=1600)

    assert MTU.probe(FakePath(wide, 1450), POINT, context(tmp_path)).more["goodput"] == ()


def test_a_path_that_carries_nothing_is_an_error(measure):
    with pytest.raises(MeasureError, match="not even 576 bytes pass"):
        measure(100)


def test_all_output_of_ping_is_kept(measure, tmp_path):
    measured = measure(1450)

    assert len(list(tmp_path.glob("ping-*.txt"))) == len(measured.more["pings"])
    assert "packets transmitted" in next(tmp_path.glob("ping-001-*.txt")).read_text()
    assert {path.name for path in tmp_path.glob("tcp-*.json")} >= {"tcp-right.json"}


def test_a_sender_without_a_report_is_an_error(staged, tmp_path, monkeypatch):
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
    """The outcomes of one size, by DF, on a path of 1450 bytes; and all runs of ping."""

    def mapped(ip_bytes, *, guest_mtu, **options):
        lab = FakePath(staged, 1450, guest_mtu=guest_mtu, pings=1, **options)
        source, target = guests(staged)
        path = Path(lab=lab, source=source, target=target, context=context(tmp_path))
        rows = path.outcomes({ip_bytes: "it"}, 1450, EACH, guest="g", guest_mtu=guest_mtu)
        return {row["df"]: row["outcome"] for row in rows if row["size"] == "it"}, path.tried

    return mapped


def test_a_size_that_should_pass_is_repeated_after_a_loss(mapped):
    """The first lost runs are those of the control before."""
    assert mapped(1400, guest_mtu=1450, lose_first=2)[0] == {1: WHOLE, 0: WHOLE}
    whole, tried = mapped(1451, guest_mtu=1450, lose_first=2)
    assert whole == {1: REFUSED, 0: FRAGMENTED}
    assert [each["attempt"] for each in tried] == [1, 2, 3, 1, 1, 1]


def test_a_size_that_should_not_pass_is_tried_once(mapped):
    outcomes, tried = mapped(1500, guest_mtu=1700)

    assert outcomes == {1: DROPPED, 0: DROPPED}
    assert [each["attempt"] for each in tried] == [1, 1, 1, 1]


def test_a_slow_server_is_not_a_lost_handshake(measure):
    measured = measure(starts_after=4)

    assert {row["guest"]: row["outcome"] for row in measured.more["tcp"]} == {
        TOO_LARGE: HANGS,
        RIGHT: COMPLETES,
    }
