"""An overlay or two sites as JSON and back, without loss.  Pure: dicts and text, no files.

The controller's state file holds its format version, the overlay, and the OVSDB address of
each host.  An unknown field is an error; a field with a default may be missing, so that
older files can still be read.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin

from cattrs import BaseValidationError, ClassValidationError, Converter, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from controller.model.encap import NetworkType
from controller.model.errors import ModelError, ModelErrors, raise_all
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from controller.model.sites import Sites, Snat
from controller.model.underlay import Shape

T = TypeVar("T")
FORMAT = 1
ADDRESSES = frozenset({IPv4Address, IPv6Address, IPv4Network, IPv6Network})


def to_json(value: Overlay | Sites) -> dict[str, Any]:
    """`value` in dicts, lists, strings and numbers, ready for `json.dumps`."""
    return dict(CONVERTER.unstructure(value))


def from_json(data: object, kind: type[T]) -> T:
    """The `Overlay` or the `Sites` in the output of `to_json`.

    Raises:
        ModelError: `data` is of another kind, or contradicts itself.
    """
    return _structured(data, kind, kind.__name__.lower())


def dump_state(overlay: Overlay, ovsdb: Mapping[str, str]) -> str:
    """The text of a state file; `ovsdb` maps a host to its OVSDB, such as `tcp:198.18.1.1:6640`."""
    state = {"format": FORMAT, "overlay": to_json(overlay), "ovsdb": dict(ovsdb)}
    return json.dumps(state, indent=1) + "\n"


def load_state(text: str) -> tuple[Overlay, dict[str, str]]:
    """The overlay and the OVSDB addresses in the text of a state file.

    Raises:
        ModelError: it is not JSON, has another format, or contains no overlay.
    """
    try:
        state = _object(json.loads(text), "state file")
    except ValueError as error:
        raise _error("state file", f"no JSON ({error})", "what `dump_state` writes") from None
    found = state.get("format")
    if found != FORMAT or isinstance(found, bool):
        raise _error("state file", f"format {found}", f"{FORMAT} (the one this version reads)")
    addresses = _structured(_object(state.get("ovsdb"), "ovsdb"), dict[str, str], "ovsdb")
    return from_json(state.get("overlay"), Overlay), addresses


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _error(where, repr(value), "an object")
    return value


class _ValueError(ValueError):
    """A value that does not fit its type."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(found)
        self.found, self.allowed = found, allowed


def _structured(data: object, kind: type[T], where: str) -> T:
    try:
        return CONVERTER.structure(data, kind)
    except (BaseValidationError, _ValueError) as error:
        raise_all(_model_errors(error, where))
        raise


def _model_errors(error: Exception, where: str) -> Iterator[ModelError]:
    """Every error inside `error`, each with its path below `where`."""
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        noted, others = error.group_exceptions()
        for inner, note in noted:
            is_index = isinstance(getattr(note, "index", None), int)
            step = f"[{note.index}]" if is_index else f".{getattr(note, 'name', '') or note.index}"
            yield from _model_errors(inner, where + step)
        for inner in others:
            yield from _model_errors(inner, where)
    elif isinstance(error, ModelErrors):
        yield from error.errors
    elif isinstance(error, ModelError):
        yield error
    elif isinstance(error, _ValueError):
        yield _error(where, error.found, error.allowed)
    else:
        raise error


def _error(where: str, found: str, allowed: str) -> ModelError:
    do = "Start the lab again, or correct the file."
    return ModelError(found, where=where, allowed=allowed, do=do)


def _exactly(kind: type[T], name: str, *also: type) -> Callable[[Any, Any], T]:
    """Structures a value of exactly this type, since JSON's true is an int to Python."""

    def structure(value: Any, _: Any) -> T:
        if type(value) not in {kind, *also}:
            raise _ValueError(repr(value), name)
        return kind(value)  # type: ignore[call-arg]

    return structure


_text = _exactly(str, "text")


def _parsed(value: Any, parse: Callable[[str], T], allowed: str) -> T:
    text = _text(value, str)
    try:
        return parse(text)
    except ValueError:
        raise _ValueError(repr(value), allowed) from None


def _member(value: Any, kind: type[Enum]) -> Enum:
    return _parsed(value, kind, ", ".join(map(str, kind)))


def _is_address(kind: Any) -> bool:
    return not _is_tuple(kind) and bool({kind, *get_args(kind)} & ADDRESSES)


def _address(value: Any, kind: Any) -> Any:
    """Structures an IP address or a network, or None if the type allows it."""
    if value is None and type(None) in get_args(kind):
        return None
    if {kind, *get_args(kind)} & {IPv4Network, IPv6Network}:
        return _parsed(value, ip_network, "a CIDR without host bits")
    return _parsed(value, ip_address, "an IP address")


def _is_tuple(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is tuple


def _tuple(value: Any, kind: Any) -> tuple[Any, ...]:
    """Structures a list; all its items have one type."""
    item, *rest = get_args(kind)
    if not isinstance(value, list):
        raise _ValueError(repr(value), "a list")
    if rest != [...] and len(value) != 1 + len(rest):
        raise _ValueError(repr(value), "a list of two")
    items: Any = GenericAlias(list, (item,))
    return tuple(CONVERTER.structure(value, items))


def _object_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    known = {field.name: field.default is MISSING for field in fields(kind)}
    structure = make_dict_structure_fn(kind, converter)

    def checked(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _ValueError(repr(value), "an object")
        wrong = [f"unknown field {name!r}" for name in value.keys() - known.keys()]
        wrong += [f"no field {name!r}" for name in known if known[name] and name not in value]
        if wrong:
            raise _ValueError(", ".join(wrong), ", ".join(known))
        return structure(value, kind)

    return checked


def _converter() -> Converter:
    converter = Converter(unstruct_collection_overrides={tuple: list})
    for kind in ADDRESSES:
        converter.register_unstructure_hook(kind, str)
    for kind in (Mechanism, NetworkType, Shape, Snat):
        converter.register_unstructure_hook(kind, lambda member: member.value)
        converter.register_structure_hook(kind, _member)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _exactly(int, "an integer"))
    converter.register_structure_hook(bool, _exactly(bool, "true or false"))
    converter.register_structure_hook(float, _exactly(float, "a number", int))
    converter.register_structure_hook_func(_is_tuple, _tuple)
    converter.register_structure_hook_func(_is_address, _address)
    converter.register_structure_hook_factory(is_dataclass, _object_hook)
    return converter


CONVERTER = _converter()
