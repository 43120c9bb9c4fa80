"""The report of a run or of a suite as report.md, in the order of report.html.  Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from controller.model.wording import counted
from experiments.core.question import Question
from experiments.show.pages import facts, heading
from experiments.show.pages.chapter import (
    SENTENCES,
    Chapter,
    fold,
    shown_columns,
    stopped,
    verdicts,
)
from experiments.show.report import Outcome, Report, Table, is_quick, sentence

FOREIGN = re.compile(r'<(?=[A-Za-z/!?])(?!/?(details|summary)>|a id="[a-z0-9-]*">|/a>)')


def markdown(report: Report) -> str:
    """The report of one run: findings first, what they rest on folded below the charts."""
    chapter = Chapter(name=report.name, report=report)
    about = report.run.about
    parts = (
        f"# {heading.title(report.name, about.get('start'))}",
        report.run.question.question,
        heading.place((chapter,)),
        f"**Verdict: {stopped(report.verdict)}**",
        _list(report.findings),
        *_charts(report, ""),
        *_refuted(chapter),
        *_folds(chapter),
    )
    return _page(parts)


def suite_markdown(chapters: Sequence[Chapter], about: Mapping[str, Any]) -> str:
    """The report of a suite: its findings, then a chapter for each experiment."""
    status = str(about.get("status"))
    warning = () if status == "complete" else (f"**This suite is incomplete: {sentence(status)}**",)
    parts = [
        f"# {heading.suite_title(chapters, about.get('start'))}",
        heading.place(chapters),
        *warning,
        sentence(verdicts(chapters)),
        "\n".join(_summary(each, len(chapters)) for each in chapters),
    ]
    for each in chapters:
        parts += [f'<a id="{each.name}"></a>', f"## {each.name}", *_chapter(each)]
    return _page(parts)


def _page(parts: Iterable[str]) -> str:
    return _safe("\n\n".join(filter(None, parts)) + "\n")


def _summary(chapter: Chapter, chapters: int) -> str:
    """The first findings of an experiment, with a link to its chapter."""
    doubt = f" ({chapter.doubt})" if chapter.report and chapter.doubt else ""
    said = " ".join(map(stopped, map(_line, chapter.first_findings(chapters))))
    return f"* [{chapter.name}](#{chapter.name}){doubt}: {said}"


def _safe(page: str) -> str:
    """The page without HTML of others, which some programs would run: a name may be `<script>`."""
    return FOREIGN.sub("&lt;", page)


def _chapter(chapter: Chapter) -> Iterator[str]:
    report = chapter.report
    if report is None:
        yield f"**No result.** {stopped(chapter.fault)}"
        return
    yield report.run.question.question
    yield from _doubt(report)
    first, *others = (*_charts(report, chapter.folder), "")
    yield first
    yield _list(report.findings[:SENTENCES])
    yield from _refuted(chapter)
    yield from others
    if more := report.findings[SENTENCES:]:
        yield from _fold(counted(len(more), "more finding"), _list(more))
    yield from _folds(chapter)


def _doubt(report: Report) -> Iterator[str]:
    """What limits the findings."""
    if not report.trusted:
        yield f"**{sentence(report.verdict)}**"
    elif is_quick(report.run):
        yield "Quick run: no confidence intervals."


def _list(findings: Sequence[str]) -> str:
    return "\n".join(f"* {stopped(_line(finding))}" for finding in findings)


def _charts(report: Report, folder: str) -> Iterator[str]:
    for each in report.pictures:
        yield f"![{_line(each.alternative)}]({folder}{each.name}.png)"


def _refuted(chapter: Chapter) -> Iterator[str]:
    for each in chapter.refuted:
        yield f"**Refuted.** Predicted: {stopped(each.claim)} Measured: {stopped(each.found)}"


def _folds(chapter: Chapter) -> Iterator[str]:
    """Predictions, tables and conditions."""
    report = chapter.report
    if report is None:
        return
    if report.outcomes:
        left_out = (report.left_out_line,) if report.left_out else ()
        made = (*map(_outcome, report.outcomes), *left_out, *_margin(report.run.question))
        yield from _fold(f"Predictions made before the run: {chapter.tally}", *made)
    elif report.left_out:
        yield report.left_out_line
    for table in report.tables:
        yield from _fold(_table_summary(table), *_table(table))
    yield from _fold("How it was measured", *_sources(report, chapter.folder))


def _fold(summary: str, *parts: str) -> Iterator[str]:
    """Parts that are folded; GitHub sets Markdown inside HTML only between empty lines."""
    yield f"<details>\n<summary>{escape(_line(summary))}</summary>"
    yield from parts
    yield "</details>"


def _outcome(each: Outcome) -> str:
    prediction = f"**Prediction.** {sentence(each.claim)} **Reason.** {sentence(each.reason)}"
    return f"{prediction} **{sentence(each.outcome)}** {stopped(each.found)}"


def _margin(question: Question) -> Sequence[str]:
    if not question.margin:
        return ()
    margin = f"A difference under {question.margin:g} {question.unit} does not matter"
    return (f"**Margin.** {margin}: {stopped(question.margin_reason)}",)


def _table_summary(table: Table) -> str:
    return f"Table: {table.title}" + (f" ({many})" if (many := fold(table)) else "")


def _table(table: Table) -> Iterator[str]:
    shown = shown_columns(table)
    ruler = tuple("---" if head in table.words else "---:" for head in table.heads)
    rows = (table.heads, ruler, *table.rows)
    yield table.note
    yield "\n".join("| " + " | ".join(_cell(row[at]) for at in shown) + " |" for row in rows)


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def _sources(report: Report, folder: str) -> Iterator[str]:
    yield f"{sentence(report.conditions)} Seed {report.run.seed}."
    yield f"**Verdict.** {sentence(facts.verdict(report))}"
    files = f"Settings are in `{folder}run.json`, all samples in `{folder}samples.csv`"
    yield f"{files}; `overlaylab report DIR` draws this report again from them."
