"""Runs an experiment: a new lab for each sample point; every sample is on disk at once."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from controller.model.errors import MeasureError, UsageError
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from experiments.core.experiment import Context, Experiment, Lab, Measured, Probe, settings_of
from experiments.core.question import Level, Point, Question, Row, level_name, point_text
from experiments.core.results import RAW, SAMPLES, Recorder
from experiments.core.verdict import COUNT_LIMITS, UNTIMED, Seen, Thresholds, Window, judge
from experiments.measure import environment
from experiments.measure.watch import Watcher

StartLab = Callable[[Any], AbstractContextManager[Lab]]  # of an Overlay, or Sites


class Say(Protocol):
    """Shows progress."""

    def __call__(self, done: int, labs: int, now: str, doing: str = "") -> None:
        """`done` of `labs` are measured; `now` is the lab or what comes after all; `doing`: in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One new lab: its repeat, its position in it, and its point."""

    repeat: int
    order: int
    point: Point

    @property
    def name(self) -> str:
        """Such as `repeat 1, flat`."""
        return f"repeat {self.repeat}, {level_name(self.point)}"

    @property
    def folder(self) -> str:
        """The folder of its raw output; folders sort in the order of the run."""
        return f"{RAW}/{self.repeat:02}-{self.order:02}-{'-'.join(map(str, self.point.values()))}"

    def seed(self, of_run: int) -> int:
        """A seed for this lab, derived from that of the run."""
        return int(np.random.SeedSequence((of_run, self.repeat, self.order)).generate_state(1)[0])


def schedule(points: tuple[Point, ...], repeats: int, seed: int) -> tuple[Round, ...]:
    """Every point once in each repeat, shuffled within it by `seed`."""
    draw = np.random.default_rng(seed)
    return tuple(
        Round(repeat=repeat, order=order, point=points[which])
        for repeat in range(1, repeats + 1)
        for order, which in enumerate(draw.permutation(len(points)), start=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to run, and how."""

    experiment: Experiment
    overlay: Overlay | Sites  # narrowed to what is measured
    repeats: int
    seed: int
    quick: bool
    lab: Mapping[str, object]  # options of the lab: datapath, app
    parent: Path  # the folder for the directory of the run
    name: str  # of that directory
    named_modes: tuple[Level, ...] = ()  # by `--modes`: the report compares them with the first

    def __post_init__(self) -> None:
        """Refuse a prediction that matches no column of the samples, before a lab starts."""
        self.predicted()

    def predicted(self) -> tuple[Row, ...]:
        """The predicted value of each cell, if the experiment predicts it.

        Raises:
            UsageError: a row lacks the value, or has a column that samples lack.
        """
        predict, columns = self.experiment.predict, self.question.tables()[SAMPLES]
        if predict is None:
            return ()
        try:
            rows = tuple(predict(self.overlay, self.question.points()))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise _unpredicted(self.question, f"{type(error).__name__}: {error}") from error
        if not rows:
            raise _unpredicted(self.question, "no row")
        for number, row in enumerate(rows, start=1):
            if self.question.value not in row:
                found = f"row {number} without {self.question.value!r}: {dict(row)}"
                raise _unpredicted(self.question, found)
            if unknown := [name for name in row if name not in columns]:
                raise _unpredicted(self.question, f"row {number} with {unknown[0]!r}: {dict(row)}")
        return rows

    @property
    def question(self) -> Question:
        """The question of the experiment."""
        return self.experiment.question

    @property
    def probe(self) -> Probe:
        """The probe of a full or a quick run."""
        return self.experiment.quick if self.quick else self.experiment.probe

    @property
    def thresholds(self) -> Thresholds:
        """The quality limits of this run."""
        limits = self.experiment.thresholds
        return limits.for_quick_run() if self.quick else limits


def _unpredicted(question: Question, found: str) -> UsageError:
    return UsageError(
        found,
        where=f"Experiment {question.name!r}, predict",
        allowed=f"rows with {question.value!r}, of columns that are in its Question",
        do="docs/extend.md shows two examples.",
    )


@dataclass(slots=True)
class Progress:
    """Results so far."""

    done: list[tuple[Round, Measured, tuple[Window, ...]]] = field(default_factory=list)
    labs: dict[str, object] = field(default_factory=dict)  # by point: MTUs and offloads
    counted: dict[str, tuple[Window, ...]] = field(default_factory=dict)  # during counts, by lab


def begin(request: Request) -> Recorder:
    """Create the directory of the run, which also checks that it can be written."""
    return Recorder(request.parent, request.name, request.question.tables())


