"""Every option of Neutron and of the libraries it reads options for, release by release.  Pure.

The files in neutron/ are written by `make neutron-options` from Neutron's own definitions.  The
linuxbridge agent was removed in Neutron 26.0: release `current` has that of 25.2.3, the last one.
"""

import json
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from controller.model.near import nearest

FOLDER = Path(__file__).with_name("neutron")
DATA = {"queens": ("queens.json",), "current": ("current.json", "linuxbridge.json")}
SUBSTITUTED_MOST = 100_000  # characters; a few lines may refer to each other for millions
Which = tuple[str, str]  # section and option


class Role(Enum):
    """A program of Neutron, and the file that is its own; all read neutron.conf as well."""

    SERVER = "ml2_conf.ini"
    OPENVSWITCH = "openvswitch_agent.ini"
    LINUXBRIDGE = "linuxbridge_agent.ini"


@dataclass(frozen=True, slots=True)
class Known:
    """One option of Neutron.

    Attributes:
        file: the sample file that has it.
        type: the class in oslo_config.types, and its arguments.
        default: as oslo.config declares it; None if there is none.
        aliases: older names that are still read, each with its section.
    """

    which: Which
    file: str
    type: Mapping[str, Any]
    default: Any = None
    aliases: tuple[Which, ...] = ()

    def parse(self, text: str) -> Any:
        """The value that oslo.config makes of `text`.

        Raises:
            ValueError: it refuses the text.
        """
        return _oslo_type(self.type)(text)

    @property
    def allowed(self) -> str:
        """What an error says is allowed."""
        return _allowed(self.type)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The options of one release.

    Attributes:
        version: Neutron's, such as 12.1.1.
        every: each option of each file; some are in several files.
        names: of each program, the options it knows by every name that they have.
    """

    version: str
    every: tuple[Known, ...]
    names: Mapping[Role, Mapping[Which, Known]] = field(repr=False)

    def find(self, role: Role, which: Which) -> Known | None:
        """The option that `role` knows by this name, or else another program of Neutron."""
        if known := self.names[role].get(which):
            return known
        return next((each for each in self.every if which in {each.which, *each.aliases}), None)


@cache
def catalogue(release: str) -> Catalogue:
    """The options of a release: `queens` or `current`."""
    read = [json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in DATA[release]]
    every = tuple(known for data in read for known in _knowns(data["files"]))
    names = {role: _names(every, ("neutron.conf", role.value)) for role in Role}
    return Catalogue(read[0]["neutron"], every, names)


def _knowns(files: Mapping[str, Any]) -> Iterator[Known]:
    for file, sections in files.items():
        for section, options in sections.items():
            for name, fields in options.items():
                aliases = tuple((group, old) for group, old in fields.get("aliases", ()))
                yield Known((section, name), file, fields["type"], fields.get("default"), aliases)


def _names(every: tuple[Known, ...], files: tuple[str, ...]) -> dict[Which, Known]:
    mine = sorted((each for each in every if each.file in files), key=lambda k: files.index(k.file))
    older = {alias: each for each in mine for alias in each.aliases}
    return older | {each.which: each for each in mine}


def hint(release: str, which: Which, role: Role) -> str:
    """What an operator may have meant by an option that the release does not have."""
    section, name = which
    known = catalogue(release)
    sections = dict.fromkeys(each.which[0] for each in known.every if each.which[1] == name)
    if sections:
        return f"it belongs to {' or '.join(f'[{each}]' for each in sections)}"
    for other in DATA:
        if other != release and catalogue(other).find(role, which):
            return f"Neutron {catalogue(other).version} has it"
    mine = dict.fromkeys(known.names[role])
    in_section = [option for group, option in mine if group == section]
    for names in (in_section, [option for _, option in mine]):
        if near := nearest(name, names):
            groups = dict.fromkeys(group for group, option in mine if option == near[0])
            meant = section if section in groups else next(iter(groups))
            return f"did you mean [{meant}] {near[0]}?"
    return ""


def _oslo_type(described: Mapping[str, Any]) -> Callable[[str], Any]:
    from oslo_config import types  # needs 50 ms, and few scenarios have .ini files

    arguments = {key: value for key, value in described.items() if key != "name"}
    for inner in ("item_type", "value_type"):
        if inner in arguments:
            arguments[inner] = _oslo_type(arguments[inner])
    made: Callable[[str], Any] = getattr(types, described["name"])(**arguments)
    return made


_ALLOWED = {
    "Boolean": "true or false",
    "Float": "a number",
    "List": "values with commas between",
    "Dict": "key:value pairs with commas between, each key once",
    "IPAddress": "an IPv4 or IPv6 address",
    "HostAddress": "a host name or an address",
    "HostDomain": "a host name or an address",
    "Hostname": "a host name",
    "URI": "a URI",
    "Range": "a range, such as 1-4",
}


def _allowed(described: Mapping[str, Any]) -> str:
    if choices := described.get("choices"):
        return ", ".join("none" if each is None else str(each) or "nothing" for each in choices)
    if described["name"] in {"Integer", "Port"}:
        low, high = described.get("min"), described.get("max")
        both = f"{low}..{high}" if low is not None and high is not None else ""
        one = f"{low} or more" if low is not None else f"at most {high}" if high is not None else ""
        return ", ".join(filter(None, ("a whole number", both or one)))
    if regex := described.get("regex"):
        return f"text that matches {regex}"
    return _ALLOWED.get(described["name"], "text")


class _Template(string.Template):
    idpattern = r"[_a-z][\._a-z0-9]*"  # oslo.config's


def substituted(text: str, section: str, value_of: Callable[[Which], Any]) -> str:
    """`text` with the values of the options that `$name` and `$section.name` refer to.

    `$$` and a backslash before it stand for a dollar sign.

    Raises:
        ValueError: an option that a name refers to does not exist, or the result is too long.

    Source: oslo.config `ConfigOpts._substitute` and `StrSubWrapper`.
    """
    if "$" not in text:
        return text

    class Values(dict[str, str]):
        def __missing__(self, key: str) -> str:
            group, dot, name = key.partition(".")
            places = [(group, name) if dot else (section, key), ("DEFAULT", key)]
            if key.startswith("DEFAULT."):  # oslo.config has no such group
                places = []
            for which in places:
                try:
                    value = value_of(which)
                except LookupError:
                    continue
                return "" if value is None else str(value)
            raise ValueError(f"${key} refers to no option")

    result = _Template(text.replace(r"\$", "$$")).safe_substitute(Values())
    if len(result) > SUBSTITUTED_MOST:
        raise ValueError(f"more than {SUBSTITUTED_MOST} characters with its references")
    return result
