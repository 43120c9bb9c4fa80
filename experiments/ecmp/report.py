"""The teller of `ecmp`: all on one path, or as even as chance has it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from controller.model.errors import MeasureError
from experiments.core.question import Prediction
from experiments.core.results import Run
from experiments.ecmp import figure
from experiments.ecmp.cells import Cell, cells, exact_of, outside, spread_of, taken_by
from experiments.ecmp.chance import TAIL, expected_bits, most_bits
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Picture,
    Report,
    Table,
    counted,
    is_trusted,
)
from experiments.show.sheet import Caption

SHOWN = 32  # flows of the headline and of the bars
NAMED = 3
ALL_ON_ONE = "all on one"
POLICIES = (
    "Policy: net.ipv4.fib_multipath_hash_policy of the sender's leaf: 0 hashes the outer addresses, 1 "
    "also the outer ports, 2 the inner addresses where the kernel sees them (behind GRE), else the outer."
)
WHICH_SPINE = (
    "Where all are on one spine, which one is the hash's choice: its fields are the same in every draw, "
    "lab and block (the VTEPs keep their addresses), its seed is drawn when the machine boots. There are "
    "three such hashes: of the outer addresses; of these and GRE's protocol number; of one pair of inner "
    "ones. All three choose the same of 4 spines with a chance of 1 in 16. That the others can be "
    "chosen is seen where flows spread, over the same routes."
)


def build_report(run: Run) -> Report:
    """The story of one run.

    Raises:
        MeasureError: there is no sample of what was foretold.
    """
    found = cells(run)
    if not found:
        raise MeasureError(
            "no sample of a foretold cell",
            where=str(run.directory),
            allowed="at least one",
            do="Run it again; its `status` in run.json says how far it came.",
        )
    many, may, _ = outside(found)
    wrong = [cell for cell in exact_of(found) if cell.mismatches]
    report = Report(
        run=run,
        findings=(*_agreement(found), *_headline(found), *_policy_2(found)),
        outcomes=tuple(_outcomes(each, run, found) for each in run.question.predictions),
        tables=(_overview(run, found), _full(found)),
        pictures=(),
        conditions=_conditions(run, found),
        is_refuted=bool(wrong) or many > may or any(cell.torn for cell in found),
        data=tuple(map(_data, found)),
    )
    return _with_picture(report, run, found)


def _agreement(found: Sequence[Cell]) -> Iterator[str]:
    exact, (many, may, draws) = exact_of(found), outside(found)
    good = sum(not cell.mismatches for cell in exact)
    if exact:
        yield f"All flows on one spine, where foretold: {good} of {counted(len(exact), 'cell')}"
    if draws:
        beyond = f" ({many} less evenly: up to {may} are no surprise)" if many else ""
        yield (
            f"As evenly on all as chance has it, where foretold: {draws - many} of "
            f"{counted(draws, 'draw')}{beyond}"
        )
    for cell in [cell for cell in exact if cell.mismatches][:NAMED]:
        yield f"{cell.name}: {_reach(cell)} on a spine, foretold all on one"
    torn = sum(cell.torn for cell in found)
    if torn:
        yield f"{counted(torn, 'flow')} took more than one path"


def _headline(found: Sequence[Cell]) -> Iterator[str]:
    """As many flows as everybody asks about, on two spines, by ports."""
    here = [
        cell for cell in found if (cell.hash_policy, cell.pairs, cell.flows) == (1, "one", SHOWN)
    ]
    for spines in sorted({cell.spines for cell in here})[:1]:
        report = (f"{_encap(cell)} {_reach(cell)}" for cell in here if cell.spines == spines)
        yield f"Outer ports hashed (policy 1), {SHOWN} flows on {spines} spines: {', '.join(report)}"


def _policy_2(found: Sequence[Cell]) -> Iterator[str]:
    """The policy that was made for tunnels, and which of them it helps."""
    here = [
        cell
        for cell in found
        if (cell.hash_policy, cell.pairs) == (2, "many") and cell.flows == SHOWN
    ]
    ways: dict[bool, list[str]] = {True: [], False: []}
    for cell in here:
        ways[cell.entropy > 0].append(_encap(cell))
    if ways[True] and ways[False]:
        spread, stuck = (", ".join(dict.fromkeys(ways[each])) for each in (True, False))
        yield f"Inner addresses hashed (policy 2), many pairs: {spread} spreads; not so {stuck}"


def _encap(cell: Cell) -> str:
    return cell.mode.partition("-")[0]


def _reach(cell: Cell) -> str:
    low, high = cell.reach
    if all(row["least"] == 0 and row["most"] == cell.flows for row in cell.rows):
        return ALL_ON_ONE
    return f"{low} to {high}" if low != high else str(low)


def _outcomes(prediction: Prediction, run: Run, found: Sequence[Cell]) -> Outcome:
    outcome, report = {"exact": _exact, "spread": _spread, "whole": _whole}[prediction.about](found)
    report += _packets(run) if prediction.about == "whole" else ""
    return Outcome(
        claim=prediction.claim,
        reason=prediction.reason,
        name=prediction.about,
        outcome=outcome if is_trusted(run) else NOT_JUDGED,
        found=report,
    )


def _exact(found: Sequence[Cell]) -> tuple[str, str]:
    exact = exact_of(found)
    good = sum(not cell.mismatches for cell in exact)
    report = f"{good} of {counted(len(exact), 'cell')} all on one spine"
    return (UNDECIDED if not exact else CONFIRMED if good == len(exact) else REFUTED), report


def _spread(found: Sequence[Cell]) -> tuple[str, str]:
    many, may, draws = outside(found)
    report = f"{many} of {counted(draws, 'draw')} outside the band; up to {may} are no surprise"
    return (UNDECIDED if not draws else CONFIRMED if many <= may else REFUTED), report


def _whole(found: Sequence[Cell]) -> tuple[str, str]:
    torn, flows = (
        sum(cell.torn for cell in found),
        sum(cell.flows * len(cell.rows) for cell in found),
    )
    return (REFUTED if torn else CONFIRMED), f"torn: {torn} of {counted(flows, 'flow')}"


def _groups(found: Sequence[Cell]) -> Mapping[tuple[str, int, int, str], dict[int, Cell]]:
    """Cells by all but flows, which tell them apart within."""
    groups: dict[tuple[str, int, int, str], dict[int, Cell]] = {}
    for cell in found:
        key = (cell.mode, cell.spines, cell.hash_policy, cell.pairs)
        groups.setdefault(key, {})[cell.flows] = cell
    return groups


def _overview(run: Run, found: Sequence[Cell]) -> Table:
    taken = taken_by(run.rows_of("spines"))
    shown = tuple(many for many in (2, 8, SHOWN, 512) if any(cell.flows == many for cell in found))
    return Table(
        title="Entropy in bits, by the number of flows",
        heads=("mode", "spines", "policy", "pairs", *map(str, shown), f"on a spine of {SHOWN}"),
        rows=tuple(
            (
                mode,
                str(spines),
                str(policy),
                pairs,
                *(f"{same[many].entropy:.3f}" if many in same else NONE for many in shown),
                _where(same[SHOWN], taken) if SHOWN in same else NONE,
            )
            for (mode, spines, policy, pairs), same in _groups(found).items()
        ),
        words=("mode", "pairs"),
        note=f"Medians over all draws; 0 is all on one spine, log2(spines) is even. {POLICIES} Pairs: "
        f"of inner addresses. {WHICH_SPINE}",
    )


def _where(cell: Cell, taken: Mapping[tuple[object, ...], tuple[str, ...]]) -> str:
    """Flows on a spine; if they were all on one in every draw, on which."""
    one = taken.get(cell.key, ())
    return f"all on {' or '.join(one)}" if _reach(cell) == ALL_ON_ONE and one else _reach(cell)


def _full(found: Sequence[Cell]) -> Table:
    return Table(
        title="Every cell",
        heads=(
            "mode",
            "spines",
            "policy",
            "pairs",
            "flows",
            "entropy",
            "predicted",
            "at most",
            "on a spine",
            "band",
            "draws",
            "outside",
        ),
        rows=tuple(
            (
                cell.mode,
                str(cell.spines),
                str(cell.hash_policy),
                cell.pairs,
                str(cell.flows),
                f"{cell.entropy:.3f}",
                f"{float(str(cell.predicted['entropy_bits'])):.3f}",
                f"{most_bits(cell.flows, cell.spines):.3f}",
                _reach(cell),
                f"{cell.predicted['least']} to {cell.predicted['most']}"
                if cell.is_spread
                else ALL_ON_ONE,
                str(len(cell.rows)),
                str(len(cell.mismatches)),
            )
            for cell in found
        ),
        words=("mode", "pairs", "band"),
        note="Entropy: median of the draws, and the mean that chance has; at most: log2 of flows or "
        "spines, whichever are fewer. On a spine: fewest to most flows, over all draws and spines. "
        f"Band: what chance (binomial) leaves a spine with, but for {TAIL:.2%} of draws at either end; "
        "outside: draws with a spine that has fewer or more.",
        summary=_gist(found),
    )


def _gist(found: Sequence[Cell]) -> str:
    mismatches = sum(bool(cell.mismatches) for cell in found)
    return f"{mismatches} with a draw outside its band" if mismatches else "all as foretold"


def _conditions(run: Run, found: Sequence[Cell]) -> str:
    flows = sum(cell.flows * len(cell.rows) for cell in found)
    draws = sum(len(cell.rows) for cell in found)
    return (
        f"{counted(flows, 'flow')}{_packets(run)} in {counted(draws, 'draw')} of ports or addresses, "
        f"seen as they came into each spine; scenario {run.about['scenario']}"
    )


def _packets(run: Run) -> str:
    """How many packets say of each flow whether it is torn."""
    copies = run.about.get("settings", {}).get("copies")
    return f" of {counted(copies, 'packet')} each" if copies else ""


def _data(cell: Cell) -> Mapping[str, object]:
    return {
        "mode": cell.mode,
        "spines": cell.spines,
        "hash_policy": cell.hash_policy,
        "pairs": cell.pairs,
        "flows": cell.flows,
        "predicted": dict(cell.predicted),
        "entropy_bits": list(cell.entropies),
        "on_a_spine": list(cell.reach),
        "outside": len(cell.mismatches),
        "draws": len(cell.rows),
    }


def _with_picture(report: Report, run: Run, found: Sequence[Cell]) -> Report:
    picture = Picture(
        name=run.question.name,
        title="Shares of the spines, and entropy over flows",
        alternative="Bars: each spine's share of the flows, by encapsulation and hash policy; below: "
        f"entropy over the number of flows. {'. '.join(report.findings)}",
        draw=lambda report: figure.draw(_bars(run, found), _panels(found), Caption.of(report)),
    )
    return replace(report, pictures=(picture,))


def _bars(run: Run, found: Sequence[Cell]) -> tuple[figure.Bar, ...]:
    """A bar for each encapsulation and policy, on the most spines; a lane for each draw."""
    most = max(cell.spines for cell in found)
    flows = max((cell.flows for cell in found if cell.flows <= SHOWN), default=SHOWN)
    bars: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for (mode, spines, policy, pairs), same in _groups(found).items():
        if spines == most and flows in same:
            words = f"policy {policy}" + (
                f", {pairs} pair{'s' * (pairs == 'many')}" if policy == 2 else ""
            )
            bars.setdefault((mode, words), []).extend(_lanes(run, same[flows]))
    return tuple(
        figure.Bar(mode=mode, words=words, lanes=tuple(lanes), flows=flows)
        for (mode, words), lanes in bars.items()
    )


def _lanes(run: Run, cell: Cell) -> Iterator[tuple[float, ...]]:
    """Shares of spine 1, 2, ... in each draw."""
    draws: dict[tuple[object, object], list[float]] = {}
    for row in run.rows_of("spines"):
        if all(
            row[name] == getattr(cell, name)
            for name in ("mode", "spines", "hash_policy", "pairs", "flows")
        ):
            draws.setdefault((row["repeat"], row["draw"]), []).append(
                float(str(row["on_it"])) / cell.flows
            )
    return map(tuple, draws.values())


def _panels(found: Sequence[Cell]) -> tuple[figure.Panel, ...]:
    """One for each number of spines and policy."""
    flows = sorted({cell.flows for cell in found})
    places = sorted({(cell.spines, cell.hash_policy) for cell in found})
    return tuple(
        figure.Panel(
            spines=spines,
            hash_policy=policy,
            most={many: most_bits(many, spines) for many in flows},
            chance={many: expected_bits(many, spines) for many in flows},
            dots={
                (mode, pairs): tuple(
                    (many, bits) for many, cell in same.items() for bits in cell.entropies
                )
                for (mode, k, p, pairs), same in _groups(found).items()
                if (k, p) == (spines, policy)
            },
            is_spread=any(
                cell.is_spread
                for cell in spread_of(found)
                if (cell.spines, cell.hash_policy) == (spines, policy)
            ),
        )
        for spines, policy in places
    )
