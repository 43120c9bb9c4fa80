"""The report of `mactable`: entries over guests, and misdelivered copies from a full table."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from experiments.core.results import Run
from experiments.mactable import figure
from experiments.mactable.words import MISDELIVERED
from experiments.show import cells, judge
from experiments.show.cells import values_text
from experiments.show.curves import Mark
from experiments.show.report import Outcome, Picture, Report, Table

KEY = ("mode", "hosts", "room", "guests")
LEARNED, SENT = "learned", "sent"


def build_report(run: Run) -> Report:
    """The report of one run."""
    report = cells.build_report(run)
    found = cells.exact_cells(run)
    unlimited = found.filter(pl.col("room") == 0, figure=LEARNED)
    sent = found.filter(figure=SENT).select(*KEY, frames="predicted")
    full = found.filter(pl.col("room") > 0, figure=MISDELIVERED).join(
        sent, on=KEY, maintain_order="left"
    )
    findings = (
        report.findings[0],
        *_growth(unlimited),
        *_full(full),
        *report.findings[1:],
    )
    room = max(found["room"])
    return replace(
        report,
        findings=findings,
        outcomes=tuple(_outcomes(run, found)),
        tables=(
            _by_guests(
                unlimited,
                "Entries of the underlay's switch, no limit",
                "Addresses learned after each guest has sent a broadcast.",
            ),
            _by_guests(
                full,
                f"Misdelivered copies, table of {room} entries",
                "The first guest sends one frame to each guest on another host. Counted are the copies "
                "that arrive at other hosts than that guest's.",
            ),
            _owners(run),
            *report.tables,
        ),
        pictures=(
            Picture(
                name=run.question.name,
                title=findings[0],
                alternative="Entries of the underlay's switch, and misdelivered copies per frame, over "
                f"guests, by mode and hosts: predicted and measured. {'. '.join(findings)}",
                draw=lambda caption: figure.draw(
                    _marks(unlimited.with_columns(frames=1)),
                    _marks(full),
                    room,
                    caption,
                ),
            ),
        ),
    )


def _largest(shown: pl.DataFrame) -> pl.DataFrame:
    """The measured cells with the most guests on the most hosts."""
    measured = shown.filter(pl.col("samples") > 0)
    return measured.filter(guests=measured["guests"].max(), hosts=measured["hosts"].max())


def _growth(unlimited: pl.DataFrame) -> Iterator[str]:
    """Entries with the most guests, by mode."""
    largest = _largest(unlimited)
    if not largest.is_empty():
        guests, hosts = largest.row(0, named=True)["guests"], largest["hosts"][0]
        yield f"{guests} guests on {hosts} hosts, entries of the underlay's switch: {_modes(largest)}"


def _full(full: pl.DataFrame) -> Iterator[str]:
    """Misdelivered copies from the fullest table, by mode."""
    largest = _largest(full)
    if not largest.is_empty():
        first = largest.row(0, named=True)
        yield (
            f"{first['guests']} guests, table of {first['room']} entries: of {first['frames']} frames, "
            f"misdelivered copies: {_modes(largest)}"
        )


def _modes(shown: pl.DataFrame) -> str:
    return ", ".join(
        f"{row['mode']} {values_text(row['measured'])}" for row in shown.iter_rows(named=True)
    )


def _outcomes(run: Run, found: pl.DataFrame) -> Iterator[Outcome]:
    for each in run.question.predictions:
        figures = found.filter(figure=MISDELIVERED if each.about == MISDELIVERED else LEARNED)
        about = figures.filter(~pl.col("mode").is_in(each.excludes))
        if not about.is_empty():
            yield judge.exact(run, each, about["result"])


def _by_guests(shown: pl.DataFrame, title: str, note: str) -> Table:
    """A row for each mode and number of hosts, a column for each number of guests."""
    by_guests = cells.by_level(shown, "guests", "mode", "hosts")
    return Table(
        title=title,
        heads=("mode", "hosts", *(f"{guests} guests" for guests in by_guests.columns[2:])),
        rows=cells.text_rows(by_guests),
        words=("mode",),
        note=note,
    )


def _owners(run: Run) -> Table:
    """Owners of the entries, and the tables of hosts that hold guests' addresses instead."""
    key = ("mode", "hosts", "guests")
    columns = ("of_guests", "of_vteps", "of_others", "in_br_tun")
    shown = run.samples.filter(room=0).unique(key, keep="last").sort(key).select(*key, *columns)
    return Table(
        title="Owners of the entries",
        heads=("mode", "hosts", "guests", "guests'", "VTEPs'", "others'", "first host's own table"),
        rows=cells.text_rows(shown),
        words=("mode",),
        note="Entries of the underlay's switch by owner: guests, VTEPs, others. With tunnels, br-tun or "
        "the VXLAN device of each host learns the addresses of guests that send to it, for 300 s.",
    )


def _marks(shown: pl.DataFrame) -> tuple[Mark, ...]:
    """Cells to draw, as copies per frame sent."""
    return tuple(
        Mark(
            mode=row["mode"],
            words=f"{row['hosts']} hosts",
            at=row["guests"],
            predicted=row["predicted"] / row["frames"],
            measured=tuple(value / row["frames"] for value in row["measured"]),
        )
        for row in shown.iter_rows(named=True)
    )
