"""What the chart of `fanout` shows: ways of flooding with their copies by number of hosts.  Pure.

Modes that flood in the same way and have the same counts are one line; so are ways with the same
counts.  A mode whose counts differ from others of its way has a line of its own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from controller.model.modes import Flooding
from experiments.fanout.words import KNOWN, PREDICTED
from experiments.show.palette import UNTUNNELLED, family

RESPONDER = "ARP responder, known address"
PLAIN = {str(Flooding.L2POP_ARP): str(Flooding.L2POP)}  # other frames than requests are sent alike

Cell = Mapping[str, Any]  # a row of `cells_of`
Agreeing = tuple[str, Mapping[int, Cell]]  # kinds of frames, and one cell by number of hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The copies of a frame by number of hosts."""

    names: tuple[str, ...]  # of the ways of flooding, or of a mode that differs
    mode: str
    predicted: Mapping[int, int]
    measured: Mapping[int, tuple[int, ...]]  # the different values

    @property
    def most_hosts(self) -> int:
        """The number of hosts at its end."""
        return max(self.measured)

    @property
    def end(self) -> str:
        """What was measured with the most hosts, such as `15`, or `14 to 15`."""
        values = self.measured[self.most_hosts]
        return " to ".join(map(str, dict.fromkeys((min(values), max(values)))))

    def agrees(self, other: "Line") -> bool:
        """True if both have the same counts at every number of hosts that both have."""
        return all(
            self.measured[hosts] == other.measured[hosts]
            and self.predicted[hosts] == other.predicted[hosts]
            for hosts in self.measured.keys() & other.measured.keys()
        )

    def joined(self, other: "Line") -> "Line":
        """Both as one."""
        return replace(
            self,
            predicted={**other.predicted, **self.predicted},
            measured={**other.measured, **self.measured},
        )


def lines(cells: pl.DataFrame, count: str) -> tuple[Line, ...]:
    """The lines of one count on one network, the most copies first."""
    found: list[Line] = []
    # Sorted so that a line of several ways has the name and colour of a tunnelled one first.
    for each in sorted(_of_modes(cells, count), key=lambda line: family(line.mode) == UNTUNNELLED):
        same = [at for at, one in enumerate(found) if one.names == each.names]
        match = next((at for at in same if found[at].agrees(each)), None)
        if match is not None:
            found[match] = found[match].joined(each)
        else:
            found.append(replace(each, names=(each.mode,)) if same else each)
    return tuple(sorted(_merged(found), key=lambda line: -max(line.measured[line.most_hosts])))


def _of_modes(cells: pl.DataFrame, count: str) -> Iterator[Line]:
    """A line for each mode, and for kinds of frames with other counts."""
    figures: Callable[[Cell], object] = lambda cell: (cell[count], cell[PREDICTED + count])  # noqa: E731
    for _, mode, groups in agreeing(cells, figures):
        for kinds, same in groups:
            yield Line(
                names=(_way(mode, kinds),),
                mode=mode,
                predicted={hosts: cell[PREDICTED + count] for hosts, cell in sorted(same.items())},
                measured={hosts: tuple(cell[count]) for hosts, cell in sorted(same.items())},
            )


def _way(mode: str, kinds: str) -> str:
    """How these frames are flooded, whatever the encapsulation."""
    flooding = mode if mode in {str(each) for each in Flooding} else mode.partition("-")[2] or mode
    if kinds in {"any", "others"}:
        return PLAIN.get(flooding, flooding)
    is_l2pop = flooding.startswith(str(Flooding.L2POP))
    return RESPONDER if is_l2pop and KNOWN in kinds.split(", ") else f"{flooding}, {kinds}"


def _merged(found: Sequence[Line]) -> Iterator[Line]:
    """One line for those with the same counts everywhere."""
    by_counts: dict[object, Line] = {}
    for line in found:
        key = tuple(sorted(line.predicted.items())), tuple(sorted(line.measured.items()))
        first = by_counts.get(key)
        names = tuple(dict.fromkeys((*first.names, *line.names))) if first else line.names
        by_counts[key] = replace(first or line, names=names)
    yield from by_counts.values()


def agreeing(
    cells: pl.DataFrame, figures: Callable[[Cell], object]
) -> Iterator[tuple[int, str, Sequence[Agreeing]]]:
    """Kinds of frames with the same figures at every number of hosts, by share and mode.

    They are named by their kinds, `others` if they are the most, or `any` if they are all.
    """
    ordered = cells.sort("share", maintain_order=True)
    for (share, mode), network in ordered.group_by("share", "mode", maintain_order=True):
        by_kind: dict[str, dict[int, Cell]] = defaultdict(dict)
        for cell in network.iter_rows(named=True):
            by_kind[cell["kind"]][cell["hosts"]] = cell
        groups: list[tuple[list[str], dict[int, Cell]]] = []
        for kind, labs in sorted(by_kind.items(), key=lambda each: -len(each[1])):
            for kinds, same in groups:
                common = labs.keys() & same.keys()
                if all(figures(same[hosts]) == figures(labs[hosts]) for hosts in common):
                    kinds.append(kind)
                    same.update({hosts: labs[hosts] for hosts in labs.keys() - same.keys()})
                    break
            else:
                groups.append(([kind], dict(labs)))
        yield int(str(share)), str(mode), _named(groups)


def _named(groups: list[tuple[list[str], dict[int, Cell]]]) -> Sequence[Agreeing]:
    if len(groups) == 1:
        return [("any", groups[0][1])]
    ordered = sorted(groups, key=lambda each: len(each[0]))
    most = ordered[-1][0]
    return [
        ("others" if kinds is most and len(kinds) > 1 else ", ".join(kinds), same)
        for kinds, same in ordered
    ]
