"""The story of `mtu`: limits beside theory, what became of larger packets, and of TCP.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from controller.model.errors import MeasureError
from controller.model.modes import KERNEL
from experiments.core.question import Prediction, Row
from experiments.core.results import Run
from experiments.mtu.figure import draw_map
from experiments.mtu.figure_goodput import Stream, draw_goodput
from experiments.mtu.report_kernel import (
    KERNEL_TELLS,
    is_kernel,
    judge_kernel,
    kernel_finding,
    spoken_of,
)
from experiments.mtu.report_tables import (
    Cell,
    cells_of,
    goodput_grid,
    largest_grid,
    limits,
    outcomes_grid,
    streams,
    tcp_grid,
    tiles,
    underlay_of,
    whole,
)
from experiments.mtu.words import (
    COMPLETES,
    CONTROL_AFTER,
    CONTROL_BEFORE,
    HANGS,
    RIGHT,
    SILENCES,
    TOO_LARGE,
)
from experiments.show.report import (
    CONFIRMED,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption

# Transfers at each end that chance sets apart so cleanly in 1 of 70 draws.
APART_MIN = 4
OPEN_VSWITCH = "Open vSwitch"
HARMLESS = (CONTROL_BEFORE, CONTROL_AFTER)
Judged = tuple[str, str]  # what stands, and why


def build_report(run: Run) -> Report:
    """The story of a run.

    Raises:
        MeasureError: there is not one sample.
    """
    cells = cells_of(run)
    if not cells:
        raise MeasureError(
            "no sample",
            where=str(run.directory / "samples.csv"),
            allowed="a line per lab",
            do="Run it again; run.json says how far it came.",
        )
    report = Report(
        run=run,
        findings=findings(run, cells),
        outcomes=tuple(_outcomes(each, run, cells) for each in spoken_of(run)),
        tables=tuple(
            table
            for table in (largest_grid(cells), outcomes_grid(run), tcp_grid(run), goodput_grid(run))
            if table.rows
        ),
        pictures=(),
        conditions=_conditions(run),
        is_refuted=any(cell.is_off for cell in cells),
        data=tuple(cell.data() for cell in cells),
    )
    return replace(report, pictures=_pictures(run, cells))


def findings(run: Run, cells: Sequence[Cell]) -> tuple[str, ...]:
    """At most five lines."""
    lines = (_largest(cells), _larger(run), _tcp(run), kernel_finding(run), _goodput(run))
    return tuple(filter(None, lines))


def _largest(cells: Sequence[Cell]) -> str:
    off = [cell for cell in cells if cell.is_off]
    right = len(cells) - len(off)
    if not off:
        return f"Every largest packet equals theory to the byte: {right} of {len(cells)}"
    first, more = off[0], f" and {len(off) - 1} more" if len(off) > 1 else ""
    named = f"{first.name} ({first.found_text}, not {first.predicted})"
    return f"{right} of {len(cells)} equal theory, not {named}{more}"


def larger(run: Run) -> tuple[Row, ...]:
    """Sizes above the limit that guests whose MTU is too large could send, by Open vSwitch."""
    limit = {cell.key: max(cell.found) for cell in cells_of(run)}
    return tuple(
        row
        for row in run.rows_of("outcomes")
        if not is_kernel(row)
        and row["guest"] == TOO_LARGE
        and row["size"] not in HARMLESS
        and int(row["ip_bytes"] or 0) > limit.get((row["mode"], row["underlay_mtu"]), 0)
        and (not row["df"] or int(row["ip_bytes"] or 0) <= int(row["guest_mtu"] or 0))
    )


def _is_silent(row: Row) -> bool:
    """True if nothing came back and not all of it went onto the wire."""
    return row["outcome"] in SILENCES and row["went_as_far_as"] == "guest_port"


def _controls(run: Run) -> tuple[int, int]:
    """Controls at the limit, before and after, that passed; and all of them."""
    rows = [row for row in run.rows_of("outcomes") if row["size"] in HARMLESS]
    return sum(row["answered"] == row["sent"] for row in rows), len(rows)


def _larger(run: Run) -> str:
    rows = larger(run)
    if not rows:
        return ""
    silent = sum(map(_is_silent, rows))
    return (
        f"Larger ones vanish silently in the sender's {_switch(run)}: {silent} of {len(rows)} sizes"
    )


def _transfers(run: Run, guest: str, outcome: str) -> tuple[int, int]:
    rows = [row for row in run.rows_of("tcp") if row["guest"] == guest and not is_kernel(row)]
    return sum(row["outcome"] == outcome for row in rows), len(rows)


def _tcp(run: Run) -> str:
    hung, large = _transfers(run, TOO_LARGE, HANGS)
    done, right = _transfers(run, RIGHT, COMPLETES)
    if not large:
        return ""
    of_ovs = f" ({OPEN_VSWITCH})" if _has_kernel(run) else ""
    return (
        f"TCP hangs after the handshake{of_ovs}: MTU too large {hung} of {large}, right "
        f"{right - done} of {right}"
    )


def _has_kernel(run: Run) -> bool:
    """True if some modes are carried without Open vSwitch, so that it must be said which are."""
    return any(map(is_kernel, run.rows_of()))


def _switch(run: Run) -> str:
    return OPEN_VSWITCH if _has_kernel(run) else "switch"


def _goodput(run: Run) -> str:
    found = [each for each in streams(run) if each.gain]
    if not found:
        return ""
    gains = sorted({f"{each.gain:.1f}" for each in found}, key=float)
    many = " to ".join(dict.fromkeys((gains[0], gains[-1])))
    return (
        f"TCP goodput at the limit: {many} times that at {min(found[0].samples)} bytes, by medians"
    )


def _outcomes(prediction: Prediction, run: Run, cells: Sequence[Cell]) -> Outcome:
    judge = {
        "largest": _judge_largest,
        "larger": _judge_larger,
        "tcp": _judge_tcp,
        KERNEL_TELLS: judge_kernel,
    }
    if prediction.about in judge:
        outcome, found = judge[prediction.about](run, cells)
    else:
        outcome, found = _judge_goodput(run)
    return Outcome(claim=prediction.claim, reason=prediction.reason, outcome=outcome, found=found)


def _judge_largest(_run: Run, cells: Sequence[Cell]) -> Judged:
    right = sum(not cell.is_off for cell in cells)
    return _all(right, len(cells)), f"{right} of {len(cells)} to the byte"


def _judge_larger(run: Run, _cells: Sequence[Cell]) -> Judged:
    rows = larger(run)
    if not rows:
        return NOT_JUDGED, "not measured"
    silent, (passed, controls) = sum(map(_is_silent, rows)), _controls(run)
    found = (
        f"{silent} of {len(rows)} sizes left the guest and never the host; the limit passed "
        f"before and after in {passed} of {controls}"
    )
    return (_all(silent, len(rows)) if passed == controls else UNDECIDED), found


def _judge_tcp(run: Run, _cells: Sequence[Cell]) -> Judged:
    hung, large = _transfers(run, TOO_LARGE, HANGS)
    done, right = _transfers(run, RIGHT, COMPLETES)
    if not large:
        return NOT_JUDGED, "not measured"
    found = f"{hung} of {large} hang after the handshake, {done} of {right} complete"
    return _all(hung + done, large + right), found


def _judge_goodput(run: Run) -> Judged:
    """A trend of transfers sent in turns: there are no blocks to make an interval from."""
    found = streams(run)
    report = [
        f"{each.mode} {each.median(min(each.samples)):.0f} to {each.median(each.limit):.0f}"
        for each in found
        if each.gain
    ]
    if not report:
        return NOT_JUDGED, "not measured"
    nil = all(
        not any(of)
        for each in found
        if not each.mode.startswith(KERNEL)
        for mtu, of in each.samples.items()
        if mtu > each.limit
    )
    outcome = _risen([each for each in found if each.gain]) if nil else REFUTED
    text = f"medians from {min(found[0].samples)} bytes to the limit [Mbit/s]: {', '.join(report)}"
    above = "nil above it" if nil else "not nil above it"
    return (outcome if is_trusted(run) else NOT_JUDGED), f"{text}; {above}"


def _risen(found: Sequence[Stream]) -> str:
    """Confirmed where every transfer at the limit outdid every one at the least MTU, in all modes."""
    ends = [(each.samples[min(each.samples)], each.samples[each.limit]) for each in found]
    if min(len(end) for both in ends for end in both) < APART_MIN:
        return NOT_JUDGED
    if any(np.median(least) >= np.median(most) for least, most in ends):
        return REFUTED
    apart = all(max(least) < min(most) for least, most in ends)
    return CONFIRMED if apart else UNDECIDED


def _all(as_said: int, of: int) -> str:
    if not of:
        return NOT_JUDGED
    return CONFIRMED if as_said == of else REFUTED


def _conditions(run: Run) -> str:
    labs = counted(len(run.rows_of()), "lab")
    above = {whole(row["guest_mtu"]) - whole(row["underlay_mtu"]) for row in run.rows_of()}
    return (
        f"{labs}, {counted(len(run.tables['pings']), 'run')} of ping; IPv4; scenario "
        f"{run.about['scenario']}; guests' MTU too large: {', '.join(map(str, sorted(above)))} bytes "
        "above the underlay's"
    )


def _pictures(run: Run, cells: Sequence[Cell]) -> tuple[Picture, ...]:
    found, fast = tiles(run), streams(run)
    gains = tuple(filter(None, (_goodput(run),)))  # a picture is headed by what it shows
    pictures = (
        [
            Picture(
                name="mtu",
                title="What becomes of a packet, by its size",
                alternative=f"A map of sizes by mode, DF and underlay MTU. {_alternative(cells)}",
                draw=lambda report: draw_map(found, limits(cells), Caption.of(report)),
            )
        ]
        if found
        else []
    )
    pictures += (
        [
            Picture(
                name="mtu-goodput",
                title="Goodput over guests' MTU",
                alternative=f"TCP goodput by guests' MTU. {_goodput(run)}",
                draw=lambda report: draw_goodput(
                    fast, underlay_of(run), replace(Caption.of(report), findings=gains)
                ),
            )
        ]
        if fast
        else []
    )
    return tuple(pictures)


def _alternative(cells: Sequence[Cell]) -> str:
    named: Mapping[str, str] = {cell.name: cell.found_text for cell in cells}
    return "Largest packets: " + ", ".join(f"{name}: {found}" for name, found in named.items())
