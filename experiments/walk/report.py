"""One packet from site to site, told: its headers leg by leg, the article's steps, what the tunnel is worth.

Pure: a run's files in, its story out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from controller.model.errors import MeasureError
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.show.cells import MATCH, MISSING, Cell, cells_of, table
from experiments.show.judge import MISMATCH
from experiments.show.levels import between, figure_text
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.statistics import Difference, Repeats, against, difference
from experiments.walk.headers import GRE, ICMP
from experiments.walk.report_article import Step, article_grid, steps_of
from experiments.walk.report_legs import legs_of, repeats_of
from experiments.walk.report_pictures import STEP_AT, WAYS, pictures
from experiments.walk.words import (
    FORGED,
    INEXACT,
    LATENCY,
    MTU,
    PUBLIC,
    READS,
    SERVER,
    THERE,
    TUNNEL,
    YES,
)

PATHS = (PUBLIC, TUNNEL, SERVER)
IDLE_MIN = 0.5  # below it a packet waits for a processor; headers and sizes do not mind


def build_report(run: Run) -> Report:
    """The story of a run.

    Raises:
        MeasureError: it has no block, or nothing foretold.
    """
    cells = cells_of(run)
    if not cells or not repeats_of(run):
        raise MeasureError(
            "no packet that was followed",
            where=str(run.directory),
            allowed="a block that was measured",
            do="Run it again.",
        )
    steps, levels = steps_of(run), paths_of(run)
    report = Report(
        run=run,
        findings=tuple(_findings(run, cells, steps, levels)),
        outcomes=tuple(_outcomes(each, run, cells, levels) for each in run.question.predictions),
        tables=tuple(_tables(run, cells, steps, levels)),
        pictures=(),
        conditions=_conditions(run),
        is_refuted=any(cell.outcome == MISMATCH for cell in cells),
        data=tuple(_data(cell) for cell in cells),
    )
    return replace(report, pictures=tuple(pictures(run, steps, levels, _time(run, levels))))


def paths_of(run: Run) -> dict[str, Repeats]:
    """Round trips by path, block by block."""
    rows = run.rows_of("rtts")
    repeats = tuple(dict.fromkeys(row["repeat"] for row in rows))
    return {
        path: [
            np.array(
                [
                    float(row["rtt_ms"])
                    for row in rows
                    if (row["path"], row["repeat"]) == (path, repeat) and row["rtt_ms"] is not None
                ]
            )
            for repeat in repeats
        ]
        for path in PATHS
    }


def _added(run: Run, levels: Mapping[str, Repeats]) -> Difference:
    """What the tunnel adds to the round trip to the same router."""
    return difference(levels[TUNNEL], levels[PUBLIC], seed=run.seed)


def _findings(
    run: Run, cells: Sequence[Cell], steps: Sequence[Step], levels: Mapping[str, Repeats]
) -> Iterator[str]:
    equal = sum(cell.outcome == MATCH for cell in cells)
    yield f"{equal} of {counted(len(cells), 'check')} equal their prediction"
    yield from (
        f"{cell.name}: {cell.seen}, foretold {cell.predicted}" for cell in _unlike(cells)[:3]
    )
    inexact = [step.number for step in steps if step.outcome == INEXACT]
    if inexact:
        yield f"The article is inexact in {len(inexact)} of its {len(steps)} steps: {', '.join(inexact)}"
    yield _size(cells)
    yield _attacker(run, cells)
    yield _time(run, levels)


def _unlike(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.outcome == MISMATCH]


def _seen(cells: Sequence[Cell], about: str) -> list[Cell]:
    return [cell for cell in cells if cell.key["about"] == about]


def _size(cells: Sequence[Cell]) -> str:
    largest, report = (cell.seen for cell in _seen(cells, MTU)[:2])
    return f"{largest} bytes pass with DF; of one more, {report} tells"


def _attacker(run: Run, cells: Sequence[Cell]) -> str:
    reads = _seen(cells, READS)
    read = sum(set(cell.measured) == {YES} for cell in reads)
    rows = run.rows_of("injected")
    forged = [row for row in rows if row["case"] == FORGED]
    came, sent = (sum(int(row[name] or 0) for row in forged) for name in ("arrived", "sent"))
    return (
        f"{read} of {len(reads)} texts can be read on the way; {came} of {sent} forged packets reach "
        "the server"
    )


def _time(run: Run, levels: Mapping[str, Repeats]) -> str:
    found = _added(run, levels)
    claim = between(found.interval, signed=True) if found.interval else "no interval, no claim"
    busy = "" if _idle(run) >= IDLE_MIN else f"; on a machine with {_idle(run):.0%} to spare"
    return (
        f"Round trip by the tunnel less that by public addresses: {found.estimate:+.3f} ms "
        f"({claim}{busy})"
    )


def _idle(run: Run) -> float:
    """Of all processor time while round trips were timed; 1 if nobody watched."""
    windows = [window for each in run.about.get("measured", ()) for window in each["windows"]]
    seen = [each for each in windows if each.get("cpu_idle") is not None and each.get("length_s")]
    length_s = sum(each["length_s"] for each in seen)
    spare_s = sum(each["cpu_idle"] * each["length_s"] for each in seen)
    return float(spare_s / length_s) if length_s else 1.0


def _outcomes(
    prediction: Prediction, run: Run, cells: Sequence[Cell], levels: Mapping[str, Repeats]
) -> Outcome:
    if prediction.about == LATENCY:
        outcome, found = against(prediction, _added(run, levels)), _time(run, levels)
        outcome = NOT_JUDGED if _idle(run) < IDLE_MIN else outcome
    else:
        about = _seen(cells, prediction.about)
        outcome, found = _stands(about), _told(about)
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        found=found,
        outcome=outcome if is_trusted(run) else NOT_JUDGED,
    )


def _stands(cells: Sequence[Cell]) -> str:
    outcome = {cell.outcome for cell in cells}
    if MISMATCH in outcome:
        return REFUTED
    return UNDECIDED if MISSING in outcome or not outcome else CONFIRMED


def _told(cells: Sequence[Cell]) -> str:
    equal = sum(cell.outcome == MATCH for cell in cells)
    named = [f"{cell.key['check']}: {cell.seen}, not {cell.predicted}" for cell in _unlike(cells)]
    return "; ".join((f"{equal} of {counted(len(cells), 'check')} as foretold", *named))


def _tables(
    run: Run, cells: Sequence[Cell], steps: Sequence[Step], levels: Mapping[str, Repeats]
) -> Iterator[Table]:
    yield _walk_grid(run, steps)
    if steps:
        yield article_grid(steps)
    yield _paths_grid(levels)
    plain = table(run, tuple(cells))
    words = ("about", "check", "predicted", "measured", "is")
    note = "A check is equal if every block saw what was foretold."
    yield replace(plain, title="Every check", words=words, note=note)


def _walk_grid(run: Run, steps: Sequence[Step]) -> Table:
    """A row for each header of each leg, but for ICMP, which is last in all."""
    rows = [row for way in WAYS for row in _way_rows(run, way, steps)]
    return Table(
        title="One ping's headers, outermost first",
        heads=("way", "where", "header", "article", "TTL"),
        rows=tuple(rows),
        words=("way", "where", "header", "article"),
        first=("way", "where", "header", "article"),
        note="ICMP is innermost everywhere. `article`: the step that speaks of the header; a ! "
        "marks an inexact one.",
    )


def _way_rows(run: Run, way: str, steps: Sequence[Step]) -> Iterator[tuple[str, ...]]:
    legs = legs_of(run, way, repeats_of(run)[0])
    marks = {step.number: "!" if step.outcome == INEXACT else "" for step in steps}
    for at, leg in enumerate(legs):
        ttls = iter(leg.ttls)
        for number, header in enumerate(each for each in leg.stack if each.protocol != ICMP):
            named = [
                f"{step}{mark}"
                for step, mark in marks.items()
                if way == THERE and _is_at(step, (at, number), len(legs))
            ]
            ttl = NONE if header.protocol == GRE else str(next(ttls, NONE))
            first = not number
            yield (
                way if first and not at else "",
                leg.where if first else "",
                str(header),
                ", ".join(named),
                ttl,
            )


def _is_at(step: str, place: tuple[int, int], many: int) -> bool:
    """True if the step of the article speaks of that header, in a way of so many legs."""
    leg, header = STEP_AT.get(step, (many, 0))
    return place == (leg % many if leg < many else many, header)


def _paths_grid(levels: Mapping[str, Repeats]) -> Table:
    def line(path: str) -> tuple[str, ...]:
        samples = np.concatenate(levels[path])
        figures = (np.percentile(samples, rank) for rank in (50, 10, 90)) if len(samples) else ()
        return (path, str(len(samples)), *(figure_text(float(each)) for each in figures))

    return Table(
        title="Round trips",
        heads=("path", "pings", "median", "p10", "p90"),
        rows=tuple(line(path) for path in levels),
        words=("path",),
        note="In milliseconds. public: the far router by its public address; tunnel: the same router "
        "through the tunnel; server: one LAN further.",
    )


def _data(cell: Cell) -> Mapping[str, object]:
    return {
        **cell.key,
        "predicted": cell.predicted,
        "measured": cell.measured,
        "is": cell.outcome,
    }


def _conditions(run: Run) -> str:
    repeats, pings = len(repeats_of(run)), len(run.rows_of("rtts"))
    return (
        f"{counted(repeats, 'repeat')}, a lab each; headers decoded from captures on every interface; "
        f"{pings} timed pings; GRE by Open vSwitch in user space; scenario {run.about['scenario']}"
    )
