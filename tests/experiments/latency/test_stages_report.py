"""The tables and the chart of a ping's stages, from stages.csv."""

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest

from experiments.core.question import Question
from experiments.core.results import Run, frame
from experiments.latency.question import STAGE_COLUMNS
from experiments.latency.report_stages import followed, stage_parts
from experiments.latency.words import PING, REPLY, REQUEST, RTT, STAGES, UNMATCHED
from experiments.show.report import Report
from experiments.show.sheet import STYLE
from tests.experiments.seen_texts import assert_readable

STEPS_US = (7, 190, 16, 140, 4, 18, 1, 22, 5, 185, 2)  # the medians below
MODES = ("flat", "gre-mesh", "vxlan-l2pop")
SIX = (*MODES, "gre-l2pop", "vxlan-mesh", "vxlan-l2pop-arp")


def row(direction, stage, latency_us, seq=1, note=None, **place):
    return {
        "repeat": 1,
        "order": 1,
        "mode": "flat",
        **place,
        "seq": seq,
        "direction": direction,
        "stage": stage,
        "latency_us": latency_us,
        "note": note,
    }


def ping(seq, more_us=0.0, note=None, **place):
    """One ping's rows; its first switch takes `more_us` longer."""
    steps = [us + more_us * (at == 1) for at, us in enumerate(STEPS_US)]
    rows = [row(*way, us, seq, **place) for way, us in zip(STAGES, steps, strict=True)]
    return [*rows, row(PING, RTT, sum(steps) + 30, seq, note, **place)]


def run_of(rows, modes=MODES):
    question = Question(
        name="latency",
        question="",
        unit="ms",
        value="rtt_ms",
        factors={"mode": modes},
        columns={},
        more={"stages": STAGE_COLUMNS},
        predictions=(),
        baseline={"mode": "flat"},
    )
    columns = question.tables()
    tables = {name: frame({"samples": (), "stages": rows}[name], columns[name]) for name in columns}
    about = {"seed": 1, "scenario": "article", "verdict": {"trusted": True, "reasons": []}}
    return Run(Path(), question, about, tables)


def draw(picture, run):
    return Report(run=run, findings=()).draw(picture)


