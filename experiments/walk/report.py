"""The report of `walk`: one packet's headers leg by leg, the article's steps, and every check."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from controller.model.errors import MeasureError
from controller.model.wording import counted
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.show import judge
from experiments.show.cells import cells_table, exact_cells, match_findings, value_text, values_text
from experiments.show.levels import between, figure_text
from experiments.show.report import NONE, NOT_JUDGED, Outcome, Picture, Report, Table
from experiments.show.statistics import Difference, Repeats, difference
from experiments.walk import figure
from experiments.walk.article import Step, article_table, steps_of
from experiments.walk.headers import GRE, ICMP
from experiments.walk.legs import Leg, legs_of, repeats_of
from experiments.walk.words import (
    FORGED,
    LARGEST,
    LATENCY,
    OVER_FROM,
    PUBLIC,
    READS,
    SERVER,
    THERE,
    TUNNEL,
    YES,
)

PATHS = (PUBLIC, TUNNEL, SERVER)
IDLE_MIN = 0.5  # below it packets wait for a processor, which changes times but no headers or sizes
Legs = Mapping[str, Sequence[Leg]]  # of the first repeat, by way

STEP_AT = {  # the leg and the header that a step of the article is about; -1: the last leg
    "1.1": (0, 0),
    "2.4": (1, 0),
    "2.3": (2, 0),
    "2.2": (2, 1),
    "3.1": (3, 0),
    "4.1": (-2, 0),
    "4.2": (-2, 0),
    "4.3": (-1, 0),
    "5.1": (-1, 0),
}
NOTES = {  # the article, and what the captures show instead of an inexact step
    "2.2": "step 2.2 of the article: GRE has two addresses; seen: it has none",
    "2.4": "step 2.4 of the article: SNAT comes after GRE; seen: before it",
    "5.1": "step 5.1 of the article: it is broadcast; seen: ARP, then unicast",
}


def build_report(run: Run) -> Report:
    """The report of one run.

    Raises:
        MeasureError: it has no complete repeat, or no prediction.
    """
    cells, repeats = exact_cells(run), repeats_of(run)
    if cells.is_empty() or not repeats:
        raise MeasureError(
            "no packet that was followed",
            where=str(run.directory),
            allowed="a repeat that was measured",
            do="Run it again.",
        )
    steps, paths = steps_of(run), _paths(run)
    legs = {way: legs_of(run, way, repeats[0]) for way in figure.WAYS}
    added = difference(paths[TUNNEL], paths[PUBLIC], seed=run.seed)
    time = _time(run, added)
    matches = tuple(match_findings(cells, run.question, what="check"))
    is_refuted = judge.MISMATCH in cells["result"]
    found = tuple(_findings(run, cells, steps, time))
    findings = (*matches, *found) if is_refuted else (*found, *matches)
    conditions = (
        f"{counted(len(repeats), 'repeat')}, a lab each; headers decoded from captures "
        f"on every interface; {run.tables['rtts'].height} timed pings; GRE by Open vSwitch in user "
        f"space; scenario {run.about['scenario']}"
    )
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(_outcome(each, run, cells, added) for each in run.question.predictions),
        tables=tuple(_tables(run, cells, steps, legs, paths)),
        pictures=tuple(
            _pictures(findings[0], steps, legs, paths, time=time, conditions=conditions)
        ),
        conditions=conditions,
        is_refuted=is_refuted,
        data=tuple(cells.drop("figure", "samples").rows(named=True)),
    )


def _paths(run: Run) -> dict[str, Repeats]:
    """Round trips by path, an array for each repeat."""
    rtts = run.tables["rtts"]
    repeats = rtts["repeat"].unique(maintain_order=True)
    return {
        path: [
            rtts.filter(path=path, repeat=repeat)["rtt_ms"].drop_nulls().to_numpy()
            for repeat in repeats
        ]
        for path in PATHS
    }


def _findings(run: Run, cells: pl.DataFrame, steps: Sequence[Step], time: str) -> Iterator[str]:
    if inexact := [step.number for step in steps if step.is_inexact]:
        yield (
            f"A ping through GRE, header by header: {len(inexact)} of the article's {len(steps)} steps "
            "are inexact"
        )
    seen_of = {row["check"]: values_text(row["measured"]) for row in cells.iter_rows(named=True)}
    largest = seen_of[LARGEST]
    over = f"at {int(largest) + 1}" if largest.isdigit() else "with one byte more"
    yield f"{largest} bytes pass with DF; {over}, {seen_of[OVER_FROM]} sends ICMP"
    texts = cells.filter(about=READS)["measured"].to_list()
    forged = run.tables["injected"].filter(case=FORGED).sum()
    yield (
        f"A router on the path can read {texts.count([YES])} of {len(texts)} texts; "
        f"{forged['arrived'].item()} of {forged['sent'].item()} forged packets reach the server"
    )
    yield time


def _time(run: Run, added: Difference) -> str:
    """The round trip that the tunnel adds to the path to the same router."""
    idle = _idle(run)
    busy = "" if idle >= IDLE_MIN else f"; CPU only {idle:.0%} idle"
    by = between(added.interval, signed=True) if added.interval else f"{added.estimate:+.3f}"
    interval = "95% interval" if added.interval else "no confidence interval"
    return f"The tunnel changes a round trip to the same router by {by} ms ({interval}{busy})"


def _idle(run: Run) -> float:
    """The idle share of CPU time while round trips were timed; 1 if it was not recorded."""
    windows = [window for each in run.about.get("measured", ()) for window in each["windows"]]
    seen = [each for each in windows if each.get("cpu_idle") is not None and each.get("length_s")]
    length_s = sum(each["length_s"] for each in seen)
    idle_s = sum(each["cpu_idle"] * each["length_s"] for each in seen)
    return float(idle_s / length_s) if length_s else 1.0


def _outcome(prediction: Prediction, run: Run, cells: pl.DataFrame, added: Difference) -> Outcome:
    if prediction.about == LATENCY:
        is_busy, found = _idle(run) < IDLE_MIN, _time(run, added)
        outcome = NOT_JUDGED if is_busy else judge.of_ranges(prediction, (added.interval,))
    else:
        about = cells.filter(about=prediction.about)
        outcome = judge.of_cells(about["result"])
        mismatches = (
            f"; {row['check']}: {values_text(row['measured'])}, not {value_text(row['predicted'])}"
            for row in about.filter(result=judge.MISMATCH).iter_rows(named=True)
        )
        matching = (about["result"] == judge.MATCHES).sum()
        found = f"{matching} of {counted(about.height, 'check')} match{''.join(mismatches)}"
    return judge.judged(run, prediction, outcome, found, name="")


def _tables(
    run: Run, cells: pl.DataFrame, steps: Sequence[Step], legs: Legs, paths: Mapping[str, Repeats]
) -> Iterator[Table]:
    yield _headers_table(legs, steps)
    if steps:
        yield article_table(steps)
    yield _paths_table(paths)
    plain = cells_table(cells, run.question)
    words = ("about", "check", "predicted", "measured", "difference", "result")
    note = "A check matches if every repeat saw what was predicted."
    yield replace(plain, title="Every check", words=words, note=note)


def _headers_table(legs: Legs, steps: Sequence[Step]) -> Table:
    """A row for each header of each leg, except ICMP, which is innermost in all."""
    words = ("way", "where", "header", "article")
    return Table(
        title="One ping's headers, outermost first",
        heads=(*words, "TTL"),
        rows=tuple(row for way in figure.WAYS for row in _header_rows(way, legs[way], steps)),
        words=words,
        note="ICMP is innermost everywhere. `article`: the step about this header; a ! marks an "
        "inexact one.",
    )


def _header_rows(way: str, legs: Sequence[Leg], steps: Sequence[Step]) -> Iterator[tuple[str, ...]]:
    for at, leg in enumerate(legs):
        ttls = iter(leg.ttls)
        for number, header in enumerate(each for each in leg.stack if each.protocol != ICMP):
            named = [
                f"{step.number}{'!' if step.is_inexact else ''}"
                for step in steps
                if way == THERE
                and STEP_AT.get(step.number) in {(at, number), (at - len(legs), number)}
            ]
            yield (
                way if not number and not at else "",
                leg.where if not number else "",
                str(header),
                ", ".join(named),
                NONE if header.protocol == GRE else str(next(ttls, NONE)),
            )


def _paths_table(paths: Mapping[str, Repeats]) -> Table:
    def line(path: str) -> tuple[str, ...]:
        samples = np.concatenate(paths[path])
        figures = np.percentile(samples, (50, 10, 90)) if len(samples) else ()
        return (path, str(len(samples)), *map(figure_text, figures))

    return Table(
        title="Round trips",
        heads=("path", "pings", "median", "p10", "p90"),
        rows=tuple(line(path) for path in paths),
        words=("path",),
        note="In milliseconds. public: to the far router's public address; tunnel: to the same "
        "router through the tunnel; server: one LAN further.",
    )


def _pictures(
    first: str,
    steps: Sequence[Step],
    legs: Legs,
    paths: Mapping[str, Repeats],
    *,
    time: str,
    conditions: str,
) -> Iterator[Picture]:
    in_words = (
        f"{way}: "
        + ", ".join(f"{leg.where} {' in '.join(map(str, leg.ips[::-1]))}" for leg in each)
        for way, each in legs.items()
    )
    notes = {
        STEP_AT[each.number][0] % len(legs[THERE]): NOTES[each.number]
        for each in steps
        if each.is_inexact and each.number in NOTES
    }
    yield Picture(
        name="walk",
        title=first,
        alternative="; ".join(in_words),
        draw=lambda caption: figure.draw(legs, notes, caption),
        conditions="Each row: the headers on a wire, or inside a router (grey); an IP header has its "
        "source above its target. Red: changed since the row above, or not as in the article, whose "
        f"steps are numbered by paragraph and sentence. {conditions}",
    )
    if all(any(map(len, repeats)) for repeats in paths.values()):
        yield Picture(
            name="walk-latency",
            title=time,
            alternative=f"Box plots of round trips by path. {time}",
            draw=lambda caption: figure.draw_paths(paths, caption),
        )
