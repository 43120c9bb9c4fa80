"""The experiment `migration`: what it stages and foretells, reads and tells."""

import time
from contextlib import nullcontext
from itertools import pairwise
from types import SimpleNamespace

import pytest

from controller.model.modes import MODES
from experiments.core.pairs import guests
from experiments.core.results import Recorder, read
from experiments.migration import labs as stage
from experiments.migration import probe as migration
from experiments.migration.announce import gratuitous_arp
from experiments.migration.gaps import Gap, Heard, heard
from experiments.migration.probe import EXPERIMENT as MIGRATION
from experiments.migration.report import build_report, cells
from tests.experiments.made_runs import ABOUT
from topologies.scenario.load import load

MS = 1_000_000


@pytest.fixture(scope="module")
def overlay():
    return stage.three_hosts(load("article").overlay)


def test_three_hosts_with_a_resident_where_the_guest_goes(overlay):
    source, target = guests(overlay)
    home, away = stage.homes(overlay)

    assert [host.name for host in overlay.hosts] == ["controller", "computer", "computer2"]
    assert (source.host, home, away) == ("controller", "computer", "computer2")
    assert target.host == home
    residents = [stage.resident_of(overlay, host) for host in (home, away)]
    assert [each.host for each in residents] == [home, away]
    assert not {each.id for each in residents} & {source.id, target.id}


def test_every_way_goes_in_both_directions():
    for mode in map(str, MODES):
        ways = [turn.way for turn in stage.in_turn(mode, 4, 0.5, 1)]
        assert {way: ways.count(way) for way in ways} == dict.fromkeys(stage.ways(mode), 4)
        for way in set(ways):
            directions = [at % 2 for at, each in enumerate(ways) if each == way]
            assert directions.count(0) == directions.count(1) == 2, (mode, way)


def test_moves_and_the_pauses_before_them_are_drawn_by_the_seed():
    one, again, other = (stage.in_turn("gre-mesh", 100, 0.5, seed) for seed in (1, 1, 2))
    pauses = [turn.pause_s for turn in one if turn.way != stage.SILENT]

    assert one == again != other
    assert {turn.pause_s for turn in one if turn.way == stage.SILENT} == {0.0}
    # Over all of a revalidator's round, or moves would still begin in step with it.
    shares = [sum(low <= each < low + 0.125 for each in pauses) for low in (0, 0.125, 0.25, 0.375)]
    assert sum(shares) == len(pauses) == 200
    assert min(shares) > 30
    assert {a.way for a, b in pairwise(one) if b.way == stage.ANNOUNCED} == set(
        stage.ways("gre-mesh")
    )


@pytest.mark.parametrize(
    ("mode", "way"),
    [
        ("gre-mesh", stage.UNCACHED),
        ("vxlan-mesh", stage.UNCACHED),
        ("kvxlan-mesh", None),
        ("kvxlan-multicast", None),
        ("vlan", None),
        ("gre-l2pop", stage.UNHEARD),
    ],
)
def test_only_a_flow_table_that_learns_has_anything_cached(mode, way):
    assert stage.ways(mode)[2:] == ((way,) if way else ())


def test_foretold():
    said = {
        (row["mode"], row["way"]): row["censored"]
        for row in stage.predicted(None, ({"mode": "vlan"}, {"mode": "gre-l2pop-arp"}))
    }
    assert said == {
        ("vlan", "announced"): 0,
        ("vlan", "silent"): 1,
        ("gre-l2pop-arp", "announced"): 0,
        ("gre-l2pop-arp", "silent"): 1,
        ("gre-l2pop-arp", "silent, unheard"): 0,
    }


def test_what_the_hearer_wrote():
    text = "gap -1 5 0 9\nbeat 20 100\ngap 25 200 31 900\ngap 40 1000 41 8000\nbeat 60 9000\nbeat 80 99"
    found = heard(text)

    assert found.gaps == (
        Gap(begin_ns=200, end_ns=900, lost=5),
        Gap(begin_ns=1000, end_ns=8000, lost=0),
    )
    assert found.last_ns == 9000  # the last line is not written to its end
    assert found.within(900, 1000) == ()
    assert found.within(899, 1001) == found.gaps
    assert heard("").last_ns == 0
    with pytest.raises(ValueError, match="nonsense"):
        heard("nonsense 1\n")


def test_a_gratuitous_arp_asks_for_its_own_address(overlay):
    _, target = guests(overlay)
    frame = gratuitous_arp(target)
    sender, asked = frame[28:32], frame[38:42]

    assert frame[:6] == b"\xff" * 6
    assert frame[6:12] == frame[22:28] == bytes.fromhex(target.mac_address.replace(":", ""))
    assert sender == asked == target.ipv4[0].packed


