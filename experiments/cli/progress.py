"""Progress of an experiment: on standard error, and only to a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from experiments.measure.runner import Say

REFRESH_HZ = 4


@dataclass(slots=True)
class Pace:
    """The time that the finished rounds took, and an estimate for the others."""

    clock: Callable[[], float]
    started_s: float = field(init=False)
    done: int = 0
    done_s: float = 0.0  # when the last round ended, since the start

    def __post_init__(self) -> None:
        self.started_s = self.clock()

    @property
    def elapsed_s(self) -> float:
        """The time since the start."""
        return self.clock() - self.started_s

    def reach(self, done: int) -> None:
        """Note how many rounds are done."""
        if done != self.done:
            self.done, self.done_s = done, self.elapsed_s

    def left_s(self, rounds: int) -> float | None:
        """The time left at the mean pace so far; None before the first round ends."""
        if not self.done:
            return None
        return max(0.0, self.done_s / self.done * rounds - self.elapsed_s)

    def forecast(self, rounds: int) -> str:
        """`0:24, about 1:10 left`."""
        left = self.left_s(rounds)
        return clock_text(self.elapsed_s) + (f", about {clock_text(left)} left" if left else "")


def clock_text(seconds: float) -> str:
    """`1:05`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def shown(title: str, clock: Callable[[], float]) -> "Iterator[Say]":
    """Show a bar, what is measured now, and the time elapsed and left."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    bar = _Bar(title, Pace(clock))
    with Live(
        console=Console(stderr=True),
        get_renderable=bar.parts,
        transient=True,
        refresh_per_second=REFRESH_HZ,
    ):
        yield bar.say


class _Bar:
    """Two lines: the bar with its figures, and what is measured now."""

    def __init__(self, title: str, pace: Pace) -> None:
        self._pace, self._rounds, self._now = pace, 0, "starting"
        columns = TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn()
        self._progress = Progress(*columns, TextColumn("{task.fields[time]}"))
        self._task = self._progress.add_task(title, total=None, time="")

    def say(self, done: int, rounds: int, now: str) -> None:
        self._pace.reach(done)
        self._rounds, self._now = rounds, now
        self._progress.update(self._task, completed=done, total=rounds)

    def parts(self) -> RenderableType:
        self._progress.update(self._task, time=self._pace.forecast(self._rounds))
        now = Text(f"  {self._now}", style="dim", overflow="ellipsis", no_wrap=True)
        return Group(*self._progress.get_renderables(), now)
