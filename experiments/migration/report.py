"""The report of `migration`: which guests were reachable again after a move, and how soon."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

import polars as pl

from controller.model.wording import counted
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.migration import figure
from experiments.migration.words import (
    ANNOUNCED,
    CACHED,
    FLUSHED,
    L2POP,
    LEARNED,
    MARGIN_MS,
    UNKNOWN,
    WITH,
    WITHOUT,
)
from experiments.show import judge
from experiments.show.cells import exact_cells
from experiments.show.comparable import Comparable, Series
from experiments.show.palette import FAMILIES
from experiments.show.report import (
    CONFIRMED,
    NONE,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
    range_text,
    sentence,
)
from experiments.show.statistics import Repeats, estimate

MESH = "OVS mesh"
GROUPS = {"untunnelled": "", "kernel VXLAN": "kvxlan", "OVS l2population": "l2pop", MESH: "mesh"}
DATA = ("group", "mode", "way", "moves", "censored", "downtime_ms", "lost", "predicted")
FEW_MODES = 4  # a chart of so many has rows of modes, one of more rows of groups
MEDIANS_FROM = 10  # moves of a kind; the median of fewer is not judged
TIMES = ("downtime_ms", "active_ms")  # that are compared with another run


def build_report(run: Run) -> Report:
    """The report of one run."""
    found, cap_ms = kinds(run), _cap_ms(run)
    first = _back(found)
    findings = (first, *_findings(found, cap_ms)) if first else ()
    picture = Picture(
        name=run.question.name,
        title=first,
        alternative=f"Downtimes of moves by group of modes. {first}",
        draw=lambda caption: figure.draw(_panels(found, cap_ms), caption),
        conditions=f"Dot: a move; black stroke: the median of a mode. {sentence(_conditions(run, found))}",
    )
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcomes(run, found)),
        tables=(_table(found), *_by_direction(run, found)),
        pictures=() if found.is_empty() else (picture,),
        conditions=_conditions(run, found),
        is_refuted=not found["is_as_predicted"].all(),
        data=tuple(found.select(DATA).iter_rows(named=True)),
    )


def kinds(run: Run) -> pl.DataFrame:
    """One row per mode and kind of move, by group, in the order of the run.

    Columns: mode, way, moves, censored (how many), downtime_ms and lost (lists, of moves whose
    downtime ended), plugged_ms and active_ms (medians), group, about (the subject of predictions),
    predicted (1: every move is censored; 0: none is; null: no prediction), is_as_predicted.
    """
    modes = run.question.factors["mode"]
    mode, ended = pl.col("mode"), pl.col("censored") == 0
    group = pl.lit("untunnelled")
    for name, part in reversed(GROUPS.items()):
        if part:
            group = pl.when(mode.str.contains(part)).then(pl.lit(name)).otherwise(group)
    source = pl.when(mode.str.contains("l2pop")).then(pl.lit(L2POP)).otherwise(pl.lit(LEARNED))
    found = run.samples.group_by("mode", "way", maintain_order=True).agg(
        pl.len().alias("moves"),
        pl.col("censored").sum(),
        pl.col("downtime_ms").filter(ended),
        pl.col("lost").drop_nulls(),
        pl.median("plugged_ms", "active_ms"),
    )
    predicted = run.predicted.select("mode", "way", predicted="censored")
    return (
        found.join(predicted, on=("mode", "way"), how="left", maintain_order="left")
        .with_columns(group=group, about=pl.concat_str(source, "way", separator=" "))
        .with_columns(
            is_as_predicted=(pl.col("censored") == pl.col("predicted") * pl.col("moves")).fill_null(
                value=True
            )
        )
        .sort(
            pl.col("group").replace_strict(list(GROUPS), range(len(GROUPS))),
            mode.replace_strict(list(modes), range(len(modes))),
            "way",
            maintain_order=True,
        )
    )


def comparable(run: Run) -> Comparable:
    """Which guests were reachable again, and the times of their moves, by mode and kind of move."""
    return Comparable(
        cells=exact_cells(run).filter(pl.col("samples") > 0),
        series=tuple(
            Series(
                figure=time,
                unit="ms",
                levels=_by_kind(run, time),
                low=-MARGIN_MS,
                high=MARGIN_MS,
                uses_ranges=True,
                samples_min=MEDIANS_FROM,
            )
            for time in TIMES
        ),
    )


def _by_kind(run: Run, time: str) -> dict[str, Repeats]:
    """The times by mode and kind of move, and by repeat; moves that are censored have no downtime."""
    moves = run.samples.filter(censored=0) if time == TIMES[0] else run.samples
    return {
        f"{mode} {way}": [
            of_lab[time].drop_nulls().to_numpy()
            for _, of_lab in moves.filter(mode=mode, way=way).group_by("repeat")
        ]
        for mode, way in kinds(run).select("mode", "way").rows()
    }


def _back(found: pl.DataFrame) -> str:
    """How many moved guests were reachable again with gratuitous ARP, how soon, and without it."""
    texts: list[str] = []
    announced = pl.col("way").is_in(ANNOUNCED)
    for rows, how in ((found.filter(announced), WITH), (found.filter(~announced), "without it")):
        moves = int(rows["moves"].sum())
        back = f"{moves - int(rows['censored'].sum())} of {moves}"
        medians = rows["downtime_ms"].list.median().drop_nulls().to_list()
        one = "median" if len(medians) == 1 else "medians"
        soon = f" ({one} {range_text(medians, '.0f')} ms)" if medians else ""
        if moves:
            texts.append(f"{how} {back}" if texts else f"{how} {back} guests are back{soon}")
    text = ", ".join(texts).replace("without it", WITHOUT if len(texts) == 1 else "without it")
    return text[:1].upper() + text[1:]


def _findings(found: pl.DataFrame, cap_ms: float) -> Iterator[str]:
    """The median downtimes of each kind of move by group, or how many are still unreachable."""
    for way in sorted(set(found["way"])):
        same = found.filter(way=way)
        down = f"{same['censored'].sum()} of {counted(int(same['moves'].sum()), 'move')}"
        still = f"{down} still unreachable after {cap_ms / 1000:g} s"
        times = ", ".join(
            f"{group} {text}" for group in GROUPS if (text := _medians(same.filter(group=group)))
        )
        if not times:
            yield f"{_named(way)[:1].upper()}{_named(way)[1:]}: {still}"
        else:
            yield f"Median downtime {_named(way)}: {times}" + (
                f" ({still})" if same["censored"].sum() else ""
            )


def _named(way: str) -> str:
    """The kind of move in a sentence."""
    return f"{way} to the new host" if way == UNKNOWN else way


def _medians(rows: pl.DataFrame) -> str:
    """The range of the modes' medians, which are not pooled; empty without a move that ended."""
    medians = rows["downtime_ms"].list.median().drop_nulls().to_list()
    return f"{range_text(medians, '.0f')} ms" if medians else ""


