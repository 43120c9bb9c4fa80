"""A YAML file as plain values, each with its line."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError

from controller.model.errors import ModelError, ModelErrors, raise_all

MOST = 100_000  # values; a few lines of aliases may stand for millions


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
    """All errors of a scenario, collected so that they are reported together."""

    def __init__(self) -> None:
        self.found: list[tuple[Place, ModelError]] = []
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

    def refused(self, error: ModelError, place_of: Callable[[ModelError], Place]) -> None:
        """Add what the model refuses, each error with its place."""
        for one in error.errors if isinstance(error, ModelErrors) else (error,):
            self.add(place_of(one), one.where, one.found, allowed=one.allowed, do=one.do)

    def raise_all(self) -> None:
        """Raise the errors that were added, file by file, from top to bottom.

        Raises:
            ModelError: the only error; `ModelErrors` if there are several.
        """
        ordered = sorted(self.found, key=lambda pair: (self.files[pair[0].file], pair[0].line))
        raise_all({str(error): error for _, error in ordered}.values())


def shown(path: Path) -> str:
    """`path`, relative to the working directory if it is below it."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def read_text(path: Path, *, where: str) -> str:
    """The file's text.

    Raises:
        ModelError: there is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(
            f"byte {error.object[error.start]:#04x} at offset {error.start} is not UTF-8",
            where=where,
            allowed="text in UTF-8",
            do="Save the file as UTF-8.",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: not a possible path
        raise ModelError(
            "no such file" if isinstance(error, FileNotFoundError) else "cannot be read",
            where=where,
            allowed="a readable file",
            do="Check its permissions and its path, which is relative to the scenario file's folder.",
        ) from None


def read_yaml(path: Path) -> Any:
    """The one document of a YAML 1.2 file: mappings as `Map`, the rest as plain values.

    Raises:
        ModelError: it cannot be read, is not YAML, or has a key twice in one mapping.
    """
    name = shown(path)
    text = read_text(path, where=name)
    try:
        return _placed(_loaded(text, name), name, "", 1)
    except DuplicateKeyError as error:
        raise _duplicate(error, name) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(str(Place(name, mark.line + 1 if mark else 1))) from None
    except (YAMLError, RecursionError):
        raise _not_yaml(name) from None
    except (ValueError, LookupError, AttributeError) as error:  # an invalid date or number
        raise ModelError(
            f"invalid value ({error})",
            where=name,
            allowed="numbers, dates, truth values and text as in YAML 1.2",
            do="Correct it; put it in quotes if it is text.",
        ) from None


def _loaded(text: str, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML 1.2 allows it
        loaded = YAML(typ="rt", pure=True).load(text)
    if sum(1 for _ in islice(_values(loaded), MOST)) == MOST:
        raise ModelError(
            f"{MOST} values or more",
            where=name,
            allowed=f"fewer than {MOST}; the values of an alias (`*name`) count again",
            do="Remove aliases.",
        )
    return loaded


def _values(node: Any) -> Iterator[Any]:
    """The node and all below it; a node with aliases once for each of them."""
    yield node
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in inside:
        yield from _values(each)


def _duplicate(error: DuplicateKeyError, name: str) -> ModelError:
    mark = error.problem_mark
    line = mark.buffer.split("\n")[mark.line] if mark.buffer else ""
    key = line[mark.column :].split(":")[0].strip()
    return ModelError(
        f"key {key!r} appears twice",
        where=str(Place(name, mark.line + 1)),
        allowed="each key once in a mapping",
        do="Remove one of them.",
    )


def _not_yaml(where: str) -> ModelError:
    return ModelError(
        "not valid YAML",
        where=where,
        allowed="one document in YAML 1.2",
        do="Check indentation, brackets, quotes and colons in this line and the one before.",
    )


def _placed(node: Any, file: str, path: str, line: int) -> Any:
    if isinstance(node, CommentedMap):
        return _placed_map(node, file, path, line)
    if isinstance(node, CommentedSeq):
        return [
            _placed(item, file, f"{path}[{index}]", _line(node, index, line))
            for index, item in enumerate(node)
        ]
    if isinstance(node, str):
        node.encode()  # raises for half of a surrogate pair, which cannot be encoded
    for plain in (bool, int, float, str):  # ruamel has subclasses of them, which keep the notation
        if isinstance(node, plain):
            return plain(node)
    return node


def _placed_map(node: CommentedMap, file: str, path: str, line: int) -> Map:
    placed = Map(path, Place(file, line))
    for key, value in node.items():
        name = str(key)
        at = _line(node, key, line)
        placed.places[name] = Place(file, at)
        placed[name] = _placed(value, file, placed.path_of(name), at)
    return placed


def _line(node: CommentedMap | CommentedSeq, key: Any, otherwise: int) -> int:
    known: dict[Any, Sequence[int]] = node.lc.data or {}
    return known[key][0] + 1 if key in known else otherwise
