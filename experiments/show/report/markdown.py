"""A told run, or a suite of them, as report.md.  Pure."""

from collections.abc import Iterator, Sequence
from html import escape

from experiments.core.question import Question
from experiments.show.report import facts
from experiments.show.report.chapter import Chapter, fold, stopped, telling
from experiments.show.story import Grid, Held, Told, sentence


def markdown(told: Told, *, level: int = 1, folder: str = "") -> str:
    """The report of one run; `folder` is where its files lie, seen from the report."""
    return "\n\n".join(_told(told, level, folder)) + "\n"


def suite_markdown(chapters: Sequence[Chapter], status: str) -> str:
    """The report of a suite: a line for each experiment, then each of them."""
    ruled = ("| experiment | predictions | findings | verdict |", "| --- | --- | --- | --- |")
    summary = (
        f"| [{each.name}](#{each.name}) | {_cell(each.tally)} | {_cell(each.headline)} | {each.verdict} |"
        for each in chapters
    )
    names = ", ".join(each.name for each in chapters)
    doubt = () if status == "complete" else (f"**This suite is not whole: {sentence(status)}**",)
    parts = [f"# overlaylab: {names}", *doubt, "\n".join((*ruled, *summary))]
    for each in chapters:
        parts += [f'<a id="{each.name}"></a>', *_chapter(each)]
    return "\n\n".join(parts) + "\n"


def _chapter(chapter: Chapter) -> Iterator[str]:
    if chapter.told is None:
        yield f"## {chapter.name}"
        yield f"**No result.** {stopped(chapter.fault)}"
    else:
        yield from _told(chapter.told, 2, chapter.folder)


def _told(told: Told, level: int, folder: str) -> Iterator[str]:
    question, story = told.run.question, told.story
    yield f"{'#' * level} {question.name}"
    if told.doubt:
        yield f"**{sentence(told.doubt)}**"
    yield "\n".join(f"* **{finding}**" for finding in story.findings)
    yield f"**Verdict.** {sentence(facts.verdict(told))}"
    yield f"**Question.** {question.asks}"
    yield from map(_held, story.held)
    yield from _margin(question)
    yield from (f"![{_line(each.alternative)}]({folder}{each.name}.png)" for each in story.pictures)
    for grid in story.grids:
        yield from _grid(grid)
    yield _sources(told, folder)


def _held(held: Held) -> str:
    said = f"**Predicted beforehand.** {stopped(held.says)} Because {stopped(held.because)}"
    return f"{said} **{sentence(held.stands)}** {stopped(held.found)}"


def _margin(question: Question) -> Sequence[str]:
    if not question.margin:
        return ()
    margin = f"A difference under {question.margin:g} {question.unit} is of no matter"
    return (f"**Margin.** {margin}: {stopped(question.margin_because)}",)


def _grid(grid: Grid) -> Sequence[str]:
    shown = telling(grid)
    ruler = tuple("---" if head in grid.words else "---:" for head in grid.heads)
    rows = (grid.heads, ruler, *grid.rows)
    lines = "\n".join("| " + " | ".join(_cell(row[at]) for at in shown) + " |" for row in rows)
    title = f"**{grid.title}.** {grid.note}".rstrip()
    if not (gist := fold(grid)):
        return (title, lines)
    # GitHub sets Markdown inside HTML only between empty lines.
    return (title, f"<details>\n<summary>{escape(gist)}</summary>", lines, "</details>")


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def _sources(told: Told, folder: str) -> str:
    files = f"The rest is in `{folder}run.json`, every sample in `{folder}samples.csv`"
    again = "`overlaylab report DIR` draws all of it again from the files"
    return f"{sentence(told.story.conditions)} Seed {told.run.seed}. {files}; {again}."
