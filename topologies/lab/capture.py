"""Packets of one interface into a pcapng file, with nanosecond stamps."""

import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from controller.model.errors import CommandError, UsageError
from controller.system.ownership import give_back
from topologies.lab.lab import Lab
from topologies.lab.signals import Interrupts, interrupts

POLL_S = 0.05
BLOCK_S = 0.5  # libpcap hands packets over in blocks, every 250 ms for dumpcap
FLUSH_S = 10.0


def capture(
    lab: Lab, node: str, interface: str, file: Path, *, packets: int = 0, seconds: float = 0
) -> None:
    """Capture until Ctrl-C or SIGTERM, or so many packets, or so many seconds.

    The file belongs to the caller of sudo.

    Raises:
        UsageError: the file cannot be written.
        CommandError: dumpcap could not: no such interface, for one.
    """
    limits = (*(("-c", str(packets)) if packets else ()),)
    limits += (*(("-a", f"duration:{seconds:g}") if seconds else ()),)
    # dumpcap drops root's right to write where it likes: it gets the file open.
    argv = ("dumpcap", "-q", "-n", "-i", interface, "-w", "-", *limits)
    lab.node(node)
    with _opened(file) as out, tempfile.TemporaryFile(dir=lab.directory) as said:
        if file.is_file():  # not /dev/null
            give_back(file)
        with interrupts() as signals:
            signals.shielded = True  # until there is a child to be ended
            child = lab.start(node, *argv, stdout=out, stderr=said)
            _wait(child, signals)
        said.seek(0)
        text = said.read().decode(errors="replace").strip()
    if child.returncode:
        _remove_if_empty(file)
        raise CommandError(
            text or f"exit status {child.returncode}",
            where=f"dumpcap on {interface!r} in {node!r}",
            allowed="an interface of that node",
            do=f"`overlaylab exec {lab.name} {node} -- ip link` lists its interfaces.",
        )


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("wb")
    except OSError as error:
        raise UsageError(
            error.strerror or str(error),
            where=f"capture file {str(file)!r}",
            allowed=f"a file that can be written, in a directory that exists ({file.absolute().parent})",
            do="Make that directory first, or name another file.",
        ) from error


def _remove_if_empty(file: Path) -> None:
    if file.is_file() and not file.stat().st_size:
        file.unlink()


def _wait(child: "subprocess.Popen[bytes]", signals: Interrupts) -> None:
    """Wait for it to end; Ctrl-C ends it in order, with all its packets written."""
    with suppress(KeyboardInterrupt):
        signals.open()
        while child.poll() is None:
            time.sleep(POLL_S)
    signals.shielded = True
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=BLOCK_S)  # what it has not been given yet would be lost
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        _await_flushed(child)


def _await_flushed(child: "subprocess.Popen[bytes]") -> None:
    """Until all that it has is written.

    Raises:
        CommandError: it could not write that, and was killed.
    """
    try:
        child.wait(timeout=FLUSH_S)
    except subprocess.TimeoutExpired as error:
        child.kill()
        child.wait()
        raise CommandError(
            f"not written to its end within {FLUSH_S:g} s",
            where="what dumpcap captured",
            allowed="a file, or a reader that takes all of it",
            do="Name a file, and read that.",
        ) from error
