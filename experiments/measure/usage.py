"""Processor time of the machine and of the switch daemons of a lab; memory of a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from controller.model.parts import Mechanism
from experiments.core.experiment import Lab
from experiments.measure.watch import PIDFILE, TICKS_PER_S
from experiments.measure.watch_counts import parse_cpu, parse_ticks

STAT = Path("/proc/stat")
BUSY = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq (proc(5)); steal is not ours


@dataclass(slots=True)
class Spent:
    """Seconds of one processor."""

    machine_s: float = 0.0  # of all processes and the kernel
    switches_s: float = 0.0  # of the ovs-vswitchd of the lab; 0 without one


@contextmanager
def spending(lab: Lab) -> Iterator[Spent]:
    """Processor time used in the block; set when the block ends."""
    daemons = [
        int(Path(f"/proc/{lab.pid(host.name)}/root", PIDFILE).read_text())
        for host in lab.overlay.hosts
        if host.mechanism is Mechanism.OPENVSWITCH
    ]

    def ticks() -> tuple[int, int]:
        machine = parse_cpu(STAT.read_text())
        switches = (parse_ticks(Path(f"/proc/{pid}/stat").read_text()) for pid in daemons)
        return sum(machine[at] for at in BUSY), sum(switches)

    spent, before = Spent(), ticks()
    yield spent
    spent.machine_s, spent.switches_s = (
        (late - early) / TICKS_PER_S for early, late in zip(before, ticks(), strict=True)
    )


class Memory(NamedTuple):
    """In KiB (1024 bytes)."""

    pss: int  # its private pages, and its share of shared pages
    private: int  # its private pages only


def memory_of(pid: int) -> Memory:
    """Memory of process `pid` now.

    Raises:
        OSError: the process has ended.
    """
    return parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parse_rollup(text: str) -> Memory:
    """From /proc/PID/smaps_rollup (proc(5)); the first line is the address range."""
    words = (line.split() for line in text.splitlines()[1:])
    found = {name: int(kib) for name, kib, _ in words}
    return Memory(found["Pss:"], found["Private_Clean:"] + found["Private_Dirty:"])
