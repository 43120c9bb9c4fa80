"""What `run` and `report` print at the end: text for people, or one JSON document."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from controller.system.files import printable, printable_lines

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from experiments.core.suite import Suite
    from experiments.show.pages.chapter import Chapter

JSON_FORMAT = 2


def print_run(chapter: "Chapter", output: str) -> None:
    """Print a run; `output` is `text` or `json`."""
    if output == "json":
        _print_json((chapter,))
    else:
        print_chapter(chapter, titled=False)
        _print_report(chapter.files)


def print_suite(
    suite: "Suite", chapters: "Sequence[Chapter]", files: Mapping[str, str], output: str
) -> None:
    """Print the summary of a suite whose chapters are printed already, or all of it as JSON."""
    if output == "json":
        pages = {name: path for name, path in files.items() if name != "directory"}
        about = {"directory": files["directory"], "status": suite.status, "files": pages}
        _print_json(chapters, about)
    else:
        print_verdicts(chapters)
        _print_report(files)


def print_chapter(chapter: "Chapter", *, titled: bool) -> None:
    """Findings, refuted predictions, the verdict; `titled`: it is one of several, and shorter."""
    from rich.text import Text

    from experiments.show.pages.chapter import FIRST
    from experiments.show.pages.text import terminal_lines

    title = [Text(f"── {chapter.name} ──", style="bold")] if titled else []
    end = [""] if titled else []
    print_parts((*title, *terminal_lines(chapter, most=FIRST if titled else None), *end))


def print_verdicts(chapters: "Sequence[Chapter]") -> None:
    """Print how many of several experiments are trusted, and which are not."""
    from rich.text import Text

    from experiments.show.pages.chapter import verdicts
    from experiments.show.pages.text import wrapped

    print_parts((Text("── all ──", style="bold"), wrapped(verdicts(chapters), label="Verdict: ")))


def print_parts(parts: "Iterable[str | Text | Table]", *, width: int | None = None) -> None:
    """Print lines, which are wrapped already, titles and tables."""
    from rich.console import Console

    console = Console(highlight=False, width=width)
    for part in parts:
        part = printable_lines(part) if isinstance(part, str) else part  # noqa: PLW2901
        console.print(part, soft_wrap=isinstance(part, str), markup=False)


def _print_report(files: Mapping[str, str]) -> None:
    print(f"Report:  {printable(files['report.html'])}")


def _print_json(chapters: "Sequence[Chapter]", suite: Mapping[str, Any] | None = None) -> None:
    from experiments.show.pages.text import document

    report = {"format": JSON_FORMAT, **document(chapters, suite)}
    print(json.dumps(report, indent=2, ensure_ascii=False))
