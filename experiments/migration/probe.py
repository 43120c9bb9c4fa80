"""Measures `migration`: how long traffic stops when a guest moves to another host.

In an OVS mesh this depends on whether the guest sent from there recently (10 s by default): then
its announcement matches a megaflow, and no flow is learned before the next revalidation.  This is
our explanation; docs/neutron.md, "When table 10 learns", has the test.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from controller.model.errors import MeasureError
from controller.model.parts import Port
from controller.system.waiting import scaled, wait_for
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, arp_request, ethernet
from experiments.measure.sockets import Send, receivers, senders, without
from experiments.migration import labs as stage
from experiments.migration import stream
from experiments.migration.question import QUESTION
from experiments.migration.words import ANNOUNCED, FLUSHED, UNKNOWN

PORT = 5001
INTERVAL_S = 0.001
REVALIDATED_S = 0.5  # how often Open vSwitch reads the counters of megaflows
STEADY_S = 0.1  # the stream has to flow for so long before a move is over
# The least time to observe the stream after the guest is connected, however long that took.
LOOK_S = 2 * REVALIDATED_S + 2 * STEADY_S
POLL_S = 0.005
HEAL_S = 8.0
START_S = 10.0
# QEMU announce-self: at once, then after 50, 150, 250 and 350 ms (defaults of qapi/net.json).
ANNOUNCED_AT_S = (0.0, 0.05, 0.2, 0.45, 0.8)
RETRY_S = 0.1
ARRIVAL_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Moves a guest between two hosts under a stream; kinds of moves in random order."""

    moves: int  # of each kind in each lab; even, for both directions
    # The wait from unplugging on an idle machine; longer if `LOOK_S` after plugging ends later.
    cap_s: float
    pause_s: float = REVALIDATED_S  # before a move, at most: random

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            WaitError: the stream never began.
            MeasureError: it never resumed.
        """
        source, target = guests(lab.overlay)
        _keep_quiet(lab, source, target)
        with _streaming(lab, source, target, context) as read, context.watch():
            moving = Moving(lab=lab, target=target, read=read, cap_s=self.cap_s)
            turns = stage.in_turn(str(point["mode"]), self.moves, self.pause_s, context.seed)
            rows = tuple(_rows(moving, turns, context))
        sent_ms = [round(at * 1000) for at in ANNOUNCED_AT_S]
        return Measured(
            rows=rows, facts={"interval_ms": INTERVAL_S * 1000, "announced_at_ms": sent_ms}
        )


def _rows(
    moving: "Moving", turns: tuple[tuple[str, float], ...], context: Context
) -> Iterator[Row]:
    home, away = stage.homes(moving.lab.overlay)
    for number, (way, pause_s) in enumerate(turns, start=1):
        context.say(f"move {number} of {len(turns)}")
        host = away if number % 2 else home
        time.sleep(pause_s)  # the pause itself is wanted; there is no condition to wait for
        found = moving.move(host, way)
        yield {"move": number, "way": way, "to": host, **found, "pause_ms": pause_s * 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """The guest that moves, and its stream."""

    lab: Lab
    target: Port
    read: Callable[[], stream.Received]
    cap_s: float

    def move(self, host: str, way: str) -> Row:
        """Move it and measure the downtime of its stream."""
        self._prepare(host, way)
        with announcing(self.lab, self.target) as announce:
            plugged = announce if way in ANNOUNCED else lambda: None
            done = self.lab.move(self.target.id, host, plugged=plugged)
            # A slow machine may need the whole wait for plugging alone; the stream is observed even then.
            cap_s, look_s = scaled(self.cap_s), scaled(LOOK_S)
            until_s = max(done.unplugged_ns / 1e9 + cap_s, time.monotonic() + look_s)
            has_resumed = self._await(done.plugged_ns, until_s)
            end_ns = time.monotonic_ns()
            if not has_resumed:
                self._heal(announce)
        found = self._gone(done, end_ns) if has_resumed else _capped(done, end_ns)
        return {**found, **_steps(done)}

    def _prepare(self, host: str, way: str) -> None:
        """Teach the new host the guest's MAC where it still is; then flush that, if the kind wants it."""
        overlay = self.lab.overlay
        teach_mac(self.lab, self.target, stage.resident_of(overlay, host).device_id)
        if way == UNKNOWN:
            network = overlay.network_of[self.target.network_id]
            for argv in stage.forget(overlay.host(host), network):
                self.lab.run(host, *argv)
        elif way == FLUSHED:  # as if the guest had not sent for a while, on any host
            for each in overlay.hosts:
                self.lab.run(each.name, *stage.PURGE)

    def _await(self, since_ns: int, until_s: float) -> bool:
        """True once the stream has flowed for `STEADY_S`; False after `until_s`."""
        begun = 0
        while time.monotonic() < until_s:
            if (last := self.read().last_ns) > since_ns:
                begun = begun or last
                if last - begun > STEADY_S * 1e9:
                    return True
            time.sleep(POLL_S)
        return False

    def _heal(self, announce: Callable[[], None]) -> None:
        """Let the guest announce itself, so that the next move begins with a flowing stream."""
        since = time.monotonic_ns()
        announce()
        if not self._await(since, time.monotonic() + scaled(HEAL_S)):
            raise MeasureError(
                f"no datagram within {HEAL_S:g} s after gratuitous ARP",
                where="the stream",
                allowed="a stream that resumes after gratuitous ARP",
                do="See in br-int and br-tun of the hosts whether the port is connected.",
            )

    def _gone(self, done: Any, end_ns: int) -> Row:
        gaps = self.read().within(done.unplugged_ns, end_ns)
        downtime = sum(gap.length_ms for gap in gaps)
        return {
            "downtime_ms": round(downtime, 3),
            "lost": sum(gap.lost for gap in gaps),
            "censored": 0,
        }


