"""The report of `mtu`: the largest packets, the outcomes of other sizes, and TCP."""

from collections.abc import Iterator, Sequence
from statistics import median

import polars as pl

from controller.model.errors import MeasureError
from controller.model.modes import KERNEL
from experiments.core.results import Run
from experiments.mtu import tables
from experiments.mtu.figure import Stream, draw_goodput, draw_map
from experiments.mtu.tables import CONTROLS, KEY, by_name
from experiments.mtu.words import (
    AFTER_ICMP,
    COMPLETES,
    FRAG_NEEDED,
    GUEST_PORT,
    HANGS,
    REFUSED,
    RIGHT,
    SOME,
    TOO_LARGE,
    WITHOUT_ICMP,
)
from experiments.show import judge
from experiments.show.cells import exact_cells, values_text
from experiments.show.judge import MATCHES, MISMATCH
from experiments.show.report import (
    CONFIRMED,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Picture,
    Report,
    counted,
)

APART_MIN = 4  # transfers at each end: chance separates them completely in 1 of 70 draws
IS_KERNEL = pl.col("mode").str.starts_with(KERNEL)

Result = tuple[str, str, str]  # a finding, the outcome of its prediction, and what was measured
NOT_MEASURED: Result = ("", NOT_JUDGED, "not measured")


def build_report(run: Run) -> Report:
    """The report of one run.

    Raises:
        MeasureError: there is not one sample.
    """
    cells = cells_of(run)
    if cells.is_empty():
        raise MeasureError(
            "no sample",
            where=str(run.directory / "samples.csv"),
            allowed="a line per lab",
            do="Run it again; run.json has its status.",
        )
    streams = tuple(_streams(run, cells))
    sizes = _of_cells(run, cells, "outcomes")
    too_large = sizes.filter(pl.col("ip_bytes") > pl.col("limit"), guest=TOO_LARGE)
    results = {
        "largest": _largest(cells),
        "larger": _larger(run, too_large),
        "tcp": _tcp(run),
        "kernel": _kernel(run, too_large),
        "goodput": _goodput(streams),
    }
    findings = tuple(finding for finding, _, _ in results.values() if finding)
    has_kernel = cells.select(IS_KERNEL.any()).item()
    shown = (tables.largest(cells), tables.outcomes(run), tables.tcp(run), tables.goodput(streams))
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(
            judge.judged(run, each, *results[each.about][1:], name="")
            for each in run.question.predictions
            if has_kernel or each.about != "kernel"
        ),
        tables=tuple(table for table in shown if table.rows),
        pictures=tuple(_pictures(run, cells, streams, findings[0], results["goodput"][0])),
        conditions=_conditions(run),
        is_refuted=MISMATCH in cells["result"],
        data=tuple(
            cells.select(
                *KEY,
                pl.col("measured").alias("largest_bytes"),
                "predicted",
                is_equal=pl.col("result") == MATCHES,
            ).rows(named=True)
        ),
    )


def cells_of(run: Run) -> pl.DataFrame:
    """A row for each point that was measured: `exact_cells`, `limit` and its last sample."""
    cells = exact_cells(run).filter(pl.col("samples") > 0)
    last = run.samples.group_by(KEY).last().drop("repeat", "order", "largest_bytes")
    return cells.with_columns(
        pl.col("measured").list.sort(), limit=pl.col("measured").list.max()
    ).join(last, on=KEY, maintain_order="left")


def _of_cells(run: Run, cells: pl.DataFrame, table: str) -> pl.DataFrame:
    """The rows of a table with the `limit` of their point, in the order of `cells`."""
    return cells.select(*KEY, "limit").join(run.tables[table], on=KEY, maintain_order="left_right")


def _largest(cells: pl.DataFrame) -> Result:
    mismatches = cells.filter(result=MISMATCH).rows(named=True)
    number = cells.height
    matching = number - len(mismatches)
    finding = f"Every largest packet is exactly as predicted: {number} of {number}"
    if mismatches:
        first = mismatches[0]
        more = f" and {len(mismatches) - 1} more" if len(mismatches) > 1 else ""
        finding = (
            f"{matching} of {number} largest packets are as predicted, not {first['mode']} over "
            f"{first['underlay_mtu']} ({values_text(first['measured'])}, predicted "
            f"{first['predicted']}){more}"
        )
    found = f"{matching} of {number} are exactly equal"
    return finding, judge.of_cells(cells["result"]), found


