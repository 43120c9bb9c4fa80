"""Numbers with their nouns, and lists, as in a sentence.  Pure."""

from collections.abc import Iterable


def counted(number: int, what: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
