"""Runs an experiment: fresh labs in a seeded order, every sample on disk as soon as it is known."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from experiments import environment, latency
from experiments.experiment import (
    PLACE,
    Bench,
    Experiment,
    Measured,
    Meter,
    Point,
    Row,
    Settings,
    Tools,
)
from experiments.results import Recorder
from experiments.verdict import Seen, Thresholds, Verdict, judge
from topologies.model import Overlay
from topologies.modes import parse_mode, with_mode

Raise = Callable[[Overlay], AbstractContextManager[Bench]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to run, and how."""

    experiment: Experiment
    overlay: Overlay
    modes: tuple[str, ...]
    settings: Settings
    seed: int
    quick: bool
    lab: Mapping[str, object]  # what the lab was told beside the overlay: datapath, app
    parent: Path  # the run's directory is made in here

    @property
    def thresholds(self) -> Thresholds:
        """The limits this run must keep."""
        limits = self.experiment.thresholds
        return limits.for_first_look() if self.quick else limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One fresh lab: which block, which place in it, which point."""

    block: int
    order: int
    point: Point

    @property
    def name(self) -> str:
        """How people call it."""
        return f"block {self.block}, {' '.join(map(str, self.point.values()))}"

    @property
    def folder(self) -> str:
        """Where its raw output goes; sorts in the order of the run."""
        return f"raw/{self.block:02}-{self.order:02}-{'-'.join(map(str, self.point.values()))}"


def schedule(points: Iterable[Point], blocks: int, seed: int) -> tuple[Round, ...]:
    """Every point once in each block, shuffled within it by `seed`."""
    chosen, draw = tuple(points), np.random.default_rng(seed)
    return tuple(
        Round(block=block, order=order, point=chosen[which])
        for block in range(1, blocks + 1)
        for order, which in enumerate(draw.permutation(len(chosen)), start=1)
    )


@dataclass(slots=True)
class Progress:
    """What has been measured so far."""

    done: list[tuple[Round, Measured]] = field(default_factory=list)
    labs: dict[str, object] = field(default_factory=dict)  # by mode: MTUs and offloads found there


def begin(request: Request) -> Recorder:
    """The run's own folder, made; that it can be written is known before anything is raised."""
    experiment = request.experiment
    name = f"{environment.now().replace('-', '').replace(':', '')}-{experiment.name}"
    return Recorder(request.parent, name, (*PLACE, *experiment.columns))


def perform(
    request: Request,
    recorder: Recorder,
    raised: Raise,
    *,
    say: Say = lambda _: None,
    meter: Callable[[], Meter] = environment.CpuMeter,
) -> None:
    """Run all of it into `recorder`'s folder, and judge it.

    An interruption or an error leaves the files of what was measured, marked as such, and goes on
    up.  The thresholds and the prediction are on disk before the first lab is raised.
    """
    rounds = schedule(_points(request), request.settings.blocks, request.seed)
    progress = Progress()
    with _finishing(recorder, request, progress, _beforehand(request, rounds)):
        for number, each in enumerate(rounds, start=1):
            say(f"{number} of {len(rounds)}: {each.name}")
            tools = Tools(settings=request.settings, keep=_keeper(recorder, each), meter=meter)
            measured = _measure(request, each, raised, tools, progress)
            recorder.samples(_placed(each, measured))
            progress.done.append((each, measured))


def _points(request: Request) -> tuple[Point, ...]:
    (factor,) = request.experiment.factors
    return tuple({factor: mode} for mode in request.modes)


def _measure(
    request: Request, each: Round, raised: Raise, tools: Tools, progress: Progress
) -> Measured:
    """Probe one freshly raised lab; the first of each mode also tells its MTUs and offloads."""
    mode = str(each.point["mode"])
    with raised(with_mode(request.overlay, parse_mode(mode))) as lab:
        if mode not in progress.labs:
            progress.labs[mode] = _lab_facts(lab)
        return request.experiment.probe(lab, each.point, tools)


