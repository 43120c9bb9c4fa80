"""Options of the server and the agents: Neutron's .ini files, overridden by the scenario's own keys."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from oslo_config.iniparser import BaseParser

from controller.model.errors import ModelError
from controller.system.files import read_text
from topologies.scenario.catalogue import Catalogue, Known, Role, Which, catalogue, substituted
from topologies.scenario.file import Map, Place, Problems, shown
from topologies.scenario.neutron_options import AGENT_OPTIONS, NOT_MODELLED, Option, used

HOST_KEYS: dict[str, Which] = {  # keys of a host, or of `agent`, and Neutron's option for each
    "local_ip": ("ovs", "local_ip"),
    "bridge_mappings": ("ovs", "bridge_mappings"),
    "tunnel_types": ("agent", "tunnel_types"),
    "l2_population": ("agent", "l2_population"),
    "arp_responder": ("agent", "arp_responder"),
    **{which[1]: which for which in AGENT_OPTIONS},
}
LINUXBRIDGE_KEYS = {  # where the linuxbridge agent has its own option; it has no other tunnels
    "local_ip": ("vxlan", "local_ip"),
    "l2_population": ("vxlan", "l2_population"),
    "arp_responder": ("vxlan", "arp_responder"),
}
LONGEST = 50_000  # characters of an option with its value: oslo.config's lists take quadratic time
LISTED = 101  # lines with invalid syntax, of which the command line shows 100
NOWHERE = Known(("", ""), "", MappingProxyType({"name": "List"}))  # for YAML keys of no release


PHYSNET_MTU = ("DEFAULT", "global_physnet_mtu")


class Kind(Enum):
    """How an option of an .ini file is treated, in the words of the summary."""

    USED = "used"
    WITHOUT_EFFECT = "without effect here"
    NOT_MODELLED = "not modelled here"
    OTHER_PROGRAM = "of another program of Neutron"
    UNKNOWN = "unknown to Neutron"


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
        self.wrong_lines = 0

    def place_for(self, section: str) -> Place:
        """Where an option of `section` can be added."""
        return self.sections.get(section, Place(self.name, 1))

    def assignment(self, key: str, value: list[str]) -> None:
        # Called at the line after the last one of the assignment.
        place = Place(self.name, self.lineno - len(value))
        name = f"[{self.section}] {key}"
        if len(name) + sum(map(len, value)) > LONGEST:
            name, allowed = name[:LISTED], f"up to {LONGEST} characters"
            self.problems.add(place, name, "too long", allowed=allowed, do="Shorten it.")
            return
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
        self._add(
            f"{line.strip()!r} is indented, but no option is before it", "Remove the indentation."
        )

    def error_no_section_end_bracket(self, line: str) -> None:  # type: ignore[override]
        self._add(f"{line!r} has no closing bracket", "Write `[section]`.")

    def error_no_section_name(self, line: str) -> None:  # type: ignore[override]
        self._add(f"{line!r} has no section name", "Write `[section]`.")

    def _add(self, found: str, do: str) -> None:
        self.wrong_lines += 1
        if self.wrong_lines > LISTED:  # one more than are shown
            return
        found = found if len(found) < LISTED else f"{found[:LISTED]}..."
        allowed = "[section], option = value, a comment, or an indented continuation"
        self.problems.add(Place(self.name, self.lineno), "", found, allowed=allowed, do=do)


def read_ini(path: Path, problems: Problems, *, where: str) -> IniFile:
    """Read one file; lines with invalid syntax are added to `problems`.

    Raises:
        ModelError: the file cannot be read.
    """
    ini = IniFile(shown(path), problems)
    problems.open(ini.name)
    # The blank line ends the last assignment, so that its line number is known.
    ini.parse([*read_text(path, ModelError, where=f"{where} ({ini.name})").split("\n"), ""])
    return ini


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one agent, or of the server, as values.

    Attributes:
        role: the program that they are read for.
        release: the release whose options are known.
        ini: its .ini file, if it has one.
        settings: the effective setting of each option, under the option's newest name.
        values: the value of each option that is used here; an invalid one is missing.
        place: where the agent or the server is described.
        name: the agent's host.
        refused: options with an invalid value.
        kinds: how each option of the .ini file is treated.
    """

    role: Role
    release: str
    ini: IniFile | None
    settings: Mapping[Which, Setting]
    values: Mapping[Which, Any]
    place: Place
    name: str = ""
    refused: frozenset[Which] = field(default_factory=frozenset)
    kinds: Mapping[Which, Kind] = field(default_factory=dict)

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

    def which(self, key: str) -> Which:
        """The option for a key of a host, such as `local_ip`."""
        return host_key(self.role, key)


def host_key(role: Role, key: str) -> Which:
    """The option of an agent for a key of a host, such as `local_ip`."""
    return LINUXBRIDGE_KEYS.get(key, HOST_KEYS[key]) if role is Role.LINUXBRIDGE else HOST_KEYS[key]


def server_options(data: Map, folder: Path, problems: Problems) -> Options:
    """The options of neutron-server, from `ml2_conf`."""
    given = data.map("ml2_conf")
    own = {
        (section, option): _setting(given.map(section), option)
        for section in given
        for option in given.map(section)
    }
    ini = _ini(given, "file", folder, problems)
    options = _Reader(Role.SERVER, release_of(data), ini, own, problems).options(given.place)
    wanted = ini.settings.get(PHYSNET_MTU) if ini else None
    if wanted and wanted.text.strip() == str(data.map("underlay").get("mtu")):
        # Both say the same, so the networks get the MTU that Neutron gives them.
        return replace(options, kinds={**options.kinds, PHYSNET_MTU: Kind.WITHOUT_EFFECT})
    return options


