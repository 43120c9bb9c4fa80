"""An overlay survives JSON; a bad state file is refused with a reason."""

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet
from controller.model.serial import dump_state, from_json, load_state, to_json

OVSDB = {"h0": "tcp:198.18.1.1:6640"}


def small() -> Overlay:
    return Overlay(
        name="small",
        hosts=(
            Host(
                name="h0",
                local_ip=IPv4Address("192.0.2.1"),
                tunnel_types=(NetworkType.GRE, NetworkType.VXLAN),
                l2_population=True,
                bridge_mappings=(("physnet1", "br-ex"),),
            ),
        ),
        networks=(
            Network(
                id="n0", name="red", network_type=NetworkType.VXLAN, segmentation_id=111, mtu=1400
            ),
        ),
        subnets=(
            Subnet(
                id="s0",
                name="",
                network_id="n0",
                cidr=IPv4Network("10.0.0.0/24"),
                pools=((IPv4Address("10.0.0.2"), IPv4Address("10.0.0.9")),),
                gateway_ip=IPv4Address("10.0.0.1"),
            ),
        ),
        ports=(
            Port(
                id="00a1bde0-be",
                name="",
                network_id="n0",
                mac_address="fa:16:3e:00:00:01",
                fixed_ips=(IPv4Address("10.0.0.5"),),
                host="h0",
                device_id="A",
                port_security_enabled=False,
                status="DOWN",
            ),
        ),
    )


FLAGS = st.booleans()
TUNNELS = [NetworkType.GRE, NetworkType.VXLAN, NetworkType.GENEVE]
ANY_TEXT = st.text(max_size=12)
BRIDGE_TAIL = st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True).filter(
    lambda tail: tail not in {"int", "tun", "vtep"}
)


@st.composite
def hosts(draw: st.DrawFn) -> tuple[Host, ...]:
    base = ip_address(draw(st.sampled_from(["192.0.2.1", "2001:db8::1"])))
    return tuple(
        Host(
            name=f"h{number}",
            local_ip=base + number,
            tunnel_types=tuple(TUNNELS),
            l2_population=draw(FLAGS),
            arp_responder=draw(FLAGS),
            bridge_mappings=(("physnet1", "br-" + draw(BRIDGE_TAIL)),),
        )
        for number in range(draw(st.integers(1, 4)))
    )


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, ...]:
    return tuple(
        Network(
            id=f"n{number}",
            name=f"{number}{draw(ANY_TEXT)}",
            network_type=(kind := draw(st.sampled_from(list(NetworkType)))),
            segmentation_id=100 + number if kind.kind.id_max else None,
            physical_network=f"physnet{number and 1}{number}" if kind.is_provider else None,
            mtu=draw(st.sampled_from([0, 1280, 1450])),
        )
        for number in range(draw(st.integers(0, 4)))
    )


@st.composite
def subnets(draw: st.DrawFn, networks: tuple[Network, ...]) -> tuple[Subnet, ...]:
    cidrs = [ip_network("10.0.0.0/24"), ip_network("2001:db8:1::/64")]
    return tuple(
        Subnet(
            id=f"s-{network.id}-{cidr.version}",
            name=draw(ANY_TEXT),
            network_id=network.id,
            cidr=cidr,
            pools=draw(st.sampled_from([(), ((cidr[2], cidr[9]), (cidr[100], cidr[200]))])),
            gateway_ip=draw(st.sampled_from([None, cidr[1]])),
        )
        for network in networks
        for cidr in cidrs
    )


@st.composite
def overlays(draw: st.DrawFn) -> Overlay:
    nets, machines = draw(networks()), draw(hosts())
    ports = tuple(
        Port(
            id=f"{number:08x}-{network.id}",
            name=draw(ANY_TEXT),
            network_id=network.id,
            mac_address=f"fa:16:3e:00:00:{number:02x}",
            fixed_ips=draw(
                st.sampled_from([(), (ip_address("10.0.0.5"), ip_address("2001:db8:1::5"))])
            ),
            host=machines[-1].name if network.network_type.is_tunnel and draw(FLAGS) else "",
            device_id=draw(st.sampled_from(["", "A"])),
            port_security_enabled=draw(FLAGS),
            admin_state_up=draw(FLAGS),
            status=draw(st.sampled_from(["ACTIVE", "DOWN"])),
        )
        for number, network in enumerate(nets)
    )
    return Overlay(
        name=draw(ANY_TEXT),
        hosts=machines,
        networks=nets,
        subnets=draw(subnets(nets)),
        ports=ports,
        release=draw(st.sampled_from(["queens", "current"])),
        underlay_mtu=draw(st.sampled_from([1500, 9000])),
        path_mtu=draw(st.sampled_from([0, 1400])),
    )


@settings(max_examples=50, deadline=None)
@given(overlays())
def test_an_overlay_survives_json_exactly(overlay: Overlay) -> None:
    text = json.dumps(to_json(overlay))

    assert from_json(json.loads(text), Overlay) == overlay


@settings(max_examples=50, deadline=None)
@given(overlays(), st.dictionaries(ANY_TEXT, ANY_TEXT))
def test_a_state_is_read_back_exactly(overlay: Overlay, ovsdb: dict[str, str]) -> None:
    text = dump_state(overlay, ovsdb)

    assert load_state(text) == (overlay, ovsdb)
    assert dump_state(*load_state(text)) == text


