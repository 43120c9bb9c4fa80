"""Tells a run of `segments`: what was kept apart, beside what each type can name."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from controller.flows.binding import LOCAL_VLAN_MAX
from controller.model.encap import NetworkType
from controller.model.modes import parse_mode
from experiments.core.question import Row
from experiments.core.results import Run
from experiments.segments import figure as drawn
from experiments.show import cells
from experiments.show.report import NONE, Picture, Report, Table, counted
from experiments.show.sheet import Caption

CLAIMED = 2**24  # the article, of GRE's ids
BY_TYPE = {
    NetworkType.FLAT: "one network to a physical network",
    NetworkType.LOCAL: "as many as a host has local VLANs",
}


def build_report(run: Run) -> Report:
    """The story of a run of `segments`.

    Raises:
        MeasureError: nothing was foretold, or no sample is of a cell.
    """
    report = cells.build_report(run)
    lanes = tuple(_lanes(run))
    if not report.is_refuted:
        report = replace(report, findings=tuple(_findings(run, lanes)))
    report = replace(report, tables=(_counts(run), _spaces(lanes)))
    return replace(report, pictures=(_picture(run, report, lanes),))


def _lanes(run: Run) -> Iterable[drawn.Lane]:
    """What is drawn of each mode, in the order of the question."""
    for mode in map(str, run.question.factors["mode"]):
        rows = [row for row in run.rows_of("networks") if row["mode"] == mode]
        if rows:
            kind = kind_of(mode)
            yield drawn.Lane(
                mode=mode,
                ids_most=kind.kind.id_max,
                without_id=BY_TYPE.get(kind, ""),
                made=len({row["network"] for row in rows}),
                proven=_ids(rows, proven=True),
                failed=_ids(rows, proven=False),
                apart=len({row["network"] for row in rows} - _failed(rows)),
                has_br_int=has_br_int(mode),
            )


def kind_of(mode: str) -> NetworkType:
    """The type of the networks of a mode that names one."""
    if mode == NetworkType.LOCAL:
        return NetworkType.LOCAL
    return parse_mode(mode).network_type or NetworkType.LOCAL


def is_proven(row: Row) -> bool:
    """True if the network's guests met, nobody else heard or answered, and the wire bore its id."""
    said = (row["reached"], row["labelled"], row.get("answered", 1), not row["leaks"])
    return all(map(bool, said))


def _failed(rows: Iterable[Row]) -> set[object]:
    return {row["network"] for row in rows if not is_proven(row)}


def _ids(rows: Iterable[Row], *, proven: bool) -> tuple[int, ...]:
    found = (row["segmentation_id"] for row in rows if is_proven(row) is proven)
    return tuple(sorted({int(id_) for id_ in found if id_}))


def _findings(run: Run, lanes: tuple[drawn.Lane, ...]) -> Iterable[str]:
    least, most = min(lane.made for lane in lanes), max(lane.made for lane in lanes)
    many = str(most) if least == most else f"{least} to {most}"
    heard = sum(int(str(row["leaks"])) for row in run.rows_of())
    asked = [bool(row["answered"]) for row in run.rows_of("networks") if "answered" in row]
    matching = ", the same addresses in all" if asked else ""
    yield f"{many} networks of each type at once{matching}: all reach their own, {counted(heard, 'frame')} leaked"
    if asked:
        yield f"ARP for the same address in each: {sum(asked)} of {len(asked)} answered by their own guest alone"
    gre = max(
        (max(lane.proven, default=0) for lane in lanes if lane.mode.startswith("gre")), default=0
    )
    if gre > CLAIMED:
        yield f"GRE: key {gre:,} crossed the wire whole; the article says 2^24 ids"


def _counts(run: Run) -> Table:
    """A line for each lab; what is not as foretold says so."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for cell in cells.cells_of(run):
        name = cell.further or run.question.value
        is_as_foretold = cell.outcome in {cells.MATCH, cells.MISSING}
        said = cell.seen if is_as_foretold else f"{cell.seen} (foretold {cell.predicted})"
        found.setdefault(tuple(map(str, cell.key.values())), {})[name] = said
    names = tuple(dict.fromkeys(name for line in found.values() for name in line))
    return Table(
        title="By type",
        heads=("mode", "networks", *names),
        rows=tuple(
            (*key, *(line.get(name, NONE) for name in names)) for key, line in found.items()
        ),
        words=("mode",),
        note="Networks, but for leaks, which are frames; refused are networks that cannot be.",
    )


def _spaces(lanes: Iterable[drawn.Lane]) -> Table:
    """What each type can name, which is arithmetic, and what was proven, which is not."""
    return Table(
        title="Id spaces",
        heads=(
            "mode",
            "ids it can name",
            "at once on one host",
            "tried",
            "proven",
            "least",
            "most",
        ),
        rows=tuple(
            (
                lane.mode,
                str(lane.ids_most or NONE),
                _on_one_host(lane.mode),
                str(lane.made),
                str(lane.apart),
                *_ends(lane.proven),
            )
            for lane in lanes
        ),
        words=("mode",),
        note="Ids: by the width of the field on the wire (VLAN 12 bits without 0 and 4095, VNI 24 and "
        "key 32 without 0); flat has one network to a physical network, local no id. At once on one "
        f"host: whatever the type, br-int has local VLANs 1..{LOCAL_VLAN_MAX}, one to a network; Linux "
        "bridges have none. Both are arithmetic. Proven: made, its guests met, no frame leaked, "
        "its id seen on the wire; asked for by ARP, its own guest alone answered.",
    )


def has_br_int(mode: str) -> bool:
    """A Linux bridge to each network has no local VLAN, so no such limit."""
    return mode == NetworkType.LOCAL or not parse_mode(mode).is_kernel


def _on_one_host(mode: str) -> str:
    return str(LOCAL_VLAN_MAX) if has_br_int(mode) else NONE


def _ends(ids: tuple[int, ...]) -> tuple[str, str]:
    return (str(ids[0]), str(ids[-1])) if ids else (NONE, NONE)


def _picture(run: Run, report: Report, lanes: tuple[drawn.Lane, ...]) -> Picture:
    limits: Mapping[str, int] = {"host": LOCAL_VLAN_MAX, "claimed": CLAIMED}
    return Picture(
        name=run.question.name,
        title="Ids that each type can name, and those proven",
        alternative=f"a line for each mode from id 1 to its last, dots at ids tried; {report.findings[0]}",
        draw=lambda report: drawn.draw(lanes, Caption.of(report), limits),
    )
