"""What `run` and `report` print at the end: text for people, or one JSON document."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from rich.console import Console

    from experiments.show.pages.text import terminal_lines

    console = Console(highlight=False)
    if titled:
        console.print(f"── {chapter.name} ──", style="bold", markup=False)
    for line in terminal_lines(chapter.report) if chapter.report else ():
        console.print(line, soft_wrap=isinstance(line, str), markup=False)
    if chapter.report is None:
        console.print(f"No result: {chapter.fault}", soft_wrap=True, markup=False)
    console.print()


def print_overview(chapters: "Sequence[Chapter]") -> None:
    """Print a line for each of several experiments."""
    from rich.console import Console

    from experiments.show.pages.text import overview

    console = Console(highlight=False)
    console.print("── all ──", style="bold", markup=False)
    console.print(overview(chapters), markup=False)
    console.print()


def _print_paths(files: Mapping[str, str]) -> None:
    from experiments.show.pages.text import paths

    named = paths(files)
    width = max(len(kind) for kind, _ in named) + 1
    for kind, path in named:
        print(f"{kind + ':':<{width}} {path}")


def _print_json(chapters: "Sequence[Chapter]", suite: Mapping[str, Any] | None = None) -> None:
    from experiments.show.pages.text import document

    report = {"format": JSON_FORMAT, **document(chapters, suite)}
    print(json.dumps(report, indent=2, ensure_ascii=False))