def test_the_json_has_plain_values_with_neutrons_names() -> None:
    written = to_json(small())

    assert written["hosts"] == [
        {
            "name": "h0",
            "local_ip": "192.0.2.1",
            "tunnel_types": ["gre", "vxlan"],
            "l2_population": True,
            "arp_responder": False,
            "bridge_mappings": [["physnet1", "br-ex"]],
            "mechanism": "openvswitch",
            "hybrid_plug": False,
            "vxlan_group": None,
            "agent": {
                "dont_fragment": True,
                "tunnel_csum": False,
                "vxlan_udp_port": 4789,
                "dscp": None,
                "dscp_inherit": False,
                "explicitly_egress_direct": False,
                "bridge_mac_table_size": 50000,
                "int_peer_patch_port": "patch-tun",
                "tun_peer_patch_port": "patch-int",
                "igmp_snooping_enable": False,
                "igmp_flood": False,
                "igmp_flood_reports": True,
                "igmp_flood_unregistered": False,
            },
            "written_ip": "",
        }
    ]
    assert type(written["hosts"][0]["tunnel_types"][0]) is str
    assert written["subnets"][0]["pools"] == [["10.0.0.2", "10.0.0.9"]]
    assert written["networks"][0]["physical_network"] is None


def state(**changed: Any) -> str:
    return json.dumps({**json.loads(dump_state(small(), OVSDB)), **changed})


def overlay_with(path: list[Any], value: Any) -> str:
    overlay = to_json(small())
    inner: Any = overlay
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return state(overlay=overlay)


REMEDY = " Start the lab again, or correct the file."


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (state(format=2), "state file: format 2; allowed: 1 (the one this version reads)."),
        (state(format=True), "state file: format True; allowed: 1 (the one this version reads)."),
        ("[]", "state file: []; allowed: an object."),
        (state(ovsdb=None), "ovsdb: None; allowed: an object."),
        (state(ovsdb={"h0": 1}), "ovsdb.h0: 1; allowed: text."),
        (
            overlay_with(["hosts", 0, "local_ip"], "192.0.2.256"),
            "overlay.hosts[0].local_ip: '192.0.2.256'; allowed: an IP address.",
        ),
        (
            overlay_with(["hosts", 0, "local_ip"], 7),
            "overlay.hosts[0].local_ip: 7; allowed: text.",
        ),
        (
            overlay_with(["hosts", 0, "tunnel_types"], ["stt"]),
            "overlay.hosts[0].tunnel_types[0]: 'stt'; allowed: flat, vlan, gre, vxlan, geneve, local.",
        ),
        (
            overlay_with(["hosts", 0, "bridge_mappings"], [["physnet1"]]),
            "overlay.hosts[0].bridge_mappings[0]: ['physnet1']; allowed: a list of two.",
        ),
        (
            overlay_with(["ports", 0, "admin_state_up"], 1),
            "overlay.ports[0].admin_state_up: 1; allowed: true or false.",
        ),
        (
            overlay_with(["networks", 0, "segmentation_id"], True),
            "overlay.networks[0].segmentation_id: True; allowed: an integer.",
        ),
        (overlay_with(["subnets"], {}), "overlay.subnets: {}; allowed: a list."),
        (
            overlay_with(["subnets", 0, "cidr"], "10.0.0.1/24"),
            "overlay.subnets[0].cidr: '10.0.0.1/24'; allowed: a CIDR without host bits.",
        ),
        (
            overlay_with(["networks", 0, "vlan"], 3),
            (
                "overlay.networks[0]: unknown field 'vlan'; allowed: id, name, network_type, "
                "segmentation_id, physical_network, mtu."
            ),
        ),
    ],
)
def test_a_bad_state_says_where_and_what_is_allowed(text: str, printed: str) -> None:
    with pytest.raises(ModelError) as error:
        load_state(text)

    assert str(error.value) == printed + REMEDY


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(ModelError, match=r"^state file: no JSON .*line 1 column 1"):
        load_state("")


def test_a_missing_field_is_named() -> None:
    overlay = to_json(small())
    del overlay["hosts"][0]["local_ip"]

    with pytest.raises(ModelError, match=r"overlay\.hosts\[0\]: no field 'local_ip'"):
        from_json(overlay, Overlay)


def test_a_missing_field_with_a_default_takes_it() -> None:
    overlay = to_json(small())
    del overlay["ports"][0]["status"]

    assert from_json(overlay, Overlay).ports[0].status == "ACTIVE"


def test_a_state_file_from_before_path_mtu_has_no_limit() -> None:
    overlay = to_json(replace(small(), path_mtu=1400))
    assert from_json(overlay, Overlay).path_mtu == 1400

    del overlay["path_mtu"]
    assert from_json(overlay, Overlay) == small()


def test_an_overlay_that_contradicts_itself_is_refused_as_the_model_does() -> None:
    with pytest.raises(ModelError, match="segmentation_id 16777216"):
        load_state(overlay_with(["networks", 0, "segmentation_id"], 2**24))
