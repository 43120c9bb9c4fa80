"""The probe, with a lab that plays back answers."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from controller.model.errors import MeasureError
from controller.model.modes import MODES
from experiments.cli.loader import find
from experiments.core import registry
from experiments.core.experiment import Context
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
    cache_repeats=2,
    conditions=(Requests(count=5, payload_bytes=512), Requests(count=6, interval_ms=0)),
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
    """A lab as the experiment starts it."""
    overlay = LATENCY.stage(LATENCY.narrow(load("article").overlay), point)
    return FakeBench(overlay, **options)


def phases(rows):
    return Counter((row["path"], row["phase"], row["cache"]) for row in rows)


def only(measured, **columns):
    return [
        row for row in measured.rows if all(row[name] == value for name, value in columns.items())
    ]


@pytest.mark.parametrize("point", [MESH, L2POP, FLAT])
def test_a_row_has_the_columns_of_the_question_and_its_condition(context, point):
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


def test_each_cache_of_a_mesh_is_empty_for_some_pings(context):
    measured = PROBE(staged(MESH), MESH, context)

    assert {
        cache: count
        for (_, phase, cache), count in phases(measured.rows).items()
        if phase == "first"
    } == {
        "new-lab": 1,
        "none": 2,
        "guest-arp": 2,
        "learned-flow": 2,
        "megaflow": 2,
        "vtep-neighbour": 1,
    }
    assert {row["cache"] for row in measured.rows if row["phase"] != "first"} == {None}
    assert [row["seq"] for row in only(measured, cache="megaflow")] == [1, 2]


@pytest.mark.parametrize(
    ("point", "absent", "why"),
    [
        (L2POP, {"learned-flow"}, "l2population installs"),
        (FLAT, {"learned-flow", "vtep-neighbour"}, "there is no tunnel"),
    ],
)
def test_a_cache_that_a_mode_does_not_have_has_no_rows_but_a_reason(context, point, absent, why):
    lab = staged(point)

    measured = PROBE(lab, point, context)

    assert not absent & {row["cache"] for row in measured.rows}
    assert all(measured.facts["flushed"][level].startswith(why) for level in absent)
    assert not [asked for asked in lab.asked if "del-flows" in asked]


def test_a_first_ping_takes_longer_only_by_its_empty_cache(context):
    measured = PROBE(staged(MESH), MESH, context)

    rtt = {row["cache"]: row["rtt_ms"] for row in measured.rows if row["phase"] == "first"}
    base = rtt.pop("none")
    assert {cache: each and round(each - base, 3) for cache, each in rtt.items()} == {
        "new-lab": 0.6,
        "guest-arp": 0.3,
        "learned-flow": 0.1,
        "megaflow": 0.2,
        "vtep-neighbour": None,
    }


def test_each_cache_is_checked_before_and_after_its_flush_and_filled_again(context, kept):
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
            assert each == {"flushes": 1, "known_after_ping": True, "known_after_refill": True}
    assert "ovs-appctl tnl/neigh/show" in kept["looked-up.txt"]


def test_the_vtep_neighbour_is_flushed_last_and_set_again(context):
    lab = staged(MESH)

    PROBE(lab, MESH, context)

    what = [asked[1:3] for asked in lab.asked]
    flush = what.index(("ovs-appctl", "tnl/neigh/flush"))
    assert flush < what.index(("ovs-appctl", "tnl/neigh/set"))
    # Megaflows first: they contain the MAC, and OVS sends ARP requests for them.
    assert what[flush - 1] == ("ovs-appctl", "revalidator/purge")
    assert max(at for at, words in enumerate(what) if words == ("ip", "-4")) < flush


def test_the_first_cache_differs_between_seeds_and_repeats(context):
    """A daemon that has slept longer wakes up later, so the order matters."""

    def begins_with(seed):
        measured = PROBE(staged(MESH), MESH, replace(context, seed=seed))
        order = [row["cache"] for row in measured.rows if row["phase"] == "first"]
        return order[1], order[5]

    first = [begins_with(seed) for seed in range(4)]
    assert {one for one, _ in first} == {"none", "guest-arp", "learned-flow", "megaflow"}
    assert all(one != two for one, two in first)


def test_both_daemons_are_woken_just_before_each_first_ping(context):
    lab = staged(MESH)

    PROBE(lab, MESH, context)

    once = [
        at
        for at, asked in enumerate(lab.asked)
        if asked[1:2] == ("ping",) and "-c 1 -W 2" in " ".join(asked)
    ]
    woken = [
        at
        for at in once
        if [asked[1:] for asked in lab.asked[at - 2 : at]] == [("ovs-appctl", "version")] * 2
    ]
    assert len(woken) == 4 * PROBE.cache_repeats, "three caches, and none"


class LateRevalidators(FakeBench):
    """A lookup after the deletion finds no flow; then a reply is counted, and learned again."""

    uncounted = False

    def attempt(self, node, *argv, timeout_s=10):
        done = super().attempt(node, *argv, timeout_s=timeout_s)
        is_lookup = argv[:2] == ("ovs-ofctl", "dump-flows")
        if self.uncounted and is_lookup and "learned-flow" not in self.known:
            self.known.add("learned-flow")
            self.uncounted = False
        self.uncounted = self.uncounted or argv[0] == "ping"
        return done


def test_a_flow_that_revalidators_learn_again_is_deleted_again_before_the_ping(context):
    measured = PROBE(LateRevalidators(staged(MESH).overlay), MESH, context)

    assert {each["flushes"] for each in measured.facts["flushed"]["learned-flow"]} == {2}
    rtt = {row["cache"]: row["rtt_ms"] for row in measured.rows if row["phase"] == "first"}
    assert rtt["learned-flow"] - rtt["none"] == pytest.approx(0.1), "the flow was not there"


@pytest.mark.parametrize("level", ["guest-arp", "learned-flow", "megaflow", "vtep-neighbour"])
def test_a_cache_that_is_still_filled_after_its_flush_has_no_sample(context, level):
    lab = staged(MESH, stubborn=frozenset({level}))

    measured = PROBE(lab, MESH, context)

    assert not only(measured, cache=level)
    assert {each["why_not"] for each in measured.facts["flushed"][level]} == {
        "known after each of 5 flushes"
    }


def test_a_cache_that_was_empty_before_its_flush_has_no_sample(context):
    class Forgetful(FakeBench):
        def _answer(self, argv):
            return "" if argv[:2] == ("ovs-ofctl", "dump-flows") else super()._answer(argv)

    measured = PROBE(Forgetful(staged(MESH).overlay), MESH, context)

    assert not only(measured, cache="learned-flow")
    assert measured.facts["flushed"]["learned-flow"][0] == {"why_not": "not known before the flush"}


def test_a_failed_arp_entry_is_not_known(context):
    class Failed(FakeBench):
        def _answer(self, argv):
            answer = super()._answer(argv)
            return f"{self.far.ipv4[0]} dev eth0 FAILED\n" if "neigh" in argv else answer

    measured = PROBE(Failed(staged(MESH).overlay), MESH, context)

    assert measured.facts["known_at_start"]["guest_arp_known"] is False
    assert not only(measured, cache="guest-arp")


def test_all_caches_are_looked_up_before_the_first_ping(context):
    lab = staged(MESH)

    measured = PROBE(lab, MESH, context)

    assert [asked[1] for asked in lab.asked].index("ping") == 5
    assert measured.facts["known_at_start"] == {
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
def test_a_cache_that_is_filled_at_the_start_is_recorded(context, known, fact):
    facts = PROBE(staged(MESH, known={known}), MESH, context).facts

    assert [name for name, is_known in facts["known_at_start"].items() if is_known] == [fact]


def test_baselines_are_measured_only_in_labs_of_flat(context):
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


def test_the_veth_pair_is_added_for_its_pings_and_deleted_after_them(context):
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


def test_the_veth_pair_is_deleted_if_its_pings_fail(context):
    class Broken(FakeBench):
        def _pinged(self, argv):
            return "" if argv[-1] == "192.0.2.6" else super()._pinged(argv)

    lab = Broken(staged(FLAT).overlay)
    with pytest.raises(MeasureError):
        PROBE(lab, FLAT, context)

    assert lab.asked[-1][1:4] == ("ip", "link", "del")


def test_no_other_guest_on_the_host_is_an_error(context):
    lab = staged(FLAT)
    lab.overlay = replace(lab.overlay, ports=lab.overlay.ports[:2])

    with pytest.raises(MeasureError, match="host 'controller': no guest beside 'ServerA'"):
        PROBE(lab, FLAT, context)


def test_ping_has_the_options_of_the_settings(context):
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
    # The wait is shorter for a reply that is not expected.
    assert {asked[7:9] for asked in pings if asked[6:8] == ("-c", "1")} | {
        asked[8:10] for asked in pings if asked[6:8] == ("-c", "1")
    } >= {("-W", "0.5"), ("-W", "2")}


def test_only_the_compared_pings_are_watched(context):
    lab, windows = staged(MESH), []

    def watch():
        windows.append(len(lab.asked))
        return nullcontext()

    PROBE(lab, MESH, replace(context, watch=watch))

    (start,) = windows
    assert lab.asked[start][6:8] == ("-c", "9")


def test_all_output_is_kept(context, kept):
    PROBE(staged(MESH), MESH, context)

    assert sorted(kept) == [
        "looked-up.txt",
        "ping-first-guest-arp.txt",
        "ping-first-learned-flow.txt",
        "ping-first-megaflow.txt",
        "ping-first-new-lab.txt",
        "ping-first-none.txt",
        "ping-first-vtep-neighbour.txt",
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

    assert measured.lost == 2, "the ping without the VTEP neighbour is not counted"
    assert [row["seq"] for row in only(measured, **MAIN) if row["rtt_ms"] is None] == [2, 5]
    assert only(measured, cache="vtep-neighbour")[0]["rtt_ms"] is None


def test_no_reply_at_all_is_an_error_with_its_output_kept(context, kept):
    lab = staged(MESH, lose=tuple(range(1, 10)), warm_pings=8)

    with pytest.raises(MeasureError, match=r"ping from ServerA to ServerB .*: not one reply"):
        PROBE(lab, MESH, context)

    assert "0 received" in kept["ping-guest-warm-10ms-56.txt"]


def test_real_intervals_are_recorded_by_condition(context):
    facts = PROBE(staged(MESH), MESH, context).facts

    assert facts["kept_interval_ms"] == {
        "guest, 10 ms, 56 bytes": 16.0,
        "guest, 10 ms, 512 bytes": 16.0,
        "guest, adaptive, 56 bytes": 16.0,
    }


def test_stages_are_measured_only_in_the_modes_of_the_settings(context, monkeypatch):
    monkeypatch.setattr("experiments.latency.probe.stage_rows", played_stages)
    probe = replace(PROBE, stages_in=("gre-mesh",), stage_pings=2)

    followed, other = (probe(staged(point), point, context) for point in (MESH, FLAT))

    assert [row["seq"] for row in followed.more["stages"]] == [1, 1, 2, 2]
    assert set(followed.more["stages"][0]) == set(LATENCY.question.more["stages"])
    assert other.more == {}


def test_every_experiment_is_found_by_its_name():
    assert tuple(find(name).question.name for name in registry.names()) == registry.names()


def test_columns_factors_and_predictions_of_the_question_agree():
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
        if limit.figure != "overflows":  # a part of the drops
            assert getattr(LATENCY.thresholds, limit.threshold) is not None


@pytest.mark.parametrize("probe", [LATENCY.probe, LATENCY.quick])
def test_only_the_main_condition_is_compared(probe):
    """Pings of another condition with the same form would be mixed with those compared."""
    main = (MAIN["interval_ms"], MAIN["payload_bytes"])

    assert (probe.main.interval_ms, probe.main.payload_bytes) == main
    assert main not in {(each.interval_ms, each.payload_bytes) for each in probe.conditions}
    assert probe.pings > max(each.count for each in probe.conditions if each.interval_ms)


def test_no_payload_is_larger_than_the_smallest_mtu():
    overlay = LATENCY.stage(load("article").overlay, {"mode": "vxlan-mesh"})
    mtu = overlay.mtu_of(overlay.networks[0])

    assert mtu == 1450
    assert all(28 + each.payload_bytes <= mtu for each in LATENCY.probe.conditions)
