"""The experiment `migration`: how long is a guest in the dark that moves to another host?

In a mesh of Open vSwitch that depends on whether the guest spoke from there lately (10 s by default):
then its announcement meets a cached flow, and nobody learns before the next revalidation.  That is
our reading, tested so: docs/neutron.md, "When table 10 learns".
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.migration import labs as stage
from experiments.migration import stream
from experiments.migration.announce import ANNOUNCED_AT_S, announcing, make_heard
from experiments.migration.gaps import Heard, heard
from experiments.migration.question import QUESTION

PORT = 5001
INTERVAL_S = 0.001
REVALIDATED_S = 0.5  # Open vSwitch counts its cached flows as often
STEADY_S = 0.1  # so long it has to flow before a move is over
# The least time to find out whether it does, once all is wired, however long that took.
LOOK_S = 2 * REVALIDATED_S + 2 * STEADY_S
POLL_S = 0.005
HEAL_S = 8.0
START_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Moves a guest to and fro under a stream, announced and silent in an order drawn by the seed."""

    moves: int  # of each way, in each lab; even, for both directions
    cap_s: (
        float  # from the unplugging; longer only if it was wired so late that `LOOK_S` goes beyond
    )
    pause_s: float = REVALIDATED_S  # before a move: drawn, up to this

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: the stream never began, or never came back.
        """
        source, target = guests(lab.overlay)
        _keep_quiet(lab, source, target)
        with _streaming(lab, source, target, context) as read, context.watch():
            moving = Moving(lab=lab, target=target, read=read, cap_s=self.cap_s)
            turns = stage.in_turn(str(point["mode"]), self.moves, self.pause_s, context.seed)
            rows = tuple(_rows(moving, turns, context))
        spoken = [round(at * 1000) for at in ANNOUNCED_AT_S]
        return Measured(
            rows=rows, facts={"interval_ms": INTERVAL_S * 1000, "announced_at_ms": spoken}
        )


def _rows(moving: "Moving", turns: tuple[stage.Turn, ...], context: Context) -> Iterator[Row]:
    home, away = stage.homes(moving.lab.overlay)
    for number, turn in enumerate(turns):
        context.say(f"move {number + 1} of {len(turns)}")
        host = home if number % 2 else away
        time.sleep(turn.pause_s)  # no condition is waited for: the pause itself is what is wanted
        found = moving.move(host, turn.way)
        yield {
            "move": number + 1,
            "way": turn.way,
            "to": host,
            **found,
            "pause_ms": turn.pause_s * 1000,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """One guest under a stream."""

    lab: Lab
    target: Port
    read: Callable[[], Heard]
    cap_s: float

    def move(self, host: str, way: str) -> Row:
        """Move it; what its stream missed."""
        self._prepare(host, way)
        with announcing(self.lab, self.target) as announce:
            plugged = announce if way in stage.SPEAKING else _nothing
            done = self.lab.move(self.target.id, host, plugged=plugged)
            # A slow machine may need all of the wait for wiring alone: then it is looked at, still.
            until_s = max(done.unplugged_ns / 1e9 + self.cap_s, time.monotonic() + LOOK_S)
            flows = self._await(done.plugged_ns, until_s)
            end_ns = time.monotonic_ns()
            if not flows:
                self._heal(announce)
        found = self._gone(done, end_ns) if flows else _capped(done, end_ns)
        return {**found, **_steps(done)}

    def _prepare(self, host: str, way: str) -> None:
        """Let the destination hear the guest where it still is; and then forget it, or not."""
        overlay = self.lab.overlay
        make_heard(self.lab, self.target, stage.resident_of(overlay, host).device_id)
        if way == stage.UNHEARD:
            network = overlay.network_of[self.target.network_id]
            for argv in stage.forget(overlay.host(host), network):
                self.lab.run(host, *argv)
        elif way == stage.UNCACHED:  # as if the guest had not spoken for a while, from any host
            for each in overlay.hosts:
                self.lab.run(each.name, *stage.PURGE)

    def _await(self, since_ns: int, until_s: float) -> bool:
        """Whether it flows again, for `STEADY_S`, before the time is over."""
        begun = 0
        while time.monotonic() < until_s:
            if (last := self.read().last_ns) > since_ns:
                begun = begun or last
                if last - begun > STEADY_S * 1e9:
                    return True
            time.sleep(POLL_S)
        return False

    def _heal(self, announce: Callable[[], None]) -> None:
        """Let the guest speak, so that the next move begins with a stream that flows."""
        since = time.monotonic_ns()
        announce()
        if not self._await(since, time.monotonic() + HEAL_S):
            raise MeasureError(
                f"no datagram within {HEAL_S:g} s of an announcement",
                where="the stream",
                allowed="one that comes back when its hearer has spoken",
                do="Look at br-int and br-tun of the hosts; is the port wired?",
            )

    def _gone(self, done: Any, end_ns: int) -> Row:
        gaps = self.read().within(done.unplugged_ns, end_ns)
        dark = sum(gap.length_ms for gap in gaps)
        return {"dark_ms": round(dark, 3), "lost": sum(gap.lost for gap in gaps), "censored": 0}


def _capped(done: Any, end_ns: int) -> Row:
    """As long as was waited; what came of it after that is not known."""
    waited = round((end_ns - done.unplugged_ns) / 1e6, 3)
    return {"dark_ms": waited, "lost": None, "censored": 1}


def _nothing() -> None:
    """A guest that says nothing when it has moved."""


def _steps(done: Any) -> Row:
    """How long the steps of the move took [ms], from its beginning."""
    begun = done.unplugged_ns
    steps = {"plugged": done.plugged_ns, "bound": done.bound_ns, "active": done.active_ns}
    return {f"{name}_ms": round((at - begun) / 1e6, 3) for name, at in steps.items()}


def _keep_quiet(lab: Lab, source: Port, target: Port) -> None:
    """Let nobody speak of himself: ARP asks again after a while, IPv6 when the carrier is back.

    A guest under a hypervisor does not see the move at all.
    """
    there, mac = target.ipv4[0], target.mac_address
    argv = ("ip", "neigh", "replace", str(there), "lladdr", mac, "dev", "eth0", "nud", "permanent")
    lab.run(source.device_id, *argv)
    lab.run(target.device_id, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")


@contextmanager
def _streaming(
    lab: Lab, source: Port, target: Port, context: Context
) -> Iterator[Callable[[], Heard]]:
    """The stream, flowing; what is yielded reads what its hearer has written until now."""
    log = context.path("stream.txt")
    argv = (sys.executable, stream.__file__)
    hearer = lab.start(target.device_id, *argv, "hear", str(PORT), stdout=log)
    address, interval = str(target.ipv4[0]), str(INTERVAL_S)
    sender = lab.start(source.device_id, *argv, "send", address, str(PORT), interval)
    try:
        _await_first(log)
        yield lambda: heard(log.read_text())
    finally:
        for process in (sender, hearer):
            process.terminate()
            process.wait(timeout=5)


def _await_first(log: Path) -> None:
    end = time.monotonic() + START_S
    while not heard(log.read_text()).last_ns:
        if time.monotonic() > end:
            raise MeasureError(
                f"nothing heard within {START_S:g} s",
                where=str(log),
                allowed="a stream between the two guests",
                do="Can they ping each other?",
            )
        time.sleep(POLL_S)


EXPERIMENT = Experiment(
    question=QUESTION,
    # A mesh may need two rounds of the revalidators after the announcement that gets through: 1.1 s.
    probe=Migration(moves=10, cap_s=1.4),
    quick=Migration(moves=2, cap_s=2.0),
    thresholds=Thresholds(cpu_steal_max=0.1, repeats_min=1),
    watches=True,
    repeats=2,
    quick_factors={"mode": ("flat", "vxlan-mesh", "vxlan-l2pop")},
    narrow=stage.three_hosts,
    stage=stage.staged,
    predict=stage.predicted,
)
