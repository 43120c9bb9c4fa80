"""TCP between two guests: whether a bulk transfer completes, and its goodput."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from subprocess import PIPE, TimeoutExpired
from typing import Any

from controller.model.errors import MeasureError
from controller.system.waiting import scaled, wait_for
from experiments.core.question import Row
from experiments.mtu import tcp_guest
from experiments.mtu.path import Path
from experiments.mtu.words import COMPLETES, HANGS, NO_HANDSHAKE, UNFINISHED

PORT = 5201
LISTENING = f"00000000:{PORT:04X} 00000000:0000 0A"  # in /proc/net/tcp (proc(5)): any address
SLACK_S = 10.0  # to start Python on a busy machine
# Run as a file: a guest needs no other module of this project, and starts faster without `site`.
PYTHON = (sys.executable, "-I", "-S", tcp_guest.__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """How much is sent, for how long, and the deadline of all; times are since the greeting."""

    wanted_bytes: int
    send_s: float
    deadline_s: float

    def scaled(self) -> "Bulk":
        """The same with times that grow with the machine's load."""
        return replace(self, send_s=scaled(self.send_s), deadline_s=scaled(self.deadline_s))

    def argv(self, address: str) -> tuple[str, ...]:
        """The sender's command."""
        settings = (PORT, self.wanted_bytes, self.send_s, self.deadline_s)
        return (*PYTHON, "send", address, *map(str, settings))


@contextmanager
def serving(path: Path) -> Iterator[None]:
    """Accept transfers at the target while the block runs.

    Raises:
        WaitError: the server does not listen in time, which would look like a lost handshake.
    """
    guest = path.target.device_id
    server = path.lab.start(guest, *PYTHON, "serve", str(PORT))
    try:
        wait_for(
            lambda: LISTENING in path.lab.run(guest, "cat", "/proc/net/tcp"),
            SLACK_S,
            what=f"a listener on port {PORT} of {guest!r}",
            every_s=0.005,
        )
        yield
    finally:
        server.kill()
        server.wait(scaled(SLACK_S))


@contextmanager
def transferring(path: Path, bulk: Bulk, name: str) -> Iterator[list[Mapping[str, Any]]]:
    """A transfer during the block; after it the list has the sender's report."""
    reports: list[Mapping[str, Any]] = []
    argv = bulk.argv(str(path.target.ipv4[0]))
    sender = path.lab.start(path.source.device_id, *argv, stdout=PIPE)
    timeout_s = scaled(SLACK_S) + 2 * tcp_guest.GREETING_S + bulk.deadline_s
    try:
        yield reports
        text = sender.communicate(timeout=timeout_s)[0].decode()
        path.context.keep(f"tcp-{name}.json", text)
        reports.append(json.loads(text))
    except (TimeoutExpired, ValueError) as error:
        raise MeasureError(
            f"no report ({error})",
            where=f"`{' '.join(argv)}`",
            allowed="a line of JSON in time",
            do="Start the same lab with `overlaylab up` and run the command in the guest.",
        ) from error
    finally:
        sender.kill()
        sender.wait(scaled(SLACK_S))


def transfer(path: Path, bulk: Bulk, name: str) -> Mapping[str, Any]:
    """The sender's report of one transfer."""
    with transferring(path, bulk, name) as reports:
        pass
    return reports[0]


def outcome_of(report: Mapping[str, Any], bulk: Bulk) -> str:
    """The outcome of a transfer."""
    if not report["greeted"]:
        return NO_HANDSHAKE
    if report["received"] == min(report["sent"], bulk.wanted_bytes):
        return COMPLETES
    return UNFINISHED if acked_bytes(report) else HANGS


def acked_bytes(report: Mapping[str, Any]) -> int:
    """Acknowledged bytes of the bulk data; the kernel counts the end of the stream as one more."""
    acked = int(report.get("acked", 0)) - int(report.get("acked_before", 0))
    return min(int(report["sent"]), acked)


def tcp_row(report: Mapping[str, Any], bulk: Bulk) -> Row:
    """One transfer, as in the tables `tcp` and `goodput`."""
    return {
        "outcome": outcome_of(report, bulk),
        "mss": report.get("mss"),
        "sent_bytes": report["sent"],
        "acked_bytes": acked_bytes(report),
        "received_bytes": report["received"],
        "seconds": report["seconds"],
        "retransmits": report.get("retransmits"),
    }


def goodput(path: Path, mtus: Sequence[int], bulk: Bulk, transfers: int) -> Iterator[Row]:
    """A row for each transfer and guest MTU; MTUs alternate, so that drift affects all of them."""
    for number in range(1, transfers + 1):
        for mtu in mtus:
            path.set_guest_mtu(mtu)
            row = tcp_row(transfer(path, bulk, f"goodput-{mtu}-{number}"), bulk)
            yield {"guest_mtu": mtu, "transfer": number, "mbit_s": mbit_s(row, bulk), **row}


def mbit_s(row: Row, bulk: Bulk) -> float:
    """Goodput until the last byte; of a transfer that did not complete, what was acknowledged."""
    received, seconds = row["received_bytes"], row["seconds"]
    if not received or not seconds:
        received, seconds = row["acked_bytes"] or 0, bulk.deadline_s
    return round(8e-6 * float(received) / float(seconds), 3)
