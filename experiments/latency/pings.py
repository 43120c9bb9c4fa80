"""Pings in one pinger: every sample a row, and all that was printed there kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from subprocess import CompletedProcess

from experiments.core.experiment import Context, Lab
from experiments.core.question import Row
from experiments.latency.paths import Path
from experiments.measure.ping import Pinged, Requests

COLD, WARMUP, WARM = "cold", "warmup", "warm"  # phases


@dataclass(frozen=True, slots=True)
class Pinger:
    """One lab that is pinged in: its samples, and all that was printed there."""

    lab: Lab
    rows: list[Row] = field(default_factory=list)
    printed: dict[str, list[str]] = field(default_factory=dict)  # by file of raw/
    kept_interval_ms: dict[str, float | None] = field(default_factory=dict)  # by condition

    def ping(self, path: Path, phase: str, asked: Requests) -> Pinged:
        """Several pings of one process, as rows."""
        pace = f"{asked.interval_ms}ms" if asked.interval_ms else "adaptive"
        file = f"ping-{path.name}-{phase}-{pace}-{asked.payload_bytes}"
        pinged = self._pinged(path, asked, file)
        if phase == WARM:
            self.kept_interval_ms[f"{path.name}, {asked.name}"] = pinged.kept_interval_ms
        self._note(path, phase, asked, pinged)
        return pinged

    def ping_once(self, path: Path, cold: str, time: int, asked: Requests) -> Pinged:
        """One ping of a process of its own; `time` says which of several, from 1."""
        pinged = self._pinged(path, asked, f"ping-cold-{cold}")
        one = Pinged(tuple(replace(reply, seq=time) for reply in pinged.replies))
        self._note(path, COLD, asked, one, cold)
        return one

    def look(self, node: str, *argv: str) -> str:
        """What a command that only looks printed."""
        done = self.lab.attempt(node, *argv)
        self._print("looked-up", node, argv, done)
        return done.stdout

    def _pinged(self, path: Path, asked: Requests, file: str) -> Pinged:
        argv = asked.argv(path.address)
        # Exit status 1 is ping's word for loss, which is a result here.
        done = self.lab.attempt(path.node, *argv, timeout_s=asked.timeout_s)
        self._print(file, path.node, argv, done)
        return asked.read(done.stdout)

    def _print(
        self, file: str, node: str, argv: tuple[str, ...], done: "CompletedProcess[str]"
    ) -> None:
        text = f"# {node}: {' '.join(argv)}\n{done.stdout}{done.stderr}"
        self.printed.setdefault(f"{file}.txt", []).append(text)

    def _note(
        self, path: Path, phase: str, asked: Requests, pinged: Pinged, cold: str | None = None
    ) -> None:
        named = {"path": path.name, "phase": phase, "cold": cold}
        self.rows.extend({**named, **row} for row in asked.rows(pinged))


@contextmanager
def keeping(lab: Lab, context: Context) -> Iterator[Pinger]:
    """A lab whose prints are kept at the end, also at a bad one."""
    pinger = Pinger(lab)
    try:
        yield pinger
    finally:
        for file, texts in pinger.printed.items():
            context.keep(file, "".join(texts))
