"""The probe, on a lab that only answers."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from controller.model.errors import MeasureError
from controller.model.modes import MODES
from experiments.cli.catalogue import EXPERIMENTS
from experiments.cli.loader import find
from experiments.core.experiment import Context
from experiments.core.question import of_point
from experiments.core.verdict import LIMITS
from experiments.latency.probe import EXPERIMENT as LATENCY
from experiments.latency.probe import Pings
from experiments.measure.ping import Requests
from tests.experiments.fake_bench import FakeBench, played_stages
from topologies.scenario.load import load

PROBE = Pings(
    pings=8,
    warmup_pings=3,
    baseline_pings=4,
    cold_repeats=2,
    table=(Requests(count=5, payload_bytes=512), Requests(count=6, interval_ms=0)),
    stages_in=(),
)
MESH, L2POP, FLAT = {"mode": "gre-mesh"}, {"mode": "vxlan-l2pop"}, {"mode": "flat"}
MAIN = LATENCY.question.compared


@pytest.fixture
def kept():
    return {}


@pytest.fixture
def context(kept):
    return Context(keep=kept.__setitem__, path=Path, watch=nullcontext, say=print, seed=7)


def staged(point, **options):
    """A lab as the experiment would have it raised."""
    overlay = LATENCY.stage(LATENCY.narrow(load("article").overlay), point)
    return FakeBench(overlay, **options)


def phases(rows):
    return Counter((row["path"], row["phase"], row["cold"]) for row in rows)


def only(measured, **columns):
    return of_point(measured.rows, columns)


@pytest.mark.parametrize("point", [MESH, L2POP, FLAT])
def test_a_row_has_the_columns_that_are_told_and_says_which_condition(context, point):
    measured = PROBE(staged(point), point, context)

    assert {frozenset(row) for row in measured.rows} == {
        frozenset(LATENCY.question.columns) - {"mode"}
    }
    warm = Counter(
        (row["interval_ms"], row["payload_bytes"])
        for row in only(measured, path="guest", phase="warm")
    )
    assert warm == {(10, 56): 8, (10, 512): 5, (0, 56): 6}
    assert len(only(measured, **MAIN)) == 8


def test_levels_of_cold_in_a_mesh(context):
    measured = PROBE(staged(MESH), MESH, context)

    assert {
        cold: count for (_, phase, cold), count in phases(measured.rows).items() if phase == "cold"
    } == {
        "everything-as-raised": 1,
        "nothing": 2,
        "guest-arp": 2,
        "learned-flow": 2,
        "megaflow": 2,
        "vtep-neighbour": 1,
    }
    assert {row["cold"] for row in measured.rows if row["phase"] != "cold"} == {None}
    assert [row["seq"] for row in only(measured, cold="megaflow")] == [1, 2]


@pytest.mark.parametrize(
    ("point", "absent", "why"),
    [
        (L2POP, {"learned-flow"}, "l2population states"),
        (FLAT, {"learned-flow", "vtep-neighbour"}, "there is no tunnel"),
    ],
)
def test_what_cannot_be_cold_in_a_mode_has_no_rows_but_a_reason(context, point, absent, why):
    lab = staged(point)

    measured = PROBE(lab, point, context)

    assert not absent & {row["cold"] for row in measured.rows}
    assert all(measured.facts["flushed"][level].startswith(why) for level in absent)
    assert not [asked for asked in lab.asked if "del-flows" in asked]


def test_a_cold_ping_pays_for_what_was_cold_and_for_nothing_else(context):
    measured = PROBE(staged(MESH), MESH, context)

    rtt = {row["cold"]: row["rtt_ms"] for row in measured.rows if row["phase"] == "cold"}
    base = rtt.pop("nothing")
    assert {cold: each and round(each - base, 3) for cold, each in rtt.items()} == {
        "everything-as-raised": 0.6,
        "guest-arp": 0.3,
        "learned-flow": 0.1,
        "megaflow": 0.2,
        "vtep-neighbour": None,
    }


def test_each_flush_is_looked_up_before_and_after_and_made_good(context, kept):
    measured = PROBE(staged(MESH), MESH, context)

    flushed = measured.facts["flushed"]
    assert {level: len(times) for level, times in flushed.items()} == {
        "guest-arp": 2,
        "learned-flow": 2,
        "megaflow": 2,
        "vtep-neighbour": 1,
    }
    for times in flushed.values():
        for each in times:
            assert each == {"flushes": 1, "known_after_ping": True, "known_when_warm_again": True}
    assert "ovs-appctl tnl/neigh/show" in kept["looked-up.txt"]


def test_the_far_vtep_is_told_again_and_last(context):
    lab = staged(MESH)

    PROBE(lab, MESH, context)

    what = [asked[1:3] for asked in lab.asked]
    flush, report = (
        what.index(("ovs-appctl", "tnl/neigh/flush")),
        what.index(("ovs-appctl", "tnl/neigh/set")),
    )
    assert flush < report
    # The flows go first: they carry the MAC, and OVS would ask anew for them.
    assert what[flush - 1] == ("ovs-appctl", "revalidator/purge")
    assert max(at for at, words in enumerate(what) if words == ("ip", "-4")) < flush


def test_no_level_is_always_the_first(context):
    """The daemons sleep deeper the longer nobody spoke to them, so place matters."""

    def begins_with(seed):
        measured = PROBE(staged(MESH), MESH, replace(context, seed=seed))
        order = [row["cold"] for row in measured.rows if row["phase"] == "cold"]
        return order[1], order[5]

    first = [begins_with(seed) for seed in range(4)]
    assert {one for one, _ in first} == {"nothing", "guest-arp", "learned-flow", "megaflow"}
    assert all(one != two for one, two in first)


def test_right_before_each_cold_ping_both_daemons_were_spoken_to(context):
    lab = staged(MESH)

    PROBE(lab, MESH, context)

    once = [
        at
        for at, asked in enumerate(lab.asked)
        if asked[1:2] == ("ping",) and "-c 1 -W 2" in " ".join(asked)
    ]
    roused = [
        at
        for at in once
        if [asked[1:] for asked in lab.asked[at - 2 : at]] == [("ovs-appctl", "version")] * 2
    ]
    assert len(roused) == 4 * PROBE.cold_repeats, "nothing, and three things that were flushed"


@pytest.mark.parametrize("level", ["guest-arp", "learned-flow", "megaflow", "vtep-neighbour"])
def test_what_stays_known_after_its_flush_gives_no_sample(context, level):
    lab = staged(MESH, stubborn=frozenset({level}))

    measured = PROBE(lab, MESH, context)

    assert not only(measured, cold=level)
    assert {each["why_not"] for each in measured.facts["flushed"][level]} == {
        "known after each of 5 flushes"
    }


def test_what_was_not_known_before_its_flush_gives_no_sample(context):
    class Forgetful(FakeBench):
        def _answer(self, argv):
            return "" if argv[:2] == ("ovs-ofctl", "dump-flows") else super()._answer(argv)

    measured = PROBE(Forgetful(staged(MESH).overlay), MESH, context)

    assert not only(measured, cold="learned-flow")
    assert measured.facts["flushed"]["learned-flow"][0] == {"why_not": "not known before the flush"}


def test_a_neighbour_that_failed_is_not_known(context):
    class Failed(FakeBench):
        def _answer(self, argv):
            answer = super()._answer(argv)
            return f"{self.far.ipv4[0]} dev eth0 FAILED\n" if "neigh" in argv else answer

    measured = PROBE(Failed(staged(MESH).overlay), MESH, context)

    assert measured.facts["cold_as_raised"]["guest_arp_known"] is False
    assert not only(measured, cold="guest-arp")


def test_what_is_cold_as_raised_is_looked_up_before_the_first_ping(context):
    lab = staged(MESH)

    measured = PROBE(lab, MESH, context)

    assert [asked[1] for asked in lab.asked].index("ping") == 5
    assert measured.facts["cold_as_raised"] == {
        "guest_arp_known": False,
        "megaflow_between_guests": False,
        "far_guest_in_table_20": False,
        "vtep_neighbour_known": True,
    }


@pytest.mark.parametrize(
    ("known", "fact"),
    [
        ("guest-arp", "guest_arp_known"),
        ("learned-flow", "far_guest_in_table_20"),
        ("megaflow", "megaflow_between_guests"),
        ("vtep-neighbour", "vtep_neighbour_known"),
    ],
)
def test_what_was_known_already_is_said(context, known, fact):
    cold = PROBE(staged(MESH, known={known}), MESH, context).facts["cold_as_raised"]

    assert [name for name, is_known in cold.items() if is_known] == [fact]


def test_baselines_are_pinged_in_the_labs_of_flat_alone(context):
    flat, lab = PROBE(staged(FLAT), FLAT, context), staged(MESH)
    mesh = PROBE(lab, MESH, context)

    assert {row["path"] for row in mesh.rows} == {"guest"}
    assert not [asked for asked in lab.asked if "veth" in asked]
    for path in ("veth", "same-host", "vtep"):
        assert len(only(flat, **{**MAIN, "path": path})) == 4
    assert flat.facts["who_pinged_whom"] == {
        "guest": "ServerA to ServerB at 172.16.166.125",
        "veth": "ServerA to ServerB at 192.0.2.6",
        "same-host": "ServerA to beside-ServerA at 172.16.166.100",
        "vtep": "controller to computer at 192.168.150.11",
    }


def test_the_bare_veth_stands_while_it_is_pinged_and_no_longer(context):
    lab = staged(FLAT)

    PROBE(lab, FLAT, context)

    along = [asked for asked in lab.asked if "192.0.2.6" in asked or "direct0" in asked]
    assert along[0] == (
        "ServerA",
        "ip",
        "link",
        "add",
        "name",
        "direct0",
        "type",
        "veth",
        "peer",
        "name",
        "direct0",
        "netns",
        "4711",
    )
    assert along[-1] == ("ServerA", "ip", "link", "del", "direct0")
    assert [asked[1] for asked in along].count("ping") == 2


def test_the_veth_goes_even_if_it_cannot_be_pinged(context):
    class Broken(FakeBench):
        def _pinged(self, argv):
            return "" if argv[-1] == "192.0.2.6" else super()._pinged(argv)

    lab = Broken(staged(FLAT).overlay)
    with pytest.raises(MeasureError):
        PROBE(lab, FLAT, context)

    assert lab.asked[-1][1:4] == ("ip", "link", "del")


def test_nobody_beside_the_source_is_an_error_that_says_so(context):
    lab = staged(FLAT)
    lab.overlay = replace(lab.overlay, ports=lab.overlay.ports[:2])

    with pytest.raises(MeasureError, match="host 'controller': no guest beside 'ServerA'"):
        PROBE(lab, FLAT, context)


def test_ping_is_asked_for_what_the_settings_say(context):
    lab = staged(MESH)

    PROBE(lab, MESH, context)

    pings = [asked for asked in lab.asked if asked[1] == "ping"]
    assert pings[2] == (
        "ServerA",
        "ping",
        "-n",
        "-D",
        "-i",
        "0.01",
        "-c",
        "9",
        "-W",
        "2",
        "-s",
        "56",
        "172.16.166.125",
    )
    assert pings[4][4:7] == ("-A", "-c", "7")
    # What OVS drops is not waited for as long as what may still come.
    assert {asked[7:9] for asked in pings if asked[6:8] == ("-c", "1")} | {
        asked[8:10] for asked in pings if asked[6:8] == ("-c", "1")
    } >= {("-W", "0.5"), ("-W", "2")}


def test_what_is_compared_is_watched_and_nothing_else(context):
    lab, windows = staged(MESH), []

    def watch():
        windows.append(len(lab.asked))
        return nullcontext()

    PROBE(lab, MESH, replace(context, watch=watch))

    (start,) = windows
    assert lab.asked[start][6:8] == ("-c", "9")


def test_what_was_printed_is_kept(context, kept):
    PROBE(staged(MESH), MESH, context)

    assert sorted(kept) == [
        "looked-up.txt",
        "ping-cold-everything-as-raised.txt",
        "ping-cold-guest-arp.txt",
        "ping-cold-learned-flow.txt",
        "ping-cold-megaflow.txt",
        "ping-cold-nothing.txt",
        "ping-cold-vtep-neighbour.txt",
        "ping-guest-warm-10ms-512.txt",
        "ping-guest-warm-10ms-56.txt",
        "ping-guest-warm-adaptive-56.txt",
        "ping-guest-warmup-10ms-56.txt",
    ]
    warm = kept["ping-guest-warm-10ms-56.txt"]
    assert warm.startswith("# ServerA: ping -n -D -i 0.01 -c 9")
    assert "9 packets transmitted, 9 received" in warm


def test_only_warm_pings_of_the_main_condition_count_as_lost(context):
    measured = PROBE(staged(MESH, lose=(2, 5), warm_pings=8), MESH, context)

    assert measured.lost == 2, "of the VTEP's neighbour one was lost, too, on purpose"
    assert [row["seq"] for row in only(measured, **MAIN) if row["rtt_ms"] is None] == [2, 5]
    assert only(measured, cold="vtep-neighbour")[0]["rtt_ms"] is None


def test_not_one_reply_is_a_failed_expectation_with_its_output_kept(context, kept):
    lab = staged(MESH, lose=tuple(range(1, 10)), warm_pings=8)

    with pytest.raises(MeasureError, match=r"ping from ServerA to ServerB .*: not one reply"):
        PROBE(lab, MESH, context)

    assert "0 received" in kept["ping-guest-warm-10ms-56.txt"]


def test_intervals_that_ping_kept_are_told_by_condition(context):
    facts = PROBE(staged(MESH), MESH, context).facts

    assert facts["kept_interval_ms"] == {
        "guest, 10 ms, 56 bytes": 16.0,
        "guest, 10 ms, 512 bytes": 16.0,
        "guest, adaptive, 56 bytes": 16.0,
    }


def test_stages_are_followed_in_the_modes_that_were_named(context, monkeypatch):
    monkeypatch.setattr("experiments.latency.probe.stage_rows", played_stages)
    probe = replace(PROBE, stages_in=("gre-mesh",), stage_pings=2)

    followed, other = (probe(staged(point), point, context) for point in (MESH, FLAT))

    assert [row["seq"] for row in followed.more["stages"]] == [1, 1, 2, 2]
    assert set(followed.more["stages"][0]) == set(LATENCY.question.more["stages"])
    assert other.more == {}


def test_every_experiment_of_the_catalogue_is_there():
    assert [find(name).question.name for name, _ in EXPERIMENTS] == [
        name for name, _ in EXPERIMENTS
    ]


def test_the_question_hangs_together():
    question = LATENCY.question

    assert {question.value, *question.compared} <= set(question.columns)
    assert question.baseline in question.points()
    assert LATENCY.repeats >= LATENCY.thresholds.repeats_min
    modes = set(question.factors["mode"])
    for prediction in question.predictions:
        assert set(prediction.excludes) <= {str(mode) for mode in MODES}
        assert (prediction.low is None) == (prediction.high is None)
    assert set(LATENCY.probe.stages_in) | {LATENCY.probe.baselines_in} <= modes
    for limit in LIMITS:
        assert getattr(LATENCY.thresholds, limit.threshold) is not None


@pytest.mark.parametrize("probe", [LATENCY.probe, LATENCY.quick])
def test_only_the_main_condition_is_compared(probe):
    """What effects are judged on must not be mixed with a grid condition of the same form."""
    main = (MAIN["interval_ms"], MAIN["payload_bytes"])

    assert (probe.main.interval_ms, probe.main.payload_bytes) == main
    assert main not in {(each.interval_ms, each.payload_bytes) for each in probe.table}
    assert probe.pings > max(each.count for each in probe.table if each.interval_ms)


def test_no_payload_is_larger_than_the_smallest_path():
    overlay = LATENCY.stage(load("article").overlay, {"mode": "vxlan-mesh"})
    mtu = overlay.mtu_of(overlay.networks[0])

    assert mtu == 1450
    assert all(28 + each.payload_bytes <= mtu for each in LATENCY.probe.table)
