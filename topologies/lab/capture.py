"""Capture the packets of one interface as pcapng, with nanosecond timestamps."""

import errno
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from controller.model.errors import CommandError, UsageError
from controller.system.ownership import give_back
from topologies.lab.interfaces import interface_named
from topologies.lab.lab import Lab
from topologies.lab.signals import Interrupts, interrupts

STDOUT = Path("-")
POLL_S = (
    0.2  # how often a closed pipe is noticed; a signal just before a blocking wait would be lost
)
BLOCK_S = 0.5  # libpcap delivers packets in blocks, to dumpcap every 250 ms
FLUSH_S = 10.0
OWN_OUTPUT = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))


def capture(
    lab: Lab, node: str, interface: str, file: Path, *, packets: int = 0, seconds: float = 0
) -> None:
    """Capture until SIGINT or SIGTERM, or for a number of packets or seconds (0: no limit).

    The file belongs to the user who called sudo; `-` is standard output.

    Args:
        interface: its name, or the name of the node that it is connected to.

    Raises:
        UsageError: the file cannot be written, or standard output is a terminal.
        LabError: there is no such node or interface.
        CommandError: dumpcap failed.
        BrokenPipeError: the reader of standard output has ended.
    """
    limits = ["-c", str(packets)] if packets else []
    limits += ["-a", f"duration:{seconds:g}"] if seconds else []
    # dumpcap drops root's permission to write anywhere, so it gets an open file.
    argv = ("dumpcap", "-q", "-n", "-i", interface_named(lab, node, interface), "-w", "-", *limits)
    with _opened(file) as out, tempfile.TemporaryFile(dir=lab.directory) as errors:
        if file.is_file():  # not /dev/null
            give_back(file)
        with interrupts() as signals:
            signals.shielded = True  # until the child has started
            child = lab.start(node, *argv, stdout=out, stderr=errors)
            is_read = _wait(child, signals, out)
        errors.seek(0)
        text = errors.read().decode(errors="replace").strip()
    if not is_read:
        raise BrokenPipeError
    if child.returncode:
        if file.is_file() and not file.stat().st_size:
            file.unlink()
        raise CommandError(
            text or f"exit status {child.returncode}",
            where=f"dumpcap on {interface!r} in {node!r}",
            allowed="an interface of that node that is up",
            do=f"`overlaylab capture {lab.name} {node}` lists its interfaces.",
        )


def _opened(file: Path) -> IO[bytes]:
    if file == STDOUT:
        return _standard_output()
    # A link to a file elsewhere is not followed; those to this process's own output are.
    follow = 0 if file.parent in OWN_OUTPUT else os.O_NOFOLLOW
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | follow, 0o666)
        opened = os.fdopen(descriptor, "wb")
        found = os.fstat(descriptor)
        has_other_names = stat.S_ISREG(found.st_mode) and found.st_nlink > 1
        if stat.S_ISREG(found.st_mode) and not has_other_names:
            os.ftruncate(descriptor, 0)
    except OSError as error:
        raise UsageError(
            "a symbolic link" if error.errno == errno.ELOOP else error.strerror or str(error),
            where=f"capture file {str(file)!r}",
            allowed=f"a writable file in an existing directory ({file.absolute().parent})",
            do="Make that directory first, or name another file.",
        ) from error
    if has_other_names:
        opened.close()
        raise UsageError(
            "has another name (a hard link), which would be overwritten too",
            where=f"capture file {str(file)!r}",
            allowed="a new file, or one with a single name",
            do="Name another file.",
        )
    return opened


def _standard_output() -> IO[bytes]:
    if sys.stdout.isatty():
        raise UsageError(
            "a terminal",
            where="standard output",
            allowed="a pipe or a file: a capture is no text",
            do="Add `| wireshark -k -i -` or `| tshark -i -`, or give -w a file.",
        )
    return os.fdopen(os.dup(sys.stdout.fileno()), "wb")


def _wait(child: "subprocess.Popen[bytes]", signals: Interrupts, out: IO[bytes]) -> bool:
    """Wait until it ends; a signal ends it after all its packets are written.

    Returns whether `out` is still read, if it is a pipe.
    """
    reader = select.poll()
    reader.register(out, 0)
    with suppress(KeyboardInterrupt):
        signals.open()
        while child.poll() is None and not reader.poll(0):  # an event: the reader has closed it
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=POLL_S)
        if reader.poll(0):
            signals.shielded = True
            child.kill()  # nobody reads what it would still write
            child.wait()
            return False
    signals.shielded = True
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=BLOCK_S)  # else packets that libpcap has not delivered yet are lost
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        _await_flushed(child)
    return True


def _await_flushed(child: "subprocess.Popen[bytes]") -> None:
    """Wait until all packets are written; if they cannot be, kill it and raise an error."""
    try:
        child.wait(timeout=FLUSH_S)
    except subprocess.TimeoutExpired as error:
        child.kill()
        child.wait()
        raise CommandError(
            f"not written to its end within {FLUSH_S:g} s",
            where="capture",
            allowed="a file, or a program that reads all packets",
            do="Capture into a file, and read that.",
        ) from error
