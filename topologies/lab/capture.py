"""Packets of one interface into a pcapng file, with nanosecond stamps."""

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from topologies.errors import CommandError
from topologies.lab.lab import Lab
from topologies.ownership import give_back

POLL_S = 0.05
BLOCK_S = 0.5  # libpcap hands packets over in blocks, every 250 ms for dumpcap
FLUSH_S = 10.0


def capture(
    lab: Lab, node: str, interface: str, file: Path, *, packets: int = 0, seconds: float = 0
) -> None:
    """Capture until Ctrl-C, or so many packets, or so many seconds; the file is the caller's.

    Raises:
        CommandError: dumpcap could not: no such interface, or the file cannot be written.
    """
    file = file.resolve()
    said = file.with_name(f".{file.name}.said")
    limits = (*(("-c", str(packets)) if packets else ()),)
    limits += (*(("-a", f"duration:{seconds:g}") if seconds else ()),)
    argv = ("dumpcap", "-q", "-n", "-i", interface, "-w", str(file), *limits)
    child = lab.start(node, *argv, stdout=said)
    try:
        _wait(child)
    finally:
        text = said.read_text(errors="replace") if said.exists() else ""
        said.unlink(missing_ok=True)
        if file.exists():
            give_back(file)
    if child.returncode:
        raise CommandError(
            text.strip() or f"exit status {child.returncode}",
            where=f"dumpcap on {interface!r} in {node!r}",
            allowed="an interface of that node, and a file that can be written",
            do=f"`overlaylab exec {lab.name} {node} -- ip link` lists its interfaces.",
        )


def _wait(child: "subprocess.Popen[bytes]") -> None:
    """Wait for it to end; Ctrl-C ends it in order, with all its packets written."""
    with suppress(KeyboardInterrupt):
        while child.poll() is None:
            time.sleep(POLL_S)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=BLOCK_S)  # what it has not been given yet would be lost
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        child.wait(timeout=FLUSH_S)
