"""Processor time of the machine and of the switch daemons of a lab."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
