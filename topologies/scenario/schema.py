"""What the JSON schema refuses, said in our own words, and what is left without it."""

import json
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from topologies.scenario.file import Map, Place, Problems

SCHEMA_FILE = Path(__file__).with_name("scenario.schema.json")
FORMATS = FormatChecker(formats=())
TYPES = {
    "object": "a mapping of keys",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
Path_ = tuple[str | int, ...]


def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(ip_address(value))


def _is_cidr(value: object) -> bool:
    return not isinstance(value, str) or bool(ip_network(value))


def _is_ipv4(value: object) -> bool:
    return not isinstance(value, str) or bool(IPv4Address(value))


def _is_ipv4_cidr(value: object) -> bool:
    return not isinstance(value, str) or bool(IPv4Network(value))


FORMATS.checks("overlaylab-ip4", raises=ValueError)(_is_ipv4)
FORMATS.checks("overlaylab-cidr4", raises=ValueError)(_is_ipv4_cidr)
FORMATS.checks("overlaylab-ip", raises=ValueError)(_is_address)
FORMATS.checks("overlaylab-cidr", raises=ValueError)(_is_cidr)


@cache
def _validator(file: Path) -> Draft202012Validator:
    schema = json.loads(file.read_text(encoding="utf-8"))
    return Draft202012Validator(schema, format_checker=FORMATS)


def checked(data: Any, file: str, problems: Problems, schema: Path = SCHEMA_FILE) -> Map | None:
    """Note all that the schema refuses in `data`; return the part that is left to work with.

    None if nothing is: then the file is no scenario at all.
    """
    for error in _validator(schema).iter_errors(data):
        for key, found, allowed, do in _said(error):
            place, path = _stands(data, (*error.absolute_path, *key), file)
            problems.add(place, path, found, allowed=allowed, do=do)
    return _left(data, schema)


def _stands(data: Any, path: Path_, file: str) -> tuple[Place, str]:
    """Where `path` is, or the nearest thing that has a line; and how a person writes it."""
    place, node = Place(file, 1), data
    step: Any
    for step in path:
        if isinstance(node, Map):
            place = node.place_of(str(step))
        node = node[step] if isinstance(node, list) else (node or {}).get(step)
        place = node.place if isinstance(node, Map) else place
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return place, written.removeprefix(".")


Said = tuple[Path_, str, str, str]  # key below the error's own path, found, allowed, do


def _said(error: ValidationError) -> Iterator[Said]:
    yield from _SAY.get(str(error.validator), _say_other)(error)


def _say_other(error: ValidationError) -> Iterator[Said]:
    yield (), _found(error.instance), str(_schema(error).get("description")), "Mend the value."


def _say_type(error: ValidationError) -> Iterator[Said]:
    wanted = error.validator_value
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    allowed = " or ".join(TYPES[kind] for kind in kinds)
    about = _schema(error).get("description")
    yield (), _found(error.instance), f"{allowed} ({about})" if about else allowed, _quoting(error)


def _quoting(error: ValidationError) -> str:
    if error.validator_value == "string" and isinstance(error.instance, int | float):
        return "Put it in quotes."
    return "Mend the value."


def _say_enum(error: ValidationError) -> Iterator[Said]:
    allowed = [str(value) for value in error.validator_value]
    yield (), _found(error.instance), ", ".join(allowed), _near(str(error.instance), allowed)


def _near(found: str, allowed: Sequence[str]) -> str:
    close = get_close_matches(found, allowed, n=1)
    return f"Did you mean `{close[0]}`?" if close else "Pick one of them."


def _say_required(error: ValidationError) -> Iterator[Said]:
    schema = _schema(error)
    for key in error.validator_value:
        if key not in error.instance:  # jsonschema says this once a key; said twice is said once
            about = schema["properties"][key].get("description")
            yield (), f"no `{key}`", f"`{key}`: {about}", "Add it."


def _say_unknown_keys(error: ValidationError) -> Iterator[Said]:
    known = list(_schema(error)["properties"])
    for key in error.instance:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            do = f"Did you mean `{close[0]}`?" if close else "Remove it."
            yield (key,), "unknown key", ", ".join(known), do


def _say_too_few(error: ValidationError) -> Iterator[Said]:
    schema = _schema(error)
    allowed = f"{schema['minItems']}..{schema['maxItems']}"
    yield (), f"a list of {len(error.instance)}", allowed, "Add some."


def _say_minimum(error: ValidationError) -> Iterator[Said]:
    about = _schema(error).get("description")
    yield (
        (),
        _found(error.instance),
        f"{error.validator_value} or more ({about})",
        "Mend the value.",
    )


def _say_repeated(error: ValidationError) -> Iterator[Said]:
    shown = ", ".join(map(str, error.instance))
    yield (), f"[{shown}]", "each entry once", "Remove what stands twice."


def _say_empty(error: ValidationError) -> Iterator[Said]:
    yield (), "empty text", str(_schema(error).get("description")), "Fill it in or remove it."


_SAY: dict[str, Callable[[ValidationError], Iterator[Said]]] = {
    "type": _say_type,
    "enum": _say_enum,
    "required": _say_required,
    "additionalProperties": _say_unknown_keys,
    "minItems": _say_too_few,
    "maxItems": lambda _: iter(()),  # of hosts; the model says it
    "minLength": _say_empty,
    "minimum": _say_minimum,
    "uniqueItems": _say_repeated,
}


def _schema(error: ValidationError) -> dict[str, Any]:
    return dict(error.schema) if isinstance(error.schema, dict) else {}


def _found(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, dict):
        return "a mapping of keys"
    if isinstance(value, list):
        return "a list"
    return (
        repr(value) if isinstance(value, str | int | float) else f"{value} ({type(value).__name__})"
    )


# These leave something to work with: the rest of the scenario is still checked.
HARMLESS = frozenset({"minItems", "maxItems", "additionalProperties", "uniqueItems"})


def _left(data: Any, schema: Path) -> Map | None:
    """`data` without what the schema refuses, nor what cannot be without it."""
    while True:
        errors = (e for e in _validator(schema).iter_errors(data) if e.validator not in HARMLESS)
        faulty = {tuple(error.absolute_path) for error in errors}
        if not faulty or () in faulty:
            return data if isinstance(data, Map) and not faulty else None
        data = _without(data, faulty, ())


def _without(node: Any, faulty: set[Path_], at: Path_) -> Any:
    if at in faulty:
        return None
    if isinstance(node, list):
        kept = (
            _without(item, faulty, (*at, index))
            for index, item in enumerate(node)
            if (*at, index) not in faulty
        )
        return list(kept)
    if not isinstance(node, Map):
        return node
    copy = Map(node.path, node.place)
    copy.places, copy.lacks = node.places, set(node.lacks)
    for key, value in node.items():
        below = (*at, key)
        if any(path[: len(below)] == below for path in faulty):
            copy.lacks.add(key)
        if below not in faulty:
            copy[key] = _without(value, faulty, below)
    return copy
