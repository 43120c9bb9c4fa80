"""Draws figures and reports of a run or a suite from its files; needs no lab and no root."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import matplotlib as mpl

from controller.model.errors import MeasureError, OverlayError
from controller.system.files import replace_file
from experiments.core.results import read, reporting, reporting_damage
from experiments.core.run_schema import TABLE
from experiments.core.suite import Suite, read_suite
from experiments.show.pages.chapter import Chapter
from experiments.show.pages.html import page, suite_page
from experiments.show.pages.markdown import markdown, suite_markdown
from experiments.show.report import Picture, Report
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE

HTML, MARKDOWN = "report.html", "report.md"


def redraw(directory: Path) -> Chapter:
    """Write the figures and reports of the run in `directory` beside its files.

    Raises:
        MeasureError: the files cannot be read or have no samples, or the reports cannot be written.
    """
    figures: dict[str, Path] = {}
    with reporting(directory), reporting_damage(directory):
        run = read(directory)
        if run.samples.is_empty():
            raise MeasureError(
                "no samples",
                where=str(run.directory / "samples.csv"),
                allowed="at least one",
                do="See the status in run.json; measure again.",
            )
        found = report_on(run)
        for picture in found.pictures:
            figures.update(_drawn(directory, found, picture))
        alone = Chapter(name=found.name, report=found)
        pages = {
            HTML: page(alone, _figures(directory, (alone,))),
            MARKDOWN: markdown(found),
        }
    files = {"directory": directory, **_written(directory, pages), **figures}
    return replace(alone, files={kind: str(path) for kind, path in files.items()})


def chapter(directory: Path) -> Chapter:
    """The run in `directory`, drawn again, or why it cannot be."""
    name = directory.name
    if directory.is_symlink():
        return Chapter(name=name, fault="its folder is a symbolic link; draw its target by itself")
    if not directory.exists():
        return Chapter(name=name, fault="was not measured")
    try:
        return replace(redraw(directory), name=name)
    except OverlayError as error:
        return Chapter(name=name, fault=str(error), files={"directory": str(directory)})


def redraw_suite(directory: Path) -> tuple[Suite, tuple[Chapter, ...], dict[str, str]]:
    """Draw every run of a suite again, and the page of the suite.

    Raises:
        MeasureError: it is no suite, or the reports cannot be written.
    """
    suite = read_suite(directory)
    chapters = tuple(chapter(directory / name) for name in suite.names)
    return suite, chapters, write_suite(suite, chapters)


def write_suite(suite: Suite, chapters: Sequence[Chapter]) -> dict[str, str]:
    """Write the page of a suite whose runs are drawn already; return its paths by kind.

    Raises:
        MeasureError: it cannot be written.
    """
    placed = tuple(replace(each, folder=f"{each.name}/") for each in chapters)
    pages = {
        HTML: suite_page(placed, _figures(suite.directory, placed), suite.about),
        MARKDOWN: suite_markdown(placed, suite.about),
    }
    files = {"directory": suite.directory, **_written(suite.directory, pages)}
    return {kind: str(path) for kind, path in files.items()}


def _figures(directory: Path, chapters: Sequence[Chapter]) -> dict[str, str]:
    """The text of each SVG, by its path without the suffix."""
    names = [
        f"{each.folder}{picture.name}"
        for each in chapters
        if each.report
        for picture in each.report.pictures
    ]
    return {name: (directory / f"{name}.svg").read_text(encoding="utf-8") for name in names}


def _written(directory: Path, pages: Mapping[str, str]) -> dict[str, Path]:
    for name, text in pages.items():
        with reporting(directory / name):
            replace_file(directory / name, text.encode())
    return {name: directory / name for name in pages}


def _drawn(directory: Path, report: Report, picture: Picture) -> dict[str, Path]:
    """Write a figure as PNG and SVG; the same samples give the same bytes, so there is no date in it."""
    if not TABLE.fullmatch(picture.name):
        raise MeasureError(
            f"a figure called {picture.name!r}",
            where=str(directory),
            allowed="a name of letters, digits, _ and -, at most 40",
            do="Undo what was changed in run.json or the tables, or measure again.",
        )
    paths = {
        f"{picture.name}.{kind}": directory / f"{picture.name}.{kind}" for kind in ("png", "svg")
    }
    with mpl.rc_context(fname=STYLE), warnings.catch_warnings():
        # Of a name in letters that the font lacks, the others are drawn.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = report.draw(picture)
        for path in paths.values():
            # The layout of the first file holds for the second.
            drawn = BytesIO()
            kind = path.suffix[1:]
            is_svg = kind == "svg"  # transparent: a page has a dark ground, too
            undated = {"Date": None} if is_svg else None
            figure.savefig(drawn, format=kind, metadata=undated, transparent=is_svg)
            with reporting(path):
                replace_file(path, drawn.getvalue())
            figure.set_layout_engine("none")
    return paths
