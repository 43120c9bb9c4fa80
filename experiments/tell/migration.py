"""The teller of `migration`: which moves ended, and after how long."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from experiments.figures import migration as figure
from experiments.question import Row
from experiments.results import Run
from experiments.story import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    Grid,
    Held,
    Picture,
    Story,
    counted,
    is_trusted,
)
from experiments.tell.levels import words_of

TOLD, LEARNED = "told", "learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The moves of one mode, one way, and what was foretold of them."""

    mode: str
    way: str
    rows: tuple[Row, ...]
    foretold: int | None  # 1: every move is still dark when the wait is over; 0: none is

    @property
    def kind(self) -> str:
        """Who knows where a MAC is: as the predictions name it."""
        return f"{TOLD if 'l2pop' in self.mode else LEARNED} {self.way}"

    @property
    def censored(self) -> int:
        """Moves whose end was not waited for."""
        return sum(bool(row["censored"]) for row in self.rows)

    @property
    def dark_ms(self) -> tuple[float, ...]:
        """Of the moves that ended."""
        return tuple(float(row["dark_ms"] or 0) for row in self.rows if not row["censored"])

    @property
    def is_as_foretold(self) -> bool:
        """True if every move did what theory says, or theory is silent."""
        return self.foretold is None or self.censored == self.foretold * len(self.rows)

    def of(self, column: str) -> tuple[float, ...]:
        """A column's figures, where it has any."""
        return tuple(float(row[column] or 0) for row in self.rows if row[column] is not None)


def tell(run: Run) -> Story:
    """The story of one run."""
    found = cells(run)
    story = Story(
        findings=tuple(_findings(found, _cap_ms(run))), held=tuple(_held(run, found)), grids=(_grid(found),),
        pictures=(), conditions=_conditions(run, found),
        is_refuted=not all(cell.is_as_foretold for cell in found), data=tuple(map(_data, found)),
    )  # fmt: skip
    return _with_picture(story, run, found)


def cells(run: Run) -> tuple[Cell, ...]:
    """All that was measured, by mode and way, in the order of the run."""
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in run.rows:
        rows[str(row["mode"]), str(row["way"])].append(row)
    said = {(str(r["mode"]), str(r["way"])): int(str(r["censored"])) for r in run.about["foretold"]}
    order = {str(mode): at for at, mode in enumerate(run.question.factors["mode"])}
    return tuple(
        Cell(mode=mode, way=way, rows=tuple(rows[mode, way]), foretold=said.get((mode, way)))
        for mode, way in sorted(rows, key=lambda key: (order[key[0]], key[1]))
    )


def _findings(found: Sequence[Cell], cap_ms: float) -> Iterator[str]:
    """What became of the moves, by who knows the MAC and who speaks."""
    kinds: dict[str, list[Cell]] = defaultdict(list)
    for cell in found:
        kinds[cell.kind].append(cell)
    for kind, same in kinds.items():
        who, _, way = kind.partition(" ")
        moves, dark = sum(len(cell.rows) for cell in same), sum(cell.censored for cell in same)
        by = "l2population" if who == TOLD else "learned"
        all_ = f"{dark} of {counted(moves, 'move')} still dark after {cap_ms / 1000:g} s"
        yield f"{by}, {way}: {all_}{_median(same)}"


def _median(same: Sequence[Cell]) -> str:
    ended = [each for cell in same for each in cell.dark_ms]
    if not ended:
        return ""
    others = "others" if any(cell.censored for cell in same) else "all"
    return f"; {others} back after {median(ended):.0f} ms ({min(ended):.0f}..{max(ended):.0f})"


def _held(run: Run, found: Sequence[Cell]) -> Iterator[Held]:
    for prediction in run.question.predictions:
        about = [cell for cell in found if cell.kind == prediction.of]
        if about:
            unlike = [cell for cell in about if not cell.is_as_foretold]
            stands = REFUTED if unlike else CONFIRMED
            yield Held(
                says=prediction.says, because=prediction.because,
                stands=stands if is_trusted(run) else NOT_JUDGED,
                found="; ".join(f"{cell.mode}: {_dark(cell)}" for cell in unlike or about),
            )  # fmt: skip


def _dark(cell: Cell) -> str:
    return f"{cell.censored} of {len(cell.rows)} dark"


def _grid(found: Sequence[Cell]) -> Grid:
    return Grid(
        title="In the dark after a move",
        heads=("mode", "way", "moves", "still dark", "dark [ms]", "from", "to", "lost", "until plugged [ms]",
               "until ACTIVE [ms]", "as foretold"),
        rows=tuple(_line(cell) for cell in found),
        words=("mode", "way"),
        first=("mode", "way", "moves", "still dark", "dark [ms]", "as foretold"),
        note=(
            "Dark, lost: medians of the moves that ended. Still dark: when the wait was over; their "
            "times are not known, only that they are longer. Plugged, ACTIVE: medians of all."
        ),
    )  # fmt: skip


def _line(cell: Cell) -> tuple[str, ...]:
    dark = cell.dark_ms
    spread = (
        (f"{median(dark):.0f}", f"{min(dark):.0f}", f"{max(dark):.0f}") if dark else (NONE,) * 3
    )
    lost = cell.of("lost")
    return (
        cell.mode, cell.way, str(len(cell.rows)), str(cell.censored), *spread,
        f"{median(lost):.0f}" if lost else NONE,
        f"{median(cell.of('plugged_ms')):.0f}", f"{median(cell.of('active_ms')):.0f}",
        NONE if cell.foretold is None else "yes" if cell.is_as_foretold else "no",
    )  # fmt: skip


def _conditions(run: Run, found: Sequence[Cell]) -> str:
    settings = run.about["settings"]
    return (
        f"a datagram every 1 ms; {settings['moves']} moves a way, in turn, in both directions, "
        f"waited for {_cap_ms(run):g} ms at most; {counted(len({c.mode for c in found}), 'mode')}, "
        f"{counted(int(run.about['blocks']), 'block')}; scenario {run.about['scenario']}"
    )


def _cap_ms(run: Run) -> float:
    return float(run.about["settings"]["cap_s"]) * 1000


def _with_picture(story: Story, run: Run, found: Sequence[Cell]) -> Story:
    if not found:
        return story
    words = words_of(run, story)
    picture = Picture(
        name=run.question.name, title="Every move, by mode and way",
        alternative=f"A dot a move over the time without a datagram. {'. '.join(story.findings)}",
        draw=lambda: figure.draw(tuple(map(_lane, found)), _cap_ms(run), words),
    )  # fmt: skip
    return replace(story, pictures=(picture,))


def _lane(cell: Cell) -> figure.Lane:
    return figure.Lane(
        mode=cell.mode, way=cell.way, dark_ms=cell.dark_ms, censored=cell.censored,
        plugged_ms=median(cell.of("plugged_ms")),
    )  # fmt: skip


def _data(cell: Cell) -> Mapping[str, object]:
    return {
        "mode": cell.mode, "way": cell.way, "moves": len(cell.rows), "censored": cell.censored,
        "dark_ms": list(cell.dark_ms), "lost": list(cell.of("lost")), "foretold": cell.foretold,
    }  # fmt: skip
