"""The report of `tunnels`: predicted and measured counts, the cost of a port, and arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from controller.model.modes import KERNEL as KVXLAN
from controller.model.wording import counted, listed
from experiments.core.results import Run
from experiments.show import cells, judge
from experiments.show.cells import values_text
from experiments.show.report import NONE, Outcome, Picture, Report, Table, range_text, sentence
from experiments.tunnels import figure
from experiments.tunnels.fit import KIB_PER_GIB, Cost, costs
from experiments.tunnels.lines import lines_of
from experiments.tunnels.words import ARTICLE_HOSTS, MEMORY, PAIRS, SETUP

SHOWN_HOSTS = (16, 100, 1_000, 10_000, ARTICLE_HOSTS)
TENTH = 0.1
KEY = ("mode", "membership", "hosts")


def build_report(run: Run) -> Report:
    """The report of one run."""
    report, found = cells.build_report(run), cells.exact_cells(run)
    cost = costs(run.tables["ladder"], run.seed)
    ports = found.filter(figure=run.question.value)
    lines = lines_of(ports)
    ledger, *mismatches = report.findings
    labs = counted(run.samples.select("repeat", "order").n_unique(), "lab")
    conditions = f"{ledger}; {labs}, {report.conditions}"
    first = _most_hosts(ports, lines)
    return replace(
        report,
        findings=(first, *_price(cost), _article(cost), *mismatches),
        outcomes=(*report.outcomes, *_outcomes(run, cost)),
        tables=(
            _overview(ports),
            *report.tables,
            _hosts(run),
            *map(_steps, cost),
            _arithmetic(cost),
        ),
        pictures=(
            *_ports_picture(run, lines, first, f"Wide line: predicted. {sentence(conditions)}"),
            *(_price_pictures(run, cost) if cost else ()),
        ),
        conditions=conditions,
    )


def _ports_picture(
    run: Run, lines: Sequence[figure.Line], first: str, conditions: str
) -> Iterator[Picture]:
    if lines:
        yield Picture(
            name=run.question.name,
            title=first,
            alternative=f"Tunnel ports of all hosts over the number of hosts. {first}",
            draw=lambda caption: figure.draw_ports(lines, caption),
            conditions=conditions,
        )


def _price_pictures(run: Run, cost: Sequence[Cost]) -> Iterator[Picture]:
    """What a port costs: memory, then time."""
    memory, setup = _price(cost)
    how = f"0 to {cost[0].most:,} ports, added in one transaction; dot: a lab; line: fitted"
    spans = "; ".join(
        f"{each.type.upper()}: {each.memory_at(1).span('lab', '.1f')}" for each in cost
    )
    yield Picture(
        name=f"{run.question.name}-memory",
        title=memory,
        alternative=f"Memory over tunnel ports of one host. {memory}",
        draw=lambda caption: figure.draw_memory(cost, _named(_kib(cost), " KiB per port"), caption),
        conditions=f"PSS, more than without ports; {how}. KiB per port, {spans}. {_scenario(run)}",
    )
    spans = "; ".join(
        f"{each.type.upper()}: {each.setup_of_most.span('lab', '.2f')}" for each in cost
    )
    yield Picture(
        name=f"{run.question.name}-setup",
        title=setup,
        alternative=f"Time to add tunnel ports to one host. {setup}",
        draw=lambda caption: figure.draw_setup(cost, _named(_seconds(cost), " s"), caption),
        conditions=f"One ovs-vsctl; {how}. Seconds for the most ports, {spans}. {_scenario(run)}",
    )


def _scenario(run: Run) -> str:
    return f"Scenario {run.about['scenario']}"


def _most_hosts(ports: pl.DataFrame, lines: Sequence[figure.Line]) -> str:
    """Mesh compared with l2pop, with the most hosts of which two share a network; else each line."""
    measured = ports.filter(pl.col("samples") > 0)
    pairs = measured.filter(~pl.col("mode").str.starts_with(KVXLAN), membership=PAIRS)
    most = pairs.filter(pl.col("hosts") == pl.col("hosts").max())
    counts = {
        mode.partition("-")[2]: values_text(n) for mode, n in most[["mode", "measured"]].rows()
    }
    if {"mesh", "l2pop"} <= counts.keys():
        return (
            f"{most['hosts'][0]} hosts that share networks two by two: {counts['mesh']} tunnel ports "
            f"in a mesh, {counts['l2pop']} with l2population"
        )
    ends = ", ".join(f"{each.name} {each.last:,}" for each in lines)
    return f"Tunnel ports of {max(measured['hosts'])} hosts together: {ends}"


def _kib(cost: Sequence[Cost]) -> Mapping[str, str]:
    """Memory of a port by type."""
    return {each.type.upper(): f"{each.memory_at(1).value:.1f}" for each in cost}


def _seconds(cost: Sequence[Cost]) -> Mapping[str, str]:
    """Set-up time of the most ports by type."""
    return {each.type.upper(): _short(each.setup_of_most.value) for each in cost}


def _short(seconds: float) -> str:
    """One decimal, or of less than 0.1 two digits."""
    return f"{seconds:.1f}" if seconds >= TENTH else f"{seconds:.2g}"


def _named(values: Mapping[str, str], unit: str) -> tuple[str, ...]:
    """A label for all types if they agree; else one for each."""
    if len(set(values.values())) == 1:
        return (f"{listed(values)}: {next(iter(values.values()))}{unit}",)
    return tuple(f"{name}: {value}{unit}" for name, value in values.items())


def _price(cost: Sequence[Cost]) -> Iterator[str]:
    """Memory of a port, and time to add the most ports that were measured."""
    if not cost:
        return
    kinds = " or ".join(each.type.upper() for each in cost)
    kib = range_text((each.memory_at(1).value for each in cost), ".1f")
    seconds = " to ".join(dict.fromkeys(sorted(_seconds(cost).values(), key=float)))
    growth = [2**power.value for each in cost if (power := each.growth)]
    twice = f", twice as many {range_text(growth, '.1f')} times as long" if growth else ""
    yield f"A {kinds} port takes {kib} KiB of ovs-vswitchd's memory"
    yield f"Adding {cost[0].most:,} {kinds} ports takes {seconds} s{twice}"


def _article(cost: Sequence[Cost]) -> str:
    """The article's mesh, by arithmetic and, if the cost was measured, by the line."""
    tunnels = f"{ARTICLE_HOSTS:,} hosts in a mesh have {pairs(ARTICLE_HOSTS):,} tunnels"
    if not cost:
        return f"Arithmetic, not measured: {tunnels}"
    ports = ARTICLE_HOSTS - 1
    memory = max(each.memory_at(ports).value for each in cost) / KIB_PER_GIB
    return (
        f"Arithmetic, not measured: {tunnels}, and {memory:.2f} GiB per host if memory grows linearly "
        f"up to {_times_measured(cost, ports)} the ports that were measured"
    )


