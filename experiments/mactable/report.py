"""The report of `mactable`: entries over guests, and misdelivered copies from a full table."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from controller.model.wording import listed
from experiments.core.results import Run
from experiments.mactable import figure
from experiments.mactable.words import MISDELIVERED
from experiments.show import cells, judge
from experiments.show.families import FEW, merged
from experiments.show.palette import UNTUNNELLED, family
from experiments.show.report import Outcome, Picture, Report, Table

KEY = ("mode", "hosts", "room", "guests")
LEARNED, SENT = "learned", "sent"
TUNNELS = "tunnels"


def build_report(run: Run) -> Report:
    """The report of one run."""
    report = cells.build_report(run)
    found = cells.exact_cells(run)
    unlimited = found.filter(pl.col("room") == 0, figure=LEARNED).with_columns(frames=1)
    sent = found.filter(figure=SENT).select(*KEY, frames="predicted")
    full = found.filter(pl.col("room") > 0, figure=MISDELIVERED).join(
        sent, on=KEY, maintain_order="left"
    )
    ledger, *mismatches = report.findings
    entries, misdelivered = _lines(unlimited), _lines(full)
    findings = (*_growth(unlimited, entries), *_full(full, misdelivered), *mismatches)
    room = max(found["room"])
    hosts = max(found.filter(pl.col("samples") > 0)["hosts"])
    picture = Picture(
        name=run.question.name,
        title=findings[0] if findings else ledger,
        alternative="Entries of the underlay's switch, and misdelivered copies per frame, over "
        f"guests: predicted and measured. {'. '.join(findings)}",
        draw=lambda caption: figure.draw(entries, misdelivered, room, caption),
        conditions=f"{hosts} hosts; wide line: predicted; {ledger}; {report.conditions}",
    )
    return replace(
        report,
        findings=findings or (ledger,),
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
        pictures=(picture,) if entries or misdelivered else (),
        conditions=f"{ledger}; {report.conditions}",
    )


def _lines(shown: pl.DataFrame) -> tuple[figure.Line, ...]:
    """A line for modes that agree, over guests on the most hosts; values for each frame sent."""
    measured = shown.filter(pl.col("samples") > 0)
    most = measured.filter(pl.col("hosts") == pl.col("hosts").max()).sort(
        "guests", maintain_order=True
    )
    by_mode = {
        str(mode): (
            tuple(
                (row["guests"], row["predicted"] / row["frames"]) for row in rows.rows(named=True)
            ),
            tuple(
                (row["guests"], value / row["frames"])
                for row in rows.rows(named=True)
                for value in row["measured"]
            ),
        )
        for (mode,), rows in most.group_by("mode", maintain_order=True)
    }
    return tuple(
        figure.Line(
            name=name, mode=modes[0], predicted=by_mode[modes[0]][0], measured=by_mode[modes[0]][1]
        )
        for name, modes in _groups(by_mode).items()
    )


def _groups(by_mode: Mapping[str, Hashable]) -> Mapping[str, tuple[str, ...]]:
    """Modes that agree, by a name for them; all tunnels are one group if all agree."""
    tunnelled = tuple(mode for mode in by_mode if family(mode) != UNTUNNELLED)
    if len(by_mode) <= FEW or len({by_mode[mode] for mode in tunnelled}) != 1:
        return merged(by_mode)
    others = {name: modes for name, modes in merged(by_mode).items() if modes[0] not in tunnelled}
    return {**others, TUNNELS: tunnelled}


def _largest(shown: pl.DataFrame) -> dict[str, Any]:
    """The measured cell with the most guests on the most hosts."""
    measured = shown.filter(pl.col("samples") > 0)
    most = measured.filter(hosts=measured["hosts"].max())
    found: dict[str, Any] = most.filter(guests=most["guests"].max()).row(0, named=True)
    return found


def _growth(unlimited: pl.DataFrame, lines: Sequence[figure.Line]) -> Iterator[str]:
    """Entries with the most guests, by modes that agree."""
    if lines:
        most = _largest(unlimited)
        yield (
            f"{most['guests']:,} guests on {most['hosts']} hosts: the switch learns "
            f"{_ends(lines, ',.0f', ' MACs')}"
        )


def _full(full: pl.DataFrame, lines: Sequence[figure.Line]) -> Iterator[str]:
    """Misdelivered copies for each frame, from the fullest table, by modes that agree."""
    if lines:
        most = _largest(full)
        yield (
            f"{most['guests']:,} guests and a table of {most['room']:,} entries: "
            f"{_ends(lines, ',.1f', ' misdelivered copies per frame')}"
        )


def _ends(lines: Sequence[figure.Line], form: str, unit: str) -> str:
    """The last value of each line, such as `1,024 MACs untunnelled, 8 with tunnels`."""
    by_value: dict[str, list[str]] = {}
    for line in lines:
        value = line.measured[-1][1]
        by_value.setdefault(format(value, form) if value else "", []).append(line.name)
    texts = []
    for nth, (text, names) in enumerate(by_value.items()):
        count = f"{text or 'no'}{unit}" if not nth else text or "none"
        where = UNTUNNELLED if names == [UNTUNNELLED] else f"with {listed(names)}"
        texts.append(f"{count} {where}")
    return ", ".join(texts)


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
