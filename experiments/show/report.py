"""The report of a run: findings, outcomes of predictions, tables, pictures.  Pure values.

`experiments.show.reports` builds it from the files of a run; `pages` renders it as text, Markdown
and HTML.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.core.results import Run

NONE = "-"  # an empty cell
QUICK = "quick run"
CONFIRMED, REFUTED, UNDECIDED, NOT_JUDGED = "confirmed", "refuted", "undecided", "not judged"
RESULTS = (CONFIRMED, REFUTED, UNDECIDED, NOT_JUDGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of texts."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[str, ...] = ()  # heads of columns of text, which are set to the left
    note: str = ""  # how to read it
    summary: str = ""  # shown in place of a long one that is folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The texts around the panels of a figure."""

    title: str  # the one finding that the chart shows, with its number; two lines at most
    footer: tuple[str, ...]  # the run's ledger, a paragraph each: samples, predictions, verdict
    warning: str = ""  # below the title; empty if the run is trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure; the caller of `draw` sets the style."""

    name: str  # of its files, without the ending
    title: str  # the one finding that it shows: above the figure and in pages
    alternative: str  # text for readers who cannot see it
    draw: "Callable[[Caption], Figure]"
    conditions: str = ""  # of its samples; by default the report's


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a prediction."""

    claim: str
    reason: str
    outcome: str  # CONFIRMED, REFUTED, UNDECIDED, NOT_JUDGED
    found: str  # in words, with figures
    name: str = ""  # its subject, in a word or two
    is_main: bool = False  # it answers the question of the experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run found, for people and for programs."""

    run: "Run"
    findings: tuple[str, ...]  # the first lines of everything
    outcomes: tuple[Outcome, ...] = ()  # of its predictions
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()  # the first one is the run's
    conditions: str = ""  # how the samples were taken, in one line
    is_refuted: bool = False  # an exact prediction failed: exit status 1
    data: tuple[Mapping[str, Any], ...] = ()  # the first table's figures, for `--format json`

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.run.question.name

    @property
    def trusted(self) -> bool:
        """The verdict recorded in run.json."""
        return is_trusted(self.run)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the run is unreliable, if it is."""
        return reasons_of(self.run)

    @property
    def left_out(self) -> int:
        """How many predictions have no outcome, since they are about modes that were not measured."""
        return max(0, len(self.run.question.predictions) - len(self.outcomes))

    @property
    def left_out_line(self) -> str:
        """The same as a sentence; empty if there are none."""
        are = "more prediction is" if self.left_out == 1 else "more predictions are"
        about = "about modes that this run did not measure."
        return f"{self.left_out} {are} {about}" if self.left_out else ""

    @property
    def headline(self) -> str:
        """The findings joined by `; `, after a warning if the run is unreliable."""
        return "; ".join(filter(None, (self.warning, *self.findings)))

    @property
    def warning(self) -> str:
        """What to read before the findings of an unreliable run; empty if it is trusted."""
        return "" if self.trusted else "Unreliable run; reasons below"

    @property
    def verdict(self) -> str:
        """Whether the figures can be trusted, and why not."""
        if not self.trusted:
            return f"unreliable: {doubts_about(self.run)}"
        return f"trusted ({QUICK})" if is_quick(self.run) else "trusted"

    @property
    def counts(self) -> str:
        """How many predictions have each result, such as `Predictions: 3 confirmed, 1 refuted`."""
        results = [each.outcome for each in self.outcomes]
        counts = ((each, results.count(each)) for each in RESULTS)
        return "Predictions: " + ", ".join(f"{many} {each}" for each, many in counts if many)

    def caption(self, picture: Picture) -> Caption:
        """The texts around one of its pictures."""
        ledger = (self.counts if self.outcomes else "", f"Verdict: {self.verdict}")
        return Caption(
            title=picture.title,
            warning=self.warning,
            footer=(
                sentence(picture.conditions or self.conditions),
                " ".join(map(sentence, filter(None, ledger))),
            ),
        )

    def draw(self, picture: Picture | None = None) -> "Figure":
        """One of its pictures with title and footer; the first if none is named."""
        picture = picture or self.pictures[0]
        return picture.draw(self.caption(picture))


def is_trusted(run: "Run") -> bool:
    """The verdict recorded in run.json."""
    return bool(_verdict(run).get("trusted"))


def reasons_of(run: "Run") -> tuple[str, ...]:
    """Why run.json says that the run is unreliable."""
    return tuple(map(str, _verdict(run).get("reasons", ())))


def doubts_about(run: "Run") -> str:
    """The reasons in one line, or that there is no verdict."""
    return "; ".join(reasons_of(run) or ("no verdict was reached",))


def is_quick(run: "Run") -> bool:
    """True if it was a quick run."""
    return bool(run.about.get("quick"))


def _verdict(run: "Run") -> Mapping[str, Any]:
    found = run.about.get("verdict")
    return found if isinstance(found, dict) else {}


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def range_text(values: Iterable[float], form: str) -> str:
    """The least and the greatest, as in `3.9 to 4.0`; one of them if they read the same."""
    ordered = sorted(values)
    return " to ".join(dict.fromkeys(format(end, form) for end in (ordered[0], ordered[-1])))
