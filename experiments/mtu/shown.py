"""What the charts of `mtu` show: limits and outcomes of modes that agree, and goodput by mode."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import polars as pl

from controller.model.modes import KERNEL
from controller.model.wording import listed
from experiments.core.results import Run
from experiments.mtu import figure
from experiments.mtu.goodput import Stream
from experiments.mtu.tables import KEY, by_name
from experiments.mtu.words import SOME, TOO_LARGE
from experiments.show.cells import values_text
from experiments.show.families import protocols
from experiments.show.judge import MATCHES


def lowest_underlay(cells: pl.DataFrame) -> int:
    """The lowest underlay MTU that was measured."""
    return min(int(str(mtu)) for mtu in cells["underlay_mtu"])


def limits_of(cells: pl.DataFrame) -> tuple[figure.Limit, ...]:
    """The largest packets by underlay MTU, of modes that agree; in the order of the run."""
    by_mode = {
        str(mode): {
            cell["underlay_mtu"]: (_largest_text(cell), cell["result"] == MATCHES)
            for cell in of_mode.rows(named=True)
        }
        for (mode,), of_mode in cells.group_by("mode", maintain_order=True)
    }
    groups = _agreeing({mode: tuple(each.items()) for mode, each in by_mode.items()})
    return tuple(
        figure.Limit(name=name, largest=by_mode[modes[0]]) for name, modes in groups.items()
    )


def _largest_text(cell: Mapping[str, Any]) -> str:
    expected = "" if cell["result"] == MATCHES else f" (predicted {cell['predicted']})"
    return values_text(cell["measured"]) + expected


def _agreeing(values: Mapping[str, Hashable]) -> dict[str, list[str]]:
    """Modes with equal values; called by their protocols unless another group has one of these."""
    groups: dict[Hashable, list[str]] = {}
    for mode, value in values.items():
        groups.setdefault((mode.startswith(KERNEL), value), []).append(mode)
    uses = Counter(
        kind for modes in groups.values() for kind in {_protocol(each) for each in modes}
    )
    return {
        protocols(modes)
        if all(uses[_protocol(each)] == 1 for each in modes)
        else listed(modes): modes
        for modes in groups.values()
    }


def _protocol(mode: str) -> str:
    return mode.partition("-")[0]


def strips_of(run: Run, cells: pl.DataFrame) -> tuple[figure.Strip, ...]:
    """What happens to each size over the smallest underlay MTU, the guests' MTU being too large."""
    shown = tiles(run).filter(pl.col("underlay_mtu") == lowest_underlay(cells), guest=TOO_LARGE)
    limits = dict(cells.filter(underlay_mtu=lowest_underlay(cells))["mode", "measured"].rows())
    by_mode = {
        mode: tuple(
            (
                is_df,
                tuple(
                    sorted(set(shown.filter(mode=mode, is_df=is_df)["ip_bytes", "outcome"].rows()))
                ),
            )
            for is_df in (True, False)
        )
        for mode in shown["mode"].unique(maintain_order=True)
    }
    return tuple(
        figure.Strip(
            name=name, limit=values_text(limits[modes[0]]), outcomes=dict(by_mode[modes[0]])
        )
        for name, modes in _agreeing(by_mode).items()
    )


def tiles(run: Run) -> pl.DataFrame:
    """The outcome of each size, by each of its names; SOME if repeats differ."""
    named = run.predicted.select(KEY).join(by_name(run), on=KEY, maintain_order="left_right")
    outcome = pl.col("outcome")
    return named.group_by(*KEY, "guest", "size", is_df=pl.col("df") == 1, maintain_order=True).agg(
        pl.col("ip_bytes").first(),
        pl.when(outcome.n_unique() == 1).then(outcome.first()).otherwise(pl.lit(SOME)),
    )


def streams_of(run: Run, cells: pl.DataFrame) -> Iterator[Stream]:
    """Goodput by mode, over the lowest underlay MTU that it was measured on."""
    transfers = (
        cells.select(*KEY, "limit")
        .join(run.tables["goodput"], on=KEY, maintain_order="left_right")
        .sort("guest_mtu", maintain_order=True)
    )
    lowest = transfers.filter(pl.col("underlay_mtu") == pl.col("underlay_mtu").min())
    for mode, limit in cells.join(lowest, on=KEY, how="semi").select("mode", "limit").rows():
        by_mtu = lowest.filter(mode=mode).group_by("guest_mtu", maintain_order=True)
        samples = {int(str(mtu)): each["mbit_s"].fill_null(0).to_list() for (mtu,), each in by_mtu}
        yield Stream(mode=mode, limit=limit, samples=samples)
