"""Progress on a terminal: what is done, what is measured now, and the time that is left."""

import io
import re

import pytest

from experiments.cli.measure import Pace, clock_text, shown

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


def test_before_the_first_round_ends_there_is_no_estimate(clock):
    pace = Pace(clock)
    clock.now += 7

    assert pace.forecast(12) == "0:07"


def test_the_estimate_is_at_the_mean_pace_so_far(clock):
    pace = Pace(clock)
    clock.now += 20
    pace.reach(4)

    assert pace.forecast(12) == "0:20, about 0:40 left"
    clock.now += 5  # the fifth is under way
    pace.reach(4)
    assert pace.forecast(12) == "0:25, about 0:35 left"


def test_the_estimate_is_never_negative(clock):
    pace = Pace(clock)
    clock.now += 10
    pace.reach(1)
    clock.now += 60

    assert pace.left_s(2) == 0
    assert pace.forecast(2) == "1:10"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.9, "1:05"), (3600, "60:00")])
def test_time_is_minutes_and_seconds(seconds, text):
    assert clock_text(seconds) == text


def test_without_a_terminal_a_line_is_printed_for_each_lab(capsys, monkeypatch, clock):
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich take anything for a terminal

    with shown("toll", clock) as say:
        say(0, 2, "lab 1 of 2: flat")
        say(0, 2, "lab 1 of 2: flat: warm")
        clock.now += 30
        say(1, 2, "lab 2 of 2: gre-mesh")
        clock.now += 20
        say(2, 2, "checking the quality of the run")
        say(2, 2, "drawing")

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "toll, 0:00: lab 1 of 2: flat",
        "toll, 0:30, about 0:30 left: lab 2 of 2: gre-mesh",
        "toll, 0:50: checking the quality of the run",
    ]


def test_a_terminal_shows_the_bar_and_what_is_measured(capsys, monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")

    with shown("mtu (2 of 3)", clock) as say:
        clock.now += 24
        say(3, 12, "lab 4 of 12: gre-mesh: warm")

    lines = [line.rstrip() for line in CONTROL.sub("", terminal.getvalue()).splitlines()]
    assert any(
        re.fullmatch(r"mtu \(2 of 3\) \S+ \S* *3/12 0:24, about 1:12 left", line) for line in lines
    )
    assert "  lab 4 of 12: gre-mesh: warm" in lines
    assert max(map(len, lines)) <= 80
    assert capsys.readouterr().out == ""
