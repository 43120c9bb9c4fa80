"""Figures against what is computed by hand and against scipy, and intervals against their promise."""

import numpy as np
import pytest
from scipy import stats

from controller.model.errors import MeasureError
from experiments.core.question import Prediction, Question, number
from experiments.core.results import frame
from experiments.show.judge import of_ranges
from experiments.show.statistics import (
    LEVEL,
    RESAMPLES,
    Difference,
    Interval,
    _expanded,
    bootstrap,
    by_repeat,
    call,
    difference,
    levels_of,
    lost_of,
    median_interval,
    over_repeats,
    percentile,
    summarise,
)

RISING = [np.array([1.0 + repeat, 2.0 + repeat, 3.0 + repeat]) for repeat in range(6)]


def repeats(seed, *, count=6, size=40, shift=0.0, apart=0.1):
    """Skewed samples in blocks that differ among themselves, as labs do."""
    draw = np.random.default_rng(seed)
    return [draw.lognormal(draw.normal(-0.7, apart), 0.3, size) + shift for _ in range(count)]


def prediction(low, high):
    return Prediction(low=low, high=high, claim="", reason="")


def test_median_of_a_level_is_that_of_all_its_samples():
    (level,) = summarise({"flat": RISING}, {"flat": 2}, baseline="flat", seed=1)

    # 1 2 2 3 3 3 4 4 4 5 5 5 6 6 6 7 7 8
    assert level.median == 4.5
    assert (level.samples, level.lost, level.repeats) == (18, 2, 6)
    assert level.to_baseline is None


def test_a_difference_is_the_median_of_the_differences_of_each_repeat():
    slower = [repeat + 0.25 for repeat in RISING]

    found = difference(slower, RISING, seed=1)

    assert found.estimate == 0.25
    # Paired by block: what the blocks have in common does not widen the interval.
    assert (found.interval.low, found.interval.high) == (0.25, 0.25)


def test_pairing_needs_the_same_repeats_in_the_same_order():
    shuffled = [repeat + 0.25 for repeat in reversed(RISING)]

    found = difference(shuffled, RISING, seed=1)

    assert found.estimate == 0.25
    assert found.interval.low < 0
    assert found.interval.high > 0.5


def test_a_repeat_with_lost_replies_counts_with_its_other_samples():
    short = [np.array([9.0]), *RISING[1:]]

    found = median_interval(short, seed=1)

    assert found.high <= 9.0
    assert not np.isnan(found.low)


def test_five_repeats_give_no_interval_and_six_do():
    assert median_interval(RISING[:5], seed=1) is None
    assert median_interval(RISING, seed=1) is not None


def test_the_interval_repeats_with_its_seed():
    assert median_interval(repeats(3), seed=5) == median_interval(repeats(3), seed=5)


def test_with_one_sample_a_repeat_the_interval_is_near_that_of_scipy():
    """The median of single-sample blocks is the plain median, which scipy can do alone."""
    values = np.random.default_rng(8).normal(5, 1, 200)

    ours = median_interval([np.array([value]) for value in values], seed=2)
    theirs = stats.bootstrap(
        (values,), np.median, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval

    # With 200 blocks the widening for small samples is below a hundredth.
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)


def test_the_difference_is_the_median_of_those_of_the_repeats():
    one = [np.array([1.0, 2.0, 30.0]), np.array([4.0]), np.array([9.0, 9.0]), np.array([7.0])]
    other = [np.array([1.0]), np.array([1.0, 1.0]), np.array([1.0]), np.array([5.0, 1.0])]

    # Medians 2 4 9 7 minus 1 1 1 3: 1 3 8 4.
    assert difference(one, other, seed=1) == Difference(estimate=3.5, interval=None)


def test_the_interval_of_six_repeats_is_their_range():
    """The sign test's interval, which has 96.9% whatever the distribution."""
    sums = np.array([0.3, -0.2, 0.1, 0.5, 0.0, 0.2])

    assert over_repeats(sums, seed=1).interval == Interval(-0.2, 0.5)


def test_a_repeat_without_samples_of_one_level_is_left_out():
    gap = [np.array([]), *(repeat + 0.25 for repeat in RISING[1:])]

    assert list(by_repeat((gap, RISING), (1, -1))) == [0.25] * 5


def test_levels_are_paired_by_the_number_of_the_repeat():
    """A lab whose rows were taken out must not shift all that come after it."""
    question = Question(
        name="toll",
        question="",
        unit="ms",
        value="rtt_ms",
        factors={"mode": ("flat", "gre-mesh")},
        columns={"rtt_ms": number("")},
        predictions=(),
        baseline={"mode": "flat"},
    )
    rows = [
        {"repeat": repeat, "order": 1, "mode": mode, "rtt_ms": repeat + more}
        for repeat in range(1, 9)
        for mode, more in (("flat", 0.0), ("gre-mesh", 0.25))
        if (repeat, mode) not in {(2, "gre-mesh"), (7, "flat")}
    ]

    samples = frame(rows, question.tables()["samples"])
    flat, mesh = summarise(levels_of(samples, question), {}, baseline="flat", seed=1)

    assert (flat.repeats, mesh.repeats) == (7, 7)
    assert mesh.to_baseline.interval == Interval(0.25, 0.25)


