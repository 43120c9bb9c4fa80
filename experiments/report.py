"""A run in words and tables.  Pure: what is read in, text out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from rich.table import Table

from experiments.analysis import NOT_JUDGED, Interval, Summary, against, call
from experiments.experiment import Experiment

NONE = "-"
QUICK = "first look: one block, no interval claimed"
HEADS = (
    "mode", "pings", "lost", "p10", "median", "p90", "p99", "95% interval", "to baseline",
    "95% interval", "verdict on it", "prediction",
)  # fmt: skip
FIRST = (0, 1, 2, 3, 4, 5, 8, 9)  # of HEADS, what fits 80 columns
WORDS = (HEADS.index("mode"), HEADS.index("verdict on it"), HEADS.index("prediction"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run, analysed."""

    experiment: Experiment
    about: Mapping[str, object]  # run.json
    summaries: tuple[Summary, ...]

    @property
    def baseline(self) -> str:
        """The level that others are held against."""
        return str(*self.experiment.baseline.values())

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
        return _part(self.about, "verdict")

    @property
    def is_quick(self) -> bool:
        """True if it was meant as a first look."""
        return bool(self.about.get("quick"))


def headline(told: Told) -> str:
    """The finding, with a doubt before it if there is one; its parts are joined by `; `."""
    return "; ".join(filter(None, (doubt(told), finding(told))))


def doubt(told: Told) -> str:
    """What must be read before the finding of a run that is not to be trusted; else empty."""
    return "" if told.trusted else "Not to be trusted (why: below)"


def finding(told: Told) -> str:
    """The finding, claiming no more than the intervals bear; a part per level, joined by `; `."""
    others = [each for each in told.summaries if each.to_baseline]
    if not others:
        found = ", ".join(each.level for each in told.summaries)
        return f"Measured: {found} (a difference takes {told.baseline} and another)"
    if all(each.to_baseline and each.to_baseline.interval is None for each in others):
        many = _count(told.summaries[0].blocks, "block")
        return f"A first look at {len(told.summaries)} modes in {many}: no interval, no claim"
    return "; ".join(_finding(each, told) for each in others)


def _finding(each: Summary, told: Told) -> str:
    found, unit, margin = each.to_baseline, told.experiment.unit, told.experiment.margin
    if found is None or found.interval is None:
        return f"{each.level}: too few blocks"
    low, high = sorted((abs(found.interval.low), abs(found.interval.high)))
    between = f"{_between(found.interval, signed=True)} {unit}, undecided at ±{margin:g}"
    clear = f"{each.level} is {{}} than {told.baseline} by {low:.3f} to {high:.3f} {unit}"
    return {
        "slower": clear.format("slower"),
        "faster": clear.format("faster"),
        "no difference that matters": f"{each.level} is within ±{margin:g} {unit} of "
        f"{told.baseline}",
    }.get(call(found, margin), f"{each.level} minus {told.baseline}: {between}")


def conditions(told: Told) -> str:
    """How the samples were taken, in one line: a figure is only as good as its run."""
    settings, lab = _part(told.about, "settings"), _part(told.about, "lab")
    tools = _part(_part(told.about, "machine"), "tools")
    kept = kept_interval_ms(told.about)
    every = f"every {kept:.0f} ms" if kept else f"asked every {settings.get('interval_ms')} ms"
    return (
        f"{_count(told.summaries[0].blocks, 'block')} of {settings.get('pings')} pings a mode, "
        f"{every}, {settings.get('payload_bytes')} bytes; OVS {tools.get('ovs')}, "
        f"datapath {lab.get('datapath')}, {lab.get('app')}; scenario {told.about.get('scenario')}"
    )


def kept_interval_ms(about: Mapping[str, object]) -> float | None:
    """The interval ping kept, the median of the rounds; coarser than what it was asked for."""
    measured = about.get("measured")
    rounds = measured if isinstance(measured, list) else []
    kept = [each["kept_interval_ms"] for each in rounds if each.get("kept_interval_ms")]
    return float(median(kept)) if kept else None


