"""An experiment as a value: what is asked, what is tried, and what theory says before we look.

Pure: a probe is handed everything it may touch.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Protocol

from experiments.verdict import Thresholds
from topologies.model import Overlay

Value = str | int | float | None
Row = Mapping[str, Value]  # one line of samples.csv, by column
Point = Mapping[str, str | int]  # one level of each factor

PLACE = {
    "block": "which repeat of all points, from 1; the unit that intervals are made from",
    "order": "place within its block, from 1; drawn by the seed",
}


class Bench(Protocol):
    """What a probe may ask of a lab; `topologies.lab.Lab` is one."""

    @property
    def overlay(self) -> Overlay:
        """What is raised."""

    def run(self, node: str, *argv: str, timeout_s: float = 10) -> str:
        """Standard output of a command in a node; a failure raises."""

    def attempt(self, node: str, *argv: str, timeout_s: float = 10) -> CompletedProcess[str]:
        """A command in a node; its failure is an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a probe is given beside the lab."""

    settings: "Settings"
    keep: Callable[[str, str], None]  # name, text: keeps raw tool output
    meter: Callable[[], "Meter"]  # a new look at how busy this machine is


class Meter(Protocol):
    """Measures the machine from its making to `stop`."""

    def stop(self) -> Mapping[str, float]:
        """Fractions of processor time since it was made: `idle`, `steal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is the same at every point of a run."""

    blocks: int
    pings: int
    warmup_pings: int
    interval_ms: int  # asked of ping; run.json has what it kept, by round
    payload_bytes: int  # of ICMP


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one probe of one freshly raised lab brought home."""

    rows: tuple[Row, ...]
    facts: Mapping[str, object]  # for run.json: what was cold, how busy the machine was


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What theory says of a difference to the baseline, in the experiment's unit."""

    low: float
    high: float
    says: str
    because: str
    silent_on: tuple[str, ...] = ()  # levels it does not speak of

    def is_about(self, level: str) -> bool:
        """True if the level can confirm or refute it."""
        return level not in self.silent_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A question, the levels to try, and the prediction it will be held against."""

    name: str
    question: str
    unit: str  # of the column `value`
    value: str  # the column of samples.csv that answers the question
    factors: Mapping[str, tuple[str | int, ...]]
    baseline: Point
    prediction: Prediction
    margin: float  # a difference within it is of no matter; in `unit`
    margin_because: str
    columns: Mapping[str, str]  # of samples.csv, beside block and order: what each means
    full: Settings
    quick: Settings
    thresholds: Thresholds
    probe: Callable[[Bench, Point, Tools], Measured]

    def points(self) -> Iterable[Point]:
        """Every level of the factor; baseline first."""
        (name,) = self.factors
        return ({name: level} for level in self.factors[name])
