"""An experiment as a value: a question, the labs it needs, and the probe that puts it to them.

Pure: a probe is handed everything it may touch.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
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
    """What the lab was raised for: two sites, or an overlay as it is now."""
    sites: Sites | None = getattr(lab, "sites", None)
    return sites or lab.overlay


class Lab(Protocol):
    """What a probe may ask of a lab; `topologies.lab.Lab` is one."""

    @property
    def overlay(self) -> Overlay:
        """What is raised."""

    def run(self, node: str, *argv: str, timeout_s: float = 10) -> str:
        """Standard output of a command in a node; a failure raises."""

    def attempt(self, node: str, *argv: str, timeout_s: float = 10) -> CompletedProcess[str]:
        """A command in a node; its failure is an answer."""

    def start(
        self,
        node: str,
        *argv: str,
        stdout: Path | IO[Any] | int = ...,
        stderr: Path | IO[Any] | int = ...,
    ) -> Any:
        """A command left running in a node: a `subprocess.Popen`; it ends with the lab, if not before."""

    def pid(self, node: str) -> int:
        """A process in the namespaces of a node: what `ip link ... netns PID` takes."""

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request to the controller's API; a refusal raises."""

    def move(self, port_id: str, host: str, *, plugged: Callable[[], None] = ...) -> Any:
        """A guest's port to another host; what is returned says when what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a probe is given beside the lab."""

    keep: Callable[[str, str], None]  # name, text: keeps raw tool output
    path: Callable[[str], Path]  # where a raw file of that name goes, such as a capture
    watch: Callable[
        [], AbstractContextManager[None]
    ]  # round what is measured: the machine is watched
    say: Callable[[str], None]  # what is going on, for a person
    seed: int  # of this round; for nonces and draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one probe of one freshly raised lab brought home."""

    rows: tuple[Row, ...]
    more: Mapping[str, tuple[Row, ...]] = field(
        default_factory=dict
    )  # of the question's further tables
    facts: Mapping[str, object] = field(
        default_factory=dict
    )  # for run.json: what was cold, for one
    lost: int = 0  # of what should have been answered: the verdict counts it
    duplicates: int = 0
    untimed: bool = False  # counts only: no window need show the machine that they came from


class Probe(Protocol):
    """Puts the question to a lab.  A frozen dataclass whose fields are its settings, or a function."""

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one point on one freshly raised lab."""


def by_mode(overlay: Overlay, point: Point) -> Overlay:
    """The scenario, carried by the mode of the point."""
    return with_mode(overlay, parse_mode(str(point["mode"])))


def as_it_is(overlay: Overlay) -> Overlay:
    """The whole scenario."""
    return overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A question, and how it is put.

    `narrow` takes the scenario down to what is measured, once; `stage` makes of that what is
    raised for a point; `predict` gives the exact value of every cell of the narrowed scenario.
    """

    question: Question
    probe: Probe
    quick: Probe  # the same, in seconds, for a first look
    thresholds: Thresholds
    repeats: int = 6
    quick_factors: Mapping[str, tuple[Level, ...]] = field(default_factory=dict)  # fewer levels
    of: type = Overlay  # what a scenario must describe for it: an Overlay, or Sites
    narrow: Callable[[Any], Any] = as_it_is  # from one such to another
    stage: Callable[[Any, Point], Any] = by_mode
    predict: Callable[[Any, tuple[Point, ...]], tuple[Row, ...]] | None = None
    watches: bool = False  # the probe says when (`Tools.watch`); else all that it does is watched
    scenario: str = "article"  # unless the command line names another
    hosts_factor: str = ""  # the factor that `--hosts` sets; else the scenario is enlarged

    def with_levels(self, **levels: tuple[Level, ...]) -> "Experiment":
        """The same experiment over other levels of some factors."""
        factors = {**self.question.factors, **levels}
        return replace(self, question=replace(self.question, factors=factors))


def settings_of(probe: Probe) -> dict[str, object]:
    """The settings of a probe, for run.json."""
    settings: object = probe  # mypy takes no Protocol for a dataclass
    return asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else {}
