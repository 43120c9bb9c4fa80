"""Scenarios: a YAML file and the Neutron .ini files it points to, as one `Overlay`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path
from typing import Any

from controller.model.agent import AgentOptions
from controller.model.dhcp import with_servers
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, UsageError
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Cidr, Host, Mechanism, Network, OverlayParts, Port, Subnet
from controller.model.sites import PPPOE_MTU, Attacker, Site, Sites, Snat, Station
from controller.model.underlay import Shape, Underlay
from controller.system.files import printable
from topologies.scenario.catalogue import Role
from topologies.scenario.file import Map, Place, Problems, shown
from topologies.scenario.known_elsewhere import is_called_otherwise
from topologies.scenario.networks import (
    add_server_errors,
    flat_networks,
    networks_of,
    ports_of,
    ranges_of,
    subnet_maps,
    subnets_of,
    tenant_network_types,
    type_drivers,
    vlan_networks,
)
from topologies.scenario.neutron_options import AGENT_OPTIONS
from topologies.scenario.options import HOST_KEYS, Kind, Options, agents_of, server_options
from topologies.scenario.schema import SCHEMA_FILE, checked
from topologies.scenario.warnings import by_kind, not_modelled, underlay_warnings, warnings_of
from topologies.scenario.yaml_file import read_yaml

FOLDER = Path(__file__).parents[1] / "scenarios"
UNDERLAY_MTU = 1500  # bytes, Ethernet's
NAMED = re.compile(r"(host|network|subnet|port) '([^']*)'")  # at the start of an error of the model
Programs = tuple[Options, ...]  # neutron-server and the agents
Described = tuple[Overlay | Sites | None, Programs]
SITES_SCHEMA = SCHEMA_FILE.with_name("sites.schema.json")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario file describes: compute hosts with an overlay, or two sites and a tunnel.

    Attributes:
        warnings: what Neutron would ignore or do differently, each with file and line.
        programs: neutron-server and the agents, with their options.
    """

    name: str
    path: Path
    summary: str
    described: Overlay | Sites
    warnings: tuple[str, ...] = ()
    programs: Programs = ()

    @property
    def not_modelled(self) -> tuple[str, ...]:
        """Each option that changes flows, ports or MTUs in Neutron and not here, with its value."""
        return not_modelled(self.programs)

    @property
    def options_by_kind(self) -> dict[Kind, tuple[str, ...]]:
        """The options of the .ini files that are used, unknown and so on, by name."""
        return by_kind(self.programs)

    @property
    def overlay(self) -> Overlay:
        """The overlay.

        Raises:
            UsageError: the scenario has two sites instead.
        """
        if isinstance(self.described, Overlay):
            return self.described
        do = "Use `article`; this one works with `overlaylab up` and `overlaylab run walk`."
        raise self._wrong_kind("two sites and no compute hosts", "hosts", do)

    @property
    def sites(self) -> Sites:
        """The two sites.

        Raises:
            UsageError: the scenario has compute hosts instead.
        """
        if isinstance(self.described, Sites):
            return self.described
        do = "Use `home-office`, or leave --scenario out."
        raise self._wrong_kind("compute hosts and no sites", "sites", do)

    def _wrong_kind(self, found: str, key: str, do: str) -> UsageError:
        return UsageError(
            f"it describes {found}",
            where=f"scenario {self.name!r}",
            allowed=f"a scenario with `{key}:`",
            do=do,
        )


