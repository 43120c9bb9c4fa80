"""Pings along several paths: every reply is a row, and all output is kept."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Interface
from subprocess import CompletedProcess

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Context, Lab
from experiments.core.pairs import beside
from experiments.core.question import Point, Row
from experiments.latency.words import FIRST, GUEST, SAME_HOST, VETH, VTEP, WARM
from experiments.measure.ping import Pinged, Requests

DIRECT = "direct0"  # the veth between the guests, at both ends
# RFC 5737 documentation addresses; inside guests only, so they do not conflict with a VTEP's.
DIRECT_NEAR, DIRECT_FAR = IPv4Interface("192.0.2.5/30"), IPv4Interface("192.0.2.6/30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One path that pings take."""

    name: str
    node: str  # that pings
    far: str  # the node that answers
    address: str  # of `far`

    @property
    def ends(self) -> str:
        """Which node pings which, for run.json."""
        return f"{self.node} to {self.far} at {self.address}"


def guest_path(pair: tuple[Port, Port]) -> Path:
    """From one guest to the other, through both hosts."""
    return _between(GUEST, *pair)


def vtep_path(lab: Lab, pair: tuple[Port, Port]) -> Path:
    """From compute host to compute host over br-vtep: the underlay, without guests and br-int."""
    near, far = (port.host for port in pair)
    address = lab.overlay.host(far).local_ip
    return Path(name=VTEP, node=near, far=far, address=str(address))


def same_host_path(lab: Lab, pair: tuple[Port, Port]) -> Path:
    """From the first guest to another one on its host: one br-int, no underlay.

    Raises:
        MeasureError: there is no other guest on its host.
    """
    source, other = pair[0], beside(lab.overlay)
    if other is None:
        raise MeasureError(
            f"no guest beside {source.device_id!r}",
            where=f"host {source.host!r}",
            allowed="another guest of the same network there",
            do="Start the overlay that `pairs.with_neighbour` returns.",
        )
    return _between(SAME_HOST, source, other)


def _between(name: str, source: Port, target: Port) -> Path:
    address = str(target.ipv4[0])
    return Path(name=name, node=source.device_id, far=target.device_id, address=address)


@contextmanager
def veth_path(lab: Lab, pair: tuple[Port, Port]) -> Iterator[Path]:
    """From one guest to the other over a veth pair without a switch, which is deleted at the end.

    Its ends have no IPv6 address, since duplicate address detection would send packets.
    """
    near, far = (port.device_id for port in pair)
    peer = ("peer", "name", DIRECT, "netns", str(lab.pid(far)))
    lab.run(near, "ip", "link", "add", "name", DIRECT, "type", "veth", *peer)
    try:
        for node, address in ((near, DIRECT_NEAR), (far, DIRECT_FAR)):
            lab.run(node, "ip", "link", "set", DIRECT, "addrgenmode", "none", "up")
            lab.run(node, "ip", "addr", "add", str(address), "dev", DIRECT)
        yield Path(name=VETH, node=near, far=far, address=str(DIRECT_FAR.ip))
    finally:
        lab.run(near, "ip", "link", "del", DIRECT)


def ping(lab: Lab, path: Path, asked: Requests, keep: Callable[[str], None]) -> Pinged:
    """The replies to one ping process; its output is kept before it is read.

    Raises:
        MeasureError: the output is not that of ping.
    """
    argv = asked.argv(path.address)
    # Exit status 1 of ping means lost replies, which are a result here.
    done = lab.attempt(path.node, *argv, timeout_s=asked.timeout_s)
    keep(_transcript(path.node, argv, done))
    return asked.read(done.stdout)


def _transcript(node: str, argv: Sequence[str], done: "CompletedProcess[str]") -> str:
    return f"# {node}: {' '.join(argv)}\n{done.stdout}{done.stderr}"


def no_reply(path: Path, point: Point) -> MeasureError:
    """The error of a path on which every ping was lost."""
    return MeasureError(
        "not one reply",
        where=f"ping from {path.node} to {path.far} ({dict(point)})",
        allowed="replies",
        do="Start the same lab with `overlaylab up` and ping there; raw/ has ping's output.",
    )


@dataclass(slots=True)
class Pinger:
    """Pings in one lab, and collects rows and output."""

    lab: Lab
    rows: list[Row] = field(default_factory=list)
    printed: dict[str, list[str]] = field(default_factory=dict)  # by file of raw/
    kept_interval_ms: dict[str, float | None] = field(default_factory=dict)  # by condition

    def ping(self, path: Path, phase: str, asked: Requests) -> Pinged:
        """Several pings from one process, as rows."""
        pace = f"{asked.interval_ms}ms" if asked.interval_ms else "adaptive"
        file = f"ping-{path.name}-{phase}-{pace}-{asked.payload_bytes}"
        pinged = ping(self.lab, path, asked, partial(self._print, file))
        if phase == WARM:
            self.kept_interval_ms[f"{path.name}, {asked.name}"] = pinged.kept_interval_ms
        self._add(path, phase, asked, pinged)
        return pinged

    def ping_once(self, path: Path, cache: str, time: int, asked: Requests) -> Pinged:
        """One ping from a process of its own; `time` counts those with the same cache, from 1."""
        pinged = ping(self.lab, path, asked, partial(self._print, f"ping-first-{cache}"))
        one = Pinged(tuple(replace(reply, seq=time) for reply in pinged.replies))
        self._add(path, FIRST, asked, one, cache)
        return one

    def look(self, node: str, *argv: str) -> str:
        """The output of a command that changes nothing."""
        done = self.lab.attempt(node, *argv)
        self._print("looked-up", _transcript(node, argv, done))
        return done.stdout

    def _print(self, file: str, text: str) -> None:
        self.printed.setdefault(f"{file}.txt", []).append(text)

    def _add(
        self, path: Path, phase: str, asked: Requests, pinged: Pinged, cache: str | None = None
    ) -> None:
        named = {"path": path.name, "phase": phase, "cache": cache}
        self.rows.extend({**named, **row} for row in asked.rows(pinged))


@contextmanager
def keeping(lab: Lab, context: Context) -> Iterator[Pinger]:
    """A pinger whose output is kept at the end, also after an error."""
    pinger = Pinger(lab)
    try:
        yield pinger
    finally:
        for file, texts in pinger.printed.items():
            context.keep(file, "".join(texts))
