"""The report of a run or of a suite as one self-contained HTML page.  Pure.

No script and no external resources: charts and style sheet are inside.  Links to the raw files are
relative, so the folder can be moved.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from controller.model.wording import counted
from experiments.show.pages import facts, heading
from experiments.show.pages.chapter import (
    SENTENCES,
    Chapter,
    fold,
    shown_columns,
    stopped,
    verdicts,
)
from experiments.show.pages.charts import Charts, charts
from experiments.show.report import (
    CONFIRMED,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Report,
    is_quick,
    sentence,
)

# A sign and a word, so that outcomes differ without colour.
SIGNS = {
    CONFIRMED: ("✓", "good"),
    REFUTED: ("✗", "bad"),
    UNDECIDED: ("?", "open"),
    NOT_JUDGED: ("–", "none"),
}
Entry = tuple[str, str, str]  # of the contents: where it leads, its text, and what limits it
LIGHT, DARK = ":root{%s}", "@media screen and (prefers-color-scheme: dark){:root{%s}}"


def page(chapter: Chapter, figures: Mapping[str, str]) -> str:
    """report.html of one run; `figures`: the text of each SVG, by the name of its picture."""
    start = chapter.report.run.about.get("start") if chapter.report else None
    title = heading.title(chapter.name, start)
    return _render((chapter,), figures, title=title, entries=tuple(_parts(chapter)), suite=None)


def suite_page(
    chapters: Sequence[Chapter], figures: Mapping[str, str], about: Mapping[str, Any]
) -> str:
    """report.html of a suite; `figures` by the folder and the name of the picture."""
    title = heading.suite_title(chapters, about.get("start"))
    entries = tuple((each.name, each.name, each.doubt) for each in chapters)
    return _render(chapters, figures, title=title, entries=entries, suite=about)


def _parts(chapter: Chapter) -> Iterator[Entry]:
    """The contents of the page of one run; a link into a folded part opens it."""
    report, name = chapter.report, chapter.name
    if report is None:
        return
    for picture in report.pictures:
        yield f"{name}-{picture.name}", picture.title, ""
    if report.outcomes:
        yield f"{name}-predictions", "Predictions", ""
    for number, table in enumerate(report.tables, start=1):
        yield f"{name}-table-{number}", f"Table: {table.title}", ""
    yield f"{name}-conditions", "How it was measured", ""


def _render(
    chapters: Sequence[Chapter],
    figures: Mapping[str, str],
    *,
    title: str,
    entries: Sequence[Entry],
    suite: Mapping[str, Any] | None,
) -> str:
    found = charts(figures, _descriptions(chapters))
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=title,
            place=heading.place(chapters),
            entries=entries,
            chapters=chapters,
            suite=suite,
            drawn=found.drawn,
            letters=found.letters,
            colours=_css(found),
        )
    )


def _descriptions(chapters: Sequence[Chapter]) -> dict[str, str]:
    return {
        f"{each.folder}{picture.name}": picture.alternative
        for each in chapters
        if each.report
        for picture in each.report.pictures
    }


def _css(found: Charts) -> str:
    """The classes of the charts, and their colours on white and on a dark page."""
    light, dark = (
        ";".join(f"{name}:{values[at]}" for name, values in found.colours.items()) for at in (0, 1)
    )
    rules = (f".{name}{{{style}}}" for name, style in found.styles.items())
    return "\n".join((LIGHT % light, DARK % dark, *rules))


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.update(
        again=again,
        is_quick=is_quick,
        facts=facts,
        sign=sign,
        verdicts=verdicts,
        SENTENCES=SENTENCES,
        fold=fold,
        shown_columns=shown_columns,
    )
    made.filters.update(sentence=sentence, stopped=stopped, moment=moment, counted=counted)
    return made


def sign(outcome: str) -> tuple[str, str]:
    """The sign of an outcome, and its CSS class."""
    return SIGNS.get(outcome, ("±", "open"))


def moment(stamp: object) -> str:
    """`2026-11-23T01:43:38Z` as `2026-11-23 01:43:38 UTC`."""
    return str(stamp).replace("T", " ").replace("Z", " UTC")


def again(report: Report) -> tuple[str, str]:
    """The command that draws the report again, and the one that measured."""
    argv = [str(word) for word in report.run.about.get("argv", ())][1:]
    return (
        f"overlaylab report {shlex.quote(report.run.directory.name)}",
        shlex.join(("overlaylab", *argv)),
    )
