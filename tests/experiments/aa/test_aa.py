"""The A/A test: 95% intervals have 5% false positives, and shorter ones are detected."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from scipy import stats

from controller.model.errors import MeasureError
from experiments.aa.check import Checked, check
from experiments.aa.probe import EXPERIMENT as AA
from experiments.aa.words import ALLOWED, DRAWS, PER_DRAW, chance_of_more
from experiments.core.experiment import Context
from experiments.core.results import Recorder, frame, read
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from experiments.show.statistics import Difference, Interval, difference
from tests.experiments.fake_bench import FakeBench
from tests.experiments.latency.latency_run import about
from tests.experiments.seen_texts import assert_readable
from topologies.scenario.load import load

POINT = {"mode": "vxlan-l2pop", "label": "b"}


def pool(seed, *, repeats=24, apart=0.1, size=15):
    """Labs that differ from each other, in repeats that differ; labels make no difference."""
    draw = np.random.default_rng(seed)
    bases = draw.normal(-0.7, apart, repeats)
    return [
        tuple(draw.lognormal(base + draw.normal(0, apart), 0.3, size) for _ in "ab")
        for base in bases
    ]


@pytest.fixture(scope="module")
def fair():
    """200 draws from a pool, compared as levels are."""
    return check(pool(1), seed=1)


def test_clustered_samples_have_no_more_false_positives_than_allowed(fair):
    assert len(fair.draws) == DRAWS == 200
    assert len(fair.false_positives) <= ALLOWED == 17
    assert fair.false_positives, "without any false positive the intervals are too wide"
    assert fair.is_fair


def pings_as_independent(one, other, *, seed):
    """Ignores that the pings of a repeat are not independent."""
    one, other = np.concatenate(one), np.concatenate(other)
    found = stats.bootstrap(
        (one, other),
        lambda a, b, axis: np.median(a, axis) - np.median(b, axis),
        n_resamples=199,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Difference(estimate=0.0, interval=Interval(*map(float, found)))


def percentile_of_a_mean(one, other, *, seed):
    """The plain percentile interval of six differences: about 14% false positives."""
    differences = [np.median(a) - np.median(b) for a, b in zip(one, other, strict=True)]
    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=999,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Difference(estimate=0.0, interval=Interval(*map(float, found)))


def half_as_long(one, other, *, seed):
    """The comparison of `latency`, with intervals of half the width."""
    found = difference(one, other, seed=seed)
    low, high = ((edge + found.estimate) / 2 for edge in (found.interval.low, found.interval.high))
    return replace(found, interval=Interval(low, high))


@pytest.mark.parametrize("compare", [pings_as_independent, percentile_of_a_mean, half_as_long])
def test_intervals_that_are_too_short_are_not_fair(compare):
    found = check(pool(1, size=60), seed=1, compare=compare)

    assert len(found.false_positives) > ALLOWED
    assert not found.is_fair


def test_the_chance_of_more_false_positives_than_allowed_is_1_2_percent():
    assert chance_of_more() == pytest.approx(0.0121, abs=0.0001)
    assert chance_of_more(16) > 0.02


def test_a_draw_takes_each_repeat_once_and_swaps_half_of_the_labels():
    marked = [(np.array([float(repeat)]), np.array([repeat + 0.5])) for repeat in range(10)]
    seen = []

    def keep(one, other, *, seed):
        seen.append([(float(a[0]), float(b[0])) for a, b in zip(one, other, strict=True)])
        return Difference(estimate=0.0, interval=Interval(-1, 1))

    check(marked, seed=3, compare=keep)

    assert len(seen) == DRAWS
    for draw in seen:
        assert len({int(a) for a, _ in draw}) == PER_DRAW
        assert all(abs(a - b) == 0.5 and int(a) == int(b) for a, b in draw)
    swapped = sum(a > b for draw in seen for a, b in draw)
    assert 0.4 < swapped / (DRAWS * PER_DRAW) < 0.6
    assert len({tuple(draw) for draw in seen}) > 150


def test_a_pool_with_fewer_repeats_than_a_draw_is_not_checked():
    assert check(pool(1, repeats=5), seed=1) is None


def written(parent, labs, **more):
    """A run of `aa` with these labs, as files."""
    recorder = Recorder(parent, "aa", AA.question.tables())
    recorder.about(about(AA.question, **more))
    recorder.samples(
        {
            "repeat": repeat,
            "order": order,
            "mode": "vxlan-l2pop",
            "label": label,
            "phase": phase,
            "interval_ms": 10,
            "payload_bytes": 56,
            "seq": seq,
            "received_s": 1.0,
            "copies": 0,
            "rtt_ms": round(float(rtt), 3),
        }
        for repeat, pair in enumerate(labs, start=1)
        for order, (label, samples) in enumerate(zip("ab", pair, strict=True), start=1)
        for phase, rtts in (("warmup", [99.0]), ("warm", samples))
        for seq, rtt in enumerate(rtts, start=1)
    )
    return read(recorder.directory)


@pytest.fixture
def one_check(monkeypatch):
    """Replaces the draws by some with this many false positives."""

    def put(false):
        draws = [Difference(estimate=0.0, interval=Interval(-1, 1))] * (DRAWS - false)
        draws += [Difference(estimate=2.0, interval=Interval(1, 3))] * false
        monkeypatch.setattr(
            "experiments.aa.report.check", lambda *_, **__: Checked(draws=tuple(draws))
        )

    return put


def test_a_report_counts_false_positives(tmp_path, fair):
    report = report_on(written(tmp_path, pool(1)))

    (line,) = report.findings
    false = int(line.partition(": ")[2].split()[0])
    # Files have three digits, and the run another seed.
    assert abs(false - len(fair.false_positives)) <= 2
    assert line == (f"vxlan-l2pop, A/A test: {false} false positives in 200 comparisons (limit 17)")
    assert report.tables[0].rows[0][:5] == ("vxlan-l2pop", "24", str(false), "200", "17")
    assert "exchangeable" in report.tables[0].note
    assert "one pool" in report.tables[0].note
    assert "24 repeats with two new labs each, 15 warm pings per lab" in report.conditions


@pytest.mark.parametrize(
    ("false", "outcome", "is_refuted"), [(17, "confirmed", False), (18, "refuted", True)]
)
def test_more_false_positives_than_allowed_refute_the_prediction(
    tmp_path, one_check, false, outcome, is_refuted
):
    one_check(false)

    report = report_on(written(tmp_path, pool(1)))

    assert report.is_refuted == is_refuted
    assert (report.outcomes[0].outcome, report.outcomes[0].found) == (
        outcome,
        f"vxlan-l2pop: {false} of 200",
    )


def test_an_unreliable_run_refutes_nothing(tmp_path, one_check):
    one_check(200)

    report = report_on(written(tmp_path, pool(1), verdict={"trusted": False, "reasons": []}))

    assert not report.is_refuted
    assert report.outcomes[0].outcome == "not judged"


def test_fewer_repeats_than_a_comparison_takes_are_not_judged(tmp_path):
    report = report_on(written(tmp_path, pool(1, repeats=1)))

    assert report.findings == (
        "vxlan-l2pop, A/A test: no comparison, which takes 6 repeats; 1 repeat",
    )
    assert report.outcomes[0].outcome == "not judged"
    with mpl.rc_context(fname=STYLE):
        figure = report.draw()
        assert_readable(figure, at_least=6)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "vxlan-l2pop, a",
        "vxlan-l2pop, b",
    ]
    assert ax.get_xlim()[1] < 99, "the warm-up is not drawn"


def test_the_figure_has_every_interval_and_marks_false_positives(tmp_path, one_check):
    one_check(3)
    report = report_on(written(tmp_path, pool(1)))
    (ax,) = report.draw().axes

    strokes = {each.get_gid(): len(each.get_segments()) for each in ax.collections}
    assert strokes == {"includes 0": 197, "excludes 0": 3}
    (marked,) = [line for line in ax.lines if line.get_gid() == "estimates, excludes 0"]
    assert list(marked.get_xdata()) == [198, 199, 200]
    assert ax.get_ylabel() == "difference [ms]"
    assert report.pictures[0].title == (
        "vxlan-l2pop compared with itself: 3 of 200 comparisons find a difference (limit 17)"
    )


def test_repeats_without_samples_of_both_labels_are_not_counted(tmp_path):
    labs = pool(1, repeats=3)

    report = report_on(written(tmp_path, [(labs[0][0], []), *labs[1:]]))

    assert "2 repeats with" in report.conditions


def test_no_repeat_with_both_labels_is_an_error(tmp_path):
    with pytest.raises(MeasureError, match="no repeat with samples of both labels"):
        report_on(written(tmp_path, [(np.array([0.4]), [])]))


@pytest.fixture
def kept():
    return {}


@pytest.fixture
def context(kept):
    return Context(keep=kept.__setitem__, path=Path, watch=nullcontext, say=print, seed=7)


def lab(**options):
    overlay = AA.stage(AA.narrow(load("article").overlay), POINT)
    return FakeBench(overlay, **options)


def test_the_probe_pings_a_warm_up_and_then_the_samples(context, kept):
    measured = AA.probe(lab(), POINT, context)

    assert {frozenset(row) for row in measured.rows} == {
        frozenset(AA.question.columns) - {"mode", "label"}
    }
    samples = frame(measured.rows, AA.question.tables()["samples"])
    assert samples.filter(phase="warmup").height == AA.probe.warmup.count
    assert samples.filter(**AA.question.compared).height == AA.probe.warm.count
    assert set(kept) == {"ping-warmup.txt", "ping-warm.txt"}


def test_lost_replies_are_counted_and_no_reply_at_all_is_an_error(context):
    warm = AA.probe.warm.count

    assert AA.probe(lab(lose=(2, 5), warm_pings=warm), POINT, context).lost == 2
    with pytest.raises(MeasureError, match="not one reply"):
        AA.probe(lab(lose=tuple(range(1, warm + 1)), warm_pings=warm), POINT, context)


def test_duplicate_replies_are_counted(context):
    twice = lab()
    once, warm = twice.attempt, AA.probe.warm

    def attempt(node, *argv, timeout_s=10):
        done = once(node, *argv, timeout_s=timeout_s)
        if argv == warm.argv(twice.far.ipv4[0]):
            line = next(each for each in done.stdout.splitlines() if "icmp_seq=3 " in each)
            done.stdout = done.stdout.replace(line, f"{line}\n{line} (DUP!)").replace(
                " received,", " received, +1 duplicates,"
            )
        return done

    twice.attempt = attempt
    assert AA.probe(twice, POINT, context).duplicates == 1


def test_labs_of_a_repeat_differ_only_in_their_label():
    staged = [AA.stage(load("article").overlay, {**POINT, "label": label}) for label in "ab"]

    assert staged[0] == staged[1]
    assert [point["label"] for point in AA.question.points()] == ["a", "b"]
