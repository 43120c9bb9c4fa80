"""What makes a run unreliable, in the words of run.json."""

import json
from dataclasses import asdict, replace

import pytest

from experiments.core.verdict import COUNT_LIMITS, UNTIMED, Seen, Thresholds, Window, judge, settled

LIMITS = Thresholds(
    cpu_idle_min=0.5,
    cpu_steal_max=0.05,
    vswitchd_load_max=0.8,
    lost_upcalls_max=0,
    drops_max=0,
    control_median_max_ms=0.2,
    control_lost_max=0,
    lost_max=0,
    duplicates_max=0,
)
WINDOW = Window(
    length_s=2.0,
    cpu_idle=0.7,
    cpu_steal=0.01,
    vswitchd_load=0.1,
    busiest="computer",
    lost_upcalls=0,
    drops=0,
    control_median_ms=0.04,
    control_lost=0,
)
LEVELS = ("flat", "gre-mesh", "vxlan-l2pop")
ROUNDS = {f"repeat {repeat}, {level}": level for repeat in range(1, 7) for level in LEVELS}


def seen(changes=(), **of_run):
    """Six quiet repeats of three levels; `changes`: fields of a window by (repeat, level)."""
    windows = dict.fromkeys(ROUNDS, (WINDOW,))
    for (repeat, level), fields in dict(changes).items():
        windows[f"repeat {repeat}, {level}"] = (replace(WINDOW, **fields),)
    return Seen(**{"repeats": 6, "windows": windows, "levels": ROUNDS, **of_run})


def everywhere(**fields):
    return {(repeat, level): fields for repeat in range(1, 7) for level in LEVELS}


def reasons(found, limits=LIMITS):
    verdict = judge(found, limits)
    assert verdict.trusted is (not verdict.reasons)
    return verdict.reasons


def test_a_quiet_run_is_trusted():
    verdict = judge(seen(), LIMITS)

    assert verdict.trusted
    assert json.loads(json.dumps(asdict(verdict))) == {
        "trusted": True,
        "reasons": [],
        "thresholds": {
            "cpu_idle_min": 0.5,
            "cpu_steal_max": 0.05,
            "cpu_others_max": None,
            "vswitchd_load_max": 0.8,
            "lost_upcalls_max": 0,
            "drops_max": 0,
            "overflows_max": None,
            "control_median_max_ms": 0.2,
            "control_lost_max": 0,
            "lost_max": 0,
            "duplicates_max": 0,
            "repeats_min": 6,
        },
        "doubts": [],
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cpu_idle": 0.31}, "CPU idle 31%, lowest 31% in repeat 1, flat; wanted at least 50%"),
        ({"cpu_steal": 0.07}, "CPU steal 7%, most 7% in repeat 1, flat; wanted at most 5%"),
        (
            {"vswitchd_load": 0.98},
            "ovs-vswitchd busy 98% of a CPU, most 98% in repeat 1, flat: computer; wanted at most 80%",
        ),
        (
            {"control_median_ms": 0.31},
            "control ping 0.31 ms, most 0.31 ms in repeat 1, flat; wanted at most 0.2 ms",
        ),
    ],
)
def test_a_machine_that_is_always_busy_makes_a_run_unreliable(fields, reason):
    assert reasons(seen(everywhere(**fields))) == (reason,)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"drops": 14, "dropped_by": ("the queue of underlay of computer (14)",)},
            "14 packets dropped, most 14 in repeat 2, flat: the queue of underlay of computer (14); wanted at most 0",
        ),
        (
            {"lost_upcalls": 3, "lost_by": ("computer (2)", "controller (1)")},
            "3 upcalls lost, most 3 in repeat 2, flat: computer (2), controller (1); wanted at most 0",
        ),
        (
            {"control_lost": 1},
            "1 control ping lost, most 1 in repeat 2, flat; wanted at most 0",
        ),
    ],
)
def test_one_loss_makes_a_run_unreliable(fields, reason):
    assert reasons(seen({(2, "flat"): fields})) == (reason,)


def test_losses_are_counted_over_the_run():
    some = seen({(1, "flat"): {"drops": 2}, (2, "flat"): {"drops": 3}})

    assert reasons(some, replace(LIMITS, drops_max=5)) == ()
    assert reasons(some, replace(LIMITS, drops_max=4)) == (
        "5 packets dropped, most 3 in repeat 2, flat; wanted at most 4",
    )


