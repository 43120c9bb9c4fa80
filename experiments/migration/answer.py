"""What `migration` answers about named modes: downtimes of each kind of move, and lost guests."""

from collections.abc import Iterator, Sequence

import polars as pl

from experiments.core.results import Run
from experiments.migration.words import FLUSHED, MARGIN_MS, UNKNOWN, WITH, WITHOUT
from experiments.show.answers import Wording, differences, of_one, side_by_side
from experiments.show.statistics import Repeats

DOWNTIME = Wording(
    more="traffic stops {by} longer with {one} than with {first}",
    less="traffic stops {by} less with {one} than with {first}",
    same="traffic stops as long with {one} as with {first}",
    what="moves took",
    unit="ms",
    margin=MARGIN_MS,
    decimals=0,
)


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """By kind of move, the most usual first."""
    cap_s = float(run.about["settings"]["cap_s"])
    for way in (WITH, FLUSHED, WITHOUT, UNKNOWN):
        moves = run.samples.filter(way=way)
        back = {mode: _by_repeat(run, moves.filter(mode=mode, censored=0)) for mode in named}
        with_times = [mode for mode in named if any(map(len, back[mode]))]
        what = f"{way[:1].upper()}{way[1:]}"
        if len(with_times) > 1:
            for each in differences(back, with_times, DOWNTIME, seed=run.seed):
                yield f"{what}, {each.text}"
        elif with_times:
            (mode,) = with_times
            yield f"{what}, downtime with {of_one(mode, back[mode], DOWNTIME, seed=run.seed)}"
        lost = {mode: _lost(moves.filter(mode=mode)) for mode in named}
        counts = {mode: each for mode, each in lost.items() if each}
        if any(not each.startswith("0 ") for each in counts.values()):
            yield f"{what}, still unreachable after {cap_s:g} s: {side_by_side(counts, 'moves')}"


def _by_repeat(run: Run, moves: pl.DataFrame) -> Repeats:
    """The downtimes of each repeat of the run, in order."""
    repeats = run.samples["repeat"].unique(maintain_order=True)
    return [
        moves.filter(repeat=repeat)["downtime_ms"].drop_nulls().cast(pl.Float64).to_numpy()
        for repeat in repeats
    ]


def _lost(moves: pl.DataFrame) -> str:
    """Such as `3 of 20`; empty if there was no such move."""
    return f"{moves['censored'].sum()} of {moves.height}" if moves.height else ""
