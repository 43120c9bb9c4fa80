"""The experiment `migration`: labs and predictions, the log of the stream, the report."""

import time
from contextlib import nullcontext
from itertools import pairwise
from types import SimpleNamespace

import matplotlib as mpl
import pytest

from controller.model.modes import MODES
from experiments.core.pairs import guests
from experiments.core.results import Recorder, read
from experiments.migration import labs as stage
from experiments.migration import probe as migration
from experiments.migration.probe import EXPERIMENT as MIGRATION
from experiments.migration.probe import gratuitous_arp
from experiments.migration.report import build_report, kinds
from experiments.migration.stream import Gap, Received, parse_log
from experiments.migration.words import FLUSHED, UNKNOWN, WITH, WITHOUT
from experiments.show.palette import BAD, INK
from experiments.show.sheet import STYLE
from tests.experiments.made_runs import ABOUT
from tests.experiments.seen_texts import assert_readable
from topologies.scenario.load import load

MS = 1_000_000


@pytest.fixture(scope="module")
def overlay():
    return stage.three_hosts(load("article").overlay)


def test_both_hosts_of_the_move_have_a_resident_guest(overlay):
    source, target = guests(overlay)
    home, away = stage.homes(overlay)

    assert [host.name for host in overlay.hosts] == ["controller", "computer", "computer2"]
    assert (source.host, home, away) == ("controller", "computer", "computer2")
    assert target.host == home
    residents = [stage.resident_of(overlay, host) for host in (home, away)]
    assert [each.host for each in residents] == [home, away]
    assert not {each.id for each in residents} & {source.id, target.id}


def test_each_kind_of_move_goes_in_both_directions_equally_often():
    for mode in map(str, MODES):
        ways = [way for way, _ in stage.in_turn(mode, 4, 0.5, 1)]
        assert {way: ways.count(way) for way in ways} == dict.fromkeys(stage.ways(mode), 4)
        for way in set(ways):
            directions = [at % 2 for at, each in enumerate(ways) if each == way]
            assert directions.count(0) == directions.count(1) == 2, (mode, way)


def test_the_seed_determines_the_order_of_moves_and_the_pauses():
    one, again, other = (stage.in_turn("gre-mesh", 100, 0.5, seed) for seed in (1, 1, 2))
    pauses = [pause_s for way, pause_s in one if way != WITHOUT]

    assert one == again != other
    assert {pause_s for way, pause_s in one if way == WITHOUT} == {0.0}
    # Spread over the whole interval of a revalidator, or moves would be in step with it.
    shares = [sum(low <= each < low + 0.125 for each in pauses) for low in (0, 0.125, 0.25, 0.375)]
    assert sum(shares) == len(pauses) == 200
    assert min(shares) > 30
    assert {before for (before, _), (way, _) in pairwise(one) if way == WITH} == set(
        stage.ways("gre-mesh")
    )


@pytest.mark.parametrize(
    ("mode", "way"),
    [
        ("gre-mesh", FLUSHED),
        ("vxlan-mesh", FLUSHED),
        ("kvxlan-mesh", None),
        ("kvxlan-multicast", None),
        ("vlan", None),
        ("gre-l2pop", UNKNOWN),
    ],
)
def test_megaflows_are_flushed_only_where_a_flow_table_learns(mode, way):
    assert stage.ways(mode)[2:] == ((way,) if way else ())


def test_predictions_by_mode_and_kind():
    found = {
        (row["mode"], row["way"]): row["censored"]
        for row in stage.predicted(None, ({"mode": "vlan"}, {"mode": "gre-l2pop-arp"}))
    }
    assert found == {
        ("vlan", WITH): 0,
        ("vlan", WITHOUT): 1,
        ("gre-l2pop-arp", WITH): 0,
        ("gre-l2pop-arp", WITHOUT): 1,
        ("gre-l2pop-arp", UNKNOWN): 0,
    }


