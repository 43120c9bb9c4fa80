"""Options of the server and the agents: Neutron's .ini files, overridden by the scenario's own keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oslo_config.iniparser import BaseParser

from controller.model.errors import ModelError
from controller.system.files import read_text
from topologies.scenario.file import Map, Place, Problems, shown
from topologies.scenario.neutron_options import AGENT, SERVER, Option

Which = tuple[str, str]  # section and option
HOST_KEYS: dict[str, Which] = {  # keys of a host, or of `agent`, and Neutron's option for each
    "local_ip": ("ovs", "local_ip"),
    "bridge_mappings": ("ovs", "bridge_mappings"),
    "tunnel_types": ("agent", "tunnel_types"),
    "l2_population": ("agent", "l2_population"),
    "arp_responder": ("agent", "arp_responder"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """The text of one option, its place, and its name in an error."""

    text: str
    place: Place
    key: str


class IniFile(BaseParser):
    """One .ini file; of an option that is set several times, the last one.

    oslo.config's own parser, which here keeps line numbers and continues after an error.
    """

    def __init__(self, name: str, problems: Problems) -> None:
        super().__init__()
        self.name, self.problems, self.section = name, problems, "DEFAULT"
        self.settings: dict[Which, Setting] = {}
        self.sections: dict[str, Place] = {}

    def place_for(self, section: str) -> Place:
        """Where an option of `section` can be added."""
        return self.sections.get(section, Place(self.name, 1))

    def assignment(self, key: str, value: list[str]) -> None:
        # Called at the line after the last one of the assignment.
        place = Place(self.name, self.lineno - len(value))
        name = f"[{self.section}] {key}"
        self.settings[self.section, key] = Setting("\n".join(value), place, name)

    def new_section(self, section: str) -> None:
        # oslo.config compares section names in lower case, except DEFAULT.
        self.section = section if section == "DEFAULT" else section.lower()
        self.sections.setdefault(self.section, Place(self.name, self.lineno))

    def error_invalid_assignment(self, line: str) -> tuple[str, list[str]]:  # type: ignore[override]
        self._add(f"{line!r} has neither '=' nor ':'", "Write `option = value`.")
        return "", []

    def error_empty_key(self, line: str) -> None:  # type: ignore[override]
        if "=" in line or ":" in line:
            self._add(f"{line!r} has no option before the sign", "Write `option = value`.")

    def error_unexpected_continuation(self, line: str) -> None:  # type: ignore[override]
        self._add(f"{line.strip()!r} is indented, but continues nothing", "Remove the indentation.")

    def error_no_section_end_bracket(self, line: str) -> None:  # type: ignore[override]
        self._add(f"{line!r} has no closing bracket", "Write `[section]`.")

    def error_no_section_name(self, line: str) -> None:  # type: ignore[override]
        self._add(f"{line!r} has no section name", "Write `[section]`.")

    def _add(self, found: str, do: str) -> None:
        allowed = "[section], option = value, a comment, or an indented continuation"
        self.problems.add(Place(self.name, self.lineno), "", found, allowed=allowed, do=do)


def read_ini(path: Path, problems: Problems, *, where: str) -> IniFile:
    """Read one file; lines with invalid syntax are added to `problems`.

    Raises:
        ModelError: the file cannot be read.
    """
    ini = IniFile(shown(path), problems)
    # The blank line ends the last assignment, so that its line number is known.
    ini.parse([*read_text(path, ModelError, where=f"{where} ({ini.name})").split("\n"), ""])
    return ini


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one agent, or of the server, as values.

    Attributes:
        ini: its .ini file, if it has one.
        settings: the effective setting of each option.
        values: the value of each option; an invalid one is missing here.
        place: where the agent or the server is described.
        name: the agent's host.
        refused: options with an invalid value.
    """

    ini: IniFile | None
    settings: Mapping[Which, Setting]
    values: Mapping[Which, Any]
    place: Place
    name: str = ""
    refused: frozenset[Which] = field(default_factory=frozenset)

    def get(self, section: str, option: str, otherwise: Any = None) -> Any:
        """The option's value."""
        return self.values.get((section, option), otherwise)

    def text(self, section: str, option: str) -> str | None:
        """The option as written; None if nothing sets it."""
        setting = self.settings.get((section, option))
        return setting.text.strip() if setting else None

    def place_of(self, section: str, option: str) -> Place:
        """Where the option is set, or where it can be added."""
        if setting := self.settings.get((section, option)):
            return setting.place
        return self.ini.place_for(section) if self.ini else self.place


def server_options(data: Map, folder: Path, problems: Problems) -> Options:
    """The options of neutron-server, from `ml2_conf`."""
    given = data.map("ml2_conf")
    own = {
        (section, option): _setting(given.map(section), option)
        for section in given
        for option in given.map(section)
    }
    ini = _ini(given, "file", folder, problems)
    return _options(ini, own, SERVER, given.place, problems)


def agents_of(data: Map, folder: Path, problems: Problems) -> tuple[tuple[Map, Options], ...]:
    """Every host with the options of its agent: its own keys before `agent` before its file."""
    agents = []
    for host in data.maps("hosts"):
        own = {
            HOST_KEYS[key]: _setting(keys, key)
            for keys in (data.map("agent"), host)
            for key in keys
            if key in HOST_KEYS
        }
        ini = _ini(host, "agent_file", folder, problems)
        options = _options(ini, own, AGENT, host.place, problems, name=host["name"])
        agents.append((host, options))
    return tuple(agents)


def _setting(keys: Map, key: str) -> Setting:
    """A YAML value as text of an .ini file, so that both are parsed by the same function."""
    value = keys[key]
    if isinstance(value, Mapping):
        value = [f"{name}:{item}" for name, item in value.items()]
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return Setting(text, keys.place_of(key), keys.path_of(key))


def _ini(keys: Map, key: str, folder: Path, problems: Problems) -> IniFile | None:
    if key not in keys:
        return None
    place = keys.place_of(key)
    try:
        return read_ini(folder / keys[key], problems, where=f"{place}: {keys.path_of(key)}")
    except ModelError as error:
        problems.note(place, error)
        return None


def _options(
    ini: IniFile | None,
    own: Mapping[Which, Setting],
    known: Mapping[Which, Option],
    place: Place,
    problems: Problems,
    *,
    name: str = "",
) -> Options:
    settings = {**(ini.settings if ini else {}), **own}
    values: dict[Which, Any] = {}
    refused = set()
    for which, setting in settings.items():
        option = known.get(which)
        if option is None or (which == ("ovs", "local_ip") and not setting.text.strip()):
            continue  # an empty local_ip is as none
        try:
            values[which] = option.parse(setting.text)
        except ValueError:
            found = repr(setting.text)
            problems.add(setting.place, setting.key, found, allowed=option.allowed, do=option.do)
            refused.add(which)
    return Options(ini, settings, values, place, name, frozenset(refused))
