"""The site-to-site part of a scenario file as `Sites`, each error with its line."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from controller.model.errors import ModelError, ModelErrors
from controller.model.site_parts import PPPOE_MTU, Attacker, Site, Snat, Station
from controller.model.sites import Sites
from topologies.scenario.file import Map, Place, Problems, shown
from topologies.scenario.schema import SCHEMA_FILE

SITES_SCHEMA = SCHEMA_FILE.with_name("sites.schema.json")


def is_site_to_site(data: object) -> bool:
    """True if the file describes sites instead of compute hosts."""
    return isinstance(data, Map) and "sites" in data


def sites_of(data: Map, path: Path, problems: Problems) -> Sites | None:
    """What the file describes, None if the model refuses it; why is noted, with its line."""
    if problems.found:  # what the schema refused would only be refused again, in other words
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
        for one in error.errors if isinstance(error, ModelErrors) else (error,):
            place = _place(one, data) or Place(shown(path), 1)
            problems.add(place, one.where, one.found, allowed=one.allowed, do=one.do)
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


def _place(error: ModelError, data: Map) -> Place | None:
    """The line of the key that an error begins with, in the thing that it speaks of."""
    kind, _, name = error.where.partition(" ")
    key = error.found.split(maxsplit=1)[0].rstrip(":")
    if kind in {"site", "node"}:
        named = [*data.maps("sites"), data.map("attacker")]
        named += [each for site in data.maps("sites") for each in site.maps("stations")]
        for thing in named:
            if thing.get("name") == name.strip("'"):
                return thing.place_of("stations" if key == "station" else key)
        return data.map("wan").place_of("routers")
    thing = data.map(kind)
    return thing.place_of(key) if thing else data.place_of(kind)
