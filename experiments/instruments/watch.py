"""The machine and the lab, watched while something is measured."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from experiments.experiment import Bench
from experiments.verdict import Window

CPU_FIELDS = 8  # user nice system idle iowait irq softirq steal; guest time is in user (proc(5))


class Watcher:
    """Watches one lab; `windows` has what was seen, in order."""

    def __init__(self, bench: Bench, stat: Path = Path("/proc/stat")) -> None:
        self.bench, self._stat = bench, stat
        self.windows: list[Window] = []

    @contextmanager
    def window(self) -> Iterator[None]:
        """Watch while the block runs; an error in it leaves no window."""
        before = parse_cpu(self._stat.read_text())
        yield
        cpu = cpu_fractions(before, parse_cpu(self._stat.read_text()))
        self.windows.append(Window(cpu_idle=cpu["idle"], cpu_steal=cpu["steal"]))


def parse_cpu(stat: str) -> tuple[int, ...]:
    """The ticks of all processors together, by proc(5)'s order of fields."""
    return tuple(int(field) for field in stat.split("\n", 1)[0].split()[1 : CPU_FIELDS + 1])


def cpu_fractions(before: Sequence[int], after: Sequence[int]) -> dict[str, float]:
    """Parts of the ticks between two looks; waiting for a disk is idle too."""
    spent = [late - early for early, late in zip(before, after, strict=True)]
    total = sum(spent) or 1
    return {"idle": round((spent[3] + spent[4]) / total, 4), "steal": round(spent[7] / total, 4)}
