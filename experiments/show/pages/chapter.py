"""One experiment of a page: its report, or why there is none.  Pure values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from controller.model.wording import counted
from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    QUICK,
    REFUTED,
    UNDECIDED,
    Outcome,
    Report,
    Table,
    is_quick,
)

FIRST, SENTENCES = 2, 3  # findings at the top of a suite, and in a chapter before a fold
FEW = 6  # a suite of more experiments has one finding of each at its top
LONG = 48  # rows of a table; one with more is folded up
BY_WEIGHT = (REFUTED, UNDECIDED, NOT_JUDGED, CONFIRMED)  # outcomes, the most important first
NAMED = (REFUTED, UNDECIDED)  # the predictions of other outcomes are only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One experiment of a page; the only one, or one of a suite."""

    name: str
    report: Report | None = None
    fault: str = ""  # why there is no report
    folder: str = ""  # of its files, relative to the page; empty, or ends with a /
    files: Mapping[str, str] = field(default_factory=dict)  # paths by kind; one is `directory`

    @property
    def verdict(self) -> str:
        """The verdict in one or two words."""
        if self.report is None:
            return "no result"
        return self.report.verdict if self.report.trusted else "unreliable"

    @property
    def headline(self) -> str:
        """Its findings in one line, or why there are none."""
        return "; ".join(self.report.findings) if self.report else self.fault

    def first_findings(self, chapters: int) -> tuple[str, ...]:
        """What a suite of so many chapters says about it at its top."""
        most = FIRST if chapters <= FEW else 1
        return self.report.findings[:most] if self.report else (f"no result: {self.fault}",)

    @property
    def further_findings(self) -> tuple[str, ...]:
        """The findings that no chart has as its title."""
        titles = {each.title for each in self.report.pictures} if self.report else set()
        findings = self.report.findings if self.report else ()
        return tuple(each for each in findings if each not in titles)

    @property
    def doubt(self) -> str:
        """`no result`, `unreliable` or `quick run`; empty if nothing limits its findings."""
        if self.report is None or not self.report.trusted:
            return self.verdict
        return QUICK if is_quick(self.report.run) else ""

    @property
    def refuted(self) -> tuple[Outcome, ...]:
        """Its refuted predictions."""
        outcomes = self.report.outcomes if self.report else ()
        return tuple(each for each in outcomes if each.outcome == REFUTED)

    @property
    def tally(self) -> str:
        """The outcomes of its predictions, the main ones first; empty if there are none."""
        outcomes = self.report.outcomes if self.report else ()
        main = [each for each in outcomes if each.is_main and each.name]
        others = [each for each in outcomes if each not in main]
        return "; ".join((*_counts(main, BY_WEIGHT), *_counts(others, NAMED)))


def _counts(outcomes: Sequence[Outcome], named: Sequence[str]) -> Iterator[str]:
    """`a, b and 1 more: undecided` or `8 confirmed`, the most important first."""
    for word in dict.fromkeys((*BY_WEIGHT, *(each.outcome for each in outcomes))):
        some = [each for each in outcomes if each.outcome == word]
        names = [each.name for each in some if each.name] if word in named else []
        more = len(some) - len(names)
        if names:
            yield ", ".join(names) + (f" and {more} more" if more else "") + f": {word}"
        elif some:
            yield f"{more} {word}"


def verdicts(chapters: Sequence[Chapter]) -> str:
    """How many runs are trusted, and which are not, as in `11 of 13 runs trusted; unreliable: mtu`."""
    trusted = [each for each in chapters if each.report and each.report.trusted]
    doubts = dict.fromkeys(each.doubt for each in chapters if each.doubt)
    named = [
        f"{doubt}: {', '.join(each.name for each in chapters if each.doubt == doubt)}"
        for doubt in doubts
    ]
    return "; ".join((f"{len(trusted)} of {counted(len(chapters), 'run')} trusted", *named))


def stopped(text: str) -> str:
    """`text` with a full stop; no capital, since it may begin with the name of a mode."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def shown_columns(table: Table) -> tuple[int, ...]:
    """The indexes of the columns that are not empty, and of the first one."""
    places = range(len(table.heads))
    return tuple(at for at in places if not at or any(row[at] != NONE for row in table.rows))


def fold(table: Table) -> str:
    """The line shown in place of a long table until it is unfolded; empty if it is short."""
    many = len(table.rows)
    return f"{many} rows{f', {table.summary}' if table.summary else ''}" if many > LONG else ""
