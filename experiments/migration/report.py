"""The teller of `migration`: which moves ended, and after how long."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from experiments.core.question import Prediction, Row
from experiments.core.results import Run
from experiments.migration import figure
from experiments.show.estimate import Estimate, estimate
from experiments.show.estimate import outcome as stands_by
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption

TOLD, LEARNED = "told", "learned"
MESH = "OVS mesh"
ANNOUNCED, UNCACHED, CACHED = "announced", "announced, uncached", "cached"
GROUPS = {"untunnelled": "", "kernel VXLAN": "kvxlan", "OVS l2population": "l2pop", MESH: "mesh"}
MEDIANS_FROM = 10  # moves a way: of fewer, a median says nothing that could be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The moves of one mode, one way, and what was foretold of them."""

    mode: str
    way: str
    rows: tuple[Row, ...]
    predicted: int | None  # 1: every move is still dark when the wait is over; 0: none is

    @property
    def kind(self) -> str:
        """Who knows where a MAC is: as the predictions name it."""
        return f"{TOLD if 'l2pop' in self.mode else LEARNED} {self.way}"

    @property
    def group(self) -> str:
        """Which modes it belongs with: those that are carried and learn alike."""
        return next(
            (name for name, part in GROUPS.items() if part and part in self.mode), "untunnelled"
        )

    @property
    def censored(self) -> int:
        """Moves whose end was not waited for."""
        return sum(bool(row["censored"]) for row in self.rows)

    @property
    def dark_ms(self) -> tuple[float, ...]:
        """Of the moves that ended."""
        return tuple(float(row["dark_ms"] or 0) for row in self.rows if not row["censored"])

    def by_block(self) -> dict[int, list[float]]:
        """The same, lab by lab."""
        found: dict[int, list[float]] = defaultdict(list)
        for row in self.rows:
            if not row["censored"]:
                found[int(row["repeat"] or 0)].append(float(row["dark_ms"] or 0))
        return found

    @property
    def is_as_foretold(self) -> bool:
        """True if every move did what theory says, or theory is silent."""
        return self.predicted is None or self.censored == self.predicted * len(self.rows)

    def of(self, column: str) -> tuple[float, ...]:
        """A column's figures, where it has any."""
        return tuple(float(row[column] or 0) for row in self.rows if row[column] is not None)


def build_report(run: Run) -> Report:
    """The story of one run."""
    found = cells(run)
    report = Report(
        run=run,
        findings=tuple(_findings(found, _cap_ms(run))),
        outcomes=tuple(_outcomes(run, found)),
        tables=(_table(found), *_by_direction(found)),
        pictures=(),
        conditions=_conditions(run, found),
        is_refuted=not all(cell.is_as_foretold for cell in found),
        data=tuple(map(_data, found)),
    )
    return _with_picture(report, run, found)


def cells(run: Run) -> tuple[Cell, ...]:
    """All that was measured, by group, mode and way, in the order of the run."""
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in run.rows_of():
        rows[str(row["mode"]), str(row["way"])].append(row)
    said = {
        (str(r["mode"]), str(r["way"])): int(str(r["censored"]))
        for r in run.predicted.rows(named=True)
    }
    order = [*map(str, run.question.factors["mode"])]
    found = (
        Cell(mode=mode, way=way, rows=tuple(same), predicted=said.get((mode, way)))
        for (mode, way), same in rows.items()
    )
    groups = [*GROUPS]
    return tuple(sorted(found, key=lambda c: (groups.index(c.group), order.index(c.mode), c.way)))


def _findings(found: Sequence[Cell], cap_ms: float) -> Iterator[str]:
    """What became of the moves of each way; the times of each group of modes apart."""
    for way in sorted({cell.way for cell in found}):
        same = [cell for cell in found if cell.way == way]
        moves, dark = sum(len(cell.rows) for cell in same), sum(cell.censored for cell in same)
        all_ = f"{dark} of {counted(moves, 'move')} still dark after {cap_ms / 1000:g} s"
        times = ", ".join(filter(None, (_medians(same, group) for group in GROUPS)))
        yield f"{way}: {all_}" + (f"; back, by medians of the modes: {times}" if times else "")


