"""What a tunnel port costs: models fitted to each lab's ladder, and what they say further on.  Pure.

Memory is a straight line over ports.  Set-up time, of one transaction, has a part that grows with
the square: ovs-vsctl and the daemons look through what is there for each port that comes.  Labs
are the unit: a model is fitted to each, and what is told is the median of labs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from scipy.optimize import nnls

from experiments.core.question import Row
from experiments.show.estimate import Estimate, estimate

KIB_A_GIB = 1024.0**2


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder."""

    ports: int
    setup_s: float
    memory_kib: float  # more than without any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """All ladders of one type of tunnel."""

    type: str
    ladders: tuple[tuple[Step, ...], ...]  # one a lab
    seed: int

    @property
    def most(self) -> int:
        """The most ports that were measured."""
        return max(step.ports for ladder in self.ladders for step in ladder)

    def memory_kib(self, ports: int) -> Estimate:
        """Of so many ports, by the line."""
        return estimate([line(each) * ports for each in self.ladders], self.seed)

    def setup_s(self, ports: int) -> Estimate:
        """Of so many ports in one transaction, by the parabola."""
        return estimate([parabola_at(parabola(each), ports) for each in self.ladders], self.seed)

    @property
    def all_s(self) -> Estimate:
        """Of the most ports, as measured."""
        return estimate([each[-1].setup_s for each in self.ladders], self.seed)

    @property
    def growth(self) -> Estimate | None:
        """The power of ports that set-up time grows with; None: no ladder has rungs enough."""
        found = [power for each in self.ladders if (power := exponent(each)) is not None]
        return estimate(found, self.seed) if found else None

    @property
    def misfit(self) -> float:
        """The most by which a line misses a step, as a share of its ladder's last one."""
        return max(
            abs(line(each) * step.ports - step.memory_kib) / each[-1].memory_kib
            for each in self.ladders
            for step in each
        )


def costs(rows: Sequence[Row], seed: int) -> tuple[Cost, ...]:
    """Those of each type of tunnel, from the table `ladder`."""
    labs: Mapping[tuple[object, object], list[Row]] = defaultdict(list)
    for row in rows:
        labs[row["repeat"], row["order"]].append(row)
    by_type: Mapping[str, list[tuple[Step, ...]]] = defaultdict(list)
    for lab in labs.values():
        by_type[str(lab[0]["type"])].append(_ladder(lab))
    return tuple(
        Cost(type=kind, ladders=tuple(by_type[kind]), seed=seed) for kind in sorted(by_type)
    )


def _ladder(rows: Sequence[Row]) -> tuple[Step, ...]:
    ordered = sorted(rows, key=lambda row: int(str(row["ports"])))
    bare = float(str(ordered[0]["pss_kib"]))
    return tuple(
        Step(int(str(row["ports"])), float(str(row["setup_s"])), float(str(row["pss_kib"])) - bare)
        for row in ordered
    )


def line(ladder: Sequence[Step]) -> float:
    """KiB a port: least squares through what there is without any."""
    ports = np.array([step.ports for step in ladder], dtype=float)
    memory = np.array([step.memory_kib for step in ladder])
    return float(ports @ memory / (ports @ ports))


def parabola(ladder: Sequence[Step]) -> tuple[float, float, float]:
    """Seconds for none, for each, and for each of each; least squares of relative errors, none < 0."""
    ports = np.array([step.ports for step in ladder], dtype=float)
    took = np.array([step.setup_s for step in ladder])
    terms = np.stack([np.ones_like(ports), ports, ports**2], axis=1)
    found, _ = nnls(terms / took[:, None], np.ones_like(took))
    return float(found[0]), float(found[1]), float(found[2])


def parabola_at(terms: tuple[float, float, float], ports: float) -> float:
    """Seconds for so many ports."""
    return terms[0] + terms[1] * ports + terms[2] * ports**2


def exponent(ladder: Sequence[Step]) -> float | None:
    """The power of ports that set-up time grows with, up to the last rung; None: too few rungs.

    From the rung that is nearest to a quarter of the last one: it has to be well above the price
    of one transaction, which is the rung of 0 ports and is taken off first.
    """
    bare, last = ladder[0].setup_s, ladder[-1]
    lower = [step for step in ladder[1:-1] if step.setup_s > bare]
    if not lower or last.setup_s <= bare:
        return None
    first = min(lower, key=lambda step: abs(log(4 * step.ports / last.ports)))
    return log((last.setup_s - bare) / (first.setup_s - bare)) / log(last.ports / first.ports)
