"""The cost of a tunnel port: models fitted to the measurements of each lab.  Pure.

Memory is a straight line over ports.  Set-up time, in one transaction, has a part that grows with
the square: for each new port, ovs-vsctl and the daemons look through those that exist.  A model is
fitted to each lab; reports have the median of labs.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import nnls

from experiments.show.statistics import Estimate, Samples, estimate

KIB_PER_GIB = 1024.0**2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cost:
    """What ports of one tunnel type cost: a row for each lab, a column for each number of ports."""

    type: str
    ports: Samples  # ascending, from 0
    setup_s: Samples
    memory_kib: Samples  # more than without ports
    seed: int

    @property
    def most(self) -> int:
        """The most ports that were measured."""
        return int(self.ports[-1])

    def memory_at(self, ports: int) -> Estimate:
        """Memory [KiB] of so many ports, by the line."""
        return estimate(list(line(self.ports, self.memory_kib) * ports), self.seed)

    def setup_at(self, ports: int) -> Estimate:
        """Set-up time [s] of so many ports in one transaction, by the parabola."""
        fits = np.array([parabola(self.ports, lab) for lab in self.setup_s])
        return estimate(list(fits @ [1, ports, ports**2]), self.seed)

    @property
    def setup_of_most(self) -> Estimate:
        """Set-up time [s] of the most ports, as measured."""
        return estimate(list(self.setup_s[:, -1]), self.seed)

    @property
    def growth(self) -> Estimate | None:
        """The exponent of set-up time over ports; None if no lab has enough measurements."""
        found = [exponent(self.ports, lab) for lab in self.setup_s]
        known = [each for each in found if each is not None]
        return estimate(known, self.seed) if known else None

    @property
    def misfit(self) -> float:
        """The largest distance of a measurement from its line, as a share of the lab's last one."""
        fitted = np.outer(line(self.ports, self.memory_kib), self.ports)
        return float(np.max(np.abs(fitted - self.memory_kib) / self.memory_kib[:, -1:]))


def costs(ladder: pl.DataFrame, seed: int) -> tuple[Cost, ...]:
    """The cost of each type of tunnel port, from the table `ladder`."""
    rows = ladder.sort("type", "ports", maintain_order=True)
    return tuple(_cost(each, seed) for each in rows.partition_by("type", maintain_order=True))


def _cost(rows: pl.DataFrame, seed: int) -> Cost:
    def by_lab(column: str) -> pl.DataFrame:
        table = rows.pivot("ports", index=("repeat", "order"), values=column, maintain_order=True)
        return table.drop("repeat", "order")

    memory = by_lab("pss_kib")
    memory_kib = memory.to_numpy().astype(float)
    return Cost(
        type=rows["type"][0],
        ports=np.array(memory.columns, dtype=float),
        setup_s=by_lab("setup_s").to_numpy(),
        memory_kib=memory_kib - memory_kib[:, :1],
        seed=seed,
    )


def line(ports: Samples, memory_kib: Samples) -> Samples:
    """KiB per port of each lab: the slope of the least-squares line through the origin."""
    slopes: Samples = memory_kib @ ports / (ports @ ports)
    return slopes


def parabola(ports: Samples, setup_s: Samples) -> Samples:
    """Set-up time of one lab: the terms [s] of 1, ports and ports squared, none of them negative.

    The sum of squares of relative errors is the least.
    """
    terms: Samples
    terms, _ = nnls(np.vander(ports, 3, increasing=True) / setup_s[:, None], np.ones_like(setup_s))
    return terms


def exponent(ports: Samples, setup_s: Samples) -> float | None:
    """The exponent of set-up time over ports in one lab; None if it has too few measurements.

    The time of 0 ports, that of a transaction, is subtracted.  The exponent is between the last
    measurement and the one nearest to a quarter of its ports: smaller ones take hardly longer
    than the transaction.
    """
    logs, own_s = np.log(ports[1:]), setup_s[1:] - setup_s[0]
    usable = np.flatnonzero(own_s[:-1] > 0)
    if not usable.size or own_s[-1] <= 0:
        return None
    first = usable[np.argmin(np.abs(logs[usable] - logs[-1] + np.log(4)))]
    return float(np.log(own_s[-1] / own_s[first]) / (logs[-1] - logs[first]))