def _capped(done: Any, end_ns: int) -> Row:
    """The length of the wait; how long the downtime lasted after it is not known."""
    waited = round((end_ns - done.unplugged_ns) / 1e6, 3)
    return {"downtime_ms": waited, "lost": None, "censored": 1}


def _steps(done: Any) -> Row:
    """When the steps of the move were done [ms], from its beginning."""
    begun = done.unplugged_ns
    steps = {"plugged": done.plugged_ns, "bound": done.bound_ns, "active": done.active_ns}
    return {f"{name}_ms": round((at - begun) / 1e6, 3) for name, at in steps.items()}


def _keep_quiet(lab: Lab, source: Port, target: Port) -> None:
    """Keep both guests from sending on their own: ARP refreshes, IPv6 acts when the carrier returns.

    A guest of a hypervisor does not notice the move.
    """
    there, mac = target.ipv4[0], target.mac_address
    argv = ("ip", "neigh", "replace", str(there), "lladdr", mac, "dev", "eth0", "nud", "permanent")
    lab.run(source.device_id, *argv)
    lab.run(target.device_id, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")


@contextmanager
def _streaming(
    lab: Lab, source: Port, target: Port, context: Context
) -> Iterator[Callable[[], stream.Received]]:
    """The flowing stream; yields a function that reads the receiver's log so far."""
    log = context.path("stream.txt")

    def read() -> stream.Received:
        return stream.parse_log(log.read_text())

    argv = (sys.executable, "-I", "-S", stream.__file__)
    receiver = lab.start(target.device_id, *argv, "receive", str(PORT), stdout=log)
    address, interval = str(target.ipv4[0]), str(INTERVAL_S)
    sender = lab.start(source.device_id, *argv, "send", address, str(PORT), interval)
    try:
        wait_for(
            lambda: read().last_ns, START_S, what="the first datagram of the stream", every_s=POLL_S
        )
        yield read
    finally:
        for process in (sender, receiver):
            process.terminate()
            process.wait(timeout=scaled(5))


EXPERIMENT = Experiment(
    question=QUESTION,
    # A mesh may need two revalidations after the first announcement that arrives: 1.1 s.
    probe=Migration(moves=10, cap_s=1.4),
    quick=Migration(moves=2, cap_s=2.0),
    thresholds=Thresholds(cpu_steal_max=0.1, cpu_others_max=0.2, repeats_min=1),
    watches=True,
    repeats=2,
    quick_factors={"mode": ("flat", "vxlan-mesh", "vxlan-l2pop")},
    narrow=stage.three_hosts,
    predict=stage.predicted,
)


@contextmanager
def announcing(lab: Lab, target: Port) -> Iterator[Callable[[], None]]:
    """A function that sends gratuitous ARP from the guest as QEMU does; it stops with the block."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    with senders(lab.pid(target.device_id), ("eth0",)) as send:

        def announce() -> None:
            threads.append(threading.Thread(target=_announce, args=(send["eth0"], target, over)))
            threads[-1].start()

        try:
            yield announce
        finally:
            over.set()
            for thread in threads:
                thread.join()


def teach_mac(lab: Lab, target: Port, witness: str) -> None:
    """Send broadcasts from the guest until another guest, `witness`, receives one.

    Not ARP: a kernel VXLAN device with ARP proxy does not forward it.

    Raises:
        WaitError: it receives none.
    """
    frame = ethernet(BROADCAST, target.mac_address, LOCAL_EXPERIMENT, b"announcement")
    with (
        receivers({witness: lab.pid(witness)}, "eth0", LOCAL_EXPERIMENT) as receiving,
        senders(lab.pid(target.device_id), ("eth0",)) as send,
    ):

        def is_received() -> bool:
            send["eth0"](frame)
            return not without({witness: (receiving[witness], frame)}, RETRY_S)

        wait_for(is_received, ARRIVAL_S, what=f"a broadcast of the moving guest at {witness!r}")


def _announce(send: Send, target: Port, over: threading.Event) -> None:
    begun = time.monotonic()
    frame = gratuitous_arp(target)
    for at in ANNOUNCED_AT_S:
        if over.wait(max(0.0, begun + at - time.monotonic())):
            return
        with suppress(OSError):  # the carrier has only just returned
            send(frame)


def gratuitous_arp(port: Port) -> bytes:
    """An ARP request of a host for its own address (RFC 5227, section 3)."""
    return arp_request(port.mac_address, port.ipv4[0], target=port.ipv4[0])
