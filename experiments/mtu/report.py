"""The report of `mtu`: the largest packets, the outcomes of other sizes, and TCP."""

from collections.abc import Iterator, Sequence
from statistics import median

import polars as pl

from controller.model.errors import MeasureError
from controller.model.modes import KERNEL
from controller.model.wording import counted
from experiments.core.results import Run
from experiments.mtu import figure, goodput, tables
from experiments.mtu.goodput import Stream, draw_goodput
from experiments.mtu.shown import limits_of, lowest_underlay, streams_of, strips_of
from experiments.mtu.tables import CONTROLS, KEY
from experiments.mtu.words import (
    AFTER_ICMP,
    COMPLETES,
    FRAG_NEEDED,
    FRAGMENTED,
    GUEST_PORT,
    HANGS,
    REFUSED,
    RIGHT,
    TOO_LARGE,
    WITHOUT_ICMP,
)
from experiments.show import judge
from experiments.show.cells import exact_cells, values_text
from experiments.show.judge import MATCHES, MISMATCH
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED, Picture, Report

APART_MIN = 4  # transfers at each end: chance separates them completely in 1 of 70 draws
IS_DROPPED = pl.col("outcome").is_in(WITHOUT_ICMP) & (pl.col("reached") == GUEST_PORT)
IS_KERNEL = pl.col("mode").str.starts_with(KERNEL)

