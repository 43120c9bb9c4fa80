"""Processor time, of the machine and of a lab's switch daemons, spent between two moments."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.model.parts import Mechanism
from experiments.core.experiment import Lab
from experiments.measure.watch import PIDFILE, TICKS_PER_S
from experiments.measure.watch_counts import parse_cpu, parse_ticks

STAT = Path("/proc/stat")
BUSY = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq (proc(5)); what was stolen is not ours


@dataclass(slots=True)
class Spent:
    """Seconds of one processor."""

    machine_s: float = 0.0  # by all processes, ours and others, and by the kernel
    switches_s: float = 0.0  # by the lab's ovs-vswitchd; 0 where there is none


@contextmanager
def spending(lab: Lab) -> Iterator[Spent]:
    """What is spent while the block runs; it is known when the block has ended."""
    daemons = tuple(_daemons(lab))
    spent = Spent()
    machine, switches = _machine(), _switches(daemons)
    yield spent
    spent.machine_s = (_machine() - machine) / TICKS_PER_S
    spent.switches_s = (_switches(daemons) - switches) / TICKS_PER_S


def _daemons(lab: Lab) -> Iterator[int]:
    for host in lab.overlay.hosts:
        if host.mechanism is Mechanism.OPENVSWITCH:
            yield int(Path(f"/proc/{lab.pid(host.name)}/root", PIDFILE).read_text())


def _machine() -> int:
    ticks = parse_cpu(STAT.read_text())
    return sum(ticks[at] for at in BUSY)


def _switches(daemons: tuple[int, ...]) -> int:
    return sum(parse_ticks(Path(f"/proc/{pid}/stat").read_text()) for pid in daemons)
