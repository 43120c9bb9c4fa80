"""Progress on a terminal: what is done, what is measured now, and the time that is left."""

import io
import re

import pytest

from experiments.cli.measure import Pace, clock_text, left_text, shown
from experiments.core.question import point_text

CONTROL = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock():
    return Clock()


def test_before_the_first_lab_ends_there_is_no_estimate(clock):
    pace = Pace(clock)
    clock.now += 7

    assert pace.forecast(12) == ""


def test_the_estimate_is_at_the_mean_pace_so_far(clock):
    pace = Pace(clock)
    clock.now += 20
    pace.reach(4)

    assert pace.forecast(12) == ", about 40 s left"
    clock.now += 5  # the fifth is under way
    pace.reach(4)
    assert pace.left_s(12) == 35


def test_the_estimate_is_never_negative(clock):
    pace = Pace(clock)
    clock.now += 10
    pace.reach(1)
    clock.now += 60

    assert pace.left_s(2) == 0
    assert pace.forecast(2) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "10 s"),
        (35, "40 s"),
        (60, "60 s"),
        (61, "2 min"),
        (3600, "1 h 0 min"),
        (4790, "1 h 20 min"),
    ],
)
def test_the_time_left_is_rounded_up(seconds, text):
    assert left_text(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.9, "1:05"), (3600, "60:00")])
def test_time_is_minutes_and_seconds(seconds, text):
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ({"mode": "vxlan-l2pop", "hosts": 4}, "vxlan-l2pop, 4 hosts"),
        ({"mode": "flat", "underlay_mtu": 1500}, "flat, underlay MTU 1500"),
        ({"mode": "gre-mesh", "membership": "dense", "hosts": 2}, "gre-mesh, dense, 2 hosts"),
    ],
)
def test_a_lab_is_named_by_its_levels_in_words(point, text):
    assert point_text(point) == text


def test_without_a_terminal_a_line_is_printed_for_each_lab(capsys, monkeypatch, clock):
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich take anything for a terminal

    with shown("toll", clock) as say:
        say(0, 3, "lab 1 of 3: flat")
        say(0, 3, "lab 1 of 3: flat", "warm pings")
        clock.now += 50
        say(1, 3, "lab 2 of 3: gre-mesh")
        clock.now += 10
        say(2, 3, "lab 3 of 3: gre-mesh")
        clock.now += 20
        say(3, 3, "checking the quality of the run")
        say(3, 3, "drawing")

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "toll: lab 1 of 3: flat",
        "toll: lab 2 of 3: gre-mesh, about 2 min left",
        "toll: lab 3 of 3: gre-mesh, about 30 s left",
        "toll: checking the quality of the run",
    ]


def test_a_terminal_shows_the_lab_and_what_is_measured(capsys, monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")

    with shown("mtu (2 of 3)", clock) as say:
        clock.now += 24
        say(3, 12, "lab 4 of 12: gre-mesh, underlay MTU 1500", "searching " * 20)

    lines = [line.rstrip() for line in CONTROL.sub("", terminal.getvalue()).splitlines()]
    line = "mtu (2 of 3): lab 4 of 12: gre-mesh, underlay MTU 1500, about 2 min left (0:24)"
    assert line in lines
    assert any(each.startswith("  searching searching") for each in lines)
    assert max(map(len, lines)) <= 80
    assert capsys.readouterr().out == ""
