"""A run in words and tables.  Pure: what is read in, text out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from experiments.analysis import Difference, Interval, Summary, against, call
from experiments.experiment import Experiment

NONE = "-"
QUICK = "first look: one block, no interval claimed"
HEADS = (
    "mode", "pings", "lost", "p10", "median", "p90", "p99", "95% interval", "to baseline",
    "95% interval", "verdict on it", "prediction",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run, analysed."""

    experiment: Experiment
    about: Mapping[str, object]  # run.json
    summaries: tuple[Summary, ...]

    @property
    def trusted(self) -> bool:
        """The verdict that stands in run.json."""
        return bool(self._verdict.get("trusted"))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not, if not."""
        found = self._verdict.get("reasons")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def _verdict(self) -> Mapping[str, object]:
        found = self.about.get("verdict")
        return found if isinstance(found, dict) else {}

    @property
    def is_quick(self) -> bool:
        """True if it was meant as a first look."""
        return bool(self.about.get("quick"))


def headline(told: Told) -> str:
    """The finding in one line, claiming no more than the intervals bear."""
    others = [each for each in told.summaries if each.to_baseline]
    baseline = next(iter(told.experiment.baseline.values()))
    if not others:
        return f"Only {', '.join(each.level for each in told.summaries)} measured: nothing to compare"
    if all(each.to_baseline and each.to_baseline.interval is None for each in others):
        blocks = told.summaries[0].blocks
        return f"First look at {len(told.summaries)} modes, {_count(blocks, 'block')}: no interval, no claim"
    return "; ".join(_finding(each, told.experiment, str(baseline)) for each in others)


def _finding(each: Summary, experiment: Experiment, baseline: str) -> str:
    found = each.to_baseline
    if found is None or found.interval is None:
        return f"{each.level}: too few blocks"
    between = f"{_between(found.interval, signed=True)} {experiment.unit}"
    return {
        "slower": f"{each.level} is slower than {baseline} by {between}",
        "faster": f"{each.level} is faster than {baseline} by {between}",
        "no difference that matters": f"{each.level} within ±{experiment.margin:g} {experiment.unit} of {baseline}",
    }.get(call(found, experiment.margin), f"{each.level} to {baseline}: {between}, undecided")


def verdict_line(told: Told) -> str:
    """Whether the figures can be trusted, and what for."""
    if not told.trusted:
        return "not to be trusted: " + "; ".join(told.reasons or ("no verdict was reached",))
    return f"trusted ({QUICK})" if told.is_quick else "trusted"


def cells(each: Summary, experiment: Experiment) -> tuple[str, ...]:
    """One row of the table, under `HEADS`."""
    found = each.to_baseline
    return (
        each.level,
        str(each.samples + each.lost),
        str(each.lost),
        *(_figure(each.percentiles.get(rank)) if rank != 50 else _figure(each.median) for rank in (10, 50, 90, 99)),  # noqa: PLR2004
        _between(each.interval),
        _figure(found.estimate, signed=True) if found else NONE,
        _between(found.interval, signed=True) if found else NONE,
        call(found, experiment.margin) if found else "baseline",
        against(experiment.prediction, found) if found else NONE,
    )


def terminal_table(told: Told) -> Table:
    """The final table, without the columns that have nothing to tell."""
    rows = [cells(each, told.experiment) for each in told.summaries]
    kept = [i for i in range(len(HEADS)) if i == 0 or any(row[i] != NONE for row in rows)]
    table = Table(title=headline(told), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for i in kept:
        table.add_column(HEADS[i], justify="left" if i in {0, 10, 11} else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    return table


def markdown(told: Told, figures: Sequence[str]) -> str:
    """report.md: question, prediction, figure, table, verdict."""
    experiment = told.experiment
    settings = told.about.get("settings")
    lines = [
        f"# {experiment.name}: {headline(told)}",
        "",
        f"**Question.** {experiment.question}",
        "",
        f"**Predicted beforehand.** {_sentence(experiment.prediction.says)} Because {experiment.prediction.because}.",
        "",
        f"**Margin.** A difference under {experiment.margin:g} {experiment.unit} is of no matter: {experiment.margin_because}.",
        "",
        *(f"![{_alternative(told)}]({figure})\n" for figure in figures),
        f"Times in {experiment.unit}, warm pings only. Intervals: bootstrap over blocks, 95%.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|" + "|".join("---" if i in {0, 10, 11} else "---:" for i in range(len(HEADS))) + "|",
        *("| " + " | ".join(cells(each, experiment)) + " |" for each in told.summaries),
        "",
        f"**Verdict.** {_sentence(verdict_line(told))}",
        "",
        f"Settings: {_listed(settings)}. Seed {told.about.get('seed')}. Everything else is in `run.json`, every sample in `samples.csv`.",
        "",
    ]
    return "\n".join(lines)


def to_json(told: Told, files: Mapping[str, str]) -> dict[str, object]:
    """One experiment of the document that `--format json` prints."""
    return {
        "experiment": told.experiment.name,
        "directory": files["directory"],
        "files": {name: path for name, path in files.items() if name != "directory"},
        "headline": headline(told),
        "unit": told.experiment.unit,
        "quick": told.is_quick,
        "verdict": told.about.get("verdict"),
        "summaries": [_summary_json(each, told.experiment) for each in told.summaries],
    }


def _summary_json(each: Summary, experiment: Experiment) -> dict[str, object]:
    found = each.to_baseline
    told = {"call": call(found, experiment.margin), "prediction": against(experiment.prediction, found)} if found else {}
    return {**asdict(each), **told}


def _alternative(told: Told) -> str:
    medians = ", ".join(f"{each.level} {each.median:.3f} {told.experiment.unit}" for each in told.summaries)
    return f"Box plot and ECDF of round-trip times; medians: {medians}"


def _figure(value: float | None, *, signed: bool = False) -> str:
    return NONE if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def _between(interval: Interval | None, *, signed: bool = False) -> str:
    if interval is None:
        return NONE
    return f"{_figure(interval.low, signed=signed)} to {_figure(interval.high, signed=signed)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _listed(settings: object) -> str:
    return ", ".join(f"{k} {v}" for k, v in settings.items()) if isinstance(settings, dict) else "unknown"


__all__ = ["Difference", "Told", "cells", "headline", "markdown", "terminal_table", "to_json", "verdict_line"]
