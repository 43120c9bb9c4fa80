"""One function waits for a condition; its deadline grows with the load of the machine."""

import pytest

from controller.model.errors import CommandError, WaitError
from controller.system.waiting import LOAD_MOST, Clock, load_of, scaled, wait_for


class FakeClock(Clock):
    """Time passes only in `sleep`."""

    def __init__(self, load: float = 1.0) -> None:
        self.time_s, self.fixed_load = 100.0, load
        self.slept: list[float] = []

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time_s += seconds

    def load(self) -> float:
        return self.fixed_load


def answers(*values):
    """A condition that returns these values one after the other, then the last one for ever."""
    left = list(values)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_a_condition_that_is_true_at_once_returns_without_sleeping():
    clock = FakeClock()
    assert wait_for(answers("ready"), 10, what="it", clock=clock) == "ready"
    assert clock.slept == []


def test_the_first_truthy_value_is_returned():
    clock = FakeClock()
    found = wait_for(answers(None, "", [], ["port"], ["later"]), 10, what="a port", clock=clock)
    assert found == ["port"]
    assert clock.slept == [0.05] * 3


def test_the_interval_can_be_chosen():
    clock = FakeClock()
    wait_for(answers(False, False, True), 10, what="it", every_s=2, clock=clock)
    assert clock.slept == [2, 2]


def test_a_timeout_names_the_condition_and_the_time_waited():
    clock = FakeClock()
    with pytest.raises(WaitError) as error:
        wait_for(answers(False), 3, what="the API to answer", every_s=0.5, clock=clock)
    assert str(error.value) == (
        "waiting for the API to answer: timed out after 3.0 s; allowed: 3 s. "
        "Try again when the machine is less busy; `overlaylab doctor` shows what it lacks."
    )
    assert isinstance(error.value, CommandError)


def test_the_deadline_is_longer_on_a_loaded_machine():
    clock = FakeClock(load=2.5)
    with pytest.raises(WaitError, match=r"timed out after 5\.0 s; allowed: 5 s \(2 s x 2\.5 for "):
        wait_for(answers(False), 2, what="it", every_s=0.5, clock=clock)
    assert sum(clock.slept) == 5


def test_the_last_sleep_ends_at_the_deadline():
    clock = FakeClock()
    with pytest.raises(WaitError):
        wait_for(answers(False), 1, what="it", every_s=0.4, clock=clock)
    assert clock.slept == pytest.approx([0.4, 0.4, 0.2])


def test_the_condition_is_checked_once_more_at_the_deadline():
    clock = FakeClock()
    found = wait_for(answers(False, False, "just in time"), 1, what="it", every_s=0.5, clock=clock)
    assert found == "just in time"


def test_a_condition_that_takes_longer_than_the_timeout_is_checked_once():
    clock = FakeClock()

    def slow():
        clock.time_s += 7
        return False

    with pytest.raises(WaitError, match=r"timed out after 7\.0 s"):
        wait_for(slow, 3, what="it", clock=clock)
    assert clock.slept == []


def test_an_error_of_the_condition_ends_the_wait():
    def broken():
        raise CommandError("no", where="`true`", allowed="yes", do="Stop.")

    with pytest.raises(CommandError, match=r"^`true`: no"):
        wait_for(broken, 3, what="it", clock=FakeClock())


@pytest.mark.parametrize(
    ("averaged", "running", "cores", "factor"),
    [
        (0.3, 1, 2, 1.0),
        (2.0, 1, 2, 1.0),
        (5.0, 1, 2, 2.5),
        (400.0, 1, 2, LOAD_MOST),
        (3.0, 1, 1, 3.0),
        (0.1, 5, 2, 2.5),  # four busy loops that have just started, and this program
    ],
)
def test_load_is_processes_per_core_within_limits(averaged, running, cores, factor):
    assert load_of(f"{averaged} 0.10 0.20 {running}/345 6789\n", cores) == factor


def test_the_load_of_this_machine_is_read():
    assert 1.0 <= Clock().load() <= LOAD_MOST


def test_a_time_limit_grows_with_the_load():
    assert scaled(2.0, FakeClock(load=2.5)) == 5.0


def test_the_deadline_grows_if_the_machine_becomes_busy_during_the_wait():
    clock = FakeClock()

    def becomes_busy():
        clock.fixed_load = 3.0 if clock.time_s > 100.5 else 1.0
        return clock.time_s >= 102.5

    assert wait_for(becomes_busy, 1, what="it", every_s=0.25, clock=clock)
    assert sum(clock.slept) == 2.5
