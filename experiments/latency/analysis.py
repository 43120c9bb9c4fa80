"""What the samples of latency say, before it is told: levels, effects, cold starts, conditions.  Pure."""

from dataclasses import dataclass, replace

from experiments.core.question import Row, of_point
from experiments.core.results import Run
from experiments.latency.report_cold import Cold, colds
from experiments.latency.report_warm import Warm, warms
from experiments.show.effects import Effect, effects
from experiments.show.levels import Compared, compared

GUEST = "guest"
PATHS = ("veth", "same-host", "vtep")  # baselines, from the barest up


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """All that a run of latency says."""

    main: Compared  # modes and baselines in the condition that is compared
    effects: tuple[Effect, ...]
    colds: tuple[Cold, ...]
    warms: tuple[Warm, ...]

    @property
    def modes(self) -> tuple[str, ...]:
        """The levels between guests."""
        return tuple(level for level in self.main.levels if level not in PATHS)


def analysed(run: Run) -> Analysed:
    """The samples by level, by effect, by what was cold and by condition."""
    question = run.question
    main = compared(_silent_on_paths(run), main_rows(run), first=PATHS)
    modes = tuple(level for level in main.levels if level not in PATHS)
    return Analysed(
        main=main,
        effects=effects(main.levels, baseline=main.baseline, seed=run.seed),
        colds=colds(run.rows_of(), question.value, modes, seed=run.seed),
        warms=warms(run.rows_of(), question.value, modes),
    )


def _silent_on_paths(run: Run) -> Run:
    """The run with predictions that speak of modes alone."""
    predictions = tuple(
        replace(each, excludes=(*each.excludes, *PATHS)) for each in run.question.predictions
    )
    return replace(run, question=replace(run.question, predictions=predictions))


def main_rows(run: Run) -> tuple[Row, ...]:
    """The rows that are compared; a baseline's row has its path where others have their mode."""
    along = {name: level for name, level in run.question.compared.items() if name != "path"}
    return tuple(
        row if row["path"] == GUEST else {**row, "mode": row["path"]}
        for row in of_point(run.rows_of(), along)
    )
