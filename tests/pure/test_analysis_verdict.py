"""What makes a run untrusted, in the words that stand in run.json."""

from dataclasses import replace

import pytest

from experiments.verdict import Seen, Thresholds, judge

LIMITS = Thresholds(cpu_idle_min=0.2, cpu_steal_max=0.05, lost_max=0, duplicates_max=0)
CALM = Seen(
    blocks=6, lost=0, duplicates=0, cpu_idle={"a": 0.6, "b": 0.5}, cpu_steal={"a": 0.0, "b": 0.01}
)


def test_a_calm_run_is_trusted():
    verdict = judge(CALM, LIMITS)

    assert verdict.trusted
    assert verdict.to_json() == {
        "trusted": True,
        "reasons": [],
        "thresholds": {
            "cpu_idle_min": 0.2, "cpu_steal_max": 0.05, "lost_max": 0, "duplicates_max": 0, "blocks_min": 6,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cpu_idle": {"a": 0.6, "b": 0.1}}, "CPU idle 10% in b; wanted at least 20%"),
        ({"cpu_idle": {"a": 0.15, "b": 0.1}}, "CPU idle 10% in b and 1 more; wanted at least 20%"),
        ({"cpu_steal": {"a": 0.07, "b": 0.0}}, "CPU steal 7% in a; wanted at most 5%"),
        ({"lost": 1}, "1 ping lost; wanted at most 0"),
        ({"lost": 2}, "2 pings lost; wanted at most 0"),
        ({"duplicates": 1}, "1 duplicate reply; wanted at most 0"),
        ({"duplicates": 2}, "2 duplicate replies; wanted at most 0"),
        ({"blocks": 1}, "1 block complete; wanted 6, the fewest a 95% interval can come from"),
        ({"blocks": 5}, "5 blocks complete; wanted 6, the fewest a 95% interval can come from"),
    ],
)
def test_each_limit_turns_it(change, reason):
    verdict = judge(replace(CALM, **change), LIMITS)

    assert not verdict.trusted
    assert verdict.reasons == (reason,)


def test_every_reason_is_told():
    assert len(judge(replace(CALM, blocks=0, lost=3, duplicates=1), LIMITS).reasons) == 3


def test_a_first_look_needs_one_block_and_keeps_the_other_limits():
    one = replace(CALM, blocks=1)

    assert judge(one, LIMITS.for_first_look()).trusted
    assert not judge(replace(one, lost=1), LIMITS.for_first_look()).trusted