def test_single_disturbed_windows_do_not_matter():
    stolen = {"cpu_steal": 0.2, "cpu_idle": 0.3, "control_median_ms": 3.0, "vswitchd_load": 0.9}

    assert reasons(seen({(1, "flat"): stolen, (3, "gre-mesh"): stolen, (4, "flat"): stolen})) == ()


def test_a_disturbance_that_always_meets_one_level_makes_a_run_unreliable():
    busy = {(repeat, "gre-mesh"): {"cpu_idle": 0.4} for repeat in (1, 2, 4, 5)}

    assert reasons(seen(busy)) == (
        "CPU idle 40% in the median lab of gre-mesh, lowest 40% in repeat 1, gre-mesh; wanted at least 50%",
    )


def test_windows_of_a_lab_are_weighted_by_their_length():
    """Pings as fast as answers come keep the processors busy, for a moment, in every round."""
    fast, slow = replace(WINDOW, length_s=0.3, cpu_idle=0.3), replace(WINDOW, length_s=3.0)
    windows = dict.fromkeys(ROUNDS, (fast, fast, slow))

    assert reasons(seen(windows=windows)) == ()


def test_a_quick_run_has_no_median_lab():
    one = {
        name: windows for name, windows in seen().windows.items() if name.startswith("repeat 1,")
    }
    one["repeat 1, flat"] = (replace(WINDOW, cpu_steal=0.1),)

    assert reasons(seen(windows=one, repeats=1), LIMITS.for_quick_run()) == ()


def test_a_long_window_has_more_weight_than_a_short_one():
    long, short = {"length_s": 9.0, "cpu_idle": 0.45}, {"length_s": 1.0, "cpu_idle": 0.7}
    changes = everywhere(**short) | {(repeat, "flat"): long for repeat in range(1, 7)}

    report = reasons(seen(changes, levels={}))

    # (9 * 45% + 2 * 70%) / 11
    assert report == ("CPU idle 49.5%, lowest 45% in repeat 1, flat; wanted at least 50%",)


def test_programs_of_others_make_a_timed_run_unreliable():
    limits = Thresholds(cpu_others_max=0.2, repeats_min=1)
    windows = {"repeat 1, flat": (Window(length_s=1, cpu_others=0.45),)}

    (reason,) = judge(Seen(repeats=1, windows=windows), limits).reasons
    assert reason == ("CPU time of other programs 45% in repeat 1, flat; wanted at most 20%")
    calm = {"repeat 1, flat": (Window(length_s=1, cpu_others=0.1),)}
    assert judge(Seen(repeats=1, windows=calm), limits).trusted


def test_a_limit_on_an_unmeasured_value_is_not_kept():
    changes = everywhere(control_median_ms=None)

    assert reasons(seen(changes)) == ("the control ping has a limit, but was not measured",)
    assert reasons(seen(changes), replace(LIMITS, control_median_max_ms=None)) == ()


def test_a_run_without_windows_is_unreliable():
    """Such as that of a probe that never calls `Context.watch`."""
    limits = Thresholds(cpu_steal_max=0.05)

    blind = reasons(seen(windows=dict.fromkeys(ROUNDS, ())), limits)

    assert blind == ("CPU steal has a limit, but was not measured",)
    assert reasons(Seen(repeats=0), replace(limits, repeats_min=0)) == ()


def test_labs_without_timing_need_no_window():
    limits = Thresholds(cpu_steal_max=0.05, repeats_min=1)
    untimed = dict.fromkeys(ROUNDS, (UNTIMED,))

    assert reasons(seen(windows=untimed), limits) == ()
    first = next(iter(ROUNDS))
    stolen = {**untimed, first: (Window(length_s=1.0, cpu_steal=0.2),)}
    assert reasons(seen(windows=stolen), limits)[0].startswith("CPU steal 20% in ")


def test_a_value_may_be_missing_in_some_windows():
    assert reasons(seen({(1, "flat"): {"control_median_ms": None}})) == ()


def test_a_value_that_could_not_be_measured_makes_a_run_unreliable_if_it_has_a_limit():
    blind = {"drops": None, "unseen": {"drops": "OSError: [Errno 2] the kernel refused"}}
    some = seen({(1, "flat"): blind, (2, "flat"): blind})

    assert reasons(some) == (
        "drops could not be measured in repeat 1, flat and 1 more: OSError: [Errno 2] the kernel refused",
    )
    assert reasons(some, replace(LIMITS, drops_max=None)) == ()


