"""The report of a run or of a suite as report.md.  Pure."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from experiments.core.question import Question
from experiments.show.pages import facts
from experiments.show.pages.chapter import Chapter, fold, shown_columns, stopped
from experiments.show.report import Outcome, Report, Table, sentence

FOREIGN = re.compile(r'<(?=[A-Za-z/!?])(?!/?(details|summary)>|a id="[a-z0-9-]*">|/a>)')


def markdown(report: Report, *, level: int = 1, folder: str = "") -> str:
    """The report of one run; `folder`: of its files, relative to the page."""
    return _safe("\n\n".join(_report(report, level, folder)) + "\n")


def suite_markdown(chapters: Sequence[Chapter], status: str) -> str:
    """The report of a suite: a line for each experiment, then each report."""
    ruled = ("| experiment | predictions | findings | verdict |", "| --- | --- | --- | --- |")
    summary = (
        f"| [{each.name}](#{each.name}) | {_cell(each.tally)} | {_cell(each.headline)} | {each.verdict} |"
        for each in chapters
    )
    names = ", ".join(each.name for each in chapters)
    warning = () if status == "complete" else (f"**This suite is incomplete: {sentence(status)}**",)
    parts = [f"# overlaylab: {names}", *warning, "\n".join((*ruled, *summary))]
    for each in chapters:
        parts += [f'<a id="{each.name}"></a>', *_chapter(each)]
    return _safe("\n\n".join(parts) + "\n")


def _safe(page: str) -> str:
    """The page without HTML of others, which some programs would run: a name may be `<script>`."""
    return FOREIGN.sub("&lt;", page)


def _chapter(chapter: Chapter) -> Iterator[str]:
    if chapter.report is None:
        yield f"## {chapter.name}"
        yield f"**No result.** {stopped(chapter.fault)}"
    else:
        yield from _report(chapter.report, 2, chapter.folder)


def _report(report: Report, level: int, folder: str) -> Iterator[str]:
    question = report.run.question
    yield f"{'#' * level} {question.name}"
    if report.warning:
        yield f"**{sentence(report.warning)}**"
    yield "\n".join(f"* **{finding}**" for finding in report.findings)
    yield f"**Verdict.** {sentence(facts.verdict(report))}"
    yield f"**Question.** {question.question}"
    yield from map(_outcome, report.outcomes)
    if report.left_out:
        yield report.left_out_line
    yield from _margin(question)
    yield from (
        f"![{_line(each.alternative)}]({folder}{each.name}.png)" for each in report.pictures
    )
    for table in report.tables:
        yield from _table(table)
    yield _sources(report, folder)


def _outcome(each: Outcome) -> str:
    prediction = f"**Prediction.** {sentence(each.claim)} **Reason.** {sentence(each.reason)}"
    return f"{prediction} **{sentence(each.outcome)}** {stopped(each.found)}"


def _margin(question: Question) -> Sequence[str]:
    if not question.margin:
        return ()
    margin = f"A difference under {question.margin:g} {question.unit} does not matter"
    return (f"**Margin.** {margin}: {stopped(question.margin_reason)}",)


def _table(table: Table) -> Sequence[str]:
    shown = shown_columns(table)
    ruler = tuple("---" if head in table.words else "---:" for head in table.heads)
    rows = (table.heads, ruler, *table.rows)
    lines = "\n".join("| " + " | ".join(_cell(row[at]) for at in shown) + " |" for row in rows)
    title = f"**{table.title}.** {table.note}".rstrip()
    if not (summary := fold(table)):
        return (title, lines)
    # GitHub sets Markdown inside HTML only between empty lines.
    return (title, f"<details>\n<summary>{escape(summary)}</summary>", lines, "</details>")


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def _sources(report: Report, folder: str) -> str:
    files = f"Settings are in `{folder}run.json`, all samples in `{folder}samples.csv`"
    again = "`overlaylab report DIR` draws this report again from them"
    return f"{sentence(report.conditions)} Seed {report.run.seed}. {files}; {again}."
