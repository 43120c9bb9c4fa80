"""The name that was probably meant by one that does not exist.  Pure."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

TEXT_MOST = 200  # characters of a name that are looked at
CUTOFF = 0.75  # of 1: `mesg` is as near as that to `mesh`; `wan` is farther from `lan`
START_LEAST = 3  # characters of a name's start that stand for the name
TIED_MOST = 3  # with more names that are equally near, none of them is what was meant


def nearest(found: str, known: Iterable[str]) -> tuple[str, ...]:
    """The names in `known` that are nearest to `found`; several if equally near, empty if none is.

    Upper case and lower case, and `-` and `_`, are the same.  Names that differ in a number only are
    not near: `host9` is no misspelling of `host1`.
    """
    text, names = _plain(found), {_plain(name): name for name in known}
    if text in names:
        return (names[text],)
    first_words = [name for name in names if name.startswith(f"{text}-")]
    best = first_words or _close(text, names) or _begun(text, names)
    return tuple(names[name] for name in best) if len(best) <= TIED_MOST else ()


def did_you_mean(found: str, known: Iterable[str], otherwise: str) -> str:
    """The question whether the nearest name was meant; `otherwise` if no name is near."""
    names = [f"`{name}`" for name in nearest(found, known)]
    return f"Did you mean {' or '.join(names)}?" if names else otherwise


def _plain(name: str) -> str:
    return name[:TEXT_MOST].strip().lower().replace("_", "-")


def _close(text: str, names: Iterable[str]) -> list[str]:
    """Those with the fewest other letters, or with the same letters in another order."""
    numbers = _numbers(text)
    other = [name for name in names if _numbers(name)[0] != numbers[0] or len(numbers) == 1]
    close = get_close_matches(text, other, n=TIED_MOST + 1, cutoff=CUTOFF)
    ratio = {name: SequenceMatcher(None, name, text).ratio() for name in close}
    if close:
        return sorted(name for name in close if ratio[name] == max(ratio.values()))
    return [name for name in other if len(text) > 2 and sorted(name) == sorted(text)]


def _numbers(text: str) -> list[str]:
    """The text without its numbers, and each of its numbers."""
    return [re.sub(r"\d+", "", text), *re.findall(r"\d+", text)]


def _begun(text: str, names: Iterable[str]) -> list[str]:
    """Those that begin with the text, or that it begins with."""
    if len(text) < START_LEAST:
        return []
    begun = [name for name in names if name.startswith(text)]
    return begun or [n for n in names if len(n) > START_LEAST and text.startswith(f"{n}-")]