def _medians(same: Sequence[Cell], group: str) -> str:
    """The range of the modes' medians: never of what modes that differ have in common."""
    medians = [median(cell.dark_ms) for cell in same if cell.group == group and cell.dark_ms]
    return f"{group} {span(medians)} ms" if medians else ""


def span(figures: Sequence[float]) -> str:
    """`76..78`, or one figure if that is all."""
    low, high = f"{min(figures):.0f}", f"{max(figures):.0f}"
    return low if low == high else f"{low}..{high}"


def _outcomes(run: Run, found: Sequence[Cell]) -> Iterator[Outcome]:
    for prediction in run.question.predictions:
        if prediction.about == CACHED:
            about = _cached(prediction, found, run.seed)
        else:
            about = _ended([cell for cell in found if cell.kind == prediction.about])
        if about:
            outcome, said = about
            yield Outcome(
                claim=prediction.claim,
                reason=prediction.reason,
                outcome=outcome if is_trusted(run) else NOT_JUDGED,
                found=said,
            )


def _ended(about: Sequence[Cell]) -> tuple[str, str] | None:
    """What became of a prediction that every move ends, or none does."""
    mismatches = [cell for cell in about if not cell.is_as_foretold]
    said = "; ".join(f"{cell.mode}: {_dark(cell)}" for cell in mismatches or about)
    return (REFUTED if mismatches else CONFIRMED, said) if about else None


def _cached(prediction: Prediction, found: Sequence[Cell], seed: int) -> tuple[str, str] | None:
    """What became of the one about what a cached flow costs: judged in every mesh by its labs."""
    of = {(cell.mode, cell.way): cell for cell in found if cell.group == MESH and cell.dark_ms}
    pairs = {
        mode: (cell, of[mode, UNCACHED])
        for (mode, way), cell in of.items()
        if way == ANNOUNCED and (mode, UNCACHED) in of
    }
    later = {mode: _later(*pair) for mode, pair in pairs.items()}
    if not pairs or not all(later.values()):
        return None
    ranges = {mode: estimate(each, seed) for mode, each in later.items()}
    said = "; ".join(f"{mode}: {_by_labs(each)}" for mode, each in ranges.items())
    if min(len(cell.dark_ms) for pair in pairs.values() for cell in pair) < MEDIANS_FROM:
        return UNDECIDED, f"{said}; of fewer than {MEDIANS_FROM} moves"
    return stands_by(prediction, tuple(ranges.values())), said


def _later(cached: Cell, uncached: Cell) -> list[float]:
    """In each lab, how much later guests are back with cached flows than without, by medians [ms]."""
    with_, without = cached.by_block(), uncached.by_block()
    return [
        median(with_[repeat]) - median(without[repeat]) for repeat in with_ if repeat in without
    ]


def _by_labs(each: Estimate) -> str:
    return f"{each.value:+.0f} ms ({each.span('lab', '+.0f')})"


def _dark(cell: Cell) -> str:
    return f"{cell.censored} of {len(cell.rows)} dark"


def _table(found: Sequence[Cell]) -> Table:
    return Table(
        title="In the dark after a move",
        heads=(
            "group",
            "mode",
            "way",
            "moves",
            "still dark",
            "dark [ms]",
            "from",
            "to",
            "lost",
            "until plugged [ms]",
            "until ACTIVE [ms]",
            "as foretold",
        ),
        rows=tuple(_line(cell) for cell in found),
        words=("group", "mode", "way"),
        first=("mode", "way", "moves", "still dark", "dark [ms]", "as foretold"),
        note=(
            "Dark, lost: medians of the moves that ended. Still dark: when the wait was over; their "
            "times are not known, only that they are longer. Plugged, ACTIVE: medians of all. A mode's "
            "moves share its labs: where they are in step with something, they are not independent."
        ),
    )


