"""The report of a run or of a suite as one self-contained HTML page.  Pure.

No script and no external resources: figures are data URIs, the style sheet is inside.  Links to
the raw files are relative, so the folder can be moved.
"""

import re
import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.show.pages import facts
from experiments.show.pages.chapter import Chapter, fold, shown_columns, stopped
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
PX_PER_PT = 96 / 72
POINTS = re.compile(r'<svg\b[^>]*\bwidth="([\d.]+)pt"[^>]*\bheight="([\d.]+)pt"')


def page(chapter: Chapter, figures: Mapping[str, str]) -> str:
    """report.html of one run; `figures`: the text of each SVG, by the name of its picture."""
    found = chapter.report
    line = chapter.headline if found is None else found.headline
    return _render((chapter,), figures, title=f"{chapter.name}: {line}", suite=None)


def suite_page(
    chapters: Sequence[Chapter], figures: Mapping[str, str], about: Mapping[str, Any]
) -> str:
    """report.html of a suite; `figures` by the folder and the name of the picture."""
    title = f"overlaylab: {', '.join(each.name for each in chapters)}"
    return _render(chapters, figures, title=title, suite=about)


def _render(
    chapters: Sequence[Chapter],
    figures: Mapping[str, str],
    *,
    title: str,
    suite: Mapping[str, Any] | None,
) -> str:
    template = _environment().get_template("report.html")
    return template.render(title=title, chapters=chapters, figures=figures, suite=suite)


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
        size=size,
        facts=facts,
        sign=sign,
        data_uri=data_uri,
        fold=fold,
        shown_columns=shown_columns,
    )
    made.filters.update(sentence=sentence, stopped=stopped, moment=moment)
    return made


def sign(outcome: str) -> tuple[str, str]:
    """The sign of an outcome, and its CSS class."""
    return SIGNS.get(outcome, ("±", "open"))


def data_uri(svg: str) -> str:
    """An SVG as a data URI."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def size(svg: str) -> tuple[int, int]:
    """Width and height of an SVG in CSS pixels, so that the page does not jump while it loads."""
    found = POINTS.search(svg)
    width, height = map(float, found.groups()) if found else (504.0, 504.0)
    return round(width * PX_PER_PT), round(height * PX_PER_PT)


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