def pings(count=5, modes=MODES, repeats=1):
    """Pings in every mode; the median of each stage is that of STEPS_US."""
    return [
        row
        for mode in modes
        for repeat in range(1, repeats + 1)
        for seq in range(count)
        for row in ping(seq, more_us=10.0 * (seq - count // 2), mode=mode, repeat=repeat)
    ]


def cells(table, first):
    (found,) = [row for row in table.rows if row[0] == first or row[:2] == first]
    return dict(zip(table.heads, found, strict=True))


def test_a_run_that_followed_no_ping_has_no_stages():
    assert stage_parts(run_of([])) == ((), ())
    without = run_of([])
    only_samples = {"samples": without.tables["samples"]}
    assert stage_parts(replace(without, tables=only_samples)) == ((), ())


def test_the_table_has_every_stage_in_the_order_of_time_by_level():
    stages, _ = stage_parts(run_of(pings()))[0]

    assert stages.heads == ("way", "stage", *MODES)
    assert [row[2] for row in stages.rows[:11]] == [f"{us:.1f}" for us in STEPS_US]
    assert [row[0] for row in stages.rows[:11]] == [REQUEST] * 5 + [""] + [REPLY] * 5
    assert [row[1:3] for row in stages.rows[11:]] == [
        ("sum of the stages", "590.0"),
        ("ping", "620.0"),
    ]


def test_percentiles_need_ten_samples_beyond_each():
    few, many = (stage_parts(run_of(pings(count)))[0][0] for count in (99, 101))

    assert cells(few, (REQUEST, "br-int to wire"))["flat"] == "190.0"
    assert cells(many, (REQUEST, "br-int to wire"))["flat"] == "190.0 (-210.0 to 590.0)"


def test_repeats_and_levels_are_kept_apart():
    rows = [*ping(1, mode="flat"), *ping(1, 40, mode="flat", repeat=2), *ping(1, mode="gre-mesh")]
    found = followed(run_of(rows))

    assert list(found) == ["flat", "gre-mesh"]
    assert list(found["flat"].sums_us) == [590, 630]
    assert list(found["gre-mesh"].sums_us) == [590]
    assert list(found["flat"].samples_us[REQUEST, "switch"]) == [190, 230]


def test_the_stages_are_compared_with_the_round_trip_of_ping():
    _, sums = stage_parts(run_of([*pings(), *ping(99, note="stages exceed it by 3.0 us")]))[0]

    flat = cells(sums, "flat")
    assert (flat["sum of stages"], flat["ping"], flat["covered"]) == ("590", "620", "95%")
    assert flat["stages longer than ping"] == "1"
    assert cells(sums, "gre-mesh")["stages longer than ping"] == "0"


def test_shares_include_both_directions_and_both_switches():
    _, sums = stage_parts(run_of(pings()))[0]

    assert cells(sums, "flat")["in the switches"] == f"{(190 + 140 + 22 + 185) / 620:.0%}"
    assert cells(sums, "flat")["on the wire"] == f"{21 / 620:.0%}"


def test_pings_that_could_not_be_followed_are_counted_with_the_reason():
    why = "no reply at its host's wire"
    lost = [row(PING, UNMATCHED, None, seq, why) for seq in (90, 91)]
    tables, (picture,) = stage_parts(run_of([*pings(), *lost]))

    flat = cells(tables[1], "flat")
    assert (flat["followed"], flat["not followed"]) == ("5", "2")
    assert flat["why not followed"] == f"2 x {why}"
    assert cells(tables[1], "gre-mesh")["why not followed"] == "-"
    assert "2 pings could not be followed" in picture.alternative


def test_a_level_without_a_followed_ping_is_in_the_table_but_not_drawn():
    lost = row(PING, UNMATCHED, None, 1, "no request at eth0 of the far guest")
    (sums,), pictures = stage_parts(run_of([lost]))
    assert pictures == ()
    assert cells(sums, "flat")["sum of stages"] == "-"

    tables, (picture,) = stage_parts(run_of([lost, *pings(modes=("gre-mesh",))]))
    assert tables[0].heads == ("way", "stage", "gre-mesh")
    assert len(draw(picture, run_of([])).axes) == 1


def test_one_sample_more_or_less_changes_table_and_figure():
    rows = pings(count=1)
    at = next(at for at, each in enumerate(rows) if each["stage"] == "wire")
    edited = [*rows[:at], {**rows[at], "latency_us": 900.0}, *rows[at + 1 :]]
    (before, figure), (after, other) = (
        (tables[0], draw(picture, run_of([])))
        for tables, (picture,) in map(stage_parts, map(run_of, (rows, edited)))
    )

    assert before != after
    assert bars(figure.axes[0])["part wire 0"].get_width() == 16 + 5
    assert bars(other.axes[0])["part wire 0"].get_width() == 900 + 5


def test_the_finding_about_faster_replies_needs_all_levels():
    (picture,) = stage_parts(run_of(pings()))[1]
    assert "br-int to wire takes 190 µs for a request, 22 µs for its reply" in picture.alternative

    slow = [
        {**each, "latency_us": 150.0}
        if (each["direction"], each["stage"]) == (REPLY, "far-switch") and each["mode"] == "flat"
        else each
        for each in pings()
    ]
    (picture,) = stage_parts(run_of(slow))[1]
    assert "its reply" not in picture.alternative


def bars(ax):
    """The end of each part of each level, by name and row."""
    return {
        str(patch.get_gid()): patch
        for patch in ax.patches
        if str(patch.get_gid()).startswith("part")
    }


def test_parts_of_a_ping_are_sums_of_medians_and_the_rest_is_not_captured():
    (picture,) = stage_parts(run_of(pings()))[1]
    (ax,) = draw(picture, run_of([])).axes

    found = bars(ax)
    widths = {name: bar.get_width() for name, bar in found.items() if name.endswith(" 0")}
    assert widths == {
        "part switches 0": 190 + 140 + 22 + 185,
        "part guests 0": 7 + 4 + 18 + 1 + 2,
        "part wire 0": 16 + 5,
        "part not captured 0": 30,
    }
    assert found["part guests 0"].get_x() == found["part switches 0"].get_width()
    values = [text.get_text() for text in ax.texts if str(text.get_gid()).startswith("value")]
    assert values == ["620 µs"] * 3
    assert [text.get_text() for text in ax.get_yticklabels()] == list(MODES)


def test_the_title_is_the_share_of_the_switches():
    (picture,) = stage_parts(run_of(pings()))[1]

    assert picture.title == "87% of a ping's time is spent in the switches"


@pytest.mark.parametrize("modes", [MODES[:1], MODES, SIX])
@pytest.mark.filterwarnings("error")
def test_no_two_texts_overlap_and_none_is_cut_off(modes):
    with mpl.rc_context(fname=STYLE):
        run = run_of(pings(modes=modes, repeats=2), modes)
        figure = draw(stage_parts(run)[1][0], run)
        assert_readable(figure, at_least=3 * len(modes) + 6)
