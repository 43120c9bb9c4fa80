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
        _print_paths(chapter.files)


def print_suite(
    suite: "Suite", chapters: "Sequence[Chapter]", files: Mapping[str, str], output: str
) -> None:
    """Print the summary of a suite whose chapters are printed already, or all of it as JSON."""
    if output == "json":
        pages = {name: path for name, path in files.items() if name != "directory"}
        about = {"directory": files["directory"], "status": suite.status, "files": pages}
        _print_json(chapters, about)
    else:
        print_overview(chapters)
        _print_paths(files)


def print_chapter(chapter: "Chapter", *, titled: bool) -> None:
    """Findings, first table, predictions, verdict; `titled`: it is one of several."""
    from rich.text import Text

    from experiments.show.pages.text import terminal_lines

    title = [Text(f"── {chapter.name} ──", style="bold")] if titled else []
    lines = terminal_lines(chapter.report) if chapter.report else [f"No result: {chapter.fault}"]
    print_parts((*title, *lines, ""))


def print_overview(chapters: "Sequence[Chapter]") -> None:
    """Print a line for each of several experiments."""
    from rich.text import Text

    from experiments.show.pages.text import overview

    print_parts((Text("── all ──", style="bold"), overview(chapters), ""))


def print_parts(parts: "Iterable[str | Text | Table]", *, width: int | None = None) -> None:
    """Print lines, which are wrapped already, titles and tables."""
    from rich.console import Console

    console = Console(highlight=False, width=width)
    for part in parts:
        part = printable_lines(part) if isinstance(part, str) else part  # noqa: PLW2901
        console.print(part, soft_wrap=isinstance(part, str), markup=False)


def _print_paths(files: Mapping[str, str]) -> None:
    from experiments.show.pages.text import paths

    named = paths(files)
    width = max(len(kind) for kind, _ in named) + 1
    for kind, path in named:
        print(f"{kind + ':':<{width}} {printable(path)}")


def _print_json(chapters: "Sequence[Chapter]", suite: Mapping[str, Any] | None = None) -> None:
    from experiments.show.pages.text import document

    report = {"format": JSON_FORMAT, **document(chapters, suite)}
    print(json.dumps(report, indent=2, ensure_ascii=False))
