"""TCP between two guests: does a bulk transfer come to its end, and how fast."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE, TimeoutExpired
from typing import Any

from controller.model.errors import MeasureError
from experiments.core.question import Row
from experiments.mtu import tcp_guest as tcp
from experiments.mtu.path import Path
from experiments.mtu.words import COMPLETES, HANGS, NO_HANDSHAKE, UNFINISHED

PORT = 5201
LISTENING = f"00000000:{PORT:04X} 00000000:0000 0A"  # in /proc/net/tcp (proc(5)): any address
POLL_S = 0.005
SLACK_S = 10.0  # for starting Python on a busy machine
# Alone, from its file: a guest needs nothing of this project, and starts sooner without `site`.
PYTHON = (sys.executable, "-I", "-S", tcp.__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """How much is sent, for how long, and when all must be over; counted from the greeting."""

    wanted_bytes: int
    send_s: float
    deadline_s: float

    def argv(self, address: str) -> tuple[str, ...]:
        """The sender's command."""
        settings = (PORT, self.wanted_bytes, self.send_s, self.deadline_s)
        return (*PYTHON, "send", address, *map(str, settings))


@contextmanager
def serving(path: Path) -> Iterator[None]:
    """The target takes transfers while the block runs."""
    argv = (*PYTHON, "serve", str(PORT))
    server = path.lab.start(path.target.device_id, *argv)
    try:
        _await_listening(path, argv)
        yield
    finally:
        server.kill()
        server.wait(SLACK_S)


def _await_listening(path: Path, argv: tuple[str, ...]) -> None:
    """Else a server that is slow to start would look like a path that carries no handshake."""
    end = time.monotonic() + SLACK_S
    while LISTENING not in path.lab.run(path.target.device_id, "cat", "/proc/net/tcp"):
        if time.monotonic() > end:
            raise MeasureError(
                f"not listening within {SLACK_S:g} s",
                where=f"`{' '.join(argv)}`",
                allowed="a server that listens before anything is sent to it",
                do="Run again when the machine is calm.",
            )
        time.sleep(POLL_S)


@contextmanager
def transferring(path: Path, bulk: Bulk, name: str) -> Iterator[list[Mapping[str, Any]]]:
    """A transfer that goes on while the block runs; the list has what it told when that is over."""
    report: list[Mapping[str, Any]] = []
    argv = bulk.argv(str(path.target.ipv4[0]))
    sender = path.lab.start(path.source.device_id, *argv, stdout=PIPE)
    try:
        yield report
        said = sender.communicate(timeout=2 * tcp.GREETING_S + bulk.deadline_s + SLACK_S)[
            0
        ].decode()
        path.context.keep(f"tcp-{name}.json", said)
        report.append(json.loads(said))
    except (TimeoutExpired, ValueError) as error:
        raise _mute(argv, error) from error
    finally:
        sender.kill()
        sender.wait(SLACK_S)


def _mute(argv: tuple[str, ...], error: Exception) -> MeasureError:
    return MeasureError(
        f"no report ({error})",
        where=f"`{' '.join(argv)}`",
        allowed="a line of JSON in time",
        do="Raise the same lab with `overlaylab up` and run the command in the guest.",
    )


def transfer(path: Path, bulk: Bulk, name: str) -> Mapping[str, Any]:
    """What the sender told of one transfer."""
    with transferring(path, bulk, name) as report:
        pass
    return report[0]


def became_of(report: Mapping[str, Any], bulk: Bulk) -> str:
    """What became of a transfer, in a word."""
    if not report["greeted"]:
        return NO_HANDSHAKE
    if report["received"] == min(report["sent"], bulk.wanted_bytes):
        return COMPLETES
    return UNFINISHED if acked(report) else HANGS


def acked(report: Mapping[str, Any]) -> int:
    """Bytes of the bulk that the far kernel has acknowledged; the end of the stream is one more."""
    return min(
        int(report["sent"]), int(report.get("acked", 0)) - int(report.get("acked_before", 0))
    )


def tcp_row(report: Mapping[str, Any], bulk: Bulk) -> Row:
    """One transfer, as the tables `tcp` and `goodput` have it."""
    arrived = report["received"]
    return {
        "outcome": became_of(report, bulk),
        "mss": report.get("mss"),
        "sent_bytes": report["sent"],
        "acked_bytes": acked(report),
        "received_bytes": arrived,
        "seconds": report["seconds"],
        "retransmits": report.get("retransmits"),
    }


def goodput(path: Path, mtus: Sequence[int], bulk: Bulk, transfers: int) -> Iterator[Row]:
    """A row per guest MTU and repeat; MTUs take turns, so that a drift is no effect of theirs."""
    for turn in range(1, transfers + 1):
        for mtu in mtus:
            path.set_guest_mtu(mtu)
            row = tcp_row(transfer(path, bulk, f"goodput-{mtu}-{turn}"), bulk)
            yield {"guest_mtu": mtu, "transfer": turn, "mbit_s": mbit_s(row, bulk), **row}


def mbit_s(row: Row, bulk: Bulk) -> float:
    """Megabits per second that arrived: until the last byte, else what was acknowledged by the deadline."""
    received, seconds = row["received_bytes"], row["seconds"]
    if not received or not seconds:
        received, seconds = row["acked_bytes"] or 0, bulk.deadline_s
    return round(8e-6 * float(received) / float(seconds), 3)