def row(mode, way, number, dark_ms):
    censored = dark_ms is None
    return {
        "repeat": 1,
        "order": 1,
        "mode": mode,
        "move": number,
        "way": way,
        "to": "computer",
        "dark_ms": 1200.0 if censored else dark_ms,
        "lost": None if censored else int(dark_ms),
        "censored": int(censored),
        "plugged_ms": 70.0,
        "bound_ms": 80.0,
        "active_ms": 140.0,
    }


def made_of(parent, rows, **about):
    question = MIGRATION.with_levels(mode=tuple(dict.fromkeys(r["mode"] for r in rows))).question
    recorder = Recorder(parent, "run", question.tables())
    recorder.about(
        {
            **ABOUT,
            "question": question.to_json(),
            "settings": {"moves": 2, "cap_s": 1.2},
            "predicted": list(stage.predicted(None, question.points())),
            **about,
        }
    )
    recorder.samples(rows)
    return read(recorder.directory)


def made(parent, *, silent=(None, None), **about):
    rows = [
        *(row("flat", "announced", n, dark) for n, dark in enumerate((116.0, 260.0), 1)),
        *(row("flat", "silent", n, dark) for n, dark in enumerate(silent, 1)),
        *(
            row("vxlan-l2pop", "silent, unheard", n, dark)
            for n, dark in enumerate((145.0, 149.0), 1)
        ),
    ]
    return made_of(parent, rows, **about)


def test_told_as_it_was(tmp_path):
    report = build_report(made(tmp_path))

    assert report.findings == (
        "announced: 0 of 2 moves still dark after 1.2 s; back, by medians of the modes: untunnelled 188 ms",
        "silent: 2 of 2 moves still dark after 1.2 s",
        "silent, unheard: 0 of 2 moves still dark after 1.2 s; back, by medians of the modes: "
        "OVS l2population 147 ms",
    )
    assert [
        (outcomes.claim.partition(":")[0], outcomes.outcome) for outcomes in report.outcomes
    ] == [
        ("learned and silent", "confirmed"),
        ("learned and announced", "confirmed"),
        ("l2population, silent, to a host that never heard the guest", "confirmed"),
    ]
    assert not report.is_refuted


def test_medians_of_modes_that_differ_are_not_pooled(tmp_path):
    times = {
        "flat": 115,
        "kvxlan-mesh": 76,
        "gre-mesh": 355,
        "gre-l2pop": 167,
        "vxlan-mesh": 836,
        "vlan": 125,
        "kvxlan-l2pop": 78,
    }
    rows = [row(mode, "announced", n, ms) for mode, ms in times.items() for n in (1, 2)]
    run = made_of(tmp_path, rows)

    assert build_report(run).findings == (
        "announced: 0 of 14 moves still dark after 1.2 s; back, by medians of the modes: "
        "untunnelled 115..125 ms, kernel VXLAN 76..78 ms, OVS l2population 167 ms, OVS mesh 355..836 ms",
    )
    groups = [cell.group for cell in cells(run)]
    assert groups == sorted(
        groups, key=["untunnelled", "kernel VXLAN", "OVS l2population", "OVS mesh"].index
    )


@pytest.mark.parametrize(
    ("cached_ms", "moves", "outcome"),
    [
        (450.0, 10, "confirmed"),
        (240.0, 10, "refuted"),
        (1250.0, 10, "refuted"),
        (450.0, 8, "undecided"),
    ],
)
def test_what_cached_flows_cost_is_judged_by_medians(tmp_path, cached_ms, moves, outcome):
    times = {"announced": cached_ms, "announced, uncached": 150.0}
    rows = [row("gre-mesh", way, n, ms) for way, ms in times.items() for n in range(moves)]

    outcomes = {each.claim: each for each in build_report(made_of(tmp_path, rows)).outcomes}
    (found,) = [
        each for claim, each in outcomes.items() if claim.startswith("a mesh of Open vSwitch")
    ]

    assert found.outcome == outcome
    assert found.found.startswith(f"gre-mesh: {cached_ms - 150:+.0f} ms")


@pytest.mark.parametrize(("second_ms", "outcome"), [(300.0, "confirmed"), (200.0, "undecided")])
def test_what_cached_flows_cost_is_to_hold_in_each_lab(tmp_path, second_ms, outcome):
    times = {("announced", 1): 450.0, ("announced", 2): second_ms}
    rows = [
        {**row("gre-mesh", way, n, times.get((way, repeat), 150.0)), "repeat": repeat}
        for way in ("announced", "announced, uncached")
        for repeat in (1, 2)
        for n in range(5)
    ]

    outcomes = {each.claim: each for each in build_report(made_of(tmp_path, rows)).outcomes}
    (found,) = [
        each for claim, each in outcomes.items() if claim.startswith("a mesh of Open vSwitch")
    ]

    assert found.outcome == outcome
    assert f"(range of 2 labs: {second_ms - 150:+.0f} to +300)" in found.found