def release_of(data: Map) -> str:
    """The scenario's Neutron release."""
    return str(data.get("release", "queens"))


def agents_of(data: Map, folder: Path, problems: Problems) -> tuple[tuple[Map, Options], ...]:
    """Every host with the options of its agent: its own keys before `agent` before its file."""
    agents = []
    for host in data.maps("hosts"):
        keys = (data.map("agent"), host)
        mechanism = [each["mechanism"] for each in keys if "mechanism" in each]
        role = Role.LINUXBRIDGE if mechanism[-1:] == ["linuxbridge"] else Role.OPENVSWITCH
        own = {
            host_key(role, key): _setting(each, key)
            for each in keys
            for key in each
            if key in HOST_KEYS
        }
        ini = _ini(host, "agent_file", folder, problems)
        reader = _Reader(role, release_of(data), ini, own, problems)
        agents.append((host, reader.options(host.place, name=host["name"])))
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


class _Reader:
    """Reads the settings of one program: its .ini file, and the scenario's own keys before it."""

    def __init__(
        self,
        role: Role,
        release: str,
        ini: IniFile | None,
        own: Mapping[Which, Setting],
        problems: Problems,
    ) -> None:
        self.role, self.release, self.ini, self.problems = role, release, ini, problems
        self.refused: set[Which] = set()
        self.given = own
        self._values: dict[Which, Any] = {}

    def options(self, place: Place, *, name: str = "") -> Options:
        """The options with their values; those that are invalid are added to `problems`."""
        if self.ini is None and not self.given:
            return Options(self.role, self.release, None, {}, {}, place, name)
        known, readers = catalogue(self.release), used(self.role, self.release)
        own, written = self._newest(known, self.given), self._newest(known, self._file)
        settings = self._substituted(written, own) | own
        parsed: dict[Which, Any] = {}
        values: dict[Which, Any] = {}
        for which, setting in settings.items():
            # A key of the scenario may be an option of the newer release only.
            newer = catalogue("current").find(self.role, which)
            option = known.find(self.role, which) or newer or NOWHERE
            reader = readers.get(which, Option())
            shown = own.get(which) or written[which]
            try:
                # A key of the scenario is an address already; the model says what is wrong with it.
                is_address = which in own and option.type["name"] == "IPAddress"
                parsed[which] = setting.text if is_address else option.parse(setting.text)
                if which in readers:
                    values[which] = reader.read(parsed[which])
            except ValueError:
                allowed = reader.allowed or option.allowed
                self._refuse(which, shown, repr(shown.text), allowed, reader.do)
        kinds = dict(self._kinds(known, parsed))
        refused = frozenset(self.refused)
        return Options(
            self.role, self.release, self.ini, settings, values, place, name, refused, kinds
        )

    @property
    def _file(self) -> Mapping[Which, Setting]:
        return self.ini.settings if self.ini else {}

    def _newest(self, known: Catalogue, given: Mapping[Which, Setting]) -> dict[Which, Setting]:
        """What is set, under the options' newest names; from the file only what the program knows."""
        found = {}
        for which, setting in given.items():
            option = known.names[self.role].get(which)
            if option is None and given is self.given:
                found[which] = setting
            # An older name counts only without the newer one, wherever they are in the file.
            elif option and (option.which == which or option.which not in given):
                found[option.which] = setting
        return found

    def _substituted(
        self, written: Mapping[Which, Setting], own: Container[Which]
    ) -> dict[Which, Setting]:
        """The options of the file with the values that they refer to; not those that `own` overrides."""
        found = {}
        for which, setting in written.items():
            if which in own:
                continue
            try:
                text = substituted(setting.text, which[0], partial(self._value, written))
            except ValueError as error:
                allowed = "`$name` of an option, or `$$` for a dollar sign"
                self._refuse(which, setting, str(error), allowed)
                continue
            found[which] = replace(setting, text=text)
        return found

    def _value(self, written: Mapping[Which, Setting], which: Which, depth: int = 0) -> Any:
        """The value of an option that another one refers to."""
        option = catalogue(self.release).names[self.role][which]  # LookupError: no such option
        if option.which not in written:
            return option.default
        if depth > len(written):
            raise ValueError(f"${which[1]} refers to itself")
        if option.which not in self._values:  # otherwise `$a$a`, `$b$b`, ... take exponential time
            inner = partial(self._value, written, depth=depth + 1)
            text = substituted(written[option.which].text, which[0], inner)
            self._values[option.which] = option.parse(text)
        return self._values[option.which]

    def _refuse(
        self,
        which: Which,
        setting: Setting,
        found: str,
        allowed: str,
        do: str = "Correct the value.",
    ) -> None:
        self.problems.add(setting.place, setting.key, found, allowed=allowed, do=do)
        self.refused.add(which)

    def _kinds(self, known: Catalogue, parsed: Mapping[Which, Any]) -> Iterator[tuple[Which, Kind]]:
        """How each option of the .ini file is treated."""
        if not self._file:
            return
        readers, others = used(self.role, self.release), NOT_MODELLED[self.role]
        anywhere = {which for names in known.names.values() for which in names}
        anywhere |= {which for each in known.every for which in (each.which, *each.aliases)}
        for which in self._file:
            option = known.names[self.role].get(which)
            if option is None:
                yield which, Kind.OTHER_PROGRAM if which in anywhere else Kind.UNKNOWN
            elif option.which in readers:
                yield which, Kind.USED
            elif option.which in others and option.which in parsed:
                value = parsed[option.which]
                same = value == option.default or value in others[option.which].harmless
                yield which, Kind.WITHOUT_EFFECT if same else Kind.NOT_MODELLED
            else:
                yield which, Kind.WITHOUT_EFFECT
