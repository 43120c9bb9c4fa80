"""The path of a traced frame as text, as a table and as JSON.  Pure."""

import html
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import polars as pl

from experiments.cli.explain_text import INDENT, wrapped

if TYPE_CHECKING:
    from topologies.trace.course import Course, Wire
    from topologies.trace.way import Stage

JSON_FORMAT = 1
Style = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Trace:
    """The path of one frame: prints as text, shows as a table in a notebook."""

    course: "Course"

    @property
    def delivered(self) -> bool:
        """Whether the frame reaches its target."""
        return self.course.delivered

    @property
    def steps(self) -> pl.DataFrame:
        """Every table on the path: host, bridge, table, name, flow, why."""
        rows = [
            {"host": stage.host, "bridge": stage.bridge, **asdict(step)}
            for stage in (*self.course.near, *self.course.far)
            for step in stage.steps
        ]
        return pl.DataFrame(rows, schema=["host", "bridge", "table", "name", "flow", "why"])

    def __str__(self) -> str:
        return as_text(self.course)

    def _repr_html_(self) -> str:
        title = html.escape(f"{self.course.source} to {self.course.target}: {self.course.end}")
        with pl.Config(tbl_rows=-1, fmt_str_lengths=400, tbl_hide_dataframe_shape=True):
            return f"<p><b>{title}</b></p>{self.steps._repr_html_()}"


def as_json(course: "Course") -> str:
    """One document with everything that the text shows."""
    document = {"format": JSON_FORMAT, **asdict(course)}
    if course.wire:
        document["wire"]["size"] = course.wire.size
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(course: "Course", style: Style = lambda text, **_: text) -> str:
    """The path by bridge and table, the headers on the wire, and the outcome.

    Args:
        style: marks headings (`bold`) and flows (`dim`), as `click.style` does.
    """
    return "\n".join(_lines(course, style))


def _lines(course: "Course", style: Style) -> Iterator[str]:
    yield style(f"{course.source} to {course.target}: {course.frame}", bold=True)
    for fact in course.facts:
        yield from wrapped(fact)
    for stage in course.near:
        yield from _stage(stage, style)
    if course.wire:
        yield from _wire(course.wire, style)
    for stage in course.far:
        yield from _stage(stage, style)
    yield from _listed("other copies", course.others, style)
    yield ""
    yield from (style(line, bold=True) for line in wrapped(course.end))
    yield from _listed("missing flows of the controller", course.lacking, style)


def _listed(heading: str, lines: tuple[str, ...], style: Style) -> Iterator[str]:
    if lines:
        yield from ("", style(heading, bold=True))
        yield from (f"  {line}" for line in lines)


def _stage(stage: "Stage", style: Style) -> Iterator[str]:
    yield from ("", style(f"{stage.host}, {stage.bridge}", bold=True))
    for step in stage.steps:
        yield f"{step.table:>4}  {step.name}".rstrip()
        if step.flow:
            yield INDENT + style(step.flow, dim=True)
        yield from wrapped(step.why, INDENT)


def _wire(wire: "Wire", style: Style) -> Iterator[str]:
    title = f"on the wire, {wire.source} to {wire.target}: {wire.size} bytes"
    yield from ("", style(title, bold=True))
    width = max(len(layer.name) for layer in wire.layers)
    for layer in wire.layers:
        yield f"{layer.size:>4}  {layer.name:<{width}}  {layer.says}"