def pairs(hosts: int) -> int:
    """Tunnels of a full mesh, each counted once."""
    return hosts * (hosts - 1) // 2


def _outcomes(run: Run, cost: Sequence[Cost]) -> Iterator[Outcome]:
    """The outcomes of the predictions about the cost."""
    memory = {each.type: each.memory_at(1) for each in cost}
    growth = {each.type: power for each in cost if (power := each.growth)}
    for prediction in run.question.predictions:
        if prediction.about in {MEMORY, SETUP}:
            is_memory = prediction.about == MEMORY
            estimates = memory if is_memory else growth
            text, form = ("{} {:.1f} KiB ({})", ".1f") if is_memory else ("{} {:.2f} ({})", ".2f")
            found = (
                text.format(kind, each.value, each.span("lab", form))
                for kind, each in estimates.items()
            )
            yield judge.within(
                run, prediction, estimates.values(), ", ".join(found) or "not measured"
            )


def _overview(ports: pl.DataFrame) -> Table:
    """Tunnel ports of each mode, over hosts."""
    by_hosts = cells.by_level(ports, "hosts", "mode", "membership")
    return Table(
        title="Tunnel ports of all hosts together",
        heads=("mode", "membership", *(f"{hosts} hosts" for hosts in by_hosts.columns[2:])),
        rows=cells.text_rows(by_hosts),
        words=("mode", "membership"),
        note="Each tunnel has a port at either end. Dense: one network on every host; pairs: a "
        "network for every two hosts.",
    )