def test_equal_resamples_are_computed_once():
    sizes = []

    def statistic(picked):
        sizes.append(len(picked))
        return picked.mean(axis=-1) ** 2

    once = bootstrap(6, statistic, seed=3)
    theirs = stats.bootstrap(
        (np.arange(6),),
        lambda picked, axis: picked.mean(axis=axis) ** 2,
        n_resamples=RESAMPLES,
        confidence_level=_expanded(LEVEL, 6),
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(3),
    ).confidence_interval

    assert (once.low, once.high) == (theirs.low, theirs.high)
    # scipy computes the statistic itself, too; 462 different samples of six from six.
    assert sum(sizes) <= 463


@pytest.mark.parametrize("count", [6, 15, 16, 40])
def test_any_number_of_repeats_can_be_resampled(count):
    sums = np.arange(float(count))

    found = over_repeats(sums, seed=1)

    assert found.estimate == (count - 1) / 2
    assert found.interval.low < found.estimate < found.interval.high


def test_the_expanded_level_is_that_of_hesterberg():
    # n = 6: the quantile of Student's t, 2.5706, times sqrt(6 / 5), on the normal scale.
    assert _expanded(0.95, 6) == pytest.approx(
        1 - 2 * stats.norm.sf(2.5706 * (6 / 5) ** 0.5), abs=1e-5
    )


def test_levels_are_in_the_order_of_the_question_and_split_by_repeat():
    question = Question(
        name="q",
        question="",
        unit="ms",
        value="v",
        factors={"mode": ("b", "a")},
        columns={"v": number("")},
        predictions=(),
    )
    rows = [
        {"repeat": 1, "mode": "a", "v": 1.0},
        {"repeat": 1, "mode": "b", "v": 2},
        {"repeat": 2, "mode": "a", "v": None},
        {"repeat": 2, "mode": "b", "v": 3.0},
        {"repeat": 1, "mode": "a", "v": 4.0},
    ]

    samples = frame(rows, question.tables()["samples"])
    found = levels_of(samples, question)

    assert {level: [list(repeat) for repeat in repeats] for level, repeats in found.items()} == {
        "b": [[2.0], [3.0]],
        "a": [[1.0, 4.0], []],
    }
    assert list(found) == ["b", "a"]
    assert lost_of(samples, question) == {"a": 1}


def test_a_shift_greater_than_the_noise_is_found():
    found = difference(repeats((1, 1), shift=0.3, apart=0.05), repeats((1, 2), apart=0.05), seed=1)

    assert found.interval.low > 0.1


@pytest.mark.parametrize(
    ("count", "rank", "is_borne"),
    [(99, 90, False), (100, 90, True), (100, 10, True), (999, 99, False), (1000, 99, True)],
)
def test_a_percentile_needs_ten_samples_beyond_it(count, rank, is_borne):
    found = percentile(np.arange(float(count)), rank)

    assert (found is not None) == is_borne
    if is_borne:
        assert found == np.percentile(np.arange(float(count)), rank)


def test_a_level_without_a_sample_is_an_error():
    with pytest.raises(MeasureError, match="samples of gre-mesh: no sample"):
        summarise({"gre-mesh": [np.array([])]}, {}, baseline="flat", seed=1)


def test_levels_are_compared_over_the_repeats_that_both_have():
    _, other = summarise({"flat": RISING, "gre-mesh": RISING[:4]}, {}, baseline="flat", seed=1)

    assert other.repeats == 4
    assert other.to_baseline == Difference(estimate=0.0, interval=None)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.06, 0.09, "higher"),
        (-0.09, -0.06, "lower"),
        (-0.05, 0.05, "no difference that matters"),
        (0.01, 0.04, "no difference that matters"),
        (0.04, 0.06, "undecided"),
        (-0.2, 0.2, "undecided"),
    ],
)
def test_a_difference_matters_only_beyond_the_margin(low, high, word):
    assert call(Difference(estimate=(low + high) / 2, interval=Interval(low, high)), 0.05) == word


def test_without_an_interval_a_prediction_is_not_judged():
    assert of_ranges(prediction(0, 0.1), [None]) == "not judged"


def test_without_an_interval_there_is_no_conclusion():
    assert call(Difference(estimate=9.0, interval=None), 0.05) == "too few repeats"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.09, "confirmed"),
        (0.11, 0.2, "refuted"),
        (-0.2, -0.1, "refuted"),
        (0.09, 0.11, "undecided"),
    ],
)
def test_a_prediction_is_confirmed_or_refuted_by_the_whole_interval(low, high, word):
    assert of_ranges(prediction(0, 0.1), [Interval(low, high)]) == word
