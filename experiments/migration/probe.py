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
from controller.model.modes import MODES
from controller.model.parts import Port
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.pairs import guests
from experiments.core.question import Point, Prediction, Question, Row
from experiments.core.verdict import Thresholds
from experiments.migration import labs as stage
from experiments.migration import stream
from experiments.migration.announce import ANNOUNCED_AT_S, announcing, make_heard
from experiments.migration.gaps import Heard, heard

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

    def __call__(self, bench: Bench, point: Point, tools: Tools, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: the stream never began, or never came back.
        """
        source, target = guests(bench.overlay)
        _keep_quiet(bench, source, target)
        with _streaming(bench, source, target, tools) as read, tools.watch():
            moving = Moving(bench=bench, target=target, read=read, cap_s=self.cap_s)
            turns = stage.in_turn(str(point["mode"]), self.moves, self.pause_s, tools.seed)
            rows = tuple(_rows(moving, turns, tools))
        spoken = [round(at * 1000) for at in ANNOUNCED_AT_S]
        return Measured(
            rows=rows, facts={"interval_ms": INTERVAL_S * 1000, "announced_at_ms": spoken}
        )


def _rows(moving: "Moving", turns: tuple[stage.Turn, ...], tools: Tools) -> Iterator[Row]:
    home, away = stage.homes(moving.bench.overlay)
    for number, turn in enumerate(turns):
        tools.say(f"move {number + 1} of {len(turns)}")
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

    bench: Bench
    target: Port
    read: Callable[[], Heard]
    cap_s: float

    def move(self, host: str, way: str) -> Row:
        """Move it; what its stream missed."""
        self._prepare(host, way)
        with announcing(self.bench, self.target) as announce:
            plugged = announce if way in stage.SPEAKING else _nothing
            done = self.bench.move(self.target.id, host, plugged=plugged)
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
        overlay = self.bench.overlay
        make_heard(self.bench, self.target, stage.resident_of(overlay, host).device_id)
        if way == stage.UNHEARD:
            network = overlay.network_of[self.target.network_id]
            for argv in stage.forget(overlay.host(host), network):
                self.bench.run(host, *argv)
        elif way == stage.UNCACHED:  # as if the guest had not spoken for a while, from any host
            for each in overlay.hosts:
                self.bench.run(each.name, *stage.PURGE)

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


def _keep_quiet(bench: Bench, source: Port, target: Port) -> None:
    """Let nobody speak of himself: ARP asks again after a while, IPv6 when the carrier is back.

    A guest under a hypervisor does not see the move at all.
    """
    there, mac = target.ipv4[0], target.mac_address
    argv = ("ip", "neigh", "replace", str(there), "lladdr", mac, "dev", "eth0", "nud", "permanent")
    bench.run(source.device_id, *argv)
    bench.run(target.device_id, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")


@contextmanager
def _streaming(
    bench: Bench, source: Port, target: Port, tools: Tools
) -> Iterator[Callable[[], Heard]]:
    """The stream, flowing; what is yielded reads what its hearer has written until now."""
    log = tools.path("stream.txt")
    argv = (sys.executable, stream.__file__)
    hearer = bench.start(target.device_id, *argv, "hear", str(PORT), stdout=log)
    address, interval = str(target.ipv4[0]), str(INTERVAL_S)
    sender = bench.start(source.device_id, *argv, "send", address, str(PORT), interval)
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


MIGRATION = Experiment(
    question=Question(
        name="migration",
        asks="How long does a guest hear nothing that moves to another host, MAC and IP kept?",
        unit="moves",
        value="censored",
        factors={"mode": tuple(str(mode) for mode in MODES if mode.network_type)},
        teller="migration",
        predictions=(
            Prediction(
                says="learned and silent: in the dark for as long as is waited, in every move",
                because=(
                    "whoever learned where its MAC is (the underlay's switch, table 20, a kernel's "
                    "FDB) keeps that for 300 s, and only a frame of the guest's own corrects it"
                ),
                of="learned silent",
            ),
            Prediction(
                says="learned and announced: back before the wait is over, in every move",
                because=(
                    "a gratuitous ARP is a broadcast: it passes every switch on the way, and each "
                    "learns from it; the first ones are lost while the port is not wired yet"
                ),
                of="learned announced",
            ),
            Prediction(
                says="learned, announced, cached flows dropped: back before the wait is over, in every move",
                because="the first packet of a flow runs through the tables, and table 10 learns from it",
                of="learned announced, uncached",
            ),
            Prediction(
                says=(
                    "a mesh of Open vSwitch: announced to cached flows, a guest is back 100 to 1000 ms "
                    "later than announced to dropped ones, by the medians"
                ),
                because=(
                    "a packet that hits a cached flow runs through no table: table 10 learns from it "
                    "when a revalidator comes round and counts it, every 500 ms "
                    "(other_config:max-revalidator); if the old place spoke since the last time, too, "
                    "and is counted after the new one, it takes another round"
                ),
                of="cached",
                low=100,
                high=1000,
            ),
            Prediction(
                says="l2population, silent, to a host that never heard the guest: back in every move",
                because="the server tells every host where the MAC is once the port is bound there",
                of="told silent, unheard",
            ),
            Prediction(
                says="l2population, silent, to a host that had heard the guest: in the dark all the same",
                because=(
                    "frames come to the right host, whose own bridge has learned that the MAC is "
                    "behind the tunnel: to where they came from, and so nowhere"
                ),
                of="told silent",
            ),
            Prediction(
                says="l2population and announced: back before the wait is over, in every move",
                because="the announcement teaches the destination's bridge what the server cannot",
                of="told announced",
            ),
        ),
        columns={
            "move": "number of the move, from 1",
            "way": (
                "announced: gratuitous ARP when plugged, in QEMU's rhythm; silent: nothing; "
                "unheard: the destination's bridge was made to forget the guest's MAC before; uncached: "
                "every host's cached flows were dropped before, as if it had never spoken from anywhere"
            ),
            "to": "the host it went to",
            "dark_ms": "milliseconds without a datagram; of a censored move: as long as was waited",
            "lost": "datagrams of the stream that never came; of a censored move: unknown",
            "censored": "1: still dark when the wait was over",
            "plugged_ms": "from the unplugging until the guest's wire was up at the destination",
            "bound_ms": "until the controller had been told",
            "active_ms": "until the controller said ACTIVE",
            "pause_ms": "waited before the move, drawn by the seed",
        },
    ),
    # A mesh may need two rounds of the revalidators after the announcement that gets through: 1.1 s.
    probe=Migration(moves=10, cap_s=1.4),
    quick=Migration(moves=2, cap_s=2.0),
    thresholds=Thresholds(cpu_steal_max=0.1, blocks_min=1),
    watches=True,
    blocks=2,
    quick_factors={"mode": ("flat", "vxlan-mesh", "vxlan-l2pop")},
    narrow=stage.three_hosts,
    stage=stage.staged,
    foretell=stage.foretold,
)