def _hosts(run: Run) -> Table:
    """The least and the most of all hosts of each point."""
    columns = {"ports": "d", "rules": "d", "pss_kib": ".1f", "private_kib": ".1f"}
    mib = pl.col("pss_kib", "private_kib") / 1024
    hosts = (
        run.predicted.select(KEY)
        .join(run.tables["hosts"].with_columns(mib), on=KEY, maintain_order="left")
        .group_by(KEY, maintain_order=True)
        .agg(pl.col(*columns).drop_nulls())
    )
    return Table(
        title="Per host",
        heads=(*KEY, "ports", "rules", "PSS [MiB]", "private [MiB]"),
        rows=tuple(
            (
                *(str(row[name]) for name in KEY),
                *(
                    range_text(row[name], form) if row[name] else NONE
                    for name, form in columns.items()
                ),
            )
            for row in hosts.iter_rows(named=True)
        ),
        words=("mode", "membership"),
        note="Memory of ovs-vswitchd. In PSS a page that several daemons share counts in part, so it "
        "falls with the number of hosts; private: without shared pages.",
    )


def _steps(cost: Cost) -> Table:
    """Median, least and most of all labs, by number of ports."""
    columns = [
        [form.format(value) for value in statistic(values, axis=0)]
        for values, form in ((cost.memory_kib, "{:.0f}"), (1000 * cost.setup_s, "{:.1f}"))
        for statistic in (np.median, np.min, np.max)
    ]
    ports = [f"{ports:.0f}" for ports in cost.ports]
    labs = [str(len(cost.setup_s))] * len(ports)
    ends = ("lowest", "highest")
    return Table(
        title=f"Cost of {cost.type} ports on one host, all added in one transaction",
        heads=("ports", "labs", "memory [KiB]", *ends, "set-up [ms]", *ends),
        rows=tuple(zip(ports, labs, *columns, strict=True)),
        note="Median, lowest and highest of all labs. Memory: PSS of ovs-vswitchd, more than "
        "without ports. Set-up: one ovs-vsctl from start to end; with 0 ports, that of an empty "
        "transaction. On a shared machine the highest values may be noise. No measurement of "
        f"memory differs from the straight line by more than {cost.misfit:.1%} of the last one.",
    )


def _arithmetic(cost: Sequence[Cost]) -> Table:
    """Meshes by arithmetic and by the models, and how far the measurements reach."""
    heads = [head for each in cost for head in (f"{each.type}: memory [MiB]", "set-up [s]")]
    return Table(
        title="A full mesh of N hosts, not measured: arithmetic, and the models of one host's cost",
        heads=("hosts", "ports per host", "tunnels", *heads, "beyond what was measured"),
        rows=tuple(
            (
                f"{hosts:,}",
                f"{hosts - 1:,}",
                f"{pairs(hosts):,}",
                *_by_models(cost, hosts - 1),
                _times_measured(cost, hosts - 1),
            )
            for hosts in SHOWN_HOSTS
        ),
        words=("beyond what was measured",),
        note="Memory by a straight line over ports, set-up in one transaction by a parabola, each "
        "fitted to the measurements of each lab; in brackets 95% intervals (of fewer than six labs: "
        "their range). The models hold for as many ports as were measured; beyond, they assume that "
        "no other limit is reached first.",
    )


def _by_models(cost: Sequence[Cost], ports: int) -> Iterator[str]:
    for each in cost:
        memory, setup = each.memory_at(ports), each.setup_at(ports)
        yield f"{memory.value / 1024:.1f} ({memory.low / 1024:.1f} to {memory.high / 1024:.1f})"
        yield f"{setup.value:.3g} ({setup.low:.3g} to {setup.high:.3g})"


def _times_measured(cost: Sequence[Cost], ports: int) -> str:
    """How many times the most ports that were measured; `no` if it is not more."""
    most = max((each.most for each in cost), default=0)
    return NONE if not most else "no" if ports <= most else f"{ports / most:.0f} times"
