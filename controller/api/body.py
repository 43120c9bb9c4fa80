"""Reads the JSON of a request, strictly and in linear time.  Pure."""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

BODY_MAX = 65536  # bytes; a port with a hundred addresses needs 10,000
DEPTH_MAX = 16  # objects and arrays inside each other; a valid body has 5
LIST_MAX = 500  # values in one array
DIGITS_MAX = 20  # of an integer; the largest valid one has 10


def parse_json(raw: bytes) -> object:
    """The value that `raw` describes.

    Raises:
        ValueError: it is not JSON in UTF-8 (RFC 8259), is ambiguous, or is beyond a limit above.
    """
    try:
        value: object = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise _too_deep() from None
    _check(value)
    return value


def _too_deep() -> ValueError:
    return ValueError(f"more than {DEPTH_MAX} objects and arrays inside each other")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; Python's parser would keep the last of two values with one name (RFC 8259, 4)."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name[:64]!r} twice in one object")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"the number {text[:32]} is too large")
    return value


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS_MAX:
        raise ValueError(f"an integer of more than {DIGITS_MAX} digits")
    return int(text)


def _check(value: object) -> None:
    """Refuse what is nested too deeply, long arrays, and text that UTF-8 cannot carry."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise _too_deep()


def _inner(value: object) -> Iterator[object]:
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError, a ValueError: half of a surrogate pair, as "\ud800"
    elif isinstance(value, list):
        if len(value) > LIST_MAX:
            raise ValueError(f"an array of {len(value)} values; {LIST_MAX} are allowed")
        yield from value
    elif isinstance(value, dict):
        for name, inner in value.items():
            name.encode()
            yield inner
