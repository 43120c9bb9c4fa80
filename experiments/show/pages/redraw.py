"""The files of a run or a suite in, figures and reports out: no lab, no root, on any laptop."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl

from controller.model.errors import MeasureError, OverlayError
from controller.system.ownership import give_back
from experiments.core.results import DAMAGE, Run, read
from experiments.core.suite import Suite, read_suite
from experiments.show.pages.chapter import Chapter
from experiments.show.pages.html import page, suite_page
from experiments.show.pages.markdown import markdown, suite_markdown
from experiments.show.report import Picture, Report
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE

HTML, MARKDOWN = "report.html", "report.md"


def redraw(directory: Path) -> tuple[Report, dict[str, str]]:
    """Tell the run in `directory` anew; write its figures and reports beside its files.

    Returns what was found, and the files by kind; `directory` is among them.

    Raises:
        MeasureError: the files cannot be read or tell nothing, or the reports cannot be written.
    """
    figures: dict[str, Path] = {}
    with _reporting(directory):
        found = report_on(_with_samples(read(directory)))
        for picture in found.pictures:
            figures.update(_drawn(directory, found, picture))
        alone = Chapter(name=found.name, report=found)
        pages = {
            HTML: page(alone, _figures(directory, (alone,))),
            MARKDOWN: markdown(found),
        }
    files = {"directory": directory, **_written(directory, pages), **figures}
    for path in figures.values():
        give_back(path)
    return found, {kind: str(path) for kind, path in files.items()}


def _with_samples(run: Run) -> Run:
    if not run.rows_of():
        raise MeasureError(
            "no samples",
            where=str(run.directory / "samples.csv"),
            allowed="at least one",
            do="run.json says how far it came; measure again.",
        )
    return run


def chapter(directory: Path) -> Chapter:
    """The run in `directory` drawn anew, or why it cannot be."""
    name = directory.name
    if not directory.exists():
        return Chapter(name=name, fault="was not measured")
    try:
        found, files = redraw(directory)
    except OverlayError as error:
        return Chapter(name=name, fault=str(error), files={"directory": str(directory)})
    return Chapter(name=name, report=found, files=files)


def redraw_suite(directory: Path) -> tuple[Suite, tuple[Chapter, ...], dict[str, str]]:
    """Draw every run of a suite anew, and the page above them.

    Raises:
        MeasureError: it is no suite, or the reports cannot be written.
    """
    suite = read_suite(directory)
    chapters = tuple(chapter(directory / name) for name in suite.names)
    return suite, chapters, bind(suite, chapters)


def bind(suite: Suite, chapters: Sequence[Chapter]) -> dict[str, str]:
    """Write the page that tells all runs of a suite, of what was drawn already; the files by kind.

    Raises:
        MeasureError: it cannot be written.
    """
    placed = tuple(replace(each, folder=f"{each.name}/") for each in chapters)
    pages = {
        HTML: suite_page(placed, _figures(suite.directory, placed), suite.about),
        MARKDOWN: suite_markdown(placed, suite.status),
    }
    files = {"directory": suite.directory, **_written(suite.directory, pages)}
    return {kind: str(path) for kind, path in files.items()}


def _figures(directory: Path, chapters: Sequence[Chapter]) -> dict[str, str]:
    """The text of each SVG that was drawn, by its path without the ending."""
    names = [
        f"{each.folder}{picture.name}"
        for each in chapters
        if each.report
        for picture in each.report.pictures
    ]
    return {name: (directory / f"{name}.svg").read_text(encoding="utf-8") for name in names}


def _written(directory: Path, pages: Mapping[str, str]) -> dict[str, Path]:
    for name, text in pages.items():
        with _reporting(directory / name):
            (directory / name).write_text(text, encoding="utf-8")
        give_back(directory / name)
    return {name: directory / name for name in pages}


def _drawn(directory: Path, report: Report, picture: Picture) -> dict[str, Path]:
    """Write the figure; the same samples give the same bytes, hence no date inside."""
    paths = {
        f"{picture.name}.{kind}": directory / f"{picture.name}.{kind}" for kind in ("png", "svg")
    }
    with mpl.rc_context(fname=STYLE):
        figure = report.draw(picture)
        for path in paths.values():
            # Where everything stands was found for the first file, and holds for the next.
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
            figure.set_layout_engine("none")
    return paths


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn what files that cannot be told, read or written lead to into a MeasureError."""
    try:
        yield
    except OSError as error:
        raise MeasureError(
            str(error),
            where=str(path),
            allowed="files that can be read and written",
            do="Copy the folder to where you may write.",
        ) from error
    except DAMAGE as error:
        raise MeasureError(
            f"{type(error).__name__}: {error} ({_place(error)})",
            where=str(path),
            allowed="files as `overlaylab run` left them",
            do="Undo what was changed in run.json or the tables, or measure again.",
        ) from error


def _place(error: BaseException) -> str:
    """Where in the program it was noticed, for whoever mends the program."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