def _panels(found: pl.DataFrame, cap_ms: float) -> Mapping[str, tuple[figure.Row, ...]]:
    """The rows of the chart, of groups of modes, or of modes if there are few of them."""
    by = "mode" if found["mode"].n_unique() <= FEW_MODES else "group"
    announced = pl.col("way").is_in(ANNOUNCED)
    parts = {
        f"{WITH[:1].upper()}{WITH[1:]}": found.filter(announced),
        f"{WITHOUT[:1].upper()}{WITHOUT[1:]}": found.filter(~announced),
    }
    return {
        heading: tuple(
            _row(str(name), str(way), rows, cap_ms)
            for (name, way), rows in part.group_by(by, "way", maintain_order=True)
        )
        for heading, part in parts.items()
        if not part.is_empty()
    }


def _row(name: str, way: str, rows: pl.DataFrame, cap_ms: float) -> figure.Row:
    how = {FLUSHED: ",\nmegaflows flushed", UNKNOWN: ",\nMAC unknown"}.get(way, "")
    censored, moves = int(rows["censored"].sum()), int(rows["moves"].sum())
    short = "unreachable" if _medians(rows) else f"unreachable after {cap_ms / 1000:g} s"
    return figure.Row(
        name=f"{name}{how}",
        colour=name if name in GROUPS and name in FAMILIES else str(rows["mode"][0]),
        downtimes_ms=dict(rows.select("mode", "downtime_ms").rows()),
        value=_medians(rows),
        lost=f"{censored} of {moves} {short}" if censored else "",
        is_as_predicted=bool(rows["is_as_predicted"].all()),
    )


def _outcomes(run: Run, found: pl.DataFrame) -> Iterator[Outcome]:
    for prediction in run.question.predictions:
        if prediction.about == CACHED:
            yield from _cached(prediction, run, found)
        elif not (about := found.filter(about=prediction.about)).is_empty():
            mismatches = about.filter(~pl.col("is_as_predicted"))
            shown = about if mismatches.is_empty() else mismatches
            yield judge.judged(
                run,
                prediction,
                CONFIRMED if mismatches.is_empty() else REFUTED,
                "; ".join(
                    f"{mode}: {censored} of {moves} unreachable"
                    for mode, censored, moves in shown.select("mode", "censored", "moves").rows()
                ),
            )


