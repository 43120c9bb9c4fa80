"""The teller of `tunnels`: what was counted beside what was foretold; then the cost, and arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.show import cells, judge
from experiments.show.cells import Cell
from experiments.show.curves import Mark
from experiments.show.estimate import Estimate, outcome
from experiments.show.report import NOT_JUDGED, Outcome, Picture, Report, Table, counted, is_trusted
from experiments.show.sheet import Caption
from experiments.tunnels import figure
from experiments.tunnels.figure import ARTICLE_HOSTS
from experiments.tunnels.fit import KIB_A_GIB, Cost, Step, costs

SHOWN_HOSTS = (16, 100, 1_000, 10_000, ARTICLE_HOSTS)
MEMORY, SETUP = "memory", "set-up"  # what a prediction is of


def build_report(run: Run) -> Report:
    """The story of one run."""
    report = cells.build_report(run)
    found = cells.cells_of(run)
    cost = costs(run.rows_of("ladder"), run.seed)
    report = replace(
        report,
        findings=(
            report.findings[0],
            *_headline(found),
            *report.findings[1:],
            *_price(cost),
            _article(cost),
        ),
        outcomes=(*report.outcomes, *_outcomes(run, cost)),
        tables=(_overview(found), *report.tables, _hosts(run), *_ladders(cost), _arithmetic(cost)),
        conditions=f"{counted(len({(row['repeat'], row['order']) for row in run.rows_of()}), 'lab')}, "
        f"{counted(len({row['repeat'] for row in run.rows_of()}), 'block')}; scenario {run.about['scenario']}",
        pictures=(),
    )
    return _with_picture(report, run, found, cost)


def _headline(found: Sequence[Cell]) -> Iterator[str]:
    """Mesh beside l2pop, of the most hosts that were measured two by two."""
    measured = [cell for cell in found if cell.measured and not cell.further]
    sparse = [
        cell
        for cell in measured
        if cell.key["membership"] == "pairs" and not str(cell.key["mode"]).startswith("kvxlan")
    ]
    most = max((int(str(cell.key["hosts"])) for cell in sparse), default=0)
    ports = {
        str(cell.key["mode"]).partition("-")[2]: cell.seen
        for cell in sparse
        if cell.key["hosts"] == most
    }
    if {"mesh", "l2pop"} <= set(ports):
        yield (
            f"{most} hosts that share networks two by two: {ports['mesh']} tunnel ports in a mesh, "
            f"{ports['l2pop']} with l2population"
        )


def _price(cost: Sequence[Cost]) -> Iterator[str]:
    for each in cost:
        memory = each.memory_kib(1)
        yield (
            f"A {each.type} port takes {memory.value:.1f} KiB of ovs-vswitchd "
            f"({memory.span('lab', '.1f')}; 0 to {each.most} ports)"
        )
    if cost:
        took = ", ".join(
            f"{each.all_s.value:.2f} s for {each.most} of {each.type}"
            f" ({each.all_s.span('lab', '.2f')})"
            for each in cost
        )
        yield f"Set-up in one transaction takes {took}"


def _article(cost: Sequence[Cost]) -> str:
    """What the article speaks of, by arithmetic; and by the model, if there is one."""
    tunnels = pairs(ARTICLE_HOSTS)
    said = f"Arithmetic, not measured: {ARTICLE_HOSTS:,} hosts in a mesh have {tunnels:,} tunnels"
    if not cost:
        return said
    most = max(cost, key=lambda each: each.memory_kib(1).value)
    memory = most.memory_kib(ARTICLE_HOSTS - 1).value / KIB_A_GIB
    beyond = _beyond(cost, ARTICLE_HOSTS - 1)
    return (
        f"{said}; by the straight line, {beyond} beyond what was measured, {memory:.2f} GiB a host"
    )


def pairs(hosts: int) -> int:
    """Tunnels of a full mesh, each counted once."""
    return hosts * (hosts - 1) // 2


def _outcomes(run: Run, cost: Sequence[Cost]) -> Iterator[Outcome]:
    memory = {each.type: each.memory_kib(1) for each in cost}
    growth = {each.type: found for each in cost if (found := each.growth)}
    for prediction in run.question.predictions:
        if prediction.about == MEMORY:
            yield _judged(run, prediction, memory, "{:.1f} KiB", ".1f")
        elif prediction.about == SETUP:
            yield _judged(run, prediction, growth, "a power of {:.2f}", ".2f")


def _judged(
    run: Run, prediction: Prediction, found: Mapping[str, Estimate], report: str, form: str
) -> Outcome:
    """A prediction on each type of tunnel; `told`: its figure with the unit."""
    words = (
        f"{kind} {report.format(each.value)} ({each.span('lab', form)})"
        for kind, each in found.items()
    )
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        found=", ".join(words) or "no ladder",
        outcome=outcome(prediction, tuple(found.values())) if is_trusted(run) else NOT_JUDGED,
    )


def _overview(found: Sequence[Cell]) -> Table:
    """Ports in all, by mode over hosts."""
    shown = [cell for cell in found if not cell.further]
    hosts = list(dict.fromkeys(cell.key["hosts"] for cell in shown))
    lines = dict.fromkeys((cell.key["mode"], cell.key["membership"]) for cell in shown)
    seen = {tuple(cell.key.values()): _brief(cell) for cell in shown}
    return Table(
        title="Tunnel ports of all hosts together",
        heads=("mode", "membership", *(f"{many} hosts" for many in hosts)),
        rows=tuple(
            (str(mode), str(membership), *(seen[mode, membership, many] for many in hosts))
            for mode, membership in lines
        ),
        words=("mode", "membership"),
        note="Each tunnel has a port at either end. Dense: one network on every host; pairs: a "
        "network for every two hosts.",
    )


def _brief(cell: Cell) -> str:
    return cell.seen if cell.outcome != judge.MISMATCH else f"{cell.seen} not {cell.predicted}"


def _hosts(run: Run) -> Table:
    """Per host: the least and the most of every lab."""
    points = (tuple(map(str, point.values())) for point in run.question.points())
    labs: dict[tuple[str, ...], list[dict[str, int]]] = {point: [] for point in points}
    columns = ("ports", "rules", "pss_kib", "private_kib")
    for row in run.rows_of("hosts"):
        key = tuple(str(row[name]) for name in ("mode", "membership", "hosts"))
        had = {name: int(str(row[name])) for name in columns if row[name] is not None}
        labs[key].append(had)
    return Table(
        title="Per host",
        heads=("mode", "membership", "hosts", "ports", "rules", "PSS [MiB]", "own [MiB]"),
        rows=tuple(
            (
                *key,
                _ends(rows, "ports", 1),
                _ends(rows, "rules", 1),
                _ends(rows, "pss_kib", 1024),
                _ends(rows, "private_kib", 1024),
            )
            for key, rows in labs.items()
            if rows
        ),
        words=("mode", "membership"),
        note="Memory of ovs-vswitchd. PSS counts pages that daemons share in parts, and falls as "
        "hosts come on; own: what is not shared.",
    )


def _ends(rows: Sequence[dict[str, int]], name: str, by: int) -> str:
    values = sorted(
        {f"{row[name] / by:.1f}" if by > 1 else str(row[name]) for row in rows if name in row},
        key=float,
    )
    return "-" if not values else values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _ladders(cost: Sequence[Cost]) -> Iterator[Table]:
    for each in cost:
        rungs = zip(*each.ladders, strict=True)
        yield Table(
            title=f"What {each.type} ports cost one host, all in one transaction",
            heads=(
                "ports",
                "labs",
                "memory [KiB]",
                "least",
                "most",
                "set-up [ms]",
                "least",
                "most",
            ),
            rows=tuple(_rung(steps) for steps in rungs),
            note="Medians of labs, the least and the most. Memory (PSS of ovs-vswitchd) beside what "
            "it took without; time of one ovs-vsctl from start to end, its own price is that of 0 "
            "ports. On a machine that others share the most is noise. The line misses no step by "
            f"more than {each.misfit:.1%} of the last one.",
        )


def _rung(steps: Sequence[Step]) -> tuple[str, ...]:
    """One rung of all labs."""
    ends = (median, min, max)
    return (
        str(steps[0].ports),
        str(len(steps)),
        *(f"{end(step.memory_kib for step in steps):.0f}" for end in ends),
        *(f"{1000 * end(step.setup_s for step in steps):.1f}" for end in ends),
    )


def _arithmetic(cost: Sequence[Cost]) -> Table:
    """By arithmetic and by the models, how far beyond what was measured."""
    heads = [word for each in cost for word in (f"{each.type}: memory [MiB]", "set-up [s]")]
    return Table(
        title="A full mesh of N hosts, not measured: arithmetic, and the models of one host's cost",
        heads=("hosts", "ports a host", "tunnels", *heads, "beyond what was measured"),
        rows=tuple(
            (
                f"{many:,}",
                f"{many - 1:,}",
                f"{pairs(many):,}",
                *_by_model(cost, many - 1),
                _beyond(cost, many - 1),
            )
            for many in SHOWN_HOSTS
        ),
        words=("beyond what was measured",),
        note="Memory by a straight line over ports, set-up in one transaction by a parabola, each "
        "fitted to every lab's ladder; in brackets 95% intervals (of fewer than six labs: their "
        "range). The models are good for as many ports as were measured; beyond, they assume that "
        "nothing else gives way first.",
    )


def _by_model(cost: Sequence[Cost], ports: int) -> Iterator[str]:
    for each in cost:
        memory, setup = each.memory_kib(ports), each.setup_s(ports)
        yield f"{memory.value / 1024:.1f} ({memory.low / 1024:.1f} to {memory.high / 1024:.1f})"
        yield f"{setup.value:.3g} ({setup.low:.3g} to {setup.high:.3g})"


def _beyond(cost: Sequence[Cost], ports: int) -> str:
    most = max((each.most for each in cost), default=0)
    return "-" if not most else "no" if ports <= most else f"{ports / most:.0f} times"


def _with_picture(report: Report, run: Run, found: Sequence[Cell], cost: Sequence[Cost]) -> Report:
    marks = tuple(
        Mark(
            mode=str(cell.key["mode"]),
            words=str(cell.key["membership"]),
            at=int(str(cell.key["hosts"])),
            predicted=float(str(cell.predicted)),
            measured=tuple(float(str(value)) for value in cell.measured),
        )
        for cell in found
        if not cell.further
    )
    meshes = {
        (int(str(cell.key["hosts"])), int(str(value)))
        for cell in found
        if cell.further == "pairs" and str(cell.key["mode"]).endswith("-mesh")
        for value in cell.measured
        if value  # the kernel's VXLAN has no tunnels to count
    }
    picture = Picture(
        name=run.question.name,
        title="Tunnels over hosts, their cost, and arithmetic",
        alternative="Tunnel ports over hosts, foretold and counted; memory and set-up time over "
        f"ports of one host; tunnels of a mesh by arithmetic. {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(marks, _curves(cost), sorted(meshes), Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def _curves(cost: Sequence[Cost]) -> tuple[figure.Curve, ...]:
    return tuple(
        figure.Curve(
            name=each.type,
            memory=tuple((s.ports, s.memory_kib / 1024) for ladder in each.ladders for s in ladder),
            setup=tuple((s.ports, s.setup_s) for ladder in each.ladders for s in ladder),
            mib_a_port=each.memory_kib(1).value / 1024,
            setup_at=tuple((n, each.setup_s(n).value) for n in _along(each.most)),
        )
        for each in cost
    )


def _along(most: int) -> tuple[int, ...]:
    """Places at which a curve is drawn, evenly on a logarithmic axis."""
    return tuple(dict.fromkeys(round(most ** (step / 24)) for step in range(25)))
