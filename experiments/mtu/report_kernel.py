"""Part of the story of `mtu`: the modes in which the kernel's VXLAN tells who sends too much.  Pure."""

from collections.abc import Sequence

from controller.model.modes import KERNEL
from experiments.core.question import Prediction, Row
from experiments.core.results import Run
from experiments.mtu.words import COMPLETES, HANGS, REFUSED, RIGHT, SOON_TOLD, TOLD, TOO_LARGE
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED

KERNEL_TELLS = "kernel"  # the prediction's `of`


def is_kernel(row: Row) -> bool:
    """True if the row is of a mode that the kernel's VXLAN carries."""
    return str(row["mode"]).startswith(KERNEL)


def spoken_of(run: Run) -> tuple[Prediction, ...]:
    """The predictions; that of the kernel only where a mode of it was measured."""
    has_kernel = any(map(is_kernel, run.rows_of()))
    return tuple(
        each for each in run.question.predictions if has_kernel or each.about != KERNEL_TELLS
    )


def _transfers(run: Run, guest: str, outcome: str) -> tuple[int, int]:
    """Those that came to that outcome, and all."""
    rows = [row for row in run.rows_of("tcp") if is_kernel(row) and row["guest"] == guest]
    return sum(row["outcome"] == outcome for row in rows), len(rows)


def _sizes(run: Run) -> list[Row]:
    """Pings with DF that were too large for the path, from guests whose MTU was too large, too."""
    limit = {(row["mode"], row["underlay_mtu"]): row["largest_bytes"] for row in run.rows_of()}
    return [
        row
        for row in run.rows_of("outcomes")
        if is_kernel(row)
        and row["guest"] == TOO_LARGE
        and row["df"]
        and int(row["ip_bytes"] or 0) > int(limit.get((row["mode"], row["underlay_mtu"])) or 0)
    ]


def kernel_finding(run: Run) -> str:
    """One line; nothing if no such mode was measured."""
    hung, alone = _transfers(run, TOO_LARGE, HANGS)
    done, report = _transfers(run, SOON_TOLD, COMPLETES)
    if not alone:
        return ""
    return (
        f"Kernel VXLAN, MTU too large: TCP hangs {hung} of {alone}, completes {done} of {report} once "
        "told by ICMP"
    )


def judge_kernel(run: Run, _cells: Sequence[object]) -> tuple[str, str]:
    """What became of the prediction, and why."""
    sizes = _sizes(run)
    hung, alone = _transfers(run, TOO_LARGE, HANGS)
    done, soon = _transfers(run, SOON_TOLD, COMPLETES)
    through, right = _transfers(run, RIGHT, COMPLETES)
    if not sizes or not alone or not soon:
        return NOT_JUDGED, "not measured"
    report = sum(row["outcome"] in {TOLD, REFUSED} for row in sizes)
    is_so = (report, hung, done, through) == (len(sizes), alone, soon, right)
    return CONFIRMED if is_so else REFUTED, (
        f"{report} of {len(sizes)} sizes with DF were told of, by ICMP or by what the guest then knew; "
        f"TCP: {hung} of {alone} hang, {done} of {soon} complete while pings are told, "
        f"{through} of {right} with the right MTU"
    )