def _larger(run: Run, too_large: pl.DataFrame) -> Result:
    """What Open vSwitch does with sizes above the limit that the guest could send."""
    is_sent = (pl.col("df") == 0) | (pl.col("ip_bytes") <= pl.col("guest_mtu"))
    sizes = too_large.filter(~IS_KERNEL, is_sent)
    if sizes.is_empty():
        return NOT_MEASURED
    silent = sizes.filter(
        pl.col("outcome").is_in(WITHOUT_ICMP), pl.col("reached") == GUEST_PORT
    ).height
    controls = run.tables["outcomes"].filter(pl.col("size").is_in(CONTROLS))
    passed = controls.filter(pl.col("answered") == pl.col("sent")).height
    finding = (
        f"The sender's OVS drops larger packets without ICMP: {silent} of {sizes.height} sizes"
    )
    outcome = _all(silent, sizes.height) if passed == controls.height else UNDECIDED
    found = (
        f"{silent} of {sizes.height} sizes leave the guest but not its host, without ICMP; the limit "
        f"passes before and after them in {passed} of {controls.height}"
    )
    return finding, outcome, found


def _transfers(run: Run, guest: str, outcome: str, *, kernel: bool) -> tuple[int, int]:
    """How many transfers had that outcome, and how many there were."""
    rows = run.tables["tcp"].filter(kernel == IS_KERNEL, guest=guest)
    return rows.filter(outcome=outcome).height, rows.height


def _tcp(run: Run) -> Result:
    hung, large = _transfers(run, TOO_LARGE, HANGS, kernel=False)
    done, right = _transfers(run, RIGHT, COMPLETES, kernel=False)
    if not large:
        return NOT_MEASURED
    finding = (
        f"TCP over OVS hangs: {hung} of {large} with MTU too large, {right - done} of {right} with "
        "the right MTU"
    )
    found = (
        f"MTU too large: {hung} of {large} hang after the handshake; right MTU: {done} of {right} "
        "complete"
    )
    return finding, _all(hung + done, large + right), found


def _kernel(run: Run, too_large: pl.DataFrame) -> Result:
    sizes = too_large.filter(IS_KERNEL, df=1)
    hung, alone = _transfers(run, TOO_LARGE, HANGS, kernel=True)
    done, after = _transfers(run, AFTER_ICMP, COMPLETES, kernel=True)
    passed, right = _transfers(run, RIGHT, COMPLETES, kernel=True)
    if not alone:
        return NOT_MEASURED
    finding = (
        f"TCP over kernel VXLAN, MTU too large: {hung} of {alone} hang, after ICMP {done} of {after} "
        "complete"
    )
    if sizes.is_empty() or not after:
        return finding, *NOT_MEASURED[1:]
    known = sizes.filter(pl.col("outcome").is_in([FRAG_NEEDED, REFUSED])).height
    found = (
        f"{known} of {sizes.height} sizes with DF cause ICMP or are refused by the guest, which then "
        f"knows the path's MTU; TCP: {hung} of {alone} hang, {done} of {after} complete after ICMP, "
        f"{passed} of {right} with the right MTU"
    )
    outcome = _all(known + hung + done + passed, sizes.height + alone + after + right)
    return finding, outcome, found


