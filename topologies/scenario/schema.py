"""The errors of a scenario against its JSON schema, in plain words, and what is left without them."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from controller.model.addresses import parse_cidr
from controller.model.near import did_you_mean
from topologies.scenario.file import Map, Place, Problems
from topologies.scenario.known_elsewhere import KEYS, is_called_otherwise, meant, places_of

SCHEMA_FILE = Path(__file__).with_name("scenario.schema.json")
ERRORS_MOST = 100  # more help nobody, and take time
TEXT_MOST = 200  # characters of a value in an error
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
CORRECT = "Correct the value."
# After these errors the value is kept: the rest of the scenario can still be checked.
HARMLESS = frozenset({"minItems", "maxItems", "additionalProperties", "uniqueItems"})
Path_ = tuple[str | int, ...]
Refusal = tuple[Path_, str, str, str]  # key below the error's own path, found, allowed, what to do


def _parses(parse: Callable[[str], object], value: object) -> bool:
    return not isinstance(value, str) or bool(parse(value))


_FORMATS: dict[str, Callable[[str], object]] = {
    "overlaylab-ip4": IPv4Address,
    "overlaylab-cidr4": lambda text: IPv4Network(str(parse_cidr(text))),
    "overlaylab-ip": ip_address,
    "overlaylab-cidr": parse_cidr,
    "overlaylab-group": ip_network,
    "overlaylab-pair": ip_network,
}
for _format, _parse in _FORMATS.items():
    FORMATS.checks(_format, raises=ValueError)(partial(_parses, _parse))


def _unique(_: Any, wanted: Any, found: Any, __: Any) -> Iterator[ValidationError]:
    """`uniqueItems` of lists of texts, in linear time; `items` refuses all other entries."""
    texts = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    if wanted and len(set(texts)) < len(texts):
        yield ValidationError("entries are not unique")


_Validator = extend(Draft202012Validator, {"uniqueItems": _unique})


@cache
def _validator(file: Path) -> Draft202012Validator:
    schema = json.loads(file.read_text(encoding="utf-8"))
    made: Draft202012Validator = _Validator(schema, format_checker=FORMATS)
    return made


def checked(data: Any, file: str, problems: Problems, schema: Path = SCHEMA_FILE) -> Map | None:
    """Add all errors of `data` to `problems`; return the part of it that is valid.

    None if no part is: the file is not a scenario.
    """
    refusals = (
        (error, refusal)
        for error in _validator(schema).iter_errors(data)
        for refusal in _refusals(error, _validator(schema).schema)
    )
    for error, (key, found, allowed, do) in islice(refusals, ERRORS_MOST):
        place, path = _located(data, (*error.absolute_path, *key), file)
        problems.add(place, path, found, allowed=allowed, do=do)
    if next(refusals, None):
        found, allowed = f"more than {ERRORS_MOST} errors", "none"
        problems.add(Place(file, 1), "", found, allowed=allowed, do="Correct the others first.")
        return None
    return _left(data, schema)


def _located(data: Any, path: Path_, file: str) -> tuple[Place, str]:
    """The place of `path`, or of the nearest part that has one; and the path as text."""
    place, node = Place(file, 1), data
    step: Any
    for step in path:
        if isinstance(node, Map):
            place = node.place_of(str(step))
        node = node[step] if isinstance(node, list) else (node or {}).get(step)
        place = node.place if isinstance(node, Map) else place
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return place, written.removeprefix(".")


def _refusals(error: ValidationError, schema: Any) -> Iterator[Refusal]:
    match error.validator:
        case "required":
            for key in error.validator_value:
                # jsonschema has an error for each missing key; `Problems` removes duplicates.
                if key not in error.instance and not is_called_otherwise(key, error.instance):
                    allowed = error.schema["properties"][key].get("description")
                    yield (), f"no `{key}`", f"`{key}`: {allowed}", "Add it."
        case "additionalProperties":
            known = error.schema["properties"]
            for key in error.instance:
                if key not in known:
                    yield (key,), "unknown key", ", ".join(known), _suggestion(key, known, schema)
        case "enum":
            allowed = [str(value) for value in error.validator_value]
            do = did_you_mean(str(error.instance), allowed, "Use one of them.")
            yield (), _found(error.instance), ", ".join(allowed), do
        case "maxItems":  # of hosts; the model reports it
            return
        case _:
            yield (), *_wrong_value(error)


def _suggestion(found: Any, known: Mapping[str, Any], schema: Any) -> str:
    """The key that was meant at this place, or else the places where it is allowed."""
    key = str(found)
    here = meant(key, known)
    if near := f"Did you mean `{here}`?" if here else did_you_mean(key, known, ""):
        return near
    for name in (key, *KEYS.get(key.lower(), ())):
        if places := [f"`{place}`" for place in places_of(name, schema)]:
            return f"`{name}` is a key of {' and of '.join(places)}."
    return "Remove it."


def _wrong_value(error: ValidationError) -> tuple[str, str, str]:
    """What was found, what is allowed, and what to do."""
    about, wanted = error.schema.get("description"), error.validator_value
    match error.validator:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            allowed = " or ".join(TYPES[kind] for kind in kinds)
            is_unquoted = wanted == "string" and isinstance(error.instance, int | float)
            do = "Put it in quotes." if is_unquoted else CORRECT
            if kinds == ["array"] and isinstance(error.instance, dict):
                do = "Begin each entry of the list with `- `."
            return _found(error.instance), f"{allowed} ({about})" if about else allowed, do
        case "minItems":
            found, name = len(error.instance), error.absolute_path[-1]
            allowed = f"{error.schema['minItems']}..{error.schema['maxItems']}"
            return f"{found} {name if found != 1 else name[:-1]}", allowed, f"Add {name}."
        case "minLength":
            return "empty text", about, "Add the text or remove the key."
        case "minimum":
            return _found(error.instance), f"{wanted} or more ({about})", CORRECT
        case "uniqueItems":
            listed = ", ".join(map(str, error.instance))
            listed = listed if len(listed) <= TEXT_MOST else f"{listed[:TEXT_MOST]}..."
            return f"[{listed}]", "each entry once", "Remove the duplicate."
        case _:
            return _found(error.instance), about, CORRECT


def _found(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "no value"}[value]
    if isinstance(value, dict | list):
        return TYPES["object" if isinstance(value, dict) else "array"]
    if isinstance(value, str | int | float):
        return repr(value) if len(str(value)) <= TEXT_MOST else f"{str(value)[:TEXT_MOST]!r}..."
    return f"{value} ({type(value).__name__})"


def _left(data: Any, schema: Path) -> Map | None:
    """`data` without what the schema refuses, and without what would be incomplete then."""
    while True:
        errors = (e for e in _validator(schema).iter_errors(data) if e.validator not in HARMLESS)
        faulty = {tuple(error.absolute_path) for error in errors}
        if not faulty or () in faulty:
            return data if isinstance(data, Map) and not faulty else None
        data = _without(
            data, faulty, {path[:end] for path in faulty for end in range(len(path) + 1)}
        )


def _without(node: Any, faulty: set[Path_], above: set[Path_], at: Path_ = ()) -> Any:
    """`node`, which is at `at`, without the faulty paths; `above`: they and all that leads to them."""
    if at not in above:
        return node
    if isinstance(node, list):
        paths = {(*at, index): item for index, item in enumerate(node)}
        return [
            _without(item, faulty, above, path)
            for path, item in paths.items()
            if path not in faulty
        ]
    if not isinstance(node, Map):
        return node
    copy = Map(node.path, node.place)
    copy.places, copy.lacks = node.places, set(node.lacks)
    for key, value in node.items():
        below = (*at, key)
        if below in above:
            copy.lacks.add(key)
        if below not in faulty:
            copy[key] = _without(value, faulty, above, below)
    return copy
