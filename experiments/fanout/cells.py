"""The cells of a run of `fanout`: what was foretold beside what was counted.  Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.core.question import Row
from experiments.core.results import Run

KNOWN, UNKNOWN, OTHER, UNICAST = "ARP known", "ARP unknown", "broadcast", "unknown unicast"
KINDS = (KNOWN, UNKNOWN, OTHER, UNICAST)  # as the files call them
KEYS = ("mode", "hosts", "share", "kind")
COUNTS = {"copies_sent": "sent", "arrived": "arrived", "unneeded": "in vain", "heard": "heard"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """All frames of one kind on one network of one lab."""

    mode: str
    hosts: int
    share: int  # percent
    members: int
    kind: str
    predicted: Mapping[str, int]  # by the names of COUNTS
    rows: tuple[Row, ...]  # a frame each
    at_vteps: tuple[Row, ...]  # a frame and a host each

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.mode}, {self.hosts} hosts, {self.members} with a member, {self.kind}"

    @property
    def mismatches(self) -> tuple[Row, ...]:
        """The frames that became something else than was foretold."""
        return tuple(row for row in self.rows if self._is_unlike(row))

    def _is_unlike(self, row: Row) -> bool:
        return bool(row["misdelivered"]) or any(
            row[name] != self.predicted[name] for name in COUNTS
        )

    @property
    def is_exact(self) -> bool:
        """True if every frame became what was foretold, and there was one."""
        return bool(self.rows) and not self.mismatches

    def found(self, count: str) -> tuple[int, ...]:
        """The different figures that were counted, least first."""
        return tuple(sorted({_int(row[count]) for row in self.rows}))

    def shown(self, count: str) -> str:
        """The figure, or `14-15 (foretold 15)`."""
        found, predicted = self.found(count), self.predicted[count]
        if not found:
            return "-"
        span = f"{found[0]}" if len(found) == 1 else f"{found[0]}-{found[-1]}"
        return span if found == (predicted,) else f"{span} (foretold {predicted})"


def cells(run: Run) -> tuple[Cell, ...]:
    """Every cell that was foretold, in that order; those not measured have no rows."""
    rows, at_vteps = _by_cell(run.rows_of()), _by_cell(run.rows_of("vteps"))
    return tuple(
        Cell(
            mode=str(row["mode"]),
            hosts=_int(row["hosts"]),
            share=_int(row["share"]),
            members=_int(row["members"]),
            kind=str(row["kind"]),
            predicted={name: _int(row[name]) for name in COUNTS},
            rows=tuple(rows[_key(row)]),
            at_vteps=tuple(at_vteps[_key(row)]),
        )
        for row in run.predicted.rows(named=True)
    )


def _by_cell(rows: Iterable[Row]) -> Mapping[tuple[Any, ...], list[Row]]:
    found: Mapping[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[_key(row)].append(row)
    return found


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS)


def _int(value: object) -> int:
    return int(str(value))


def difference(cell: Cell) -> str:
    """By how much a cell that is not exact differs, and at which hosts."""
    row = cell.mismatches[0]
    counts = [
        f"{word} {row[name]}, foretold {cell.predicted[name]}"
        for name, word in COUNTS.items()
        if row[name] != cell.predicted[name]
    ]
    misdelivered = [f"{row['misdelivered']} astray"] if row["misdelivered"] else []
    where = list(_where(cell, row))
    return "; ".join((*counts, *misdelivered, *where))


def _where(cell: Cell, row: Row) -> Iterator[str]:
    """The hosts at which not one copy arrived, or more than one, or one too many."""
    frame = [
        each
        for each in cell.at_vteps
        if (each["repeat"], each["frame"]) == (row["repeat"], row["frame"])
    ]
    for each in frame[1:]:  # the first host is the sender's
        wanted = _foretold_at(cell, is_member=bool(each["is_member"]))
        if each["arrived"] != wanted:
            yield f"{each['host']} got {each['arrived']} of {wanted}"


def _foretold_at(cell: Cell, *, is_member: bool) -> int:
    """How many copies should arrive at one host that is not the sender's."""
    if cell.predicted["arrived"] == cell.hosts - 1:
        return 1
    return int(is_member and bool(cell.predicted["arrived"]))


def networks(measured: Iterable[Cell]) -> Mapping[tuple[int, str], list[Cell]]:
    """Cells by share and mode, the least share first."""
    found: Mapping[tuple[int, str], list[Cell]] = defaultdict(list)
    for cell in sorted(measured, key=lambda cell: cell.share):
        found[cell.share, cell.mode].append(cell)
    return found


def labs(measured: Iterable[Cell]) -> Mapping[tuple[str, int, int], list[Cell]]:
    """Cells by lab: mode, hosts and share."""
    found: Mapping[tuple[str, int, int], list[Cell]] = defaultdict(list)
    for cell in measured:
        found[cell.mode, cell.hosts, cell.share].append(cell)
    return found


def matching(
    found: Iterable[Cell], key: Callable[[Cell], object]
) -> list[tuple[str, dict[int, Cell]]]:
    """Cells of one mode and share: kinds whose `key` agrees at every number of hosts, together.

    Each group has a name - a kind, `others` where most agree, or `any` - and by number of hosts
    one cell for all of it.
    """
    by_kind: dict[str, dict[int, Cell]] = defaultdict(dict)
    for cell in found:
        by_kind[cell.kind][cell.hosts] = cell
    groups: list[tuple[list[str], dict[int, Cell]]] = []
    for kind, labs in sorted(by_kind.items(), key=lambda each: -len(each[1])):
        for kinds, same in groups:
            if all(key(same[many]) == key(labs[many]) for many in labs.keys() & same.keys()):
                kinds.append(kind)
                same.update({many: labs[many] for many in labs.keys() - same.keys()})
                break
        else:
            groups.append(([kind], dict(labs)))
    return _named(groups)


def _named(groups: list[tuple[list[str], dict[int, Cell]]]) -> list[tuple[str, dict[int, Cell]]]:
    if len(groups) == 1:
        return [("any", groups[0][1])]
    ordered = sorted(groups, key=lambda each: len(each[0]))
    largest = ordered[-1][0]
    return [
        ("others" if kinds is largest and len(kinds) > 1 else ", ".join(kinds), same)
        for kinds, same in ordered
    ]


def counts_of(cell: Cell) -> object:
    """All that two kinds must share to be told together."""
    return [(cell.found(name), cell.predicted[name]) for name in COUNTS], cell.is_exact
