"""A YAML file as plain values that remember where they stood."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError

from controller.model.errors import ModelError, raise_all

MOST = 100_000  # values; a few lines of aliases may stand for millions


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Map(dict[str, Any]):
    """A mapping that knows its own place, its keys' places, and what was taken out as wrong."""

    def __init__(self, path: str, place: Place) -> None:
        super().__init__()
        self.path, self.place = path, place
        self.places: dict[str, Place] = {}
        self.lacks: set[str] = set()  # keys taken out, or with something below them taken out

    def place_of(self, key: str) -> Place:
        """Where `key` stands; where the mapping begins if it has no such key."""
        return self.places.get(key, self.place)

    def path_of(self, key: str) -> str:
        """How an error names `key` of this mapping."""
        return f"{self.path}.{key}" if self.path else key

    def maps(self, key: str) -> Iterator["Map"]:
        """The mappings of the list at `key`; none if there is no list."""
        return (item for item in self.get(key) or () if isinstance(item, Map))

    def map(self, key: str) -> "Map":
        """The mapping at `key`, or an empty one in its place."""
        found = self.get(key)
        return found if isinstance(found, Map) else Map(self.path_of(key), self.place_of(key))


class Problems:
    """Everything wrong with a scenario, gathered so that one pass mends it all."""

    def __init__(self) -> None:
        self.found: list[tuple[Place, ModelError]] = []
        self.files: dict[str, int] = {}

    def open(self, file: str) -> None:
        """Problems of `file` come after those of files opened before it."""
        self.files.setdefault(file, len(self.files))

    def add(self, place: Place, key: str, found: str, *, allowed: str, do: str) -> None:
        """Note that `found` stands at `place` under `key`."""
        where = f"{place}: {key}" if key else str(place)
        self.note(place, ModelError(found, where=where, allowed=allowed, do=do))

    def note(self, place: Place, error: ModelError) -> None:
        """Note `error`, which already says where."""
        self.open(place.file)
        self.found.append((place, error))

    def raise_all(self) -> None:
        """Raise what was noted, file by file, from top to bottom.

        Raises:
            ModelError: the one problem, or all of them as `ModelErrors`.
        """
        ordered = sorted(self.found, key=lambda pair: (self.files[pair[0].file], pair[0].line))
        raise_all({str(error): error for _, error in ordered}.values())


def shown(path: Path) -> str:
    """`path` as a person at this working directory would write it."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def read_text(path: Path, *, where: str) -> str:
    """The file's text.

    Raises:
        ModelError: it is not there, not ours to read, or not UTF-8.
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
    except (OSError, ValueError) as error:  # ValueError: no path can be so
        raise ModelError(
            "no such file" if isinstance(error, FileNotFoundError) else "cannot be read",
            where=where,
            allowed="a file that you may read",
            do="Check the path, which counts from the scenario file's folder, and its rights.",
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
        raise _twice(error, name) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(str(Place(name, mark.line + 1 if mark else 1))) from None
    except (YAMLError, RecursionError):
        raise _not_yaml(name) from None
    except (ValueError, LookupError, AttributeError) as error:  # a date, a number that is none
        raise _no_value(name, str(error)) from None


def _loaded(text: str, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML 1.2 allows it
        loaded = YAML(typ="rt", pure=True).load(text)
    if sum(1 for _ in islice(_values(loaded), MOST)) == MOST:
        raise ModelError(
            f"{MOST} values or more",
            where=name,
            allowed=f"fewer than {MOST}; what an alias (`*name`) stands for counts again",
            do="Take aliases out.",
        )
    return loaded


def _values(node: Any) -> Iterator[Any]:
    """The node, and all below it, once for each way to it."""
    yield node
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in inside:
        yield from _values(each)


def _no_value(where: str, found: str) -> ModelError:
    return ModelError(
        f"a value that is none ({found})",
        where=where,
        allowed="numbers, dates, truth values and text as YAML 1.2 has them",
        do="Mend it, or put it in quotes if it is text.",
    )


def _twice(error: DuplicateKeyError, name: str) -> ModelError:
    mark = error.problem_mark
    line = mark.buffer.split("\n")[mark.line] if mark.buffer else ""
    key = line[mark.column :].split(":")[0].strip()
    return ModelError(
        f"key {key!r} stands twice",
        where=str(Place(name, mark.line + 1)),
        allowed="each key once in a mapping",
        do="Remove one of them.",
    )


def _not_yaml(where: str) -> ModelError:
    return ModelError(
        "not YAML",
        where=where,
        allowed="one document in YAML 1.2",
        do="Look at indentation, brackets, quotes and colons here and in the line before.",
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
        node.encode()  # refuses half a character, which could be written nowhere
    for plain in (bool, int, float, str):  # ruamel's own kinds of them, which keep spelling
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
