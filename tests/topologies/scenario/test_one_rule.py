"""Scenario file, API, model and flows agree on what is valid, for made overlays with and without faults.

An overlay is described once, in plain values, and given to each of them.
"""

import json
import os
import tempfile
from collections.abc import Callable
from copy import deepcopy
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api import resources
from controller.api.attributes import parse_body
from controller.api.errors import NeutronError
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows, bridges
from controller.model.addresses import default_gateway, default_pools
from controller.model.check import overlay_errors
from controller.model.check_server import server_errors
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, ModelErrors
from controller.model.names import derived_id
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network, OverlayParts, Port, Subnet
from topologies.scenario.load import load

Described = dict[str, Any]
Words = set[tuple[str, str, str]]  # what was found, what is allowed, what to do
EXAMPLES = 2000 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 60
V4, V6 = ("10.0.0.0/24", "10.0.1.0/28"), ("2001:db8:1::/64", "2001:db8:2::/120")
NO_ADDRESS = [
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.5", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:192.0.2.1", "fe80::1", "ff02::1"),
]
NO_CIDR = [
    *("0.0.0.0/0", "::/0", "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"),
    *("240.0.0.0/8", "fe80::/64", "ff00::/8", "::/64", "::ffff:0.0.0.0/112"),
]
# Refused by the API before it asks the model, in Neutron's words.
NEUTRONS_OWN = {
    *("IpAddressAlreadyAllocated", "InvalidIpForNetwork", "MacAddressInUse", "TunnelIdInUse"),
    *("VlanIdInUse", "FlatNetworkInUse", "InvalidInput", "AgentAddressInUse"),
}


