"""A scenario file with `sites:` as `Sites`, each error with its line."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from controller.model.errors import ModelError
from controller.model.sites import PPPOE_MTU, Attacker, Site, Sites, Snat, Station
from topologies.scenario.file import Map, Place, Problems
from topologies.scenario.schema import SCHEMA_FILE

SITES_SCHEMA = SCHEMA_FILE.with_name("sites.schema.json")


def is_site_to_site(data: object) -> bool:
    """True if the file describes sites instead of compute hosts."""
    return isinstance(data, Map) and "sites" in data


def sites_of(data: Map, path: Path, problems: Problems) -> Sites | None:
    """The two sites; None if the model refuses them, with the errors added to `problems`."""
    if problems.found:  # the model would report the same errors again
        return None
    wan, attacker = data.map("wan"), data.map("attacker")
    try:
        return Sites(
            name=path.stem,
            sites=tuple(map(_site, data.maps("sites"))),
            routers=tuple(wan["routers"]),
            attacker=Attacker(
                name=attacker["name"], ip=IPv4Address(attacker["ip"]), router=attacker["router"]
            ),
            underlay_mtu=wan.get("mtu", PPPOE_MTU),
        )
    except ModelError as error:
        problems.refused(error, lambda one: _place_of(one, data))
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


def _place_of(error: ModelError, data: Map) -> Place:
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
