"""Scenarios: a YAML file and the Neutron .ini files it points to, as one `Overlay`."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from controller.model.dhcp import with_servers
from controller.model.enlarge import enlarge
from controller.model.errors import ModelError, ModelErrors, UsageError
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism
from controller.model.sites import Sites
from topologies.scenario.file import Map, Place, Problems, read_yaml, shown
from topologies.scenario.networks import (
    networks_of,
    path_mtu,
    ranges_of,
    subnets_of,
    tenant_network_types,
    type_drivers,
    underlay_mtu,
    underlay_of,
)
from topologies.scenario.options import Options, agents_of, server_options
from topologies.scenario.place import place_of
from topologies.scenario.ports import ports_of
from topologies.scenario.schema import SCHEMA_FILE, checked
from topologies.scenario.sites import SITES_SCHEMA, is_site_to_site, sites_of
from topologies.scenario.warnings import warnings_of

__all__ = ["Scenario", "available", "enlarge", "load", "summaries"]
FOLDER = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario file describes: compute hosts with an overlay, or two sites and a tunnel.

    Attributes:
        warnings: what Neutron would ignore or do otherwise, each with file and line.
    """

    name: str
    path: Path
    summary: str
    described: Overlay | Sites
    warnings: tuple[str, ...] = ()

    @property
    def overlay(self) -> Overlay:
        """The overlay.

        Raises:
            UsageError: the scenario has no compute hosts.
        """
        if isinstance(self.described, Overlay):
            return self.described
        raise UsageError(
            "it describes two sites and a tunnel, no compute hosts",
            where=f"scenario {self.name!r}",
            allowed="a scenario with `hosts:`",
            do="`overlaylab run walk` and `overlaylab up` take this one; others name theirs.",
        )

    @property
    def sites(self) -> Sites:
        """The two sites.

        Raises:
            UsageError: the scenario has compute hosts instead.
        """
        if isinstance(self.described, Sites):
            return self.described
        raise UsageError(
            "it describes compute hosts, no sites",
            where=f"scenario {self.name!r}",
            allowed="a scenario with `sites:`",
            do="Take `home-office`, or leave --scenario out.",
        )


def available() -> tuple[str, ...]:
    """The names of the scenarios that come with the project."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def summaries() -> tuple[tuple[str, str], ...]:
    """Each shipped scenario's name and the line that it says of itself."""
    read = ((name, read_yaml(FOLDER / f"{name}.yaml")) for name in available())
    return tuple((name, str(data.get("summary", ""))) for name, data in read)


def load(ref: str | Path) -> Scenario:
    """Read a scenario: one of `available()` by its name, or any by the path of its file.

    Raises:
        ModelError: it cannot be read or contradicts itself; `ModelErrors` if in several ways.
    """
    path = _path(ref)
    file, problems = shown(path), Problems()
    problems.open(file)
    raw = read_yaml(path)
    read, schema = (_sites, SITES_SCHEMA) if is_site_to_site(raw) else (_overlay, SCHEMA_FILE)
    data = checked(raw, file, problems, schema)
    described, warnings = read(data, path, problems) if data is not None else (None, ())
    problems.raise_all()
    assert data is not None and described is not None  # else there was a problem  # noqa: S101, PT018
    return Scenario(path.stem, path, str(data.get("summary", "")), described, warnings)


def _path(ref: str | Path) -> Path:
    if isinstance(ref, str) and ref in available():
        return FOLDER / f"{ref}.yaml"
    path = Path(ref)
    try:
        found = "" if path.is_file() else "no such name or file"
    except OSError as error:  # in a folder that is closed to us, or too long a name
        found = error.strerror or str(error)
    if found:
        raise ModelError(
            found,
            where=f"scenario {str(ref)!r}",
            allowed=f"{', '.join(available())}, or the path of a .yaml file",
            do="`overlaylab list` shows the names.",
        )
    return path


Described = tuple[Overlay | Sites | None, tuple[str, ...]]


def _sites(data: Map, path: Path, problems: Problems) -> Described:
    return sites_of(data, path, problems), ()


def _overlay(data: Map, path: Path, problems: Problems) -> Described:
    name, folder = path.stem, path.parent
    server = server_options(data, folder, problems)
    agents = agents_of(data, folder, problems)
    hosts = tuple(_hosts(data, agents, problems))
    networks = networks_of(data, server, name=name, problems=problems)
    subnets = subnets_of(data, networks, name=name, problems=problems)
    ports = ports_of(data, networks, subnets, name=name, problems=problems)
    built = {
        "networks": networks,
        "subnets": subnets,
        "ports": ports,
        "hosts": hosts,
        "path_mtu": path_mtu(server),
        "underlay": underlay_of(data),
        "ranges": ranges_of(server),
        "tenant_network_types": tenant_network_types(server),
        "dhcp": data.get("dhcp", False),
        "type_drivers": type_drivers(server),
    }
    return _checked(data, path, built, problems), warnings_of(server, [a for _, a in agents])


def _hosts(
    data: Map, agents: tuple[tuple[Map, Options], ...], problems: Problems
) -> Iterator[Host]:
    for keys, options in agents:
        if keys.lacks or options.refused or ("agent_file" in keys and options.ini is None):
            continue  # it is at fault in another way, which is said already
        if options.get("ovs", "local_ip") is not None:
            yield _host(keys["name"], options, data.map("agent") | keys)
        else:
            problems.add(
                options.place_of("ovs", "local_ip"),
                keys.path,
                f"no local_ip for {keys['name']!r}",
                allowed="an IPv4 or IPv6 address",
                do="Give `local_ip` here, or in [ovs] of the host's agent_file.",
            )


def _host(name: str, options: Options, keys: dict[str, Any]) -> Host:
    return Host(
        name=name,
        local_ip=options.get("ovs", "local_ip"),
        written_ip=_spelling(options),
        tunnel_types=options.get("agent", "tunnel_types", ()),
        l2_population=options.get("agent", "l2_population", otherwise=False),
        arp_responder=options.get("agent", "arp_responder", otherwise=False),
        bridge_mappings=options.get("ovs", "bridge_mappings", ()),
        mechanism=Mechanism(keys.get("mechanism", Mechanism.OPENVSWITCH)),
        hybrid_plug=keys.get("plug") == "hybrid",
        vxlan_group=ip_network(keys["vxlan_group"]) if "vxlan_group" in keys else None,
    )


def _spelling(options: Options) -> str:
    """How `local_ip` is spelt, if not in the usual way: Neutron names tunnel ports by the text."""
    text = options.text("ovs", "local_ip") or ""
    return "" if text == str(options.get("ovs", "local_ip")) else text


def _checked(data: Map, path: Path, built: dict[str, Any], problems: Problems) -> Overlay | None:
    """The overlay; what the model refuses is noted, with the line that it speaks of."""
    known = {host.name for host in built["hosts"]}
    # A port on a host that is itself at fault is not to blame for it.
    ports = tuple(port for port in built["ports"] if port.host in known)
    try:
        return with_servers(
            Overlay(
                **{**built, "ports": ports},
                name=path.stem,
                release=data.get("release", "queens"),
                underlay_mtu=underlay_mtu(data),
            )
        )
    except ModelError as error:
        for one in error.errors if isinstance(error, ModelErrors) else (error,):
            place = place_of(one, data) or Place(shown(path), 1)
            problems.add(place, one.where, one.found, allowed=one.allowed, do=one.do)
        return None