def test_the_log_of_the_receiver_has_gaps_and_the_last_arrival():
    text = "gap -1 5 0 9\nbeat 20 100\ngap 25 200 31 900\ngap 40 1000 41 8000\nbeat 60 9000\nbeat 80 99"
    found = parse_log(text)

    assert found.gaps == (
        Gap(begin_ns=200, end_ns=900, lost=5),
        Gap(begin_ns=1000, end_ns=8000, lost=0),
    )
    assert found.last_ns == 9000  # the last line is incomplete
    assert found.within(900, 1000) == ()
    assert found.within(899, 1001) == found.gaps
    assert parse_log("").last_ns == 0
    with pytest.raises(ValueError, match="nonsense"):
        parse_log("nonsense 1\n")


def test_gratuitous_arp_requests_its_own_address(overlay):
    _, target = guests(overlay)
    frame = gratuitous_arp(target)
    sender, asked = frame[28:32], frame[38:42]

    assert frame[:6] == b"\xff" * 6
    assert frame[6:12] == frame[22:28] == bytes.fromhex(target.mac_address.replace(":", ""))
    assert sender == asked == target.ipv4[0].packed


def row(mode, way, number, downtime_ms):
    censored = downtime_ms is None
    return {
        "repeat": 1,
        "order": 1,
        "mode": mode,
        "move": number,
        "way": way,
        "to": "computer",
        "downtime_ms": 1200.0 if censored else downtime_ms,
        "lost": None if censored else int(downtime_ms),
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


def made(parent, *, without=(None, None), **about):
    rows = [
        *(row("flat", WITH, n, downtime) for n, downtime in enumerate((116.0, 260.0), 1)),
        *(row("flat", WITHOUT, n, downtime) for n, downtime in enumerate(without, 1)),
        *(row("vxlan-l2pop", UNKNOWN, n, downtime) for n, downtime in enumerate((145.0, 149.0), 1)),
    ]
    return made_of(parent, rows, **about)


def test_the_report_of_a_run_that_matches_every_prediction(tmp_path):
    report = build_report(made(tmp_path))

    assert report.findings == (
        "With gratuitous ARP 2 of 2 guests are back (median 188 ms), without it 2 of 4",
        "Median downtime with gratuitous ARP: untunnelled 188 ms",
        "Without gratuitous ARP: 2 of 2 moves still unreachable after 1.2 s",
        "Median downtime without gratuitous ARP, MAC unknown to the new host: OVS l2population 147 ms",
    )
    assert [
        (outcomes.claim.partition(":")[0], outcomes.outcome) for outcomes in report.outcomes
    ] == [
        ("where MACs are learned, without gratuitous ARP", "confirmed"),
        ("where MACs are learned, with gratuitous ARP", "confirmed"),
        (
            "l2population, without gratuitous ARP, to a host that had never seen the MAC",
            "confirmed",
        ),
    ]
    assert not report.is_refuted


def test_moves_of_different_modes_are_not_pooled(tmp_path):
    times = {
        "flat": 115,
        "kvxlan-mesh": 76,
        "gre-mesh": 355,
        "gre-l2pop": 167,
        "vxlan-mesh": 836,
        "vlan": 125,
        "kvxlan-l2pop": 78,
    }
    rows = [row(mode, WITH, n, ms) for mode, ms in times.items() for n in (1, 2)]
    run = made_of(tmp_path, rows)

    assert build_report(run).findings == (
        "With gratuitous ARP 14 of 14 guests are back (medians 76 to 836 ms)",
        "Median downtime with gratuitous ARP: untunnelled 115 to 125 ms, kernel VXLAN 76 to 78 ms, "
        "OVS l2population 167 ms, OVS mesh 355 to 836 ms",
    )
    groups = kinds(run)["group"].to_list()
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
def test_the_cost_of_cached_megaflows_is_judged_by_medians(tmp_path, cached_ms, moves, outcome):
    times = {WITH: cached_ms, FLUSHED: 150.0}
    rows = [
        {**row("gre-mesh", way, n, ms), "repeat": 1 + n % 2}
        for way, ms in times.items()
        for n in range(moves)
    ]

    outcomes = {each.claim: each for each in build_report(made_of(tmp_path, rows)).outcomes}
    (found,) = [each for claim, each in outcomes.items() if claim.startswith("OVS mesh")]

    assert found.outcome == outcome
    assert found.found.startswith(f"gre-mesh: {cached_ms - 150:+.0f} ms")


def test_one_repeat_does_not_judge_the_cost_of_cached_megaflows(tmp_path):
    times = {WITH: 450.0, FLUSHED: 150.0}
    rows = [row("gre-mesh", way, n, ms) for way, ms in times.items() for n in range(10)]

    found = build_report(made_of(tmp_path, rows)).outcomes

    (cached,) = [each for each in found if each.claim.startswith("OVS mesh")]
    assert (cached.outcome, cached.found) == ("not judged", "gre-mesh: +300 ms (1 lab)")


@pytest.mark.parametrize(("second_ms", "outcome"), [(300.0, "confirmed"), (200.0, "undecided")])
def test_the_cost_of_cached_megaflows_must_be_in_bounds_in_each_lab(tmp_path, second_ms, outcome):
    times = {(WITH, 1): 450.0, (WITH, 2): second_ms}
    rows = [
        {**row("gre-mesh", way, n, times.get((way, repeat), 150.0)), "repeat": repeat}
        for way in (WITH, FLUSHED)
        for repeat in (1, 2)
        for n in range(5)
    ]

    outcomes = {each.claim: each for each in build_report(made_of(tmp_path, rows)).outcomes}
    (found,) = [each for claim, each in outcomes.items() if claim.startswith("OVS mesh")]

    assert found.outcome == outcome
    assert f"(range of 2 labs: {second_ms - 150:+.0f} to +300)" in found.found


def test_medians_are_shown_by_lab_and_direction(tmp_path):
    there = [row("gre-mesh", WITH, n, ms) for n, ms in ((1, 350.0), (3, 360.0))]
    back = [{**row("gre-mesh", WITH, n, 850.0), "to": "computer2"} for n in (2, 4)]
    again = [{**each, "repeat": 2, "downtime_ms": 90.0} for each in there]
    down = [row("gre-mesh", way, 5, None) for way in (WITH, WITHOUT)]

    table = build_report(made_of(tmp_path, [*there, *back, *again, *down])).tables[1]

    assert table.heads[2:] == (
        "repeat 1, to computer",
        "repeat 1, to computer2",
        "repeat 2, to computer",
    )
    assert table.rows == (("gre-mesh", WITH, "355", "850", "90"),)


def test_a_move_that_was_up_again_against_the_prediction_refutes_it(tmp_path):
    report = build_report(made(tmp_path, without=(None, 300.0)))

    assert report.is_refuted
    assert report.outcomes[0].outcome == "refuted"
    assert report.outcomes[0].found == "flat: 1 of 2 unreachable"


def lines_of(figure):
    return {
        line.get_gid(): list(line.get_xdata())
        for ax in figure.axes
        for line in ax.lines
        if line.get_gid()
    }


def lost_of(figure):
    """The texts about guests that are still unreachable, by row, with their colour."""
    texts = (text for ax in figure.axes for text in ax.texts if text.get_gid())
    return {
        text.get_gid().removeprefix("lost "): (text.get_text(), text.get_color())
        for text in texts
        if text.get_gid().startswith("lost")
    }


def test_the_chart_shows_every_move_or_how_many_are_still_unreachable(tmp_path):
    with mpl.rc_context(fname=STYLE):
        figure = build_report(made(tmp_path)).draw()
    lines = lines_of(figure)

    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "With gratuitous ARP",
        "Without gratuitous ARP",
    ]
    assert lines["moves flat"] == [], "of the lower panel: nobody came back"
    assert lines["median flat flat"] == [188.0] * 2
    assert lines["moves vxlan-l2pop,\nMAC unknown"] == [145.0, 149.0]
    assert lost_of(figure) == {"flat": ("2 of 2 unreachable after 1.2 s", INK)}
    (upper,) = [line for line in figure.axes[0].lines if line.get_gid() == "moves flat"]
    assert list(upper.get_xdata()) == [116.0, 260.0]


