"""One experiment of a report: told, or why it cannot be.  Pure values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from experiments.show.report import (
    CONFIRMED,
    NONE,
    NOT_JUDGED,
    REFUTED,
    UNDECIDED,
    Outcome,
    Report,
    Table,
)

LONG = 48  # rows of a table; one with more is folded up
BY_WEIGHT = (REFUTED, UNDECIDED, NOT_JUDGED, CONFIRMED)
NAMED = (REFUTED, UNDECIDED)  # others are only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What a report says of one experiment; alone in it, or one of a suite."""

    name: str
    report: Report | None = None
    fault: str = ""  # why it is not told
    folder: str = ""  # where its files lie, seen from the report; empty, or ends with a /
    files: Mapping[str, str] = field(default_factory=dict)  # by kind: where, `directory` among them

    @property
    def verdict(self) -> str:
        """In few words."""
        if self.report is None:
            return "no result"
        return self.report.verdict if self.report.trusted else "not to be trusted"

    @property
    def headline(self) -> str:
        """Its findings in one line, or why there are none."""
        return "; ".join(self.report.findings) if self.report else self.fault

    @property
    def tally(self) -> str:
        """What became of its predictions: of the main ones first, then refuted ones; empty if none."""
        outcomes = self.report.outcomes if self.report else ()
        main = [each for each in outcomes if each.is_main and each.name]
        others = [each for each in outcomes if each not in main]
        return "; ".join((*_stands(main, BY_WEIGHT), *_stands(others, NAMED)))


def _stands(outcomes: Sequence[Outcome], named: Sequence[str]) -> Iterator[str]:
    """`a, b and 1 more: undecided` or `8 confirmed`, the weightiest first."""
    for word in dict.fromkeys((*BY_WEIGHT, *(each.outcome for each in outcomes))):
        some = [each for each in outcomes if each.outcome == word]
        names = [each.name for each in some if each.name] if word in named else []
        more = len(some) - len(names)
        if names:
            yield ", ".join(names) + (f" and {more} more" if more else "") + f": {word}"
        elif some:
            yield f"{more} {word}"


def stopped(text: str) -> str:
    """With a full stop; not with a capital, since it may begin with the name of a mode."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def shown_columns(table: Table) -> tuple[int, ...]:
    """The columns that have anything to tell, by their places; the first one always does."""
    places = range(len(table.heads))
    return tuple(at for at in places if not at or any(row[at] != NONE for row in table.rows))


def fold(table: Table) -> str:
    """What stands in place of a long table until it is unfolded; empty: it is not long."""
    many = len(table.rows)
    return f"{many} rows{f', {table.summary}' if table.summary else ''}" if many > LONG else ""
