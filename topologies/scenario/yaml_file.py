"""A YAML 1.2 file as plain values, each with its line; limits keep the time below a second.

libyaml reads the structure.  Plain texts are read here, by the core schema of YAML 1.2 (section
10.3): PyYAML's own rules are those of YAML 1.1, where `no` is a truth value.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from controller.model.errors import ModelError
from controller.system.files import read_text
from topologies.scenario.file import Map, Place, shown

# A scenario of 1,000 ports has 12,000; with aliases, a few lines may have millions.
VALUES_MOST = 50_000
DEPTH_MOST = 50  # lists and mappings inside each other; a scenario has 6
DIGITS_MOST = 50  # of a number: the largest of a scenario has 10
DIRECTIVE = re.compile(r"^%(?!YAML )", re.MULTILINE)
TAG = "tag:yaml.org,2002:"  # written as `!!`
NULL = re.compile(r"|~|null|Null|NULL")
BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
INTEGERS = (
    (re.compile(r"[-+]?[0-9]+"), 10),
    (re.compile(r"0o[0-7]+"), 8),
    (re.compile(r"0x[0-9a-fA-F]+"), 16),
)
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
PLAIN: dict[str, type | tuple[type, ...]] = {
    f"{TAG}null": type(None),
    f"{TAG}bool": bool,
    f"{TAG}int": int,
    f"{TAG}float": (int, float),
}
VALUES = "finite numbers, truth values and text as in YAML 1.2"

Scalar = str | int | float | bool | None
Events = Iterator[yaml.Event]


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its line; `size` and `depth` count what is inside, also what aliases repeat."""

    line: int
    value: "Scalar | list[Node] | dict[str, tuple[int, Node]]"
    size: int = 1
    depth: int = 0


def read_yaml(path: Path) -> Any:
    """The one document of a YAML 1.2 file: mappings as `Map`, the rest as plain values.

    Raises:
        ModelError: it cannot be read, is not YAML, is larger or deeper than the limits, or has a key
            twice in one mapping.
    """
    name = shown(path)
    return parse_yaml(read_text(path, ModelError, where=name), name)


def parse_yaml(text: str, name: str) -> Any:
    """Like `read_yaml`, of `text`, which is from a file called `name`."""
    if found := DIRECTIVE.search(text):
        raise _Composer(name).not_yaml(text.count("\n", 0, found.start()) + 1)
    composer = _Composer(name)
    try:
        return _placed(composer.document(_events(text)), name, "")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise composer.not_yaml(line, has_tab=_is_indented_by_tab(text, line)) from None
    except yaml.reader.ReaderError as error:
        raise composer.not_yaml(text.count("\n", 0, error.position) + 1) from None
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise composer.not_yaml(text.count("\n", 0, error.start) + 1) from None


def _is_indented_by_tab(text: str, line: int) -> bool:
    written = text.splitlines()[line - 1 : line]
    return any("\t" in each[: len(each) - len(each.lstrip())] for each in written)


def _events(text: str) -> Events:
    loader = getattr(yaml, "CLoader", yaml.Loader)  # a PyYAML may be built without libyaml
    events: Events = yaml.parse(text, Loader=loader)
    return events


