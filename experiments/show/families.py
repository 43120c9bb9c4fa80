"""Families before members: modes that agree share one name, one line, one column.  Pure."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

from controller.model.wording import listed
from experiments.show.palette import family

FEW = 3  # so many modes are named each
NAMES = {"gre": "GRE", "vxlan": "VXLAN", "geneve": "Geneve", "kvxlan": "kernel VXLAN"}


def merged(values: Mapping[str, Hashable]) -> dict[str, tuple[str, ...]]:
    """Modes by the name of their group: modes of one family whose values are equal.

    A group is called by its modes if there are few in all; else by its family if that is all of it,
    or as the other modes of its family if no other group has several.
    """
    groups: dict[tuple[str, Hashable], list[str]] = {}
    for mode, value in values.items():
        groups.setdefault((family(mode), value), []).append(mode)
    if len(values) <= FEW:
        return {", ".join(modes): tuple(modes) for modes in groups.values()}
    return {_name(kind, modes, groups): tuple(modes) for (kind, _), modes in groups.items()}


def _name(
    kind: str, modes: Sequence[str], groups: Mapping[tuple[str, Hashable], Sequence[str]]
) -> str:
    of_family = [each for (other, _), each in groups.items() if other == kind]
    if len(modes) == 1:
        return modes[0]
    if len(of_family) == 1:
        return kind
    alone = sum(len(each) > 1 for each in of_family) == 1
    return f"other {kind}" if alone else ", ".join(modes)


def protocols(modes: Iterable[str]) -> str:
    """The protocols of modes, each once: `GRE, VXLAN and Geneve`."""
    return listed(dict.fromkeys(NAMES.get(kind := each.partition("-")[0], kind) for each in modes))
