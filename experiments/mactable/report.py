"""The teller of `mactable`: entries over guests, and what a full table sends astray."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from experiments.core.question import Value
from experiments.core.results import Run
from experiments.mactable import figure
from experiments.show import cells
from experiments.show.cells import Cell
from experiments.show.curves import Mark
from experiments.show.report import Outcome, Picture, Report, Table
from experiments.show.sheet import Caption

ENTRIES, ASTRAY = "", "astray"  # figures of a cell: the question's value, and another


def build_report(run: Run) -> Report:
    """The story of one run."""
    report = cells.build_report(run)
    found = cells.cells_of(run)
    report = replace(
        report,
        findings=(report.findings[0], *_growth(found), *_full(found), *report.findings[1:]),
        outcomes=tuple(_held_all(run, found)),
        tables=(_entries(found), _flooded(found), _kept(run), *report.tables),
        pictures=(),
    )
    return _with_picture(report, run, found)


def _growth(found: Sequence[Cell]) -> Iterator[str]:
    """Entries of the most guests that there was room for, by mode."""
    free = [cell for cell in _of(found, ENTRIES) if not cell.key["room"] and cell.measured]
    if free:
        most = max(_int(cell.key["guests"]) for cell in free)
        hosts = max(_int(cell.key["hosts"]) for cell in free)
        report = [
            f"{cell.key['mode']} {cell.seen}"
            for cell in free
            if (cell.key["guests"], cell.key["hosts"]) == (most, hosts)
        ]
        yield f"{most} guests on {hosts} hosts, entries of the underlay's switch: {', '.join(report)}"


def _full(found: Sequence[Cell]) -> Iterator[str]:
    """What the fullest table sends astray, by mode."""
    cramped = [cell for cell in _of(found, ASTRAY) if cell.key["room"] and cell.measured]
    if cramped:
        most = max(_int(cell.key["guests"]) for cell in cramped)
        hosts = max(_int(cell.key["hosts"]) for cell in cramped)
        here = [c for c in cramped if (c.key["guests"], c.key["hosts"]) == (most, hosts)]
        sent = _sent(found)
        report = [f"{cell.key['mode']} {cell.seen}" for cell in here]
        yield (
            f"{most} guests, room for {here[0].key['room']}: of {sent[_key(here[0])]:g} frames, copies "
            f"astray: {', '.join(report)}"
        )


def _sent(found: Sequence[Cell]) -> Mapping[tuple[Value, ...], float]:
    """Frames sent, by cell."""
    return {
        _key(cell): float(str(cell.measured[0])) for cell in _of(found, "sent") if cell.measured
    }


def _of(found: Sequence[Cell], what: str) -> list[Cell]:
    return [cell for cell in found if cell.further == what]


def _key(cell: Cell) -> tuple[Value, ...]:
    return tuple(cell.key.values())


def _int(value: object) -> int:
    return int(str(value))


def _held_all(run: Run, found: Sequence[Cell]) -> Iterator[Outcome]:
    """Each prediction that is about a cell."""
    for each in run.question.predictions:
        what = ASTRAY if each.about == ASTRAY else ENTRIES
        about = [cell for cell in _of(found, what) if each.is_about(str(cell.key["mode"]))]
        if about:
            yield cells.outcome_by(each, run, about)


def _entries(found: Sequence[Cell]) -> Table:
    free = [cell for cell in _of(found, ENTRIES) if not cell.key["room"]]
    return _across(
        free,
        "Entries of the underlay's switch, with room for all",
        "Addresses learned when each guest has spoken once; of N not M: M was foretold.",
    )


def _flooded(found: Sequence[Cell]) -> Table:
    cramped = [cell for cell in _of(found, ASTRAY) if cell.key["room"]]
    room = next((cell.key["room"] for cell in cramped), "-")
    return _across(
        cramped,
        f"Copies astray, with room for {room} entries",
        "The first guest sends one frame to each guest on another host; copies of them that came "
        "to hosts they were not for.",
    )


def _across(shown: Sequence[Cell], heading: str, note: str) -> Table:
    """Modes and hosts down, guests across."""
    guests = list(dict.fromkeys(cell.key["guests"] for cell in shown))
    lines = list(dict.fromkeys((cell.key["mode"], cell.key["hosts"]) for cell in shown))
    by = {(c.key["mode"], c.key["hosts"], c.key["guests"]): _brief(c) for c in shown}
    return Table(
        title=heading,
        heads=("mode", "hosts", *(f"{many} guests" for many in guests)),
        rows=tuple(
            (str(mode), str(hosts), *(by[mode, hosts, many] for many in guests))
            for mode, hosts in lines
        ),
        words=("mode",),
        note=note,
    )


def _brief(cell: Cell) -> str:
    return cell.seen if cell.outcome != cells.MISMATCH else f"{cell.seen} not {cell.predicted}"


def _kept(run: Run) -> Table:
    """Whose the entries are, and where tunnels keep guests' addresses instead."""
    shown = [row for row in run.rows_of() if not row["room"]]
    columns = ("of_guests", "of_vteps", "of_others", "in_br_tun")
    lines = {
        tuple(str(row[name]) for name in ("mode", "hosts", "guests")): tuple(
            "-" if row[name] is None else str(row[name]) for name in columns
        )
        for row in sorted(
            shown, key=lambda row: (str(row["mode"]), _int(row["hosts"]), _int(row["guests"]))
        )
    }
    return Table(
        title="Whose addresses are learned, and where",
        heads=("mode", "hosts", "guests", "guests'", "VTEPs'", "others'", "first host's own table"),
        rows=tuple((*key, *values) for key, values in lines.items()),
        words=("mode",),
        note="Of the underlay's switch: guests', VTEPs', others'. With tunnels the guests' addresses "
        "do not vanish: each host's br-tun, or VXLAN device, learns those that speak to it (300 s).",
    )


def _with_picture(report: Report, run: Run, found: Sequence[Cell]) -> Report:
    sent = {_key(cell): float(str(cell.predicted)) for cell in _of(found, "sent")}
    entries = _marks([c for c in _of(found, ENTRIES) if not c.key["room"]], {})
    misdelivered = _marks([c for c in _of(found, ASTRAY) if c.key["room"]], sent)
    room = max((_int(cell.key["room"]) for cell in found), default=0)
    picture = Picture(
        name=run.question.name,
        title="Entries over guests, and copies astray from a full table",
        alternative="Entries of the underlay's switch, and copies astray per frame, over guests, "
        f"by mode and hosts: foretold and measured. {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(entries, misdelivered, room, Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def _marks(shown: Sequence[Cell], by: Mapping[tuple[Value, ...], float]) -> tuple[Mark, ...]:
    """Cells to be drawn; divided, if there is something to divide them by."""
    return tuple(
        Mark(
            mode=str(cell.key["mode"]),
            words=f"{cell.key['hosts']} hosts",
            at=_int(cell.key["guests"]),
            predicted=float(str(cell.predicted)) / by.get(_key(cell), 1.0),
            measured=tuple(float(str(value)) / by.get(_key(cell), 1.0) for value in cell.measured),
        )
        for cell in shown
    )
