"""A told run as report.md: findings, question, predictions, figures, tables, verdict.  Pure."""

from collections.abc import Sequence

from experiments.question import Question
from experiments.story import Grid, Held, Told, sentence


def markdown(told: Told, *, level: int = 1, folder: str = "") -> str:
    """The report; `folder` is where the figures lie, seen from the file."""
    question, story = told.run.question, told.story
    parts = [
        f"{'#' * level} {question.name}: {told.headline}",
        f"**Question.** {question.asks}",
        *map(_held, story.held),
        *_margin(question),
        *(f"![{each.alternative}]({folder}{each.name}.png)" for each in story.pictures),
        *(part for grid in story.grids for part in _grid(grid)),
        f"**Verdict.** {sentence(told.verdict)}",
        _sources(told, folder),
    ]
    return "\n\n".join(parts) + "\n"


def _held(held: Held) -> str:
    said = f"**Predicted beforehand.** {sentence(held.says)} Because {sentence(held.because)}"
    return f"{said} **{sentence(held.stands)}** {sentence(held.found)}"


def _margin(question: Question) -> Sequence[str]:
    if not question.margin:
        return ()
    margin = f"A difference under {question.margin:g} {question.unit} is of no matter"
    return (f"**Margin.** {margin}: {sentence(question.margin_because)}",)


def _grid(grid: Grid) -> Sequence[str]:
    ruler = ("---" if head in grid.words else "---:" for head in grid.heads)
    lines = ("| " + " | ".join(row) + " |" for row in (grid.heads, tuple(ruler), *grid.rows))
    return (f"**{grid.title}.** {grid.note}".rstrip(), "\n".join(lines))


def _sources(told: Told, folder: str) -> str:
    files = f"The rest is in `{folder}run.json`, every sample in `{folder}samples.csv`"
    return f"{sentence(told.story.conditions)} Seed {told.run.seed}. {files}."