def perform(
    request: Request,
    recorder: Recorder,
    started: StartLab,
    *,
    say: Say = lambda *_, **__: None,
    watch: Callable[[Lab], Watcher] = Watcher,
) -> None:
    """Measure every lab of the run, write the results, and judge their quality.

    After an interruption or an error the results so far stay on disk, with that status.  Thresholds
    and predictions are on disk before the first lab starts.
    """
    rounds = schedule(request.question.points(), request.repeats, request.seed)
    progress = Progress()

    def measure(number: int, each: Round) -> None:
        """Measure one new lab; the first one of each point also records its MTUs and offloads."""
        point = level_name(each.point)
        name = f"lab {number + 1} of {len(rounds)}: {point_text(each.point)}"
        say(number, len(rounds), name)
        with started(request.experiment.stage(request.overlay, each.point)) as lab:
            if point not in progress.labs:
                progress.labs[point] = environment.lab_facts(lab)
            watcher = watch(lab)
            context = Context(
                keep=lambda file, text: recorder.file(f"{each.folder}/{file}", text),
                path=lambda file: recorder.path(f"{each.folder}/{file}"),
                watch=watcher.window,
                say=lambda doing: say(number, len(rounds), name, doing),
                seed=each.seed(request.seed),
                counting=watcher.counting,
            )
            with nullcontext() if request.experiment.watches else watcher.window():
                measured = _assert_measured(request.probe(lab, each.point, context), request)
        place = {"repeat": each.repeat, "order": each.order, **each.point}
        for table, rows in {SAMPLES: measured.rows, **measured.more}.items():
            recorder.samples(({**place, **row} for row in rows), table)
        progress.done.append((each, measured, tuple(watcher.windows)))
        progress.counted[each.name] = tuple(watcher.counted or watcher.windows)

    with _finishing(recorder, request, progress, _beforehand(request, rounds)):
        for number, each in enumerate(rounds):
            measure(number, each)
        say(len(rounds), len(rounds), "checking the quality of the run")


def _assert_measured(found: object, request: Request) -> Measured:
    if not isinstance(found, Measured):
        raise MeasureError(
            f"{found!r}",
            where=f"result of the probe of {request.question.name!r}",
            allowed="a Measured with its rows",
            do="`return Measured(rows=...)`.",
        )
    return found


def _beforehand(request: Request, rounds: tuple[Round, ...]) -> dict[str, object]:
    """The part of run.json that is known before the first sample."""
    return {
        "experiment": request.question.name,
        "question": request.question.to_json(),
        "predicted": list(request.predicted()),
        "quick": request.quick,
        "named_modes": list(request.named_modes),
        "repeats": request.repeats,
        "settings": settings_of(request.probe),
        "scenario": request.overlay.name,
        "hosts": [host.name for host in request.overlay.hosts],
        "release": request.overlay.release,
        "seed": request.seed,
        "lab": dict(request.lab),
        "argv": environment.argv(),
        "source": environment.source(),
        "machine": environment.machine(str(request.lab.get("app"))),
        "rounds": [{"repeat": r.repeat, "order": r.order, **r.point} for r in rounds],
        "thresholds": asdict(request.thresholds),
        "count_thresholds": asdict(COUNT_LIMITS),
        "start": environment.now(),
    }


@contextmanager
def _finishing(
    recorder: Recorder, request: Request, progress: Progress, about: Mapping[str, object]
) -> Iterator[None]:
    """Record the status: running, and at the end complete, interrupted or failed."""
    recorder.about({**about, "status": "running"})
    status = "complete"
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        status = "interrupted" if interrupted else f"failed: {error}"
        raise
    finally:
        limits = request.thresholds
        verdict = judge(_seen(progress, len(request.question.points())), limits)
        if status != "complete":
            verdict = replace(verdict, trusted=False, reasons=(status, *verdict.reasons))
        measured = [
            {
                "repeat": each.repeat,
                "order": each.order,
                **each.point,
                **found.facts,
                "windows": [asdict(window) for window in windows],
                "counted": [asdict(window) for window in progress.counted[each.name]],
            }
            for each, found, windows in progress.done
        ]
        end = {"status": status, "end": environment.now(), "labs": progress.labs}
        recorder.about({**about, **end, "measured": measured, "verdict": asdict(verdict)})


def _seen(progress: Progress, points: int) -> Seen:
    rounds_of = Counter(each.repeat for each, _, _ in progress.done)
    return Seen(
        repeats=sum(count == points for count in rounds_of.values()),
        lost=sum(measured.lost for _, measured, _ in progress.done),
        duplicates=sum(measured.duplicates for _, measured, _ in progress.done),
        windows={
            each.name: windows or ((UNTIMED,) if measured.untimed else ())
            for each, measured, windows in progress.done
        },
        levels={each.name: level_name(each.point) for each, _, _ in progress.done},
        counted=progress.counted,
        doubts=tuple(
            f"{doubt} in {each.name}"
            for each, measured, _ in progress.done
            for doubt in measured.doubts
        ),
    )
