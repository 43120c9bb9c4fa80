"""Which line of a scenario an error of the model speaks of."""

import re
from collections.abc import Iterator

from controller.model.errors import ModelError
from topologies.scenario.file import Map, Place

THING = re.compile(r"(host|network|subnet|port) '([^']*)'")


def place_of(error: ModelError, data: Map) -> Place | None:
    """The line of the key that `error` found fault with, or of the thing that has it."""
    thing = THING.match(error.where)
    if thing:
        for item in _named(data, thing[1], thing[2]):
            return _key(item, error.found)
    section = error.where if error.where in data else "hosts"
    if error.where == "underlay":
        is_path = error.found.startswith("path_mtu")  # an option of the server's
        options = data.map("ml2_conf").map("ml2")
        return options.place_of("path_mtu") if is_path else _key(data.map("underlay"), error.found)
    return data.places.get(section)


def _named(data: Map, kind: str, name: str) -> Iterator[Map]:
    if kind == "subnet":
        subnets = (subnet for net in data.maps("networks") for subnet in net.maps("subnets"))
        return (s for s in subnets if s.get("name", s["cidr"]) == name)
    key = "server" if kind == "port" else "name"
    return (item for item in data.maps(f"{kind}s") if item.get(key) == name)


def _key(item: Map, found: str) -> Place:
    """An error begins with the key it is about: `mtu 12`, `fixed ip 10.0.0.1`."""
    first = found.split(maxsplit=1)[0]
    return next((item.place_of(key) for key in item if key.startswith(first)), item.place)
