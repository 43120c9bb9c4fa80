"""What GET shows can be sent back, and values are converted as Neutron converts them."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from controller.api import attributes, resources
from controller.api.attributes import ATTRIBUTES, NEUTRAL, REPORTED, parse_body, view
from controller.api.converters import mac
from controller.model.encap import NetworkType
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network
from controller.switches.backend import AgentState
from tests.controller.api.resource_requests import OVERLAY, network, port, refused, subnet
from topologies.scenario.load import load

FIRST = {
    "network": OVERLAY.networks[0],
    "subnet": OVERLAY.subnets[0],
    "port": OVERLAY.ports[0],
}
CREATE = {
    "network": resources.create_network,
    "subnet": resources.create_subnet,
    "port": resources.create_port,
}
UPDATE = {
    "network": resources.update_network,
    "subnet": resources.update_subnet,
    "port": resources.update_port,
}


def accepted(kind: str, action: str, shown: dict[str, object]) -> dict[str, object]:
    """The attributes of `shown` that a request may have."""
    known = ATTRIBUTES[kind]
    return {name: value for name, value in shown.items() if getattr(known[name], action)}


def without(kind: str) -> Overlay:
    """The small overlay without its network, its subnet or its port, and what depends on them."""
    parts = {
        "network": {"networks": (), "subnets": (), "ports": ()},
        "subnet": {"subnets": (), "ports": ()},
        "port": {"ports": ()},
    }
    return replace(OVERLAY, **parts[kind])


@pytest.mark.parametrize("kind", FIRST)
def test_a_post_of_all_that_get_shows_makes_the_same_resource(kind):
    shown = view(kind, OVERLAY, FIRST[kind])
    body = {kind: accepted(kind, "create", shown)}
    made = CREATE[kind](without(kind), body, new_id=FIRST[kind].id)
    again = view(kind, made, getattr(made, f"{kind}s")[0])

    # A subnet of the same name, and a port that its host has not plugged.
    expected = {**shown, "subnets": []} if kind == "network" else shown
    assert again == ({**expected, "status": "DOWN"} if kind == "port" else expected)


@pytest.mark.parametrize("kind", FIRST)
def test_a_put_of_all_that_get_shows_changes_nothing(kind):
    shown = view(kind, OVERLAY, FIRST[kind])
    changed = UPDATE[kind](OVERLAY, FIRST[kind].id, {kind: accepted(kind, "update", shown)})

    assert view(kind, changed, getattr(changed, f"{kind}s")[0]) == shown


@pytest.mark.parametrize(
    "made",
    [
        Network(id="n", name="f", network_type=NetworkType.FLAT, physical_network="p"),
        Network(
            id="n", name="v", network_type=NetworkType.VLAN, physical_network="p", segmentation_id=4
        ),
        Network(id="n", name="l", network_type=NetworkType.LOCAL),
        Network(id="n", name="", network_type=NetworkType.GRE, segmentation_id=2**32 - 1, mtu=1300),
    ],
)
def test_a_network_of_each_type_can_be_sent_back(made):
    shown = view("network", OVERLAY, made)
    body = {"network": accepted("network", "create", shown)}
    again = resources.create_network(OVERLAY, body, new_id="n").networks[-1]

    assert view("network", OVERLAY, again) == shown


@pytest.mark.parametrize(
    "options",
    [
        {"l2_population": True, "arp_responder": True, "bridge_mappings": (("p", "br-ex"),)},
        {"hybrid_plug": True, "written_ip": "192.168.150.12"},
        {"mechanism": Mechanism.LINUXBRIDGE, "vxlan_group": ip_network("239.0.0.0/8")},
    ],
)
def test_an_agents_configurations_can_be_sent_back(options):
    host = Host(name="h", local_ip=OVERLAY.hosts[0].local_ip + 9, **options)
    host = replace(host, tunnel_types=(NetworkType.VXLAN,))
    alone = replace(OVERLAY, hosts=(host,), networks=(), subnets=(), ports=())
    state = AgentState(host="h", alive=True, wired=True, ovsdb="tcp:198.18.1.1:6640")
    shown = view("agent", alone, state)
    body = {"agent": {name: shown[name] for name in ("host", "configurations")}}
    given = parse_body("agent", "create", body)
    again = resources.host_from("h", given["configurations"])

    assert view("agent", replace(alone, hosts=(again,)), state) == shown
    assert not given["configurations"].keys() & set(REPORTED)


EMPTY = {
    "network": {"description": "", "tags": [], "qos_policy_id": None, "shared": False},
    "subnet": {
        "dns_nameservers": [],
        "host_routes": None,
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        "description": "",
        "subnetpool_id": None,
        "service_types": [],
    },
    "port": {
        "allowed_address_pairs": [],
        "security_groups": [],
        "binding:profile": {},
        "binding:vnic_type": "normal",
        "extra_dhcp_opts": [],
        "qos_policy_id": None,
        "description": "",
        "binding:host_id": None,
    },
}


@pytest.mark.parametrize("kind", EMPTY)
def test_values_of_an_unused_attribute_are_accepted(kind):
    make = {"network": network, "subnet": subnet, "port": port}[kind]
    values = {name.replace(":", "__"): value for name, value in EMPTY[kind].items()}
    if kind != "network":
        values = EMPTY[kind]

    assert make(**values) == make()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, "x") for kind in FIRST for name in NEUTRAL[kind]]
    + [
        ("port", "security_groups", ["x"]),
        ("subnet", "dns_nameservers", ["192.0.2.1"]),
        ("subnet", "ipv6_ra_mode", "slaac"),
        ("subnet", "enable_dhcp", True),
        ("subnet", "enable_dhcp", "true"),
        ("network", "shared", "yes"),
        ("network", "admin_state_up", "off"),
    ],
)
def test_a_value_that_would_be_ignored_is_refused(kind, name, value):
    body = {kind: {**accepted(kind, "create", view(kind, OVERLAY, FIRST[kind])), name: value}}
    status, type_, text = refused(CREATE[kind], without(kind), body, new_id="new")

    assert (status, type_) == (400, "InvalidInput")
    assert name in text


@pytest.mark.parametrize("value", ["300", " 300 ", 300, 300.0])
def test_an_id_is_converted_to_an_integer(value):
    wanted = {"provider__network_type": "vxlan", "provider__segmentation_id": value}

    assert network(**wanted).networks[-1].segmentation_id == 300
    assert network(mtu=str(1400)).networks[-1].mtu == 1400
    assert subnet(ip_version="4").subnets[-1] == subnet().subnets[-1]


@pytest.mark.parametrize("value", ["3e2", "0x12c", "300.5", 300.5, "", [], "three"])
def test_values_that_are_not_integers_are_refused(value):
    wanted = {"provider__network_type": "vxlan", "provider__segmentation_id": value}

    assert refused(network, **wanted)[1] == "InvalidInput"


@pytest.mark.parametrize("value", ["false", "False", "0", 0, "off", "no", "n", "f", False])
def test_words_are_converted_to_false(value):
    assert port(admin_state_up=value).ports[-1].admin_state_up is False
    assert network(shared=value)


@pytest.mark.parametrize("value", ["true", "TRUE", "1", 1, "on", "yes", "y", "t", True])
def test_words_are_converted_to_true(value):
    assert port(admin_state_up=value).ports[-1].admin_state_up is True
    assert refused(network, shared=value)[1] == "InvalidInput"


@pytest.mark.parametrize("value", ["maybe", 2, -1, None, [], "", 1.5])
def test_other_words_are_no_truth_value(value):
    assert refused(port, admin_state_up=value)[1] == "InvalidInput"


@pytest.mark.parametrize(
    "written",
    ["FA:16:3E:00:01:02", "fa-16-3e-00-01-02", "fa16.3e00.0102", "fa163e000102", "fa:16:3e:0:1:2"],
)
def test_every_notation_of_a_mac_is_accepted(written):
    assert port(mac_address=written).ports[-1].mac_address == "fa:16:3e:00:01:02"


@pytest.mark.parametrize("written", ["fa:16-3e:00:01:02", "fa:16:3e:00:01", "g" * 12, "", None])
def test_values_that_are_not_macs_are_refused_unchanged(written):
    assert mac(written) == written
    assert refused(port, mac_address=written)[1] == "InvalidInput"


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0", "10.0.0.0/255.255.255.0", "10.0.0.0/0.0.0.255", "2001:db8::%1/64"]
)
def test_a_prefix_has_a_length_in_digits_and_no_zone(cidr):
    assert refused(subnet, cidr=cidr)[1] == "InvalidInput"


def test_a_subnet_with_dhcp_keeps_it():
    assert attributes.view("subnet", OVERLAY, OVERLAY.subnets[0])["enable_dhcp"] is False
    kept = {"subnet": {"enable_dhcp": "false"}}
    assert resources.update_subnet(OVERLAY, "sub-1", kept) == OVERLAY
    other = {"subnet": {"enable_dhcp": True}}
    assert (
        "enable_dhcp must stay false"
        in refused(resources.update_subnet, OVERLAY, "sub-1", other)[2]
    )


def test_a_dhcp_servers_port_and_its_subnet_can_be_sent_back():
    overlay = load("article-dhcp").overlay
    server = next(each for each in overlay.ports if each.is_dhcp_server)
    shown = view("port", overlay, server)
    port_body = {"port": accepted("port", "update", shown)}
    subnet_body = {
        "subnet": accepted("subnet", "update", view("subnet", overlay, overlay.subnets[0]))
    }

    assert shown["device_owner"] == "network:dhcp"
    assert subnet_body["subnet"]["enable_dhcp"] is True
    assert resources.update_port(overlay, server.id, port_body) == overlay
    assert resources.update_subnet(overlay, overlay.subnets[0].id, subnet_body) == overlay
    assert (
        "device_owner must be 'compute:nova'"
        in refused(port, device_id="x", device_owner="network:dhcp")[2]
    )