def test_directions_and_labs_are_told_apart(tmp_path):
    there = [row("gre-mesh", "announced", n, ms) for n, ms in ((1, 350.0), (3, 360.0))]
    back = [{**row("gre-mesh", "announced", n, 850.0), "to": "computer2"} for n in (2, 4)]
    again = [{**each, "repeat": 2, "dark_ms": 90.0} for each in there]
    dark = [row("gre-mesh", way, 5, None) for way in ("announced", "silent")]

    table = build_report(made_of(tmp_path, [*there, *back, *again, *dark])).tables[1]

    assert table.heads[2:] == (
        "block 1, to computer",
        "block 1, to computer2",
        "block 2, to computer",
    )
    assert table.rows == (("gre-mesh", "announced", "355", "850", "90"),)


def test_a_move_that_ended_against_theory_is_told(tmp_path):
    report = build_report(made(tmp_path, silent=(None, 300.0)))

    assert report.is_refuted
    assert report.outcomes[0].outcome == "refuted"
    assert report.outcomes[0].found == "flat: 1 of 2 dark"


def test_the_picture_has_every_move(tmp_path):
    run = made(tmp_path)
    figure = build_report(run).draw()
    lines = {line.get_gid(): list(line.get_xdata()) for line in figure.axes[0].lines}

    assert lines["moves flat announced"] == [116.0, 260.0]
    assert lines["moves flat silent"] == []
    assert lines["censored flat silent"] == [1200.0, 1200.0]
    assert "announced flat silent" in {each.get_gid() for each in figure.axes[0].collections}
    assert [cell.way for cell in cells(run)] == ["announced", "silent", "silent, unheard"]


def test_a_move_that_was_wired_after_the_wait_is_looked_at_all_the_same(monkeypatch, overlay):
    now = time.monotonic_ns()
    steps = {"unplugged": 5000, "plugged": 3000, "bound": 2000, "active": 0}  # [ms] ago
    done = SimpleNamespace(**{f"{name}_ns": now - ago * MS for name, ago in steps.items()})
    gap = Gap(begin_ns=done.unplugged_ns, end_ns=done.plugged_ns + MS, lost=9)
    for name in ("make_heard", "announcing"):
        monkeypatch.setattr(migration, name, lambda *_: nullcontext(lambda: None))
    moving = migration.Moving(
        lab=SimpleNamespace(overlay=overlay, move=lambda *_, **__: done),
        target=guests(overlay)[1],
        read=lambda: Heard((gap,), time.monotonic_ns()),
        cap_s=1.2,
    )

    found = moving.move(stage.homes(overlay)[0], stage.ANNOUNCED)

    assert (found["censored"], found["dark_ms"], found["lost"]) == (0, 2001.0, 9)


def test_the_picture_has_the_announcements_from_the_plugging_on(tmp_path):
    figure = build_report(made(tmp_path, measured=[{"announced_at_ms": [0, 50, 200]}])).draw()
    strokes = {
        each.get_gid(): [float(segment[0][0]) for segment in each.get_segments()]
        for each in figure.axes[0].collections
    }

    assert strokes["announced flat announced"] == [70.0, 120.0, 270.0]  # plugged after 70 ms
    assert strokes["announced flat silent"] == []


@pytest.mark.parametrize(("way", "purged"), [(stage.UNCACHED, 3), (stage.ANNOUNCED, 0)])
def test_cached_flows_are_dropped_on_every_host_after_the_guest_was_heard(
    monkeypatch, overlay, way, purged
):
    did = []
    monkeypatch.setattr(migration, "make_heard", lambda *_: did.append("heard"))
    lab = SimpleNamespace(overlay=overlay, run=lambda host, *argv: did.append((host, argv)))
    moving = migration.Moving(lab=lab, target=guests(overlay)[1], read=None, cap_s=1.2)

    moving._prepare(stage.homes(overlay)[1], way)

    hosts = [host.name for host in overlay.hosts][:purged]
    assert did == ["heard", *((host, ("ovs-appctl", "revalidator/purge")) for host in hosts)]


def test_a_censored_move_is_as_long_as_was_waited():
    done = SimpleNamespace(unplugged_ns=1000 * MS)
    found = migration._capped(done, 2300 * MS)
    assert found == {"dark_ms": 1300.0, "lost": None, "censored": 1}