def _line(cell: Cell) -> tuple[str, ...]:
    dark = cell.dark_ms
    spread = (
        (f"{median(dark):.0f}", f"{min(dark):.0f}", f"{max(dark):.0f}") if dark else (NONE,) * 3
    )
    lost = cell.of("lost")
    return (
        cell.group,
        cell.mode,
        cell.way,
        str(len(cell.rows)),
        str(cell.censored),
        *spread,
        f"{median(lost):.0f}" if lost else NONE,
        f"{median(cell.of('plugged_ms')):.0f}",
        f"{median(cell.of('active_ms')):.0f}",
        NONE if cell.predicted is None else "yes" if cell.is_as_foretold else "no",
    )


def _by_direction(found: Sequence[Cell]) -> Iterator[Table]:
    """The medians of every lab and direction, where moves ended: what a pooled one may hide."""
    ended = [cell for cell in found if cell.dark_ms]
    rows = [row for cell in ended for row in cell.rows]
    places = sorted({_place(row) for row in rows})
    if places:
        yield Table(
            title="By lab and direction: medians [ms] of the moves that ended",
            heads=("mode", "way", *(f"block {repeat}, to {host}" for repeat, host in places)),
            rows=tuple((c.mode, c.way, *(_there(c, place) for place in places)) for c in ended),
            words=("mode", "way"),
        )


def _place(row: Row) -> tuple[int, str]:
    return int(row["repeat"] or 0), str(row["to"])


def _there(cell: Cell, place: tuple[int, str]) -> str:
    there = [row for row in cell.rows if _place(row) == place and not row["censored"]]
    dark = [float(row["dark_ms"] or 0) for row in there]
    return f"{median(dark):.0f}" if dark else NONE


def _conditions(run: Run, found: Sequence[Cell]) -> str:
    settings = run.about["settings"]
    paused = settings.get("pause_s")  # a run of before did not
    order = (
        f"in a drawn order, a drawn pause of up to {paused:g} s before each"
        if paused
        else "in turn"
    )
    return (
        f"a datagram every 1 ms; {settings['moves']} moves a way and lab, {order}, in both directions, "
        f"waited for {_cap_ms(run):g} ms at most; {counted(len({c.mode for c in found}), 'mode')}, "
        f"{counted(int(run.about['repeats']), 'repeat')}; scenario {run.about['scenario']}"
    )


def _cap_ms(run: Run) -> float:
    return float(run.about["settings"]["cap_s"]) * 1000


def _with_picture(report: Report, run: Run, found: Sequence[Cell]) -> Report:
    if not found:
        return report
    lanes = tuple(_lane(cell, _announced_at_ms(run)) for cell in found)
    picture = Picture(
        name=run.question.name,
        title="Every move, by mode and way",
        alternative=f"A dot a move over the time without a datagram. {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(lanes, _cap_ms(run), Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def _announced_at_ms(run: Run) -> tuple[float, ...]:
    """When a guest says where it is, from its plugging; a run of before does not tell."""
    first: Mapping[str, Sequence[float]] = next(iter(run.about.get("measured") or ()), {})
    return tuple(map(float, first.get("announced_at_ms", ())))


def _lane(cell: Cell, announced_at_ms: tuple[float, ...]) -> figure.Lane:
    plugged_ms = median(cell.of("plugged_ms"))
    spoken = announced_at_ms if cell.way in {ANNOUNCED, UNCACHED} else ()
    return figure.Lane(
        mode=cell.mode,
        way=cell.way,
        dark_ms=cell.dark_ms,
        censored=cell.censored,
        plugged_ms=plugged_ms,
        announced_ms=tuple(plugged_ms + at for at in spoken),
    )


def _data(cell: Cell) -> Mapping[str, object]:
    return {
        "group": cell.group,
        "mode": cell.mode,
        "way": cell.way,
        "moves": len(cell.rows),
        "censored": cell.censored,
        "dark_ms": list(cell.dark_ms),
        "lost": list(cell.of("lost")),
        "predicted": cell.predicted,
    }
