"""The lines of the chart of `tunnels`: modes and memberships with the same counts together.  Pure."""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from experiments.show.palette import FAMILIES, KERNEL, OVS, family
from experiments.tunnels.figure import Line
from experiments.tunnels.words import SHARED


def lines_of(ports: pl.DataFrame) -> tuple[Line, ...]:
    """The lines of the chart: modes of one family and memberships with the same counts together."""
    series = {
        (str(mode), str(membership)): rows.sort("hosts")
        for (mode, membership), rows in ports.filter(pl.col("samples") > 0).group_by(
            "mode", "membership", maintain_order=True
        )
    }
    groups: dict[object, list[tuple[str, str]]] = {}
    for (mode, membership), rows in series.items():
        counts = tuple(
            (row["hosts"], row["predicted"], tuple(row["measured"]))
            for row in rows.rows(named=True)
        )
        groups.setdefault((family(mode), counts), []).append((mode, membership))
    uses = Counter(way for group in groups.values() for way in {_way(*each) for each in group})
    found = []
    for group in groups.values():
        rows = series[group[0]]
        ways = [(_way(*each)[0] if uses[_way(*each)] == 1 else each[0], each[1]) for each in group]
        name = _line_name(group, ways, tuple(series))
        found.append(
            Line(
                name=name,
                colour=name if name in FAMILIES else ways[0][0],
                predicted=dict(rows.select("hosts", "predicted").rows()),
                measured=dict(rows.select("hosts", "measured").rows()),
            )
        )
    return tuple(found)


def _way(mode: str, membership: str) -> tuple[str, str]:
    """How a mode floods, whatever its encapsulation, and the membership."""
    return (KERNEL if family(mode) == KERNEL else mode.partition("-")[2] or mode), membership


def _line_name(
    group: Sequence[tuple[str, str]],
    ways: Sequence[tuple[str, str]],
    all_: Sequence[tuple[str, str]],
) -> str:
    """The family if all of it is in the group and it is not OVS; else its ways of flooding."""
    kind = family(group[0][0])
    if kind != OVS and len(group) == sum(family(mode) == kind for mode, _ in all_):
        return kind if len({mode for mode, _ in group}) > 1 or kind == KERNEL else group[0][0]
    every = {membership for _, membership in all_}
    by_way: dict[str, set[str]] = {}
    for way, membership in ways:
        by_way.setdefault(way, set()).add(membership)
    return ", ".join(
        way if memberships == every and len(every) > 1 else f"{way} {SHARED[min(memberships)]}"
        for way, memberships in by_way.items()
    )