@pytest.mark.parametrize(
    ("of_run", "reason"),
    [
        ({"lost": 1}, "1 answer or packet unaccounted for; wanted at most 0"),
        ({"lost": 2}, "2 answers or packets unaccounted for; wanted at most 0"),
        ({"duplicates": 1}, "1 duplicate answer; wanted at most 0"),
        ({"duplicates": 2}, "2 duplicate answers; wanted at most 0"),
        ({"repeats": 1}, "1 repeat complete; wanted 6, the fewest for a 95% interval"),
        ({"repeats": 5}, "5 repeats complete; wanted 6, the fewest for a 95% interval"),
    ],
)
def test_each_limit_on_the_whole_run_is_checked(of_run, reason):
    assert reasons(seen(**of_run)) == (reason,)


def test_every_reason_is_listed():
    bad = everywhere(cpu_idle=0.0, cpu_steal=0.5, drops=1)

    assert len(reasons(seen(bad, repeats=0, lost=3, duplicates=1))) == 6


def test_a_quick_run_needs_one_repeat_and_has_all_other_limits():
    limits = LIMITS.for_quick_run()

    assert reasons(seen(repeats=1), limits) == ()
    assert reasons(seen(repeats=0), limits) == ("0 repeats complete; wanted 1",)
    assert reasons(seen(repeats=1, lost=1), limits) == (
        "1 answer or packet unaccounted for; wanted at most 0",
    )


def test_by_default_only_repeats_are_limited():
    assert reasons(seen(everywhere(cpu_idle=0.0, drops=9)), Thresholds()) == ()


QUIET = Window(cpu_idle=0.0, lost_upcalls=0, overflows=0, control_lost=0)  # but busy


def counting(**fields):
    """The verdict of an experiment that only counts; `fields`: of one of its two windows."""
    windows = {"repeat 1, flat": (QUIET,), "repeat 1, gre-mesh": (replace(QUIET, **fields),)}
    return judge(Seen(repeats=1, counted=windows), Thresholds(repeats_min=1))


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        (
            {"overflows": 3, "overflowed_by": ("the packet socket on underlay of host1 (3)",)},
            "3 frames found a full buffer, most 3 in repeat 1, gre-mesh: the packet socket on "
            "underlay of host1 (3); wanted at most 0",
        ),
        (
            {"lost_upcalls": 1, "lost_by": ("host1 (1)",)},
            "1 upcall lost, most 1 in repeat 1, gre-mesh: host1 (1); wanted at most 0",
        ),
        (
            {"control_lost": 1},
            "1 control ping lost, most 1 in repeat 1, gre-mesh; wanted at most 0",
        ),
        (
            {"overflows": None, "unseen": {"overflows": "OSError: no"}},
            "frames that found a full buffer could not be measured in repeat 1, gre-mesh: "
            "OSError: no",
        ),
    ],
)
def test_a_refutation_while_a_control_failed_is_not_trusted(fields, doubt):
    verdict = counting(**fields)
    assert (verdict.trusted, verdict.reasons, verdict.doubts) == (True, (), (doubt,))

    recorded = json.loads(json.dumps(asdict(verdict)))
    assert settled(recorded, is_refuted=False) == recorded
    found = settled(recorded, is_refuted=True)
    assert not found["trusted"]
    assert found["reasons"] == [f"a prediction was refuted, but {doubt}"]


def test_a_refutation_is_trusted_on_a_busy_machine_if_every_control_is_right():
    verdict = counting()

    assert verdict.doubts == ()
    recorded = asdict(verdict)
    assert settled(recorded, is_refuted=True) == recorded
    assert recorded["trusted"]


def test_a_control_that_a_lab_does_not_have_raises_no_doubt():
    windows = {"repeat 1, flat": (Window(absent=("lost_upcalls",), overflows=0),)}
    assert judge(Seen(repeats=1, counted=windows), Thresholds(repeats_min=1)).doubts == ()


def test_a_busy_machine_raises_no_doubt_about_counts():
    assert (COUNT_LIMITS.cpu_idle_min, COUNT_LIMITS.cpu_steal_max) == (None, None)
