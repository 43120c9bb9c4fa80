"""`Sites` as JSON and back, without loss.  Pure: dicts and text, no files."""

from collections.abc import Mapping
from dataclasses import asdict
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from controller.model.errors import ModelError
from controller.model.site_parts import Attacker, Site, Snat, Station
from controller.model.sites import Sites


def sites_to_json(sites: Sites) -> dict[str, Any]:
    """`sites` in dicts, lists, strings and numbers, ready for `json.dumps`."""
    return {name: _plain(value) for name, value in asdict(sites).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, int) else str(value)


def sites_from_json(data: Mapping[str, Any]) -> Sites:
    """The value that `sites_to_json` made `data` from.

    Raises:
        ModelError: it did not.
    """
    try:
        return Sites(
            **{
                **data,
                "sites": tuple(map(_site, data["sites"])),
                "routers": tuple(data["routers"]),
                "attacker": Attacker(
                    **{**data["attacker"], "ip": IPv4Address(data["attacker"]["ip"])}
                ),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            repr(error),
            where="sites of a lab",
            allowed="what `sites_to_json` writes",
            do="Raise the lab anew, or mend the file by hand.",
        ) from None


def _site(data: Mapping[str, Any]) -> Site:
    ips = {name: IPv4Address(data[name]) for name in ("gateway_ip", "public_ip", "tunnel_ip")}
    stations = tuple(
        Station(name=each["name"], ip=IPv4Address(each["ip"])) for each in data["stations"]
    )
    whole = {"lan": IPv4Network(data["lan"]), "snat": Snat(data["snat"]), "stations": stations}
    return Site(**{**data, **ips, **whole})
