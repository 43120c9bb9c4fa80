"""One experiment of a report: told, or why it cannot be.  Pure values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.story import NONE, Grid, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What a report says of one experiment; alone in it, or one of a suite."""

    name: str
    told: Told | None = None
    fault: str = ""  # why it is not told
    folder: str = ""  # where its files lie, seen from the report; empty, or ends with a /
    files: Mapping[str, str] = field(default_factory=dict)  # by kind: where, `directory` among them

    @property
    def verdict(self) -> str:
        """In few words."""
        if self.told is None:
            return "no result"
        return self.told.verdict if self.told.trusted else "not to be trusted"

    @property
    def headline(self) -> str:
        """Its findings in one line, or why there are none."""
        return "; ".join(self.told.story.findings) if self.told else self.fault

    @property
    def tally(self) -> str:
        """What became of its predictions, counted; empty if there are none."""
        stands = Counter(each.stands for each in self.told.story.held) if self.told else Counter()
        return ", ".join(f"{number} {word}" for word, number in stands.items())


def stopped(text: str) -> str:
    """With a full stop; not with a capital, since it may begin with the name of a mode."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def telling(grid: Grid) -> tuple[int, ...]:
    """The columns that have anything to tell, by their places; the first one always does."""
    places = range(len(grid.heads))
    return tuple(at for at in places if not at or any(row[at] != NONE for row in grid.rows))