def available() -> tuple[str, ...]:
    """The names of the scenarios that come with the project."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def summaries() -> tuple[tuple[str, str], ...]:
    """Name and summary of each scenario that comes with the project."""
    read = ((name, read_yaml(FOLDER / f"{name}.yaml")) for name in available())
    return tuple((name, str(data.get("summary", ""))) for name, data in read)


def load(ref: str | Path) -> Scenario:
    """Read a scenario: one of `available()` by its name, or any by the path of its file.

    Raises:
        ModelError: it cannot be read, or has an error; `ModelErrors` if it has several.
    """
    path = _path(ref)
    file, problems = shown(path), Problems()
    problems.open(file)
    raw = read_yaml(path)
    read, schema = (_sites, SITES_SCHEMA) if _is_site_to_site(raw) else (_overlay, SCHEMA_FILE)
    data = checked(raw, file, problems, schema)
    described, programs = read(data, path, problems) if data is not None else (None, ())
    problems.raise_all()
    if data is None or described is None:
        raise ModelError(
            "refused, but no error was recorded",
            where=file,
            allowed="a scenario, or an error that names what is wrong",
            do="Report this with the file: it is a bug of overlaylab.",
        )
    summary = str(data.get("summary", ""))
    return Scenario(_name(path), path, summary, described, problems.warnings(), programs)


def _path(ref: str | Path) -> Path:
    if isinstance(ref, str) and ref in available():
        return FOLDER / f"{ref}.yaml"
    path = Path(ref)
    try:
        found = "" if path.exists() and not path.is_dir() else "no such name or file"
    except OSError as error:  # a directory that we may not enter, or a name that is too long
        found = error.strerror or str(error)
    if found:
        raise ModelError(
            found,
            where=f"scenario {str(ref)!r}",
            allowed=f"{', '.join(available())}, or the path of a .yaml file",
            do=did_you_mean(Path(ref).stem, available(), "`overlaylab list` shows the names."),
        )
    return path


def _name(path: Path) -> str:
    return printable(path.stem)


def _sites(data: Map, path: Path, problems: Problems) -> Described:
    return _sites_of(data, path, problems), ()


def _overlay(data: Map, path: Path, problems: Problems) -> Described:
    name, folder = _name(path), path.parent
    server = server_options(data, folder, problems)
    agents = agents_of(data, folder, problems)
    hosts = tuple(_hosts(data, agents, problems))
    networks = networks_of(data, server, name=name, problems=problems)
    subnets = subnets_of(data, networks, name=name)
    ports = ports_of(data, networks, subnets, name=name, problems=problems)
    programs = (server, *(options for _, options in agents))
    for place, text in warnings_of(server, programs[1:]):
        problems.warn(place, text)
    known = {host.name for host in hosts}
    parts = OverlayParts(
        name=name,
        release=data.get("release", "queens"),
        hosts=hosts,
        networks=networks,
        subnets=subnets,
        # A host with an error is missing here; its ports must not add more errors.
        ports=tuple(port for port in ports if port.host in known),
        underlay_mtu=int(data.map("underlay").get("mtu", UNDERLAY_MTU)),
        path_mtu=int(server.get("ml2", "path_mtu", 0)),
        underlay=_underlay(data.map("underlay")),
        ranges=ranges_of(server),
        tenant_network_types=tenant_network_types(server),
        type_drivers=type_drivers(server),
        vlan_networks=vlan_networks(server),
        flat_networks=flat_networks(server),
        dhcp=data.get("dhcp", False),
    )
    for place, text in underlay_warnings(parts, server, data.map("underlay")):
        problems.warn(place, text)
    add_server_errors(parts, server, data, problems)
    try:
        values = {each.name: getattr(parts, each.name) for each in fields(parts)}
        return with_servers(Overlay(**values)), programs
    except ModelError as error:
        places = _Places(
            data, {keys["name"]: options for keys, options in agents}, networks, subnets
        )
        problems.refused(error, places.of)
        return None, programs


def _underlay(given: Map) -> Underlay:
    others = ("spines", "hash_policy", "wan_mtu", "delay_ms", "loss_percent")
    shape = Shape(given.get("shape", Shape.SWITCH))
    return Underlay(shape=shape, **{key: given[key] for key in others if key in given})


def _hosts(
    data: Map, agents: tuple[tuple[Map, Options], ...], problems: Problems
) -> Iterator[Host]:
    for keys, options in agents:
        if keys.lacks or options.refused or ("agent_file" in keys and options.ini is None):
            continue  # its error has been added already
        if is_called_otherwise("local_ip", keys):
            continue
        section, name = options.which("local_ip")
        if options.get(section, name) is not None:
            yield _host(keys["name"], options, data.map("agent") | keys)
            continue
        other, theirs = ("ovs", "openvswitch") if section == "vxlan" else ("vxlan", "linuxbridge")
        is_elsewhere = options.ini is not None and (other, name) in options.ini.settings
        why = f" (that of [{other}] is the {theirs} agent's)" if is_elsewhere else ""
        problems.add(
            options.place_of(section, name),
            keys.path,
            f"no local_ip for {keys['name']!r}{why}",
            allowed="an IPv4 or IPv6 address",
            do=f"Give `local_ip` here, or in [{section}] of the host's agent_file.",
        )


def _host(name: str, options: Options, keys: dict[str, Any]) -> Host:
    at = options.which("local_ip")
    local_ip, text = options.get(*at), options.text(*at)
    l2_population = options.get(*options.which("l2_population"), otherwise=False)
    return Host(
        name=name,
        local_ip=local_ip,
        # Neutron derives the names of tunnel ports from the address as it is written.
        written_ip="" if text is None or text == str(local_ip) else text,
        tunnel_types=options.get("agent", "tunnel_types", _default_tunnels(options)),
        l2_population=l2_population,
        arp_responder=options.get(*options.which("arp_responder"), otherwise=False),
        bridge_mappings=options.get("ovs", "bridge_mappings", ()),
        mechanism=Mechanism(keys.get("mechanism", Mechanism.OPENVSWITCH)),
        hybrid_plug=keys.get("plug") == "hybrid",
        agent=_agent_options(options, keys),
        vxlan_group=_vxlan_group(options, keys, l2_population=l2_population),
    )


def _agent_options(options: Options, keys: dict[str, Any]) -> AgentOptions:
    """What is set of the openvswitch agent's options; the model refuses them for another agent."""
    names = {which[1]: which for which in AGENT_OPTIONS}
    if options.role is Role.LINUXBRIDGE:
        return AgentOptions(**{name: keys[name] for name in names if name in keys})
    found = {name: options.get(*which) for name, which in names.items() if which in options.values}
    return AgentOptions(**found)


