"""A run in words: tables, headline, JSON; nothing is claimed that an interval does not bear."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from experiments.analysis import Difference, Interval, Summary
from experiments.latency import LATENCY
from experiments.report import (
    Told,
    conditions,
    headline,
    markdown,
    terminal_lines,
    to_json,
    verdict_line,
)

ABOUT = {
    "verdict": {"trusted": True, "reasons": [], "thresholds": {}},
    "settings": {"blocks": 6, "pings": 200, "interval_ms": 10, "payload_bytes": 56},
    "lab": {"datapath": "netdev", "app": "os-ken"},
    "machine": {"tools": {"ovs": "3.1.0"}},
    "scenario": "article",
    "seed": 7,
    "measured": [
        {"kept_interval_ms": 16.0},
        {"kept_interval_ms": 15.9},
        {"kept_interval_ms": None},
    ],
}
BASE = Summary(
    level="flat", blocks=6, samples=1200, lost=0, median=0.448, interval=Interval(0.418, 0.491),
    percentiles={10: 0.343, 90: 0.6, 99: None}, to_baseline=None,
)  # fmt: skip


def told(low=0.06, high=0.09, level="gre-mesh", **about):
    found = Difference(estimate=(low + high) / 2, interval=Interval(low, high))
    gre = Summary(
        level=level, blocks=6, samples=1199, lost=1, median=0.523, interval=Interval(0.5, 0.55),
        percentiles={10: 0.4, 90: 0.7, 99: None}, to_baseline=found,
    )  # fmt: skip
    return Told(experiment=LATENCY, about={**ABOUT, **about}, summaries=(BASE, gre))


def shown(told):
    console = Console(width=80)
    with console.capture() as captured:
        for line in terminal_lines(told):
            console.print(line)
    return captured.get().splitlines()


@pytest.mark.parametrize(
    ("low", "high", "finding"),
    [
        (0.06, 0.09, "gre-mesh is slower than flat by 0.060 to 0.090 ms"),
        (-0.09, -0.06, "gre-mesh is faster than flat by 0.060 to 0.090 ms"),
        (-0.01, 0.04, "gre-mesh is within ±0.05 ms of flat"),
        (-0.01, 0.08, "gre-mesh minus flat: -0.010 to +0.080 ms, undecided at ±0.05"),
    ],
)
def test_the_headline_claims_what_the_interval_bears(low, high, finding):
    assert headline(told(low, high)) == finding


def test_an_untrusted_run_says_so_before_its_finding():
    doubted = told(verdict={"trusted": False, "reasons": ["3 pings lost; wanted at most 0"]})

    assert headline(doubted).startswith("Not to be trusted (why: below); gre-mesh")
    assert verdict_line(doubted) == "not to be trusted: 3 pings lost; wanted at most 0"


def judged(told):
    """The word on the prediction: in the table, in JSON, and on a terminal, if anything."""
    row = markdown(told, []).split(f"| {told.summaries[1].level} |")[1].splitlines()[0]
    document = to_json(told, {"directory": "/r"})
    found = [line for line in terminal_lines(told) if str(line).startswith("Found:")]
    return row.split("|")[-2].strip(), document["summaries"][1]["prediction"], found


def test_an_untrusted_run_does_not_judge_the_prediction():
    doubted = told(verdict={"trusted": False, "reasons": []})

    assert judged(doubted) == ("not judged", "not judged", ["Found:     gre-mesh not judged"])


def test_a_run_without_intervals_does_not_judge_the_prediction():
    base, gre = told().summaries
    gre = replace(gre, to_baseline=Difference(estimate=0.05, interval=None))

    first_look = replace(told(), summaries=(base, gre))

    assert judged(first_look) == ("not judged", "not judged", ["Found:     gre-mesh not judged"])


@pytest.mark.parametrize("about", [{}, {"verdict": {"trusted": False}}])
def test_the_prediction_is_held_against_tunnels_alone(about):
    assert judged(told(level="vlan", **about)) == ("-", "-", [])


def test_a_run_that_never_came_to_a_verdict_is_not_trusted():
    running = told(verdict=None)

    assert not running.trusted
    assert verdict_line(running) == "not to be trusted: no verdict was reached"


def test_what_a_terminal_shows_fits_80_columns_and_cuts_nothing():
    lines = shown(told())

    assert lines[0] == "gre-mesh is slower than flat by 0.060 to 0.090 ms"
    assert lines[1].split() == [
        "mode", "pings", "lost", "p10", "median", "p90", "to", "flat", "95%", "interval",
    ]  # fmt: skip
    assert lines[2].split() == ["flat", "1200", "0", "0.343", "0.448", "0.600", "-", "-"]
    assert lines[3].split() == [
        "gre-mesh", "1200", "1", "0.400", "0.523", "0.700", "+0.075", "+0.060", "to", "+0.090",
    ]  # fmt: skip
    assert lines[4:] == [f"Predicted: {LATENCY.prediction.says}", "Found:     gre-mesh confirmed"]
    assert max(map(len, lines)) <= 80


def test_columns_with_nothing_to_tell_are_left_out():
    alone = Told(experiment=LATENCY, about=ABOUT, summaries=(BASE,))

    assert shown(alone)[1].split() == ["mode", "pings", "lost", "p10", "median", "p90"]


def test_the_report_has_question_prediction_figure_table_and_verdict():
    text = markdown(told(), ["latency.png"])

    assert f"**Question.** {LATENCY.question}" in text
    assert LATENCY.prediction.because in text
    assert "](latency.png)" in text
    assert (
        "| gre-mesh | 1200 | 1 | 0.400 | 0.523 | 0.700 | - | 0.500 to 0.550 | +0.075 | "
        "+0.060 to +0.090 | slower | confirmed |" in text
    )
    assert "**Verdict.** Trusted." in text
    assert max(line.count("|") for line in text.splitlines()) == min(
        line.count("|") for line in text.splitlines() if line.startswith("|")
    )


def test_conditions_tell_the_interval_that_ping_kept_and_the_datapath():
    assert conditions(told()) == (
        "6 blocks of 200 pings a mode, every 16 ms, 56 bytes; OVS 3.1.0, datapath netdev, os-ken; "
        "scenario article"
    )
    assert "asked every 10 ms" in conditions(told(measured=[]))


def test_the_document_is_json_with_numbers_not_text():
    document = json.loads(json.dumps(to_json(told(), {"directory": "/r", "png": "/r/latency.png"})))

    assert document["files"] == {"png": "/r/latency.png"}
    assert document["verdict"]["trusted"] is True
    flat, gre = document["summaries"]
    assert flat["interval"] == {"low": 0.418, "high": 0.491}
    assert flat["percentiles"]["99"] is None
    assert (gre["call"], gre["prediction"]) == ("slower", "confirmed")
    assert gre["to_baseline"]["interval"] == {"low": 0.06, "high": 0.09}
