"""What each agent and the server are told: .ini files, overridden by the scenario's own keys."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.model.errors import ModelError
from topologies.scenario.file import Map, Place, Problems
from topologies.scenario.neutron_ini import IniFile, Setting, read_ini
from topologies.scenario.neutron_options import AGENT, SERVER, Option

HOST_KEYS = {  # keys of a host, or of `agent`, -> Neutron's section and option
    "local_ip": ("ovs", "local_ip"),
    "bridge_mappings": ("ovs", "bridge_mappings"),
    "tunnel_types": ("agent", "tunnel_types"),
    "l2_population": ("agent", "l2_population"),
    "arp_responder": ("agent", "arp_responder"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one agent, or of the server, as values.

    Attributes:
        ini: the .ini file they came from, if any.
        settings: where each stood, the winner of several.
        values: what each means; one that could not be read is missing here.
        place: where the agent or the server is described.
    """

    ini: IniFile | None
    settings: Mapping[tuple[str, str], Setting]
    values: Mapping[tuple[str, str], Any]
    place: Place
    name: str = ""
    refused: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def get(self, section: str, option: str, otherwise: Any = None) -> Any:
        """The option's value."""
        return self.values.get((section, option), otherwise)

    def text(self, section: str, option: str) -> str | None:
        """The option as it was written, or None if nothing sets it."""
        setting = self.settings.get((section, option))
        return setting.text.strip() if setting else None

    def place_of(self, section: str, option: str) -> Place:
        """Where the option was set; else where it would have to stand."""
        setting = self.settings.get((section, option))
        if setting:
            return setting.place
        return self.ini.place_for(section) if self.ini else self.place


def server_options(data: Map, folder: Path, problems: Problems) -> Options:
    """What neutron-server is told by `ml2_conf`."""
    given = data.map("ml2_conf")
    own = {
        (section, option): _setting(given.map(section), option)
        for section in given
        if section != "file"
        for option in given.map(section)
    }
    ini = _ini(given, "file", folder, problems)
    return _options(ini, own, SERVER, given.place, problems)


def agent_options(data: Map, host: Map, folder: Path, problems: Problems) -> Options:
    """What one host's agent is told: its file, then `agent`, then its own keys, the last wins."""
    own = {
        HOST_KEYS[key]: _setting(keys, key)
        for keys in (data.map("agent"), host)
        for key in keys
        if key in HOST_KEYS
    }
    ini = _ini(host, "agent_file", folder, problems)
    return _options(ini, own, AGENT, host.place, problems, name=host["name"])


def _setting(keys: Map, key: str) -> Setting:
    return Setting(_as_text(keys[key]), keys.place_of(key), keys.path_of(key))


def _as_text(value: Any) -> str:
    """A YAML value as it would stand in an .ini file, so that one reader serves both."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}:{item}" for key, item in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


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
    own: Mapping[tuple[str, str], Setting],
    known: Mapping[tuple[str, str], Option],
    place: Place,
    problems: Problems,
    *,
    name: str = "",
) -> Options:
    settings = {**(ini.settings if ini else {}), **own}
    values: dict[tuple[str, str], Any] = {}
    for which, setting in settings.items():
        if which in known:
            _read(known[which], which, setting, values, problems)
    refused = frozenset(which for which in settings if which in known and which not in values)
    return Options(ini, settings, values, place, name, refused)


def _read(
    option: Option,
    which: tuple[str, str],
    setting: Setting,
    values: dict[tuple[str, str], Any],
    problems: Problems,
) -> None:
    if which == ("ovs", "local_ip") and not setting.text.strip():
        return  # as if it were not there
    try:
        values[which] = option.parse(setting.text)
    except ValueError:
        problems.add(
            setting.place, setting.key, repr(setting.text), allowed=option.allowed, do=option.do
        )


def agents_of(data: Map, folder: Path, problems: Problems) -> tuple[tuple[Map, Options], ...]:
    """Every host with its agent's options."""
    hosts: Iterable[Map] = data.maps("hosts")
    return tuple((host, agent_options(data, host, folder, problems)) for host in hosts)
