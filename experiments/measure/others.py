"""Processor time of programs that belong neither to a lab nor to the run that measures it."""

from contextlib import suppress
from pathlib import Path

from experiments.measure.watch_counts import ticks_of

KTHREADD = 2  # the parent of the kernel's threads, which work for the lab too


def foreign_ticks(proc: Path = Path("/proc")) -> dict[int, int]:
    """The clock ticks that each other program has used so far, by pid.

    Programs in another network namespace than this process are counted as a lab's; this process and
    its descendants are the run.

    Raises:
        OSError: /proc cannot be read.
    """
    here, own = (proc / "self/ns/net").readlink(), int(str((proc / "self").readlink()))
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):  # it has ended
                pid = int(entry.name)
                parents[pid], used = ticks_of((entry / "stat").read_text())
                if (entry / "ns/net").readlink() == here:
                    ticks[pid] = used
    ours = {own, KTHREADD}
    return {pid: used for pid, used in ticks.items() if ours.isdisjoint(_line(pid, parents))}


def _line(pid: int, parents: dict[int, int]) -> set[int]:
    """The process and its ancestors."""
    line: set[int] = set()
    while pid and pid not in line:
        line.add(pid)
        pid = parents.get(pid, 0)
    return line
