"""Steps and checks for tests of a lab that changes while it is up."""

import json

from controller.flows.bridges import bridge_flows, bridges
from controller.flows.ports import add_port_args, guest_port
from controller.flows.text import dump, normalise
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Port
from controller.model.serial import load_state
from controller.switches.ovsdb import Ovsdb
from controller.switches.reading import binding_of
from tests.controller.switches.rig import Rig


def now(laid: Rig) -> Overlay:
    """The overlay as the controller has it."""
    return load_state((laid.controller.home / "state.json").read_text())[0]


def port(laid: Rig, name: str) -> Port:
    return next(port for port in laid.overlay.ports if port.name == name)


def settle(laid: Rig, *, status: dict[str, str] | None = None) -> None:
    """Until all is wired, and the ports named have the status they should."""
    wanted = status or {}

    def is_so() -> bool:
        have = {p.id: p.status for p in now(laid).ports}
        return all(have.get(id_) == printed for id_, printed in wanted.items())

    laid.controller.wait_for(is_so, f"status is not {wanted}")
    laid.controller.wait_until_wired()


def plug(laid: Rig, there: Port, *, wait: bool = True) -> None:
    laid.switches[there.host].vsctl(*add_port_args(guest_port(there), None))
    if wait:
        settle(laid, status={there.id: "ACTIVE"})


def unplug(laid: Rig, there: Port) -> None:
    laid.switches[there.host].vsctl("del-port", "br-int", int_port_name(there.id))
    settle(laid, status={there.id: "DOWN"})


def assert_all_as_wanted(laid: Rig) -> None:
    """Every switch holds just the flows that the overlay, as it is now, asks of it."""
    overlay = now(laid)
    for host in overlay.hosts:
        binding = binding_of(overlay, host.name, Ovsdb(laid.switches[host.name].db).read())
        assert_tags_part_networks(laid, overlay, host.name)
        for bridge in bridges(host):
            wanted = dump(bridge_flows(overlay, binding, bridge))
            found = normalise(laid.switches[host.name].dump(bridge))
            assert [flow for flow in found if "hard_timeout=300, " not in flow] == wanted


def assert_tags_part_networks(laid: Rig, overlay: Overlay, host: str) -> None:
    """Ports share a tag if, and only if, they share a network."""
    here = [p for p in overlay.ports if p.host == host and p.is_active]
    pairs = {(there.network_id, tag_of(laid, there)) for there in here}
    assert len(pairs) == len({n for n, _ in pairs}) == len({tag for _, tag in pairs})


def ports_of(laid: Rig, host: str, bridge: str) -> set[str]:
    return set(laid.switches[host].vsctl("list-ports", bridge).split())


def tag_of(laid: Rig, there: Port) -> int:
    name = int_port_name(there.id)
    return json.loads(laid.switches[there.host].vsctl("get", "Port", name, "tag"))


def learned(laid: Rig, host: str) -> list[str]:
    flows = normalise(laid.switches[host].dump("br-tun"))
    return [flow for flow in flows if flow.startswith("table=20, hard_timeout=300, ")]


def add_port(laid: Rig, network: str, host: str) -> Port:
    """A new port through the API; nobody has plugged it yet."""
    body = {"port": {"network_id": network, "binding:host_id": host}}
    return now_port(laid, laid.controller.api("POST", "/v2.0/ports", body)["port"]["id"])


def now_port(laid: Rig, id_: str) -> Port:
    return now(laid).port_of[id_]


def add_network(laid: Rig, name: str, cidr: str, **provider: object) -> str:
    """A new network with one subnet through the API; its id."""
    body = {"name": name, **{f"provider:{key}": value for key, value in provider.items()}}
    api = laid.controller.api
    network = str(api("POST", "/v2.0/networks", {"network": body})["network"]["id"])
    subnet = {"network_id": network, "cidr": cidr, "ip_version": 4}
    api("POST", "/v2.0/subnets", {"subnet": subnet})
    return network