def _goodput(streams: Sequence[Stream]) -> Result:
    """By transfers that alternate between MTUs: there are no repeats to make an interval from."""
    risen = [each for each in streams if each.gain]
    if not risen:
        return NOT_MEASURED
    lowest, gains = min(streams[0].samples), sorted(each.gain for each in risen)
    many = " to ".join(dict.fromkeys((f"{gains[0]:.1f}", f"{gains[-1]:.1f}")))
    is_above = any(
        value
        for each in streams
        if not each.is_kernel
        for mtu, samples in each.samples.items()
        if mtu > each.limit
        for value in samples
    )
    ends = [(each.samples[min(each.samples)], each.samples[each.limit]) for each in risen]
    medians = (
        f"{each.mode} {median(at_lowest):.0f} to {median(at_limit):.0f}"
        for each, (at_lowest, at_limit) in zip(risen, ends, strict=True)
    )
    finding = f"Median TCP goodput at the limit: {many} times that at {lowest} bytes"
    found = (
        f"medians from {lowest} bytes to the limit [Mbit/s]: {', '.join(medians)}; "
        f"{'not zero' if is_above else 'zero'} above it"
    )
    return finding, REFUTED if is_above else _rise(ends), found


def _rise(ends: Sequence[tuple[Sequence[float], Sequence[float]]]) -> str:
    """Confirmed if in every mode all transfers at the limit are faster than all at the lowest MTU.

    Args:
        ends: goodput at the lowest MTU and at the limit, by mode.
    """
    if min(len(end) for both in ends for end in both) < APART_MIN:
        return NOT_JUDGED
    if any(median(lowest) >= median(limit) for lowest, limit in ends):
        return REFUTED
    return CONFIRMED if all(max(lowest) < min(limit) for lowest, limit in ends) else UNDECIDED


def _all(number: int, of: int) -> str:
    return CONFIRMED if number == of else REFUTED


def tiles(run: Run) -> pl.DataFrame:
    """The outcome of each size, by each of its names; SOME if repeats differ."""
    named = run.predicted.select(KEY).join(by_name(run), on=KEY, maintain_order="left_right")
    outcome = pl.col("outcome")
    return named.group_by(*KEY, "guest", "size", is_df=pl.col("df") == 1, maintain_order=True).agg(
        pl.col("ip_bytes").first(),
        pl.when(outcome.n_unique() == 1).then(outcome.first()).otherwise(pl.lit(SOME)),
    )


def _streams(run: Run, cells: pl.DataFrame) -> Iterator[Stream]:
    """Goodput by mode, over the lowest underlay MTU that it was measured on."""
    transfers = _of_cells(run, cells, "goodput").sort("guest_mtu", maintain_order=True)
    lowest = transfers.filter(pl.col("underlay_mtu") == pl.col("underlay_mtu").min())
    for mode, limit in cells.join(lowest, on=KEY, how="semi").select("mode", "limit").rows():
        by_mtu = lowest.filter(mode=mode).group_by("guest_mtu", maintain_order=True)
        samples = {int(str(mtu)): each["mbit_s"].fill_null(0).to_list() for (mtu,), each in by_mtu}
        yield Stream(mode=mode, limit=limit, samples=samples)


def _conditions(run: Run) -> str:
    above = (run.samples["guest_mtu"] - run.samples["underlay_mtu"]).unique().sort()
    return (
        f"{counted(run.samples.height, 'lab')}, {counted(run.tables['pings'].height, 'run')} of "
        f"ping; IPv4; scenario {run.about['scenario']}; guests' MTU too large: {values_text(above)} "
        "bytes above the underlay's"
    )


def _pictures(
    run: Run, cells: pl.DataFrame, streams: Sequence[Stream], first: str, gain: str
) -> Iterator[Picture]:
    shown = tiles(run)
    largest = ", ".join(
        f"{cell['mode']} over {cell['underlay_mtu']}: {values_text(cell['measured'])}"
        for cell in cells.rows(named=True)
    )
    if not shown.is_empty():
        yield Picture(
            name="mtu",
            title=first,
            alternative="A map of outcomes by size, mode, DF and underlay MTU. Largest packets: "
            f"{largest}",
            draw=lambda caption: draw_map(shown, cells, caption),
        )
    if streams:
        underlay_mtu = int(str(run.tables["goodput"]["underlay_mtu"].min()))
        yield Picture(
            name="mtu-goodput",
            title=gain or "TCP goodput over guests' MTU",
            alternative=f"TCP goodput by guests' MTU. {gain}",
            draw=lambda caption: draw_goodput(streams, underlay_mtu, caption),
        )
