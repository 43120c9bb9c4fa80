"""Capture the packets of one interface into a pcapng file, with nanosecond timestamps."""

import errno
import os
import signal
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from controller.model.errors import CommandError, UsageError
from controller.system.ownership import give_back
from topologies.lab.lab import Lab
from topologies.lab.signals import Interrupts, interrupts

FOREVER_S = 1e9  # with a timeout, `wait` polls: a signal just before a blocking wait is lost
BLOCK_S = 0.5  # libpcap delivers packets in blocks, to dumpcap every 250 ms
FLUSH_S = 10.0
OWN_OUTPUT = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))


def capture(
    lab: Lab, node: str, interface: str, file: Path, *, packets: int = 0, seconds: float = 0
) -> None:
    """Capture until SIGINT or SIGTERM, or for a number of packets or seconds (0: no limit).

    The file belongs to the user who called sudo.

    Raises:
        UsageError: the file cannot be written.
        CommandError: dumpcap failed, for example because there is no such interface.
    """
    limits = ["-c", str(packets)] if packets else []
    limits += ["-a", f"duration:{seconds:g}"] if seconds else []
    # dumpcap drops root's permission to write anywhere, so it gets an open file.
    argv = ("dumpcap", "-q", "-n", "-i", interface, "-w", "-", *limits)
    lab.node(node)
    with _opened(file) as out, tempfile.TemporaryFile(dir=lab.directory) as errors:
        if file.is_file():  # not /dev/null
            give_back(file)
        with interrupts() as signals:
            signals.shielded = True  # until the child has started
            child = lab.start(node, *argv, stdout=out, stderr=errors)
            _wait(child, signals)
        errors.seek(0)
        text = errors.read().decode(errors="replace").strip()
    if child.returncode:
        if file.is_file() and not file.stat().st_size:
            file.unlink()
        raise CommandError(
            text or f"exit status {child.returncode}",
            where=f"dumpcap on {interface!r} in {node!r}",
            allowed="an interface of that node",
            do=f"`overlaylab exec {lab.name} {node} -- ip link` lists its interfaces.",
        )


def _opened(file: Path) -> IO[bytes]:
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


def _wait(child: "subprocess.Popen[bytes]", signals: Interrupts) -> None:
    """Wait until it ends; a signal ends it after all its packets are written."""
    with suppress(KeyboardInterrupt):
        signals.open()
        child.wait(timeout=FOREVER_S)
    signals.shielded = True
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=BLOCK_S)  # else packets that libpcap has not delivered yet are lost
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        _await_flushed(child)


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
