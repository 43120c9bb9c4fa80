"""Values of a scenario file, each with its line, and the errors of a scenario."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.model.errors import ModelError, ModelErrors, raise_all
from controller.system.files import printable


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Map(dict[str, Any]):
    """A mapping with its own place, the places of its keys, and the keys that were removed as wrong."""

    def __init__(self, path: str, place: Place) -> None:
        super().__init__()
        self.path, self.place = path, place
        self.places: dict[str, Place] = {}
        self.lacks: set[str] = set()  # keys that were removed, or have something below them removed

    def place_of(self, key: str) -> Place:
        """The place of `key`; that of the mapping if it has no such key."""
        return self.places.get(key, self.place)

    def path_of(self, key: str) -> str:
        """How an error names `key` of this mapping."""
        return f"{self.path}.{key}" if self.path else key

    def maps(self, key: str) -> Iterator["Map"]:
        """The mappings of the list at `key`; none if there is no list."""
        return (item for item in self.get(key) or () if isinstance(item, Map))

    def map(self, key: str) -> "Map":
        """The mapping at `key`; an empty one if there is none."""
        found = self.get(key)
        return found if isinstance(found, Map) else Map(self.path_of(key), self.place_of(key))


class Problems:
    """All errors and warnings of a scenario, collected so that they are reported together."""

    def __init__(self) -> None:
        self.found: list[tuple[Place, ModelError]] = []
        self.warned: dict[tuple[Place, str], None] = {}
        self.files: dict[str, int] = {}

    def open(self, file: str) -> None:
        """Problems of `file` come after those of files opened before it."""
        self.files.setdefault(file, len(self.files))

    def add(self, place: Place, key: str, found: str, *, allowed: str, do: str) -> None:
        """Add the error that `key` has the value `found`, at `place`."""
        where = f"{place}: {key}" if key else str(place)
        self.note(place, ModelError(found, where=where, allowed=allowed, do=do))

    def add_at(self, item: Map, key: str, found: str, *, allowed: str, do: str) -> None:
        """Add the error that `key` of a mapping has the value `found`."""
        self.add(item.place_of(key), item.path_of(key), found, allowed=allowed, do=do)

    def note(self, place: Place, error: ModelError) -> None:
        """Add an error whose text already has the place."""
        self.open(place.file)
        self.found.append((place, error))

    def warn(self, place: Place, text: str) -> None:
        """Add a warning, once: what Neutron would ignore or do differently."""
        self.open(place.file)
        self.warned[place, text] = None

    def warnings(self) -> tuple[str, ...]:
        """Every warning with its place, file by file, from top to bottom."""
        ordered = sorted(self.warned, key=lambda pair: self._order(pair[0]))
        return tuple(f"{place}: {text}" for place, text in ordered)

    def _order(self, place: Place) -> tuple[int, int]:
        return self.files[place.file], place.line

    def refused(self, error: ModelError, place_of: Callable[[ModelError], Place]) -> None:
        """Add what the model refuses, each error with its place."""
        for one in error.errors if isinstance(error, ModelErrors) else (error,):
            self.add(place_of(one), one.where, one.found, allowed=one.allowed, do=one.do)

    def raise_all(self) -> None:
        """Raise the errors that were added, file by file, from top to bottom, warnings among them.

        Raises:
            ModelError: the only error; `ModelErrors` if there are several, or warnings.
        """
        ordered = sorted(self.found, key=lambda pair: self._order(pair[0]))
        errors = {str(error): error for _, error in ordered}
        if not self.found or not self.warned:
            raise_all(errors.values())
            return
        lines = [(place, str(error)) for place, error in ordered]
        lines += [(place, f"warning: {place}: {text}") for place, text in self.warned]
        lines.sort(key=lambda pair: self._order(pair[0]))
        raise ModelErrors(errors.values(), lines=dict.fromkeys(line for _, line in lines))


def shown(path: Path) -> str:
    """`path` as errors name it: relative to the working directory if it is below it."""
    absolute, here = path.absolute(), Path.cwd()
    short = absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
    return printable(str(short))
