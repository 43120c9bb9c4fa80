"""An experiment as a value: a question, its labs, and the probe that measures them.

Pure: a probe gets everything it uses as arguments.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO, Any, Protocol

from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from experiments.core.question import Level, Point, Question, Row
from experiments.core.verdict import Thresholds


def described(lab: "Lab") -> Overlay | Sites:
    """What the lab contains: two sites, or an overlay as it is now."""
    sites: Sites | None = getattr(lab, "sites", None)
    return sites or lab.overlay


class Lab(Protocol):
    """The part of a lab that a probe uses; `topologies.lab.Lab` has it."""

    @property
    def overlay(self) -> Overlay:
        """The overlay as it is now."""

    def run(self, node: str, *argv: str, timeout_s: float = 10) -> str:
        """Run a command in a node and return its output; a failure raises."""

    def attempt(self, node: str, *argv: str, timeout_s: float = 10) -> CompletedProcess[str]:
        """Run a command in a node and return how it ended."""

    def start(
        self,
        node: str,
        *argv: str,
        stdout: Path | IO[Any] | int = ...,
        stderr: Path | IO[Any] | int = ...,
    ) -> Any:
        """Start a command in a node: a `subprocess.Popen` that ends with the lab at the latest."""

    def pid(self, node: str) -> int:
        """A process in the namespaces of a node, as for `ip link ... netns PID`."""

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request to the controller's API; an error response raises."""

    def move(self, port_id: str, host: str, *, plugged: Callable[[], None] = ...) -> Any:
        """Move a guest's port to another host; return the time of each step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a probe gets in addition to the lab."""

    keep: Callable[[str, str], None]  # writes a text to a raw file: name, text
    path: Callable[[str], Path]  # the path of a raw file, such as a capture
    watch: Callable[[], AbstractContextManager[None]]  # the machine is watched within it
    say: Callable[[str], None]  # shows what is being done
    seed: int  # of this lab; for nonces and draws
    # The controls of counts are read within it, if the probe also sends more than buffers hold; by
    # default they are those of `watch`.
    counting: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The result of one probe on one new lab."""

    rows: tuple[Row, ...]
    more: Mapping[str, tuple[Row, ...]] = field(
        default_factory=dict
    )  # rows of further tables, by table
    facts: Mapping[str, object] = field(default_factory=dict)  # for run.json
    lost: int = 0  # replies and packets; the verdict counts them
    duplicates: int = 0
    doubts: tuple[str, ...] = ()  # controls of its own that failed; they matter if it is refuted
    untimed: bool = False  # only counts: the machine need not be watched


class Probe(Protocol):
    """Measures a lab: a frozen dataclass whose fields are the settings, or a function."""

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one point on one new lab."""


def by_mode(overlay: Overlay, point: Point) -> Overlay:
    """The scenario in the mode of the point."""
    return with_mode(overlay, parse_mode(str(point["mode"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A question, and how it is measured.

    `narrow` reduces the scenario to what is measured, once for a run; `stage` makes the lab of a
    point from that; `predict` returns the exact value of every cell of the narrowed scenario.
    """

    question: Question
    probe: Probe
    quick: Probe  # the same within seconds, for a quick run
    thresholds: Thresholds
    repeats: int = 6
    quick_factors: Mapping[str, tuple[Level, ...]] = field(default_factory=dict)  # fewer levels
    of: type = Overlay  # the kind of scenario: Overlay or Sites
    # Overlay to Overlay, or Sites to Sites; by default the whole scenario.
    narrow: Callable[[Any], Any] = lambda scenario: scenario
    stage: Callable[[Any, Point], Any] = by_mode
    predict: Callable[[Any, tuple[Point, ...]], tuple[Row, ...]] | None = None
    watches: bool = False  # the probe uses `Context.watch`; else all of it is watched
    scenario: str = "article"  # by default
    hosts_factor: str = ""  # the factor that `--hosts` sets; without one the scenario is enlarged

    def with_levels(self, **levels: tuple[Level, ...]) -> "Experiment":
        """The same experiment over other levels of some factors."""
        factors = {**self.question.factors, **levels}
        return replace(self, question=replace(self.question, factors=factors))


def settings_of(probe: Probe) -> dict[str, object]:
    """The settings of a probe, for run.json."""
    settings: object = probe  # mypy does not accept a Protocol as a dataclass
    return asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else {}
