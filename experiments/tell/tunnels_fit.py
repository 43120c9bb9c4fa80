"""What a tunnel port costs: models fitted to each lab's ladder, and what they say further on.  Pure.

Memory is a straight line over ports.  Set-up time, of one transaction, has a part that grows with
the square: ovs-vsctl and the daemons look through what is there for each port that comes.  Labs
are the unit: a model is fitted to each, and what is told is the median of labs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy.optimize import nnls

from experiments.analysis import bootstrap
from experiments.question import Row

KIB_A_GIB = 1024.0**2


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder."""

    ports: int
    setup_s: float
    memory_kib: float  # more than without any


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The median of labs, and where it lies: 95% from six labs on, else the labs' own range."""

    value: float
    low: float
    high: float
    labs: int
    is_interval: bool


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
        return _over([line(each) * ports for each in self.ladders], self.seed)

    def setup_s(self, ports: int) -> Estimate:
        """Of so many ports in one transaction, by the parabola."""
        return _over([parabola_at(parabola(each), ports) for each in self.ladders], self.seed)

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
        labs[row["block"], row["order"]].append(row)
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


def _over(values: Sequence[float], seed: int) -> Estimate:
    found = np.array(values)
    within = bootstrap(len(found), lambda picked: np.median(found[picked], axis=-1), seed=seed)
    low, high = (within.low, within.high) if within else (min(values), max(values))
    return Estimate(value=median(values), low=low, high=high, labs=len(values),
                    is_interval=within is not None)  # fmt: skip
