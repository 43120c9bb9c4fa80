"""The report of `segments`: which networks are isolated, and how many ids each type has."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from controller.model.check import LOCAL_VLAN_MAX
from controller.model.encap import NetworkType
from controller.model.modes import parse_mode
from controller.model.wording import counted
from experiments.core.results import Run
from experiments.segments import figure
from experiments.segments.labs import type_of
from experiments.show import cells
from experiments.show.report import NONE, Picture, Report, Table, range_text

CLAIMED = 2**24  # ids of GRE, in the article
WITHOUT_ID = {
    NetworkType.FLAT: "no id: one per physical network",
    NetworkType.LOCAL: "no id: only the local VLAN",
}
TITLED = {"vlan": "VLAN", "vxlan": "VXLAN", "gre": "GRE"}  # types whose ids the chart's title names
POWER_FROM = 2**16  # numbers of ids from here on are written as a power of 2


def build_report(run: Run) -> Report:
    """The report of one run.

    Raises:
        MeasureError: run.json has no prediction, or no sample is of a predicted cell.
    """
    report = cells.build_report(run)
    lanes = tuple(_lanes(run))
    findings = report.findings if report.is_refuted else tuple(_findings(run, lanes))
    return replace(
        report,
        findings=findings,
        tables=(_counts(run), _id_spaces(lanes)),
        pictures=(
            Picture(
                name=run.question.name,
                title=findings[0] if report.is_refuted else _title(lanes),
                alternative="A line for each mode from its least to its greatest id, with dots at "
                f"the ids that were tried; {findings[0]}",
                draw=lambda caption: figure.draw(
                    lanes, caption, host_limit=LOCAL_VLAN_MAX, claimed=CLAIMED
                ),
                conditions="Bar: the ids that fit into the field on the wire (arithmetic). Dot: a "
                "network with this id is isolated, cross: it is not. Numbers: networks isolated, of "
                "those that were tried. Dashes: local VLANs of br-int (arithmetic). "
                f"{report.conditions}",
            ),
        ),
    )


def _lanes(run: Run) -> Iterator[figure.Lane]:
    """What is drawn of each mode, in the order of the question."""
    networks = run.tables["networks"].with_columns(is_proven=_is_proven(run.tables["networks"]))
    for mode in map(str, run.question.factors["mode"]):
        rows = networks.filter(mode=mode)
        if not rows.is_empty():
            made, failed = rows["network"].n_unique(), rows.filter(is_proven=False)
            proven_ids, failed_ids = (
                tuple(each["segmentation_id"].drop_nulls().unique().sort())
                for each in (rows.filter(is_proven=True), failed)
            )
            yield figure.Lane(
                mode=mode,
                greatest_id=type_of(mode).kind.id_max,
                without_id=WITHOUT_ID.get(type_of(mode), ""),
                made=made,
                isolated=made - failed["network"].n_unique(),
                proven=proven_ids,
                failed=failed_ids,
                # Linux bridges have no local VLANs.
                has_br_int=mode == NetworkType.LOCAL or not parse_mode(mode).is_kernel,
            )


def _is_proven(networks: pl.DataFrame) -> pl.Expr:
    """Its guests reach each other, nothing leaks, its id is on the wire, and its own guest answers.

    The last is not in runs of earlier versions.
    """
    wanted = [name for name in ("reached", "labelled", "answered") if name in networks.columns]
    return pl.all_horizontal(pl.col(*wanted).fill_null(0) > 0, pl.col("leaks").fill_null(0) == 0)


def _findings(run: Run, lanes: Sequence[figure.Lane]) -> Iterator[str]:
    number = range_text((lane.made for lane in lanes), "d")
    networks = run.tables["networks"]
    has_arp = "answered" in networks.columns
    same = ", all with the same addresses" if has_arp else ""
    leaks = counted(int(run.samples["leaks"].sum()), "frame")
    yield f"{number} networks of each type at once{same}: all isolated, {leaks} leaked"
    if has_arp:
        yield (
            f"ARP for the same address in each network: {(networks['answered'] > 0).sum()} of "
            f"{networks.height} answered only by its own guest"
        )
    greatest = max(
        (id_ for lane in lanes if lane.mode.startswith("gre") for id_ in lane.proven), default=0
    )
    if greatest > CLAIMED:
        yield f"GRE: key {greatest:,} crossed the wire unchanged; the article says 2²⁴ ids"


def _title(lanes: Sequence[figure.Lane]) -> str:
    """How many ids each type has, and that the networks tried are isolated."""
    ids = {lane.mode.removeprefix("k").partition("-")[0]: lane.greatest_id for lane in lanes}
    named = [f"{name} {_ids(ids[kind])}" for kind, name in TITLED.items() if kind in ids]
    number = range_text((lane.made for lane in lanes), "d")
    isolated = f"all {number} networks of each type are isolated"
    return f"Ids: {', '.join(named)}; {isolated}" if named else isolated.capitalize()


def _ids(greatest: int) -> str:
    """`4,094`, or `2²⁴` for ids from 1 to 2²⁴ - 1."""
    if greatest < POWER_FROM:
        return f"{greatest:,}"
    return "2" + str(greatest.bit_length()).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _counts(run: Run) -> Table:
    """A row for each lab."""
    counts = cells.by_level(cells.exact_cells(run), "figure", "mode", "networks")
    return Table(
        title="By type",
        heads=tuple(counts.columns),
        rows=cells.text_rows(counts),
        words=("mode",),
        note="Networks; leaks are frames. Refused: by the API, with a wrong id.",
    )


def _id_spaces(lanes: Sequence[figure.Lane]) -> Table:
    """How many ids each type has, by arithmetic, and those that were tried."""
    return Table(
        title="Ids of each type",
        heads=("mode", "ids", "at once on one host", "tried", "proven", "least", "greatest"),
        rows=tuple(
            (
                lane.mode,
                str(lane.greatest_id or NONE),
                str(LOCAL_VLAN_MAX) if lane.has_br_int else NONE,
                str(lane.made),
                str(lane.isolated),
                *(map(str, (lane.proven[0], lane.proven[-1])) if lane.proven else (NONE, NONE)),
            )
            for lane in lanes
        ),
        words=("mode",),
        note="Ids: by the width of the field on the wire (VLAN 12 bits without 0 and 4095, VNI 24 and "
        "key 32 without 0); flat has one network per physical network, local has no id. At once on "
        f"one host: with any type, br-int has one of the local VLANs 1..{LOCAL_VLAN_MAX} for each "
        "network; Linux bridges have no such limit. Both are arithmetic. Proven: its guests reach each "
        "other, no frame leaks, its id is on the wire, and only its own guest answers ARP.",
    )
