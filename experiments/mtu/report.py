"""The report of `mtu`: the largest packets, the outcomes of other sizes, and TCP."""

from collections.abc import Iterator, Sequence
from statistics import median

import polars as pl

from controller.model.errors import MeasureError
from controller.model.modes import KERNEL
from experiments.core.results import Run
from experiments.mtu import tables
from experiments.mtu.figure import Limit, Stream, Tile, draw_goodput, draw_map
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
    Outcome,
    Picture,
    Report,
    counted,
)
from experiments.show.sheet import Caption

APART_MIN = 4  # transfers at each end: chance separates them completely in 1 of 70 draws
IS_KERNEL = pl.col("mode").str.starts_with(KERNEL)
IS_SILENT = pl.col("outcome").is_in(WITHOUT_ICMP) & (pl.col("reached") == GUEST_PORT)
NOT_MEASURED = (NOT_JUDGED, "not measured")

Judged = tuple[str, str]  # outcome, and what was found


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
    findings = (_largest(cells), _larger(run, cells), _tcp(run), _kernel(run), _gain(streams))
    shown = (tables.largest(cells), tables.outcomes(run), tables.tcp(run), tables.goodput(streams))
    return Report(
        run=run,
        findings=tuple(filter(None, findings)),
        outcomes=tuple(_outcomes(run, cells, streams)),
        tables=tuple(table for table in shown if table.rows),
        pictures=tuple(_pictures(run, cells, streams)),
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


def _name(cell: dict[str, object]) -> str:
    return f"{cell['mode']} over {cell['underlay_mtu']}"


def _largest(cells: pl.DataFrame) -> str:
    mismatches = cells.filter(result=MISMATCH).rows(named=True)
    if not mismatches:
        return f"Every largest packet is exactly as predicted: {cells.height} of {cells.height}"
    first = mismatches[0]
    more = f" and {len(mismatches) - 1} more" if len(mismatches) > 1 else ""
    return (
        f"{cells.height - len(mismatches)} of {cells.height} largest packets are as predicted, not "
        f"{_name(first)} ({values_text(first['measured'])}, predicted {first['predicted']}){more}"
    )


def _too_large(run: Run, cells: pl.DataFrame) -> pl.DataFrame:
    """Sizes above the limit, from guests whose MTU is too large."""
    sizes = _of_cells(run, cells, "outcomes")
    return sizes.filter(pl.col("ip_bytes") > pl.col("limit"), guest=TOO_LARGE)


def larger(run: Run, cells: pl.DataFrame) -> pl.DataFrame:
    """Sizes above the limit that the guest could send, over Open vSwitch."""
    is_sent = (pl.col("df") == 0) | (pl.col("ip_bytes") <= pl.col("guest_mtu"))
    return _too_large(run, cells).filter(~IS_KERNEL, is_sent)


def _larger(run: Run, cells: pl.DataFrame) -> str:
    sizes = larger(run, cells)
    if sizes.is_empty():
        return ""
    silent = sizes.filter(IS_SILENT).height
    return f"The sender's OVS drops larger packets without ICMP: {silent} of {sizes.height} sizes"


def _transfers(run: Run, guest: str, outcome: str, *, kernel: bool) -> tuple[int, int]:
    """How many transfers had that outcome, and how many there were."""
    rows = run.tables["tcp"].filter(kernel == IS_KERNEL, guest=guest)
    return rows.filter(outcome=outcome).height, rows.height


def _tcp(run: Run) -> str:
    hung, large = _transfers(run, TOO_LARGE, HANGS, kernel=False)
    done, right = _transfers(run, RIGHT, COMPLETES, kernel=False)
    if not large:
        return ""
    return (
        f"TCP over OVS hangs: {hung} of {large} with MTU too large, {right - done} of {right} with "
        "the right MTU"
    )


def _kernel(run: Run) -> str:
    hung, alone = _transfers(run, TOO_LARGE, HANGS, kernel=True)
    done, after = _transfers(run, AFTER_ICMP, COMPLETES, kernel=True)
    if not alone:
        return ""
    return (
        f"TCP over kernel VXLAN, MTU too large: {hung} of {alone} hang, after ICMP {done} of {after} "
        "complete"
    )


def _gain(streams: Sequence[Stream]) -> str:
    gains = sorted(each.gain for each in streams if each.gain)
    if not gains:
        return ""
    many = " to ".join(dict.fromkeys((f"{gains[0]:.1f}", f"{gains[-1]:.1f}")))
    lowest = min(streams[0].samples)
    return f"Median TCP goodput at the limit: {many} times that at {lowest} bytes"


def _outcomes(run: Run, cells: pl.DataFrame, streams: Sequence[Stream]) -> Iterator[Outcome]:
    judges = {
        "largest": lambda: _judge_largest(cells),
        "larger": lambda: _judge_larger(run, cells),
        "tcp": lambda: _judge_tcp(run),
        "goodput": lambda: _judge_goodput(streams),
        "kernel": lambda: judge_kernel(run, cells),
    }
    has_kernel = not cells.filter(IS_KERNEL).is_empty()
    for prediction in run.question.predictions:
        if has_kernel or prediction.about != "kernel":
            outcome, found = judges[prediction.about]()
            yield judge.judged(run, prediction, outcome, found, name="")


def _judge_largest(cells: pl.DataFrame) -> Judged:
    matching = cells.filter(result=MATCHES).height
    return judge.of_cells(cells["result"]), f"{matching} of {cells.height} are exactly equal"


def _judge_larger(run: Run, cells: pl.DataFrame) -> Judged:
    sizes = larger(run, cells)
    if sizes.is_empty():
        return NOT_MEASURED
    silent = sizes.filter(IS_SILENT).height
    controls = run.tables["outcomes"].filter(pl.col("size").is_in(CONTROLS))
    passed = controls.filter(pl.col("answered") == pl.col("sent")).height
    found = (
        f"{silent} of {sizes.height} sizes leave the guest but not its host, without ICMP; the limit "
        f"passes before and after them in {passed} of {controls.height}"
    )
    return (_all(silent, sizes.height) if passed == controls.height else UNDECIDED), found


def _judge_tcp(run: Run) -> Judged:
    hung, large = _transfers(run, TOO_LARGE, HANGS, kernel=False)
    done, right = _transfers(run, RIGHT, COMPLETES, kernel=False)
    if not large:
        return NOT_MEASURED
    found = (
        f"MTU too large: {hung} of {large} hang after the handshake; right MTU: {done} of {right} "
        "complete"
    )
    return _all(hung + done, large + right), found


def judge_kernel(run: Run, cells: pl.DataFrame) -> Judged:
    """The prediction about kernel VXLAN: its outcome, and what was found."""
    sizes = _too_large(run, cells).filter(IS_KERNEL, df=1)
    hung, alone = _transfers(run, TOO_LARGE, HANGS, kernel=True)
    done, after = _transfers(run, AFTER_ICMP, COMPLETES, kernel=True)
    passed, right = _transfers(run, RIGHT, COMPLETES, kernel=True)
    if sizes.is_empty() or not alone or not after:
        return NOT_MEASURED
    known = sizes.filter(pl.col("outcome").is_in([FRAG_NEEDED, REFUSED])).height
    found = (
        f"{known} of {sizes.height} sizes with DF cause ICMP or are refused by the guest, which then "
        f"knows the path's MTU; TCP: {hung} of {alone} hang, {done} of {after} complete after ICMP, "
        f"{passed} of {right} with the right MTU"
    )
    return _all(known + hung + done + passed, sizes.height + alone + after + right), found


def _judge_goodput(streams: Sequence[Stream]) -> Judged:
    """By transfers that alternate between MTUs: there are no repeats to make an interval from."""
    risen = [each for each in streams if each.gain]
    if not risen:
        return NOT_MEASURED
    above = [
        value
        for each in streams
        if not each.is_kernel
        for mtu, samples in each.samples.items()
        if mtu > each.limit
        for value in samples
    ]
    ends = [(each.samples[min(each.samples)], each.samples[each.limit]) for each in risen]
    medians = (
        f"{each.mode} {each.median(min(each.samples)):.0f} to {each.median(each.limit):.0f}"
        for each in risen
    )
    found = (
        f"medians from {min(streams[0].samples)} bytes to the limit [Mbit/s]: {', '.join(medians)}; "
        f"{'not zero' if any(above) else 'zero'} above it"
    )
    return (REFUTED if any(above) else _rise(ends)), found


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


def tiles(run: Run) -> tuple[Tile, ...]:
    """The outcome of each size, by each of its names; SOME if repeats differ."""
    named = run.predicted.select(KEY).join(by_name(run), on=KEY, maintain_order="left_right")
    outcome = pl.col("outcome")
    found = named.group_by(*KEY, "guest", "size", is_df=pl.col("df") == 1, maintain_order=True).agg(
        pl.col("ip_bytes").first(),
        pl.when(outcome.n_unique() == 1).then(outcome.first()).otherwise(pl.lit(SOME)),
    )
    return tuple(Tile(**row) for row in found.rows(named=True))


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


def _pictures(run: Run, cells: pl.DataFrame, streams: Sequence[Stream]) -> Iterator[Picture]:
    found = tiles(run)
    limits = tuple(
        Limit(
            mode=cell["mode"],
            underlay_mtu=cell["underlay_mtu"],
            measured=values_text(cell["measured"]),
            predicted=str(cell["predicted"]),
        )
        for cell in cells.rows(named=True)
    )
    largest = ", ".join(f"{each.mode} over {each.underlay_mtu}: {each.measured}" for each in limits)
    if found:
        yield Picture(
            name="mtu",
            title="Outcomes of packets by size",
            alternative="A map of outcomes by size, mode, DF and underlay MTU. Largest packets: "
            f"{largest}",
            draw=lambda report: draw_map(found, limits, Caption.of(report)),
        )
    if streams:
        gain, underlay_mtu = _gain(streams), int(str(run.tables["goodput"]["underlay_mtu"].min()))
        yield Picture(
            name="mtu-goodput",
            title="Goodput over guests' MTU",
            alternative=f"TCP goodput by guests' MTU. {gain}",
            draw=lambda report: draw_goodput(
                streams, underlay_mtu, Caption.of(report, findings=(gain,) if gain else ())
            ),
        )