def _cached(prediction: Prediction, run: Run, found: pl.DataFrame) -> Iterator[Outcome]:
    """The prediction about the cost of cached megaflows, by the labs of every mesh."""
    meshes = found.filter(group=MESH)["mode"].unique().to_list()
    ended = run.samples.filter(pl.col("mode").is_in(meshes), censored=0)
    ways = ended.filter(pl.col("way").is_in([WITH, FLUSHED]))
    labs = (
        ways.group_by("mode", "repeat", maintain_order=True)
        .agg(
            later=pl.col("downtime_ms").filter(way=WITH).median()
            - pl.col("downtime_ms").filter(way=FLUSHED).median()
        )
        .drop_nulls("later")
    )
    later = {
        str(mode): each["later"].to_list()
        for (mode,), each in labs.group_by("mode", maintain_order=True)
    }
    if not later:
        return
    ranges = {mode: estimate(each, run.seed) for mode, each in later.items()}
    text = "; ".join(
        f"{mode}: {each.value:+.0f} ms ({each.span('lab', '+.0f')})"
        for mode, each in ranges.items()
    )
    judged = ways.filter(pl.col("mode").is_in(list(later)))
    if min(judged.group_by("mode", "way").len()["len"]) < MEDIANS_FROM:
        text = f"{text}; fewer than {MEDIANS_FROM} moves"
        yield judge.judged(run, prediction, UNDECIDED, text)
    else:
        yield judge.within(run, prediction, ranges.values(), text)


def _table(found: pl.DataFrame) -> Table:
    return Table(
        title="Downtime after a move",
        heads=(
            "group",
            "mode",
            "kind",
            "moves",
            "unreachable",
            "downtime [ms]",
            "from",
            "to",
            "lost",
            "until plugged [ms]",
            "until ACTIVE [ms]",
            "as predicted",
        ),
        rows=tuple(map(_line, found.iter_rows(named=True))),
        words=("group", "mode", "kind"),
        note="Downtime and lost packets: medians of moves after which the guest was reachable "
        "again. Unreachable: still unreachable at the time limit. Plugged, ACTIVE: medians of all "
        "moves. The moves of a mode share its labs, so they may not be independent.",
    )


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    down, lost = row["downtime_ms"], row["lost"]
    as_predicted = "yes" if row["is_as_predicted"] else "no"
    return (
        row["group"],
        row["mode"],
        row["way"],
        str(row["moves"]),
        str(row["censored"]),
        *(f"{pick(down):.0f}" if down else NONE for pick in (median, min, max)),
        f"{median(lost):.0f}" if lost else NONE,
        f"{row['plugged_ms']:.0f}",
        f"{row['active_ms']:.0f}",
        NONE if row["predicted"] is None else as_predicted,
    )


def _by_direction(run: Run, found: pl.DataFrame) -> Iterator[Table]:
    """Medians of each lab and direction, which medians over all moves may hide."""
    ended = found.filter(pl.col("downtime_ms").list.len() > 0).select("mode", "way")
    place = pl.format("repeat {}, to {}", "repeat", "to")
    medians = (
        run.samples.join(ended, on=("mode", "way"), how="semi")
        .sort("repeat", "to", maintain_order=True)
        .group_by("mode", "way", place.alias("place"), maintain_order=True)
        .agg(pl.col("downtime_ms").filter(censored=0).median())
    )
    if not medians.is_empty():
        wide = medians.pivot("place", values="downtime_ms")
        by_kind = ended.join(wide, on=("mode", "way"), maintain_order="left")
        yield Table(
            title="Median downtime [ms] by lab and direction, without unreachable guests",
            heads=("mode", "kind", *by_kind.columns[2:]),
            rows=tuple(
                (mode, way, *(NONE if ms is None else f"{ms:.0f}" for ms in downtimes_ms))
                for mode, way, *downtimes_ms in by_kind.rows()
            ),
            words=("mode", "kind"),
        )


def _conditions(run: Run, found: pl.DataFrame) -> str:
    settings = run.about["settings"]
    pause_s = settings.get("pause_s")  # earlier runs had none
    order = (
        f"in random order, after a random pause of up to {pause_s:g} s" if pause_s else "in turn"
    )
    return (
        f"a datagram every 1 ms; {settings['moves']} moves per kind and lab, {order}, in both directions, "
        f"with a time limit of {_cap_ms(run):g} ms; {counted(found['mode'].n_unique(), 'mode')}, "
        f"{counted(int(run.about['repeats']), 'repeat')}; scenario {run.about['scenario']}"
    )


def _cap_ms(run: Run) -> float:
    return float(run.about["settings"]["cap_s"]) * 1000