def _keeper(recorder: Recorder, each: Round) -> Callable[[str, str], None]:
    def keep(name: str, text: str) -> None:
        recorder.file(f"{each.folder}/{name}", text)

    return keep


def _placed(each: Round, measured: Measured) -> Iterator[Row]:
    return (
        {"block": each.block, "order": each.order, **each.point, **row} for row in measured.rows
    )


def _lab_facts(lab: Bench) -> dict[str, object]:
    source, target = latency.guests(lab.overlay)
    return {
        "underlay_mtu": lab.overlay.underlay_mtu,
        **environment.guest_interface(lab, source.device_id),
        "from": source.device_id,
        "to": target.device_id,
    }


def _beforehand(request: Request, rounds: tuple[Round, ...]) -> dict[str, object]:
    """All of run.json that is settled before the first sample."""
    experiment = request.experiment
    return {
        "experiment": experiment.name,
        "question": experiment.question,
        "unit": experiment.unit,
        "prediction": asdict(experiment.prediction),
        "margin": {"value": experiment.margin, "because": experiment.margin_because},
        "columns": {**PLACE, **experiment.columns},
        "quick": request.quick,
        "claims": "no interval, a first look" if request.quick else "95% intervals over blocks",
        "scenario": request.overlay.name,
        "hosts": [host.name for host in request.overlay.hosts],
        "release": request.overlay.release,
        "modes": list(request.modes),
        "settings": asdict(request.settings),
        "seed": request.seed,
        "lab": dict(request.lab),
        "argv": environment.argv(),
        "source": environment.source(),
        "machine": environment.machine(),
        "rounds": [{"block": r.block, "order": r.order, **r.point} for r in rounds],
        "thresholds": request.thresholds.to_json(),
        "start": environment.now(),
    }


@contextmanager
def _finishing(
    recorder: Recorder, request: Request, progress: Progress, about: Mapping[str, object]
) -> Iterator[None]:
    """Mark the run as running, and at the end as what became of it."""
    recorder.about({**about, "status": "running"})
    status = "complete"
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        status = "interrupted" if interrupted else f"failed: {error}"
        raise
    finally:
        verdict = _verdict(request, progress, status)
        recorder.about({**about, **_afterwards(progress, status), "verdict": verdict.to_json()})


def _verdict(request: Request, progress: Progress, status: str) -> Verdict:
    found = judge(_seen(progress, len(request.modes)), request.thresholds)
    if status == "complete":
        return found
    return Verdict(False, (status, *found.reasons), request.thresholds)


def _seen(progress: Progress, points: int) -> Seen:
    warm = [row for _, measured in progress.done for row in measured.rows if row["phase"] == "warm"]
    rounds_of: dict[int, int] = {}
    for each, _ in progress.done:
        rounds_of[each.block] = rounds_of.get(each.block, 0) + 1
    return Seen(
        blocks=sum(count == points for count in rounds_of.values()),
        lost=sum(row["rtt_ms"] is None for row in warm),
        duplicates=sum(_int(row, "copies") for row in warm),
        cpu_idle={each.name: _cpu(measured, "idle") for each, measured in progress.done},
        cpu_steal={each.name: _cpu(measured, "steal") for each, measured in progress.done},
    )


def _int(row: Row, name: str) -> int:
    value = row[name]
    return value if isinstance(value, int) else 0


def _cpu(measured: Measured, what: str) -> float:
    busy = measured.facts["cpu"]
    return float(busy[what]) if isinstance(busy, dict) else 0.0


def _afterwards(progress: Progress, status: str) -> dict[str, object]:
    facts = [{"block": e.block, "order": e.order, **e.point, **m.facts} for e, m in progress.done]
    return {
        "status": status,
        "end": environment.now(),
        "modes_found": progress.labs,
        "measured": facts,
    }
