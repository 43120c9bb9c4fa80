"""The report of `aa`: how often the comparison of modes finds a difference that does not exist.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.model.errors import MeasureError
from controller.model.wording import counted
from experiments.aa import figure
from experiments.aa.check import Checked, Pool, check
from experiments.aa.words import ALLOWED, DRAWS, LABELS, PER_DRAW, chance_of_more
from experiments.core.results import Run
from experiments.show import judge
from experiments.show.report import CONFIRMED, NONE, NOT_JUDGED, REFUTED, Picture, Report, Table
from experiments.show.statistics import Repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """One mode compared with itself."""

    mode: str
    pool: Pool
    checked: Checked | None  # None: the pool is too small

    @property
    def labels(self) -> dict[str, Repeats]:
        """The samples by label."""
        return {
            f"{self.mode}, {label}": [pair[at] for pair in self.pool]
            for at, label in enumerate(LABELS)
        }

    @property
    def counted(self) -> str:
        """How many comparisons are false positives."""
        return (
            f"{len(self.checked.false_positives)} of {DRAWS}" if self.checked else "too few repeats"
        )

    @property
    def title(self) -> str:
        """The result as a chart's title."""
        if self.checked is None:
            return self.finding
        differ = len(self.checked.false_positives)
        return (
            f"{self.mode} compared with itself: {differ} of {DRAWS} comparisons find a difference "
            f"(limit {ALLOWED})"
        )

    @property
    def finding(self) -> str:
        """The result in one line."""
        if self.checked is None:
            many = counted(len(self.pool), "repeat")
            return f"{self.mode}, A/A test: no comparison, which takes {PER_DRAW} repeats; {many}"
        many = counted(len(self.checked.false_positives), "false positive")
        return f"{self.mode}, A/A test: {many} in {DRAWS} comparisons (limit {ALLOWED})"


def build_report(run: Run) -> Report:
    """The report of an A/A test.

    Raises:
        MeasureError: no repeat has both labels.
    """
    found = tuple(_itself(run, str(mode)) for mode in run.question.factors["mode"])
    counts = ", ".join(f"{each.mode}: {each.counted}" for each in found)
    outcomes = tuple(
        judge.judged(run, each, _outcome(found), counts) for each in run.question.predictions
    )
    return Report(
        run=run,
        findings=tuple(each.finding for each in found),
        outcomes=outcomes,
        tables=(_table(found),),
        pictures=tuple(_picture(each, run) for each in found),
        conditions=_conditions(found, run),
        is_refuted=any(each.outcome == REFUTED for each in outcomes),
        data=tuple(
            {
                "mode": each.mode,
                "false_positives": len(each.checked.false_positives),
                "comparisons": DRAWS,
                "limit": ALLOWED,
                "half_width": each.checked.half_width,
            }
            for each in found
            if each.checked
        ),
    )


def _itself(run: Run, mode: str) -> Itself:
    """The repeats in which both labels have samples, and their comparisons."""
    value = run.question.value
    labs = (
        run.samples.filter(mode=mode, **run.question.compared)
        .drop_nulls(value)
        .group_by("label", "repeat", maintain_order=True)
        .agg(value)
    )
    a, b = (labs.filter(label=label) for label in LABELS)
    both = a.join(b, on="repeat", maintain_order="left")
    pairs = zip(both[value], both[f"{value}_right"], strict=True)
    pool = [(one.to_numpy(), other.to_numpy()) for one, other in pairs]
    if not pool:
        raise MeasureError(
            "no repeat with samples of both labels",
            where=f"samples of {mode}",
            allowed="at least one",
            do="Look in raw/ for the output of ping.",
        )
    return Itself(mode=mode, pool=pool, checked=check(pool, seed=run.seed))


def _outcome(found: Sequence[Itself]) -> str:
    checked = [each.checked for each in found if each.checked]
    if len(checked) < len(found):
        return NOT_JUDGED
    return CONFIRMED if all(each.is_fair for each in checked) else REFUTED


def _table(found: Sequence[Itself]) -> Table:
    return Table(
        title="A/A test: false positives",
        heads=("mode", "repeats", "false positives", "comparisons", "limit", "half width"),
        rows=tuple(map(_row, found)),
        words=("mode",),
        note="False positive: the 95% interval excludes 0. With correct intervals, the probability "
        f"of more than {ALLOWED} in {DRAWS} is at most {chance_of_more():.1%} (binomial). Half "
        "width: of an interval, the median of all comparisons, in ms. Labels must be exchangeable: "
        f"the two labs of a repeat are started in the same way, in a random order. All {DRAWS} "
        "comparisons use one pool of labs: given the pool they are independent, but their result is "
        "valid for this pool only, so a run is one trial, not many.",
    )


def _row(each: Itself) -> tuple[str, ...]:
    repeats = str(len(each.pool))
    if each.checked is None:
        return (each.mode, repeats, *[NONE] * 4)
    false = str(len(each.checked.false_positives))
    return (each.mode, repeats, false, str(DRAWS), str(ALLOWED), f"{each.checked.half_width:.3f}")


def _conditions(found: Sequence[Itself], run: Run) -> str:
    pool = found[0].pool
    pings = max(len(samples) for pair in pool for samples in pair)
    return (
        f"{counted(len(pool), 'repeat')} with two new labs each, {pings} warm pings per lab; {DRAWS} "
        f"comparisons of {PER_DRAW} repeats, drawn without replacement, labels swapped at random; "
        f"scenario {run.about.get('scenario')}"
    )


def _picture(each: Itself, run: Run) -> Picture:
    return Picture(
        name="aa" if len(run.question.factors["mode"]) == 1 else f"aa-{each.mode}",
        title=each.title,
        alternative=f"The intervals of all comparisons, sorted; excluding 0: {each.counted}",
        draw=lambda caption: figure.draw(
            each.mode, each.checked, each.labels, run.question.unit, caption
        ),
    )