def _part(whole: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def verdict_line(told: Told) -> str:
    """Whether the figures can be trusted, and what for."""
    if not told.trusted:
        return "not to be trusted: " + "; ".join(told.reasons or ("no verdict was reached",))
    return f"trusted ({QUICK})" if told.is_quick else "trusted"


def cells(each: Summary, told: Told) -> tuple[str, ...]:
    """One row of the table, under `HEADS`."""
    found, margin = each.to_baseline, told.experiment.margin
    return (
        each.level,
        str(each.samples + each.lost),
        str(each.lost),
        _figure(each.percentiles[10]),
        _figure(each.median),
        _figure(each.percentiles[90]),
        _figure(each.percentiles[99]),
        _between(each.interval),
        _figure(found.estimate, signed=True) if found else NONE,
        _between(found.interval, signed=True) if found else NONE,
        call(found, margin) if found else "baseline",
        _judged(each, told),
    )


def _judged(each: Summary, told: Told) -> str:
    """What the level says of the prediction: nothing if it is not about it, or the run is no good."""
    prediction, found = told.experiment.prediction, each.to_baseline
    if found is None or not prediction.is_about(each.level):
        return NONE
    return against(prediction, found) if told.trusted else NOT_JUDGED


def terminal_lines(told: Told) -> list[str | Table]:
    """What stands on a terminal at the end, none of it wider than 80 columns."""
    return [*headline(told).split("; "), _terminal_table(told), *_held_against(told)]


def _terminal_table(told: Told) -> Table:
    """The columns one looks for first, without those that have nothing to tell."""
    heads = {**dict(enumerate(HEADS)), HEADS.index("to baseline"): f"to {told.baseline}"}
    rows = [cells(each, told) for each in told.summaries]
    kept = [i for i in FIRST if any(row[i] != NONE for row in rows)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i in kept:
        table.add_column(heads[i], justify="left" if i in WORDS else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    return table


def _held_against(told: Told) -> list[str]:
    """The prediction, and what became of it."""
    judged = {each.level: _judged(each, told) for each in told.summaries}
    stands = [f"{level} {word}" for level, word in judged.items() if word != NONE]
    says = told.experiment.prediction.says
    return [f"Predicted: {says}", f"Found:     {', '.join(stands)}"] if stands else []


def markdown(told: Told, figures: Sequence[str]) -> str:
    """report.md: the finding, its question, prediction and figures, the table, the verdict."""
    experiment = told.experiment
    parts = [
        f"# {experiment.name}: {headline(told)}",
        f"**Question.** {experiment.question}",
        *_said_beforehand(experiment),
        *(f"![{_alternative(told)}]({figure})" for figure in figures),
        f"Times in {experiment.unit}, warm pings only. Intervals: bootstrap over blocks, 95%.",
        _markdown_table(told),
        f"**Verdict.** {_sentence(verdict_line(told))}",
        _sources(told),
    ]
    return "\n\n".join(parts) + "\n"


def _sources(told: Told) -> str:
    seed, files = told.about.get("seed"), "The rest is in `run.json`, every sample in `samples.csv`"
    return f"{_sentence(conditions(told))} Seed {seed}. {files}."


def _said_beforehand(experiment: Experiment) -> tuple[str, str]:
    prediction = experiment.prediction
    margin = f"A difference under {experiment.margin:g} {experiment.unit} is of no matter"
    return (
        f"**Predicted beforehand.** {_sentence(prediction.says)} Because {prediction.because}.",
        f"**Margin.** {margin}: {experiment.margin_because}.",
    )


def _markdown_table(told: Told) -> str:
    ruler = ("---" if i in WORDS else "---:" for i in range(len(HEADS)))
    rows = (cells(each, told) for each in told.summaries)
    return "\n".join("| " + " | ".join(row) + " |" for row in (HEADS, ruler, *rows))


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
        "summaries": [_summary_json(each, told) for each in told.summaries],
    }


def _summary_json(each: Summary, told: Told) -> dict[str, object]:
    found = each.to_baseline
    words = (
        {"call": call(found, told.experiment.margin), "prediction": _judged(each, told)}
        if found
        else {}
    )
    return {**asdict(each), **words}


def _alternative(told: Told) -> str:
    medians = ", ".join(
        f"{each.level} {each.median:.3f} {told.experiment.unit}" for each in told.summaries
    )
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