def _default_tunnels(options: Options) -> tuple[NetworkType, ...]:
    """Without the key `tunnel_types`: a linuxbridge agent with a file has VXLAN if that enables it."""
    if options.role is not Role.LINUXBRIDGE or options.ini is None:
        return ()
    return (NetworkType.VXLAN,) if options.get("vxlan", "enable_vxlan", otherwise=True) else ()


def _vxlan_group(options: Options, keys: dict[str, Any], *, l2_population: bool) -> Cidr | None:
    """The scenario's group, or the file's: with l2_population Neutron's agent uses none."""
    if "vxlan_group" in keys:
        return ip_network(keys["vxlan_group"])
    group: Cidr | None = options.get("vxlan", "vxlan_group")
    return None if l2_population else group


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the scenario has the key that an error of the model is about."""

    data: Map
    agents: dict[str, Options]
    networks: tuple[Network, ...]
    subnets: tuple[Subnet, ...]

    def of(self, error: ModelError) -> Place:
        """The place of that key, or of the part that has the key."""
        data, word = self.data, error.found.split(maxsplit=1)[0]
        if isinstance(error.about, Subnet):
            return self._of_subnet(error.about, error.found)
        named = NAMED.match(error.where)
        kind, name = (named[1], named[2]) if named else self._about(error.about)
        if kind == "host" and name in self.agents:
            key = next((key for key in HOST_KEYS if key in (word, error.where.split()[-1])), None)
            if key in HOST_KEYS:
                return self.agents[name].place_of(*self.agents[name].which(key))
        if kind:
            *_, item = [data, *self._items(kind, name)]
            return _key_place(item, error.found) if item is not data else data.place
        if error.where != "underlay":
            key = error.where if error.where in data else "hosts"
            return data.places.get(key, data.place)
        if word == "path_mtu":  # an option of the server
            return data.map("ml2_conf").map("ml2").place_of("path_mtu")
        return _key_place(data.map("underlay"), error.found)

    def _of_subnet(self, subnet: Subnet, found: str) -> Place:
        """Subnets of two networks may have one name, so that `where` does not say which it is."""
        written = [item for item, _ in subnet_maps(self.data, self.networks)]
        at = next(index for index, made in enumerate(self.subnets) if made is subnet)
        return _key_place(written[at], found)

    def _about(self, part: object) -> tuple[str, str]:
        """Kind and name of the part, if it is one that the scenario has."""
        if isinstance(part, Host | Network | Port):
            return type(part).__name__.lower(), part.name
        return "", ""

    def _items(self, kind: str, name: str) -> Iterator[Map]:
        if kind == "subnet":
            subnets = (each for net in self.data.maps("networks") for each in net.maps("subnets"))
            return (s for s in subnets if s.get("name", s["cidr"]) == name)
        key = "server" if kind == "port" else "name"
        return (item for item in self.data.maps(f"{kind}s") if item.get(key) == name)


def _key_place(item: Map, found: str) -> Place:
    """An error begins with the key that it is about: `mtu 12`, `fixed ip 10.0.0.1`."""
    first = found.split(maxsplit=1)[0]
    return next((item.place_of(key) for key in item if key.startswith(first)), item.place)


def _is_site_to_site(data: object) -> bool:
    """True if the file describes sites instead of compute hosts."""
    return isinstance(data, Map) and "sites" in data


def _sites_of(data: Map, path: Path, problems: Problems) -> Sites | None:
    """The two sites; None if the model refuses them, with the errors added to `problems`."""
    if problems.found:  # the model would report the same errors again
        return None
    wan, attacker = data.map("wan"), data.map("attacker")
    try:
        return Sites(
            name=_name(path),
            sites=tuple(map(_site, data.maps("sites"))),
            routers=tuple(wan["routers"]),
            attacker=Attacker(
                name=attacker["name"], ip=IPv4Address(attacker["ip"]), router=attacker["router"]
            ),
            underlay_mtu=wan.get("mtu", PPPOE_MTU),
        )
    except ModelError as error:
        problems.refused(error, lambda one: _site_place(one, data))
        return None


def _site(data: Map) -> Site:
    return Site(
        name=data["name"],
        lan=IPv4Network(data["lan"]),
        gateway_ip=IPv4Address(data["gateway_ip"]),
        public_ip=IPv4Address(data["public_ip"]),
        tunnel_ip=IPv4Address(data["tunnel_ip"]),
        snat=Snat(data.get("snat", Snat.NONE)),
        stations=tuple(
            Station(name=each["name"], ip=IPv4Address(each["ip"])) for each in data.maps("stations")
        ),
    )


def _site_place(error: ModelError, data: Map) -> Place:
    """The place of the key that an error of the model begins with."""
    kind, _, name = error.where.partition(" ")
    key = error.found.split(maxsplit=1)[0].rstrip(":")
    if kind in {"site", "node"}:
        named = [*data.maps("sites"), data.map("attacker")]
        named += [each for site in data.maps("sites") for each in site.maps("stations")]
        for item in named:
            if item.get("name") == name.strip("'"):
                return item.place_of("stations" if key == "station" else key)
        return data.map("wan").place_of("routers")
    return data.map(kind).place_of(key) if data.map(kind) else data.place_of(kind)
