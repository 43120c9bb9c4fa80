"""The watcher without a lab, and with counters that cannot be read."""

from dataclasses import dataclass

import pytest

from controller.model.overlay import Overlay
from experiments.core.verdict import Window
from experiments.measure.watch import Attempts, Losses, Pulse, Watcher, with_losses, with_pulse
from topologies.scenario import load as scenario

STAT = "cpu  100 0 0 100 0 0 0 0 0 0\n"


@dataclass
class Double:
    """A lab whose nodes have no processes."""

    overlay: Overlay
    of_nodes: int = 0

    def pid(self, _):
        return self.of_nodes


@pytest.fixture
def stat(tmp_path):
    path = tmp_path / "stat"
    path.write_text(STAT)
    return path


@pytest.fixture
def watcher(stat):
    return Watcher(Double(scenario.load("article").overlay), stat)


def test_without_processes_only_the_machine_is_watched(watcher, stat):
    with watcher.window():
        stat.write_text("cpu  125 0 0 170 0 0 0 5 0 0\n")

    (seen,) = watcher.windows
    assert (seen.cpu_idle, seen.cpu_steal) == (0.7, 0.05)
    assert seen.length_s >= 0
    assert (seen.drops, seen.lost_upcalls, seen.vswitchd_load, seen.control_lost) == (None,) * 4
    assert seen.unseen == {}


def test_a_failed_reading_is_kept_with_its_reason_and_does_not_end_the_run(stat):
    watcher = Watcher(Double(scenario.load("article").overlay, of_nodes=2**22 + 1), stat)

    with watcher.window():
        pass

    (seen,) = watcher.windows
    assert set(seen.unseen) == {
        "drops",
        "overflows",
        "lost_upcalls",
        "vswitchd_load",
        "control_median_ms",
        "control_lost",
    }
    assert "No such file or directory" in seen.unseen["drops"]
    assert seen.drops is None


def test_an_unreadable_stat_gives_no_idle_share(watcher, stat):
    with watcher.window():
        stat.unlink()

    (seen,) = watcher.windows
    assert (seen.cpu_idle, seen.cpu_steal) == (None, None)
    assert seen.unseen.keys() == {"cpu_idle", "cpu_steal"}


def test_an_error_in_the_block_leaves_no_window_and_is_raised(watcher):
    with pytest.raises(RuntimeError, match="of the probe"), watcher.window():
        raise RuntimeError("of the probe")

    assert watcher.windows == []


def test_windows_may_be_nested(watcher):
    with watcher.window(), watcher.window():
        pass

    assert len(watcher.windows) == 2


def test_the_first_reason_is_kept():
    tries = Attempts()

    for reason in ("first", "second"):
        assert tries.at(lambda reason=reason: int(reason), "drops") is None
    assert tries.unseen == {"drops": "ValueError: invalid literal for int() with base 10: 'first'"}


def test_an_interruption_is_not_swallowed():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Attempts().at(interrupt, "drops")


def test_the_load_is_that_of_the_busiest_daemon_over_the_length_of_the_window():
    before = Pulse(10.0, None, {"a": 100, "b": 100}, None)
    after = Pulse(12.0, None, {"a": 110, "b": 250}, None)  # ticks, 100 a second

    seen = with_pulse(Window(), before, after)

    assert (seen.length_s, seen.vswitchd_load, seen.busiest) == (2.0, 0.75, "b")


def test_other_programs_have_a_share_of_all_processor_time():
    """Of 400 ticks two programs used 30 and 50; one that started in between is unknown."""
    before = Pulse(10.0, (100, 0, 0, 100, 0, 0, 0, 0), None, {7: 100, 8: 1, 9: 5})
    after = Pulse(12.0, (300, 0, 0, 300, 0, 0, 0, 0), None, {7: 130, 8: 51, 10: 99})

    assert with_pulse(Window(), before, after).cpu_others == 0.2


def test_losses_have_their_places():
    before = Losses(upcalls={("a", 0): 1}, drops={("x", 0): 1})
    after = Losses(upcalls={("a", 0): 4}, drops={("x", 0): 3, ("y", 0): 5, ("z", 0): 0})

    seen = with_losses(Window(), before, after)

    assert (seen.lost_upcalls, seen.lost_by) == (3, ("a (3)",))
    assert (seen.drops, seen.dropped_by) == (7, ("y (5)", "x (2)"))


def test_counts_are_watched_apart_from_what_is_timed(stat):
    watcher = Watcher(Double(scenario.load("article").overlay), stat)

    with watcher.counting():
        pass

    assert (watcher.windows, len(watcher.counted)) == ([], 1)