def test_a_kind_of_which_some_are_unreachable_has_dots_and_their_number(tmp_path):
    figure = build_report(made(tmp_path, without=(None, 300.0))).draw()

    assert lines_of(figure)["moves flat"] == [300.0]
    assert lost_of(figure) == {"flat": ("1 of 2 unreachable", BAD)}, "not as predicted"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("modes", [1, 3, 5, 14])
def test_the_chart_of_many_modes_has_a_row_for_each_group_and_of_few_for_each_mode(tmp_path, modes):
    every = [str(mode) for mode in MODES if mode.network_type][:modes]
    rows = [
        row(mode, way, n, None if way == WITHOUT else 100.0 + n)
        for mode in every
        for way in stage.ways(mode)
        for n in (1, 2)
    ]
    with mpl.rc_context(fname=STYLE):
        figure = build_report(made_of(tmp_path, rows)).draw()
        assert_readable(figure, at_least=6)
    names = {text.get_text() for ax in figure.axes for text in ax.get_yticklabels()}
    groups = {"OVS mesh", "OVS l2population", "kernel VXLAN", "untunnelled"}
    assert (set(every) <= names) is (modes <= 4)
    assert bool(groups & names) is (modes > 4)


def test_a_move_that_was_plugged_after_the_wait_is_still_observed(monkeypatch, overlay):
    now = time.monotonic_ns()
    steps = {"unplugged": 5000, "plugged": 3000, "bound": 2000, "active": 0}  # [ms] ago
    done = SimpleNamespace(**{f"{name}_ns": now - ago * MS for name, ago in steps.items()})
    gap = Gap(begin_ns=done.unplugged_ns, end_ns=done.plugged_ns + MS, lost=9)
    for name in ("teach_mac", "announcing"):
        monkeypatch.setattr(migration, name, lambda *_: nullcontext(lambda: None))
    moving = migration.Moving(
        lab=SimpleNamespace(overlay=overlay, move=lambda *_, **__: done),
        target=guests(overlay)[1],
        read=lambda: Received((gap,), time.monotonic_ns()),
        cap_s=1.2,
    )

    found = moving.move(stage.homes(overlay)[0], WITH)

    assert (found["censored"], found["downtime_ms"], found["lost"]) == (0, 2001.0, 9)


@pytest.mark.parametrize(("way", "purged"), [(FLUSHED, 3), (WITH, 0)])
def test_megaflows_are_flushed_on_every_host_after_the_mac_was_learned(
    monkeypatch, overlay, way, purged
):
    did = []
    monkeypatch.setattr(migration, "teach_mac", lambda *_: did.append("taught"))
    lab = SimpleNamespace(overlay=overlay, run=lambda host, *argv: did.append((host, argv)))
    moving = migration.Moving(lab=lab, target=guests(overlay)[1], read=None, cap_s=1.2)

    moving._prepare(stage.homes(overlay)[1], way)

    hosts = [host.name for host in overlay.hosts][:purged]
    assert did == ["taught", *((host, ("ovs-appctl", "revalidator/purge")) for host in hosts)]


def test_the_downtime_of_a_censored_move_is_the_length_of_the_wait():
    done = SimpleNamespace(unplugged_ns=1000 * MS)
    found = migration._capped(done, 2300 * MS)
    assert found == {"downtime_ms": 1300.0, "lost": None, "censored": 1}