KERNEL_NOTE = "; kernel VXLAN, which is faster, is in the table"

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
    streams = tuple(streams_of(run, cells))
    sizes = _of_cells(run, cells, "outcomes")
    too_large = sizes.filter(pl.col("ip_bytes") > pl.col("limit"), guest=TOO_LARGE)
    results = {
        "largest": _largest(cells),
        "larger": _larger(run, too_large),
        "right": _right(sizes),
        "tcp": _tcp(run),
        "kernel": _kernel(run, too_large),
        "goodput": _goodput(streams),
    }
    findings = (
        *(finding for finding, _, _ in results.values() if finding),
        *_mismatches(cells),
    )
    has_kernel = cells.select(IS_KERNEL.any()).item()
    shown = (
        tables.limits(limits_of(cells)),
        tables.largest(cells),
        tables.outcomes(run),
        tables.tcp(run),
        tables.goodput(streams),
    )
    return Report(
        run=run,
        findings=findings,
        outcomes=tuple(
            judge.judged(run, each, *results[each.about][1:], name="")
            for each in run.question.predictions
            if has_kernel or each.about != "kernel"
        ),
        tables=tuple(table for table in shown if table.rows),
        pictures=tuple(
            _pictures(
                run,
                cells,
                streams,
                _title(cells, too_large) or results["larger"][0] or results["largest"][0],
                results["goodput"][0],
            )
        ),
        conditions=_conditions(run, cells),
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
    """The largest packets over the smallest underlay MTU, and how many of all are as predicted."""
    underlay_mtu, limits = lowest_underlay(cells), limits_of(cells)
    largest = ", ".join(
        f"{each.name} {each.largest[underlay_mtu][0]}"
        for each in limits
        if underlay_mtu in each.largest
    )
    finding = f"Largest packet over an underlay MTU of {underlay_mtu}: {largest} bytes"
    matching = cells.filter(result=MATCHES).height
    found = f"{matching} of {cells.height} are exactly equal"
    return finding, judge.of_cells(cells["result"]), found


def _mismatches(cells: pl.DataFrame) -> Iterator[str]:
    """The largest packets that are not as predicted: the first one."""
    mismatches = cells.filter(result=MISMATCH).rows(named=True)
    if mismatches:
        first = mismatches[0]
        more = f" (and {len(mismatches) - 1} more)" if len(mismatches) > 1 else ""
        yield (
            f"Not as predicted: {first['mode']} over {first['underlay_mtu']}, largest packet "
            f"{values_text(first['measured'])}, predicted {first['predicted']}{more}"
        )


def _title(cells: pl.DataFrame, too_large: pl.DataFrame) -> str:
    """Above which sizes Open vSwitch drops packets; empty if it does not drop every one."""
    sizes = _larger_sent(too_large)
    if sizes.is_empty() or not sizes.select(IS_DROPPED.all()).item():
        return ""
    underlay_mtu = lowest_underlay(cells)
    above = (
        f"{each.largest[underlay_mtu][0]} ({each.name})"
        for each in limits_of(cells.filter(~IS_KERNEL))
        if underlay_mtu in each.largest
    )
    return f"Above {', '.join(above)} bytes, OVS drops packets without ICMP"


def _larger_sent(too_large: pl.DataFrame) -> pl.DataFrame:
    """The sizes above the limit that reached Open vSwitch: the guest could send them."""
    is_sent = (pl.col("df") == 0) | (pl.col("ip_bytes") <= pl.col("guest_mtu"))
    return too_large.filter(~IS_KERNEL, is_sent)


def _larger(run: Run, too_large: pl.DataFrame) -> Result:
    """What Open vSwitch does with sizes above the limit that the guest could send."""
    sizes = _larger_sent(too_large)
    if sizes.is_empty():
        return NOT_MEASURED
    silent = sizes.filter(IS_DROPPED).height
    controls = run.tables["outcomes"].filter(pl.col("size").is_in(CONTROLS))
    passed = controls.filter(pl.col("answered") == pl.col("sent")).height
    many = f"{silent} of {sizes.height} sizes"
    finding = (
        f"The sender's OVS drops larger packets without ICMP ({many})"
        if silent == sizes.height
        else f"Larger packets that the sender's OVS drops without ICMP: {many}"
    )
    outcome = _all(silent, sizes.height) if passed == controls.height else UNDECIDED
    found = (
        f"{silent} of {sizes.height} sizes leave the guest but not its host, without ICMP; the limit "
        f"passes before and after them in {passed} of {controls.height}"
    )
    return finding, outcome, found


def _right(sizes: pl.DataFrame) -> Result:
    """What becomes of larger packets if the guests' MTU is the limit; no prediction is about it."""
    larger = sizes.filter(pl.col("ip_bytes") > pl.col("limit"), guest=RIGHT)
    if larger.is_empty():
        return NOT_MEASURED
    kept = larger.filter(pl.col("outcome").is_in([REFUSED, FRAGMENTED])).height
    many = f"{kept} of {larger.height} sizes"
    finding = (
        f"With the right MTU the guest's own kernel refuses or fragments larger packets ({many})"
        if kept == larger.height
        else f"Larger packets that the guest's own kernel refuses or fragments with the right MTU: {many}"
    )
    return finding, *NOT_MEASURED[1:]


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
        f"TCP over OVS hangs if the guests' MTU is too large ({hung} of {large} transfers), and "
        f"completes with the right one ({done} of {right})"
        if hung == large and done == right
        else f"TCP over OVS: with too large an MTU in guests {hung} of {large} transfers hang, with the "
        f"right one {done} of {right} complete"
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
    finding = f"TCP over kernel VXLAN hangs if the guests' MTU is too large ({hung} of {alone})"
    if hung < alone or done < after:
        finding = (
            f"TCP over kernel VXLAN: with too large an MTU in guests {hung} of {alone} transfers hang, "
            f"after ICMP {done} of {after} complete"
        )
    elif after:
        finding += f", until another packet has caused ICMP ({done} of {after} complete)"
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
    above = [
        value
        for each in streams
        if not each.is_kernel
        for mtu, samples in each.samples.items()
        if mtu > each.limit
        for value in samples
    ]
    is_above = any(above)
    ends = [(each.samples[min(each.samples)], each.samples[each.limit]) for each in risen]
    medians = (
        f"{each.mode} {median(at_lowest):.0f} to {median(at_limit):.0f}"
        for each, (at_lowest, at_limit) in zip(risen, ends, strict=True)
    )
    finding = (
        f"TCP goodput rises {many} times from MTU {lowest} to the limit"
        if gains[0] > 1
        else f"TCP goodput at the limit is {many} times that with MTU {lowest}"
    )
    found = f"medians from {lowest} bytes to the limit [Mbit/s]: {', '.join(medians)}"
    if above:
        finding += f", and {'some data' if is_above else 'nothing'} arrives above it"
        found += f"; {'not zero' if is_above else 'zero'} above it"
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


def _conditions(run: Run, cells: pl.DataFrame) -> str:
    above = (run.samples["guest_mtu"] - run.samples["underlay_mtu"]).unique().sort()
    matching = cells.filter(result=MATCHES).height
    return (
        f"{matching} of {counted(cells.height, 'largest packet')} as predicted; "
        f"{counted(run.samples.height, 'lab')}, {counted(run.tables['pings'].height, 'run')} of "
        f"ping; IPv4; scenario {run.about['scenario']}; guests' MTU too large: {values_text(above)} "
        "bytes above the underlay's"
    )


def _pictures(
    run: Run, cells: pl.DataFrame, streams: Sequence[Stream], first: str, gain: str
) -> Iterator[Picture]:
    strips, limits = strips_of(run, cells), limits_of(cells)
    largest = ", ".join(
        f"{each.name} over {mtu}: {text}"
        for each in limits
        for mtu, (text, _) in each.largest.items()
    )
    if strips:
        underlay_mtu = lowest_underlay(cells)
        guest_mtu = run.tables["outcomes"].filter(underlay_mtu=underlay_mtu, guest=TOO_LARGE)
        yield Picture(
            name="mtu",
            title=first,
            alternative=f"What happens to a packet of each size over an underlay MTU of {underlay_mtu}, "
            f"by mode, with and without DF. Largest packets: {largest}",
            draw=lambda caption: figure.draw_map(
                strips, int(guest_mtu["guest_mtu"][0]), limits, caption
            ),
            conditions=f"Underlay MTU {underlay_mtu}. {_conditions(run, cells)}",
        )
    if streams:
        shown = goodput.drawn(streams)
        underlay_mtu = int(str(run.tables["goodput"]["underlay_mtu"].min()))
        transfers = counted(
            max(len(some) for each in shown for some in each.samples.values()), "transfer"
        )
        yield Picture(
            name="mtu-goodput",
            title=gain or "TCP goodput over guests' MTU",
            alternative=f"TCP goodput over the guests' MTU, by mode. {gain}",
            draw=lambda caption: draw_goodput(shown, caption),
            conditions=f"Underlay MTU {underlay_mtu}; {transfers} with each MTU (dots), line: median; "
            f"scenario {run.about['scenario']}{KERNEL_NOTE if len(shown) < len(streams) else ''}",
        )