class _Composer:
    """Makes nodes of events, and keeps the nodes with an anchor."""

    def __init__(self, name: str) -> None:
        self.name, self.anchors, self.count = name, dict[str, Node](), 0

    def document(self, events: Events) -> Node:
        root = Node(1, None)
        for number, event in enumerate(each for each in events if _begins(each)):
            if number:
                raise self.not_yaml(_line(event))
            root = self.node(next(events), events, 0)
        return root

    def node(self, event: yaml.Event, events: Events, depth: int) -> Node:
        """The node that begins with `event`; reads all events of it."""
        line = _line(event)
        self.count += 1
        if self.count > VALUES_MOST:
            raise self.too_many(line)
        if depth > DEPTH_MOST:
            raise self.too_deep(line)
        match event:
            case yaml.AliasEvent():
                if event.anchor not in self.anchors:
                    raise self.wrong(line, f"alias *{event.anchor}", "the anchor of a value above")
                return self.anchors[event.anchor]
            case yaml.ScalarEvent():
                node = Node(line, self.scalar(event, line))
            case yaml.SequenceStartEvent():
                node = self.sequence(event, events, depth)
            case _:
                node = self.mapping(event, events, depth)
        if node.size > VALUES_MOST:
            raise self.too_many(line)
        if depth + node.depth > DEPTH_MOST:
            raise self.too_deep(line)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def sequence(self, event: yaml.Event, events: Events, depth: int) -> Node:
        line = _line(event)
        self.check_tag(event.tag, f"{TAG}seq", line)
        items = []
        while not isinstance(inside := next(events), yaml.SequenceEndEvent):
            items.append(self.node(inside, events, depth + 1))
        return Node(line, items, *_extent(items))

    def mapping(self, event: yaml.Event, events: Events, depth: int) -> Node:
        line = _line(event)
        self.check_tag(event.tag, f"{TAG}map", line)
        own: dict[str, tuple[int, Node]] = {}
        merged: dict[str, tuple[int, Node]] = {}
        while not isinstance(inside := next(events), yaml.MappingEndEvent):
            at = _line(inside)
            key = self.key(inside, at)
            value = self.node(next(events), events, depth + 1)
            if key == "<<" and not inside.style:
                for one in value.value if isinstance(value.value, list) else [value]:
                    for name, pair in self.merged(one, at).items():
                        merged.setdefault(name, pair)  # the first one wins
            elif key in own:
                raise self.error(
                    at,
                    f"key {key!r} appears twice",
                    "each key once in a mapping",
                    "Remove one of them.",
                )
            else:
                own[key] = at, value
        pairs = {**merged, **own}
        return Node(line, pairs, *_extent(node for _, node in pairs.values()))

    def merged(self, node: Node, line: int) -> dict[str, tuple[int, Node]]:
        """The keys of a mapping that `<<` names (yaml.org/type/merge.html)."""
        if not isinstance(node.value, dict):
            raise self.wrong(line, "<< without a mapping", "`<<: *name`, the anchor of a mapping")
        self.count += len(node.value)
        return node.value

    def key(self, event: yaml.Event, line: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self.wrong(line, "a key that is not text", "text as key")
        self.scalar(event, line)
        return str(event.value)

    def scalar(self, event: yaml.ScalarEvent, line: int) -> Scalar:
        text = event.value
        if event.tag in {"!", f"{TAG}str"} or (event.tag is None and event.style):
            return str(text)
        if event.tag is not None and event.tag not in PLAIN:
            raise self.wrong(line, f"tag {_short(event.tag)}", "values without a tag")
        value = self.plain(text, line)
        if event.tag is not None and not isinstance(value, PLAIN[event.tag]):
            raise self.wrong(line, f"{_short(event.tag)} {_short(text)!r}", VALUES)
        return value

    def plain(self, text: str, line: int) -> Scalar:
        """The value of a text without quotes (YAML 1.2, 10.3.2)."""
        if NULL.fullmatch(text):
            return None
        if found := BOOL.fullmatch(text):
            return bool(found[1])
        base = next((base for pattern, base in INTEGERS if pattern.fullmatch(text)), 0)
        is_number = base or FLOAT.fullmatch(text)
        if NOT_FINITE.fullmatch(text) or (is_number and len(text) > DIGITS_MOST):
            raise self.wrong(line, _short(text), VALUES)
        if base:
            return int(text, 0 if base != 10 else 10)
        if not is_number:
            return text
        if not isfinite(number := float(text)):
            raise self.wrong(line, text, VALUES)
        return number

    def check_tag(self, tag: str | None, allowed: str, line: int) -> None:
        if tag not in {None, "!", allowed}:
            raise self.wrong(line, f"tag {_short(str(tag))}", "values without a tag")

    def wrong(self, line: int, found: str, allowed: str) -> ModelError:
        do = "Correct it; put it in quotes if it is text."
        return self.error(line, f"invalid value ({found})", allowed, do)

    def too_many(self, line: int) -> ModelError:
        allowed = f"{VALUES_MOST}; the values of an alias (`*name`) count again"
        return self.error(line, f"more than {VALUES_MOST} values", allowed, "Remove some.")

    def too_deep(self, line: int) -> ModelError:
        allowed = f"at most {DEPTH_MOST}"
        found = f"more than {DEPTH_MOST} lists or mappings inside each other"
        return self.error(line, found, allowed, "Nest less deeply.")

    def not_yaml(self, line: int, *, has_tab: bool = False) -> ModelError:
        found, allowed = "not valid YAML", "one document in YAML 1.2"
        do = "Check indentation, brackets, quotes and colons in this line and the one before."
        if has_tab:
            found, allowed, do = f"{found}: a tab", "spaces as indentation", "Use spaces."
        return self.error(line, found, allowed, do)

    def error(self, line: int, found: str, allowed: str, do: str) -> ModelError:
        return ModelError(found, where=str(Place(self.name, line)), allowed=allowed, do=do)


def _begins(event: yaml.Event) -> bool:
    return isinstance(event, yaml.DocumentStartEvent)


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1


def _extent(nodes: Iterable[Node]) -> tuple[int, int]:
    """Size and depth of a list or mapping of these nodes."""
    inside = list(nodes)
    depth = max((node.depth for node in inside), default=0)
    return 1 + sum(node.size for node in inside), 1 + depth


def _short(text: str) -> str:
    text = text.replace(TAG, "!!")
    return text if len(text) <= DIGITS_MOST else f"{text[:DIGITS_MOST]}..."


def _placed(node: Node, file: str, path: str) -> Any:
    if isinstance(node.value, list):
        return [_placed(item, file, f"{path}[{at}]") for at, item in enumerate(node.value)]
    if not isinstance(node.value, dict):
        return node.value
    placed = Map(path, Place(file, node.line))
    for key, (line, value) in node.value.items():
        placed.places[key] = Place(file, line)
        placed[key] = _placed(value, file, placed.path_of(key))
    return placed