@st.composite
def valid(draw: st.DrawFn) -> Described:
    hosts = [
        {"name": f"h{number}", "local_ip": f"192.0.2.{number}", "tunnel_types": ["vxlan", "gre"]}
        for number in range(1, draw(st.integers(2, 4)) + 1)
    ]
    networks = [draw(network(number)) for number in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        for each in networks:
            each["network_type"] = each["network_type"].replace("gre", "vxlan")
        hosts = [{**each, "mechanism": "linuxbridge", "tunnel_types": ["vxlan"]} for each in hosts]
    places = st.tuples(st.sampled_from(hosts), st.sampled_from(networks))
    ports = [
        port(number, *draw(places), use_ipv6=draw(st.booleans()))
        for number in range(1, draw(st.integers(1, 4)) + 1)
    ]
    return {
        "underlay": {"mtu": draw(st.sampled_from([1330, 1500, 9000]))},
        "hosts": hosts,
        "networks": networks,
        "ports": ports,
    }


@st.composite
def network(draw: st.DrawFn, number: int) -> Described:
    kind = draw(st.sampled_from(["vxlan", "gre", "local"]))
    cidrs = draw(st.lists(st.sampled_from([*V4, *V6]), min_size=1, max_size=4, unique=True))
    made: Described = {
        "name": f"n{number}",
        "id": derived_id("n", str(number)),
        "network_type": kind,
        "subnets": [
            {"cidr": cidr, "id": derived_id("s", str(number), cidr), **draw(options(cidr))}
            for cidr in cidrs
        ],
    }
    if kind != "local":
        made["segmentation_id"] = number + 1
    return {**made, **draw(st.sampled_from([{}, {"mtu": 1280}]))}


def options(cidr: str) -> st.SearchStrategy[Described]:
    subnet = ip_network(cidr)
    pool = {"start": str(subnet[2]), "end": str(subnet[9])}
    second = {"start": str(subnet[10]), "end": str(subnet[12])}
    return st.fixed_dictionaries(
        {},
        optional={
            "gateway_ip": st.sampled_from([None, str(subnet[1])]),
            "allocation_pools": st.sampled_from([[pool], [second, pool]]),
        },
    )


def port(number: int, host: Described, network: Described, *, use_ipv6: bool) -> Described:
    cidrs = [ip_network(subnet["cidr"]) for subnet in network["subnets"]]
    chosen = [cidr for cidr in cidrs if use_ipv6 or cidr.version == 4]
    return {
        "server": f"g{number}",
        "id": derived_id("p", str(number)),
        "host": host["name"],
        "network": network["name"],
        "mac_address": f"fa:16:3e:00:00:{number:02x}",
        "fixed_ips": [str(cidr[number + 1]) for cidr in chosen],
    }


# --- faults: each changes a description so that it is no longer valid

Fault = Callable[[st.DrawFn, Described], None]


def a_local_ip(draw: st.DrawFn, given: Described) -> None:
    draw(st.sampled_from(given["hosts"]))["local_ip"] = draw(st.sampled_from(NO_ADDRESS))


def a_local_ip_of_the_management(_: st.DrawFn, given: Described) -> None:
    given["hosts"][0]["local_ip"] = "198.18.0.1"


def a_local_ip_twice(_: st.DrawFn, given: Described) -> None:
    given["hosts"][0]["local_ip"] = given["hosts"][1]["local_ip"]


def a_cidr(draw: st.DrawFn, given: Described) -> None:
    cidr = draw(st.sampled_from(NO_CIDR))
    given["networks"][0]["subnets"].append({"cidr": cidr, "id": derived_id("new"), "name": "new"})


def an_overlapping_cidr(draw: st.DrawFn, given: Described) -> None:
    subnets = draw(st.sampled_from(given["networks"]))["subnets"]
    other = ip_network(draw(st.sampled_from(subnets))["cidr"])
    wide = draw(st.sampled_from([other.supernet(), other, next(other.subnets(2))]))
    subnets.append({"cidr": str(wide), "id": derived_id("over"), "name": "over"})


def a_gateway(draw: st.DrawFn, given: Described) -> None:
    subnet = draw(st.sampled_from(given["networks"][0]["subnets"]))
    cidr = ip_network(subnet["cidr"])
    broadcast = [str(cidr[0]), str(cidr[-1])] if cidr.version == 4 else []
    subnet["gateway_ip"] = draw(st.sampled_from([*broadcast, "198.51.100.1", "127.0.0.1"]))


def a_pool(draw: st.DrawFn, given: Described) -> None:
    subnet = draw(st.sampled_from(given["networks"][0]["subnets"]))
    cidr = ip_network(subnet["cidr"])
    subnet["gateway_ip"] = str(cidr[1])
    first, last = draw(st.sampled_from([(0, 3), (1, 5), (9, 8), (-1, -1), (-2, 400), (3, 3)]))
    first, last = cidr[first], cidr[0] + last if last > 0 else cidr[last]
    if cidr.version == 6 and first == cidr[-1]:
        first, last = cidr[1], cidr[1]  # an IPv6 prefix may use its last address
    pools = [{"start": str(first), "end": str(last)}]
    subnet["allocation_pools"] = pools * 2 if first == last else pools


def a_fixed_ip(draw: st.DrawFn, given: Described) -> None:
    each = draw(st.sampled_from(given["ports"]))
    cidr = ip_network(
        next(n for n in given["networks"] if n["name"] == each["network"])["subnets"][0]["cidr"]
    )
    edge = [str(cidr[0])] + ([str(cidr[-1])] if cidr.version == 4 else [])
    each["fixed_ips"] = [draw(st.sampled_from([*edge, "198.51.100.7", "2001:db8:ff::1"]))]


def _twin(given: Described) -> dict[str, Any]:
    """Server and id of another port; several faults may add one."""
    name = f"twin{len(given['ports'])}"
    return {"server": name, "id": derived_id(name)}


def a_fixed_ip_twice(draw: st.DrawFn, given: Described) -> None:
    each = draw(st.sampled_from(given["ports"]))
    twin = {**each, **_twin(given), "mac_address": "fa:16:3e:00:00:ee"}
    cidr = ip_network(
        next(n for n in given["networks"] if n["name"] == each["network"])["subnets"][0]["cidr"]
    )
    each["fixed_ips"] = twin["fixed_ips"] = [str(cidr[2])]
    given["ports"].append(twin)


def a_mac(draw: st.DrawFn, given: Described) -> None:
    macs = ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"]
    draw(st.sampled_from(given["ports"]))["mac_address"] = draw(st.sampled_from(macs))


def a_small_mtu_for_ipv6(_: st.DrawFn, given: Described) -> None:
    subnet = {"cidr": "2001:db8:9::/64", "id": derived_id("six")}
    given["networks"][0] |= {"mtu": 1279, "subnets": [subnet]}
    given["ports"] = [each for each in given["ports"] if each["network"] != "n0"]


def an_underlay_too_small_for_ipv6(_: st.DrawFn, given: Described) -> None:
    given["underlay"]["mtu"] = 1200
    a_small_mtu_for_ipv6(_, given)
    for each in given["networks"]:
        each.pop("mtu", None)


def an_mtu(draw: st.DrawFn, given: Described) -> None:
    given["networks"][0]["mtu"] = draw(st.sampled_from([68, 575, 9001, 65522]))


def a_segmentation_id(draw: st.DrawFn, given: Described) -> None:
    given["networks"][0] |= {"network_type": "vxlan"}
    given["networks"][0]["segmentation_id"] = draw(st.sampled_from([0, 2**24, 2**32]))


def a_name(draw: st.DrawFn, given: Described) -> None:
    kind, key = draw(
        st.sampled_from([("networks", "name"), ("ports", "server"), ("hosts", "name")])
    )
    name = {"networks": "n" * 256, "ports": "9guest", "hosts": "management"}[kind]
    old = given[kind][0][key]
    given[kind][0][key] = name
    for each in given["ports"]:
        for reference in ("network", "host"):
            if kind == f"{reference}s" and each[reference] == old:
                each[reference] = name


def a_type_that_the_host_has_not(_: st.DrawFn, given: Described) -> None:
    kinds = {each["name"]: each["network_type"] for each in given["networks"]}
    bound = given["ports"][0]
    if kinds[bound["network"]] == "local":
        a_mac_twice(_, given)
    for each in given["hosts"]:
        if each["name"] == bound["host"]:
            each["tunnel_types"] = []


def a_mac_twice(_: st.DrawFn, given: Described) -> None:
    twin = {**given["ports"][0], **_twin(given), "fixed_ips": []}
    given["ports"].append(twin)


def a_segment_twice(_: st.DrawFn, given: Described) -> None:
    for number in range(2):
        name = f"twin{number}"
        twin = {"name": name, "id": derived_id(name), "network_type": "gre", "subnets": []}
        given["networks"].append({**twin, "segmentation_id": 77})


def a_name_twice(_: st.DrawFn, given: Described) -> None:
    twin = {"name": "twin", "network_type": "local", "subnets": []}
    given["networks"] += [{**twin, "id": derived_id(number)} for number in "12"]


FAULTS: tuple[Fault, ...] = (
    *(a_type_that_the_host_has_not, a_mac_twice, a_segment_twice, a_name_twice),
    *(a_local_ip, a_local_ip_of_the_management, a_local_ip_twice, a_cidr, an_overlapping_cidr),
    *(a_gateway, a_pool, a_fixed_ip, a_fixed_ip_twice, a_mac, a_small_mtu_for_ipv6),
    *(an_underlay_too_small_for_ipv6, an_mtu, a_segmentation_id, a_name),
)


@st.composite
def faulty(draw: st.DrawFn) -> Described:
    described = deepcopy(draw(valid()))
    for fault in draw(st.lists(st.sampled_from(FAULTS), min_size=1, max_size=2, unique=True)):
        if described["ports"]:  # a fault may have left none, and is enough then
            fault(draw, described)
    return described


# --- the four that judge


def parts_of(given: Described) -> OverlayParts:
    ids = {each["name"]: each["id"] for each in given["networks"]}
    return OverlayParts(
        name="s",
        hosts=tuple(
            Host(
                name=each["name"],
                local_ip=ip_address(each["local_ip"]),
                written_ip=each["local_ip"],
                tunnel_types=tuple(map(NetworkType, each["tunnel_types"])),
                mechanism=Mechanism(each.get("mechanism", "openvswitch")),
            )
            for each in given["hosts"]
        ),
        networks=tuple(
            Network(
                id=each["id"],
                name=each["name"],
                network_type=NetworkType(each["network_type"]),
                segmentation_id=each.get("segmentation_id"),
                mtu=each.get("mtu", 0),
            )
            for each in given["networks"]
        ),
        subnets=tuple(
            subnet_of(each, net["id"]) for net in given["networks"] for each in net["subnets"]
        ),
        ports=tuple(
            Port(
                id=each["id"],
                name=each["server"],
                device_id=each["server"],
                network_id=ids[each["network"]],
                host=each["host"],
                mac_address=each["mac_address"],
                fixed_ips=tuple(map(ip_address, each["fixed_ips"])),
            )
            for each in given["ports"]
        ),
        underlay_mtu=given["underlay"]["mtu"],
    )


def subnet_of(given: Described, network_id: str) -> Subnet:
    cidr = ip_network(given["cidr"])
    gateway = given.get("gateway_ip", str(default_gateway(cidr)))
    gateway_ip = None if gateway is None else ip_address(gateway)
    pools = tuple(
        (ip_address(pool["start"]), ip_address(pool["end"]))
        for pool in given.get("allocation_pools", ())
    )
    return Subnet(
        id=given["id"],
        name=given.get("name", given["cidr"]),
        network_id=network_id,
        cidr=cidr,
        gateway_ip=gateway_ip,
        pools=pools or default_pools(cidr, gateway_ip),
    )


def words(error: BaseException | None) -> Words:
    errors = error.errors if isinstance(error, ModelErrors) else (error,)
    return {(each.found, each.allowed, each.do) for each in errors if isinstance(each, ModelError)}


def by_the_model(given: Described) -> Words:
    parts = parts_of(given)
    errors = [*overlay_errors(parts)]
    errors += [error for network in parts.networks for error in server_errors(parts, network)]
    return {word for error in errors for word in words(error)}


def by_the_scenario(given: Described, folder: Path) -> Words:
    file = folder / "s.yaml"
    # One item a line, so that each error has a line of its own.
    file.write_text(json.dumps(given, indent=1), encoding="utf-8")
    try:
        load(file)
    except ModelError as error:
        return words(error)
    return set()


def by_the_api(given: Described) -> NeutronError | None:
    """The first refusal, if there is one, when everything is made one after the other."""
    overlay = Overlay(name="s", hosts=(), underlay_mtu=given["underlay"]["mtu"])
    try:
        for each in given["hosts"]:
            configurations = {
                "tunneling_ip": each["local_ip"],
                "tunnel_types": each["tunnel_types"],
                "ovsdb_connection": "tcp:198.18.1.1:6640",
                "mechanism": each.get("mechanism", "openvswitch"),
            }
            agent = {"agent": {"host": each["name"], "configurations": configurations}}
            made = parse_body("agent", "create", agent)["configurations"]
            overlay = resources.with_host(overlay, resources.host_from(each["name"], made))
        for each in given["networks"]:
            overlay = with_network(overlay, each)
        ids = {each["name"]: each["id"] for each in given["networks"]}
        for each in given["ports"]:
            body = {
                "name": each["server"],
                "device_id": each["server"],
                "network_id": ids[each["network"]],
                "binding:host_id": each["host"],
                "mac_address": each["mac_address"],
                "fixed_ips": [{"ip_address": ip} for ip in each["fixed_ips"]],
            }
            overlay = resources.create_port(overlay, {"port": body}, new_id=each["id"])
    except NeutronError as error:
        return error
    return None


def with_network(overlay: Overlay, given: Described) -> Overlay:
    body = {
        f"provider:{key}": given[key] for key in given if key in {"network_type", "segmentation_id"}
    }
    body |= {key: given[key] for key in ("name", "mtu") if key in given}
    overlay = resources.create_network(overlay, {"network": body}, new_id=given["id"])
    for each in given["subnets"]:
        wanted = {key: value for key, value in each.items() if key != "id"}
        wanted |= {"network_id": given["id"], "name": each.get("name", each["cidr"])}
        overlay = resources.create_subnet(overlay, {"subnet": wanted}, new_id=each["id"])
    return overlay


@settings(max_examples=EXAMPLES // 3)
@given(valid())
def test_what_is_valid_is_valid_for_all_and_has_flows(described: Described) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert by_the_scenario(described, Path(folder)) == set()
        loaded = load(Path(folder) / "s.yaml").overlay
    refusal = by_the_api(described)

    assert by_the_model(described) == set()
    assert refusal is None, str(refusal)
    assert parts_of(described).ports == loaded.ports
    switches = [host for host in loaded.hosts if host.mechanism is Mechanism.OPENVSWITCH]
    for host in switches:
        binding = new_binding(loaded, host.name)
        assert all(bridge_flows(loaded, binding, bridge) for bridge in bridges(host))


@settings(max_examples=EXAMPLES)
@given(faulty())
def test_what_is_invalid_is_refused_by_all_in_the_same_words(described: Described) -> None:
    expected = by_the_model(described)
    with tempfile.TemporaryDirectory() as folder:
        found = by_the_scenario(described, Path(folder))
    refusal = by_the_api(described)

    assert expected
    assert found == expected
    assert refusal is not None, expected
    if refusal.__cause__ is None:
        assert refusal.type in NEUTRONS_OWN
    else:
        assert words(refusal.__cause__) <= expected
