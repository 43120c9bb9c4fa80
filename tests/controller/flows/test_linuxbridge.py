"""What a linuxbridge host's kernel must have, as values; and the commands that bring it about."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from controller.flows.linuxbridge import ALL, Kernel, Vxlan, kernel_change, segments
from controller.model.encap import NetworkType
from controller.model.errors import ModelError, ModelErrors, UsageError
from controller.model.modes import parse_mode, with_mode
from controller.model.parts import Mechanism
from controller.switches.linuxbridge_worker import parse_kernel
from tests.controller.small import BLUE, RED, port, small
from tests.topologies.lab.fake_kernel import FakeKernel

ONE, TWO, THREE, OTHER = (
    port(1, RED, "h1"),
    port(2, RED, "h2"),
    port(3, RED, "h2"),
    port(4, BLUE, "h3"),
)
BASE = small(ONE, TWO, THREE, OTHER)
MODES = ("kvxlan-multicast", "kvxlan-mesh", "kvxlan-l2pop")
H1, H2, H3 = "192.0.2.1", "192.0.2.2", "192.0.2.3"
RED_BRIDGE, BLUE_BRIDGE = f"brq{RED[:11]}", f"brq{BLUE[:11]}"


def carried(mode, overlay=BASE):
    return with_mode(overlay, parse_mode(mode))


def wanted(mode, host="h1", overlay=BASE):
    made = carried(mode, overlay)
    return segments(made, made.host(host))


def vxlan(mode, host="h1"):
    (segment,) = wanted(mode, host)
    return segment.vxlan


def test_names_are_those_of_neutrons_agent():
    (segment,) = wanted("kvxlan-mesh")
    assert (segment.bridge, segment.taps, segment.vxlan.name) == (
        "brq10000000-00",
        {"tap00000001-00"},
        "vxlan-111",
    )
    assert carried("kvxlan-mesh").device_of(ONE) == "tap00000001-00"
    assert BASE.device_of(ONE) == "qvo00000001-00"


def test_multicast_sends_to_the_group_of_the_vni_and_learns():
    assert vxlan("kvxlan-multicast") == Vxlan(
        vni=111,
        local=H1,
        mtu=1450,
        group="239.0.0.111",
        learning=True,
        proxy=False,
        fdb=frozenset({(ALL, "239.0.0.111")}),
    )


def test_mesh_sends_a_copy_to_every_other_vtep_and_learns():
    assert vxlan("kvxlan-mesh") == Vxlan(
        vni=111, local=H1, mtu=1450, learning=True, fdb=frozenset({(ALL, H2), (ALL, H3)})
    )


def test_l2pop_floods_to_members_only_and_answers_for_their_addresses():
    assert vxlan("kvxlan-l2pop") == Vxlan(
        vni=111,
        local=H1,
        mtu=1450,
        learning=False,
        proxy=True,
        fdb=frozenset({(ALL, H2), (TWO.mac_address, H2), (THREE.mac_address, H2)}),
        neighbours=frozenset({("198.51.1.2", TWO.mac_address), ("198.51.1.3", THREE.mac_address)}),
    )
    far = vxlan("kvxlan-l2pop", "h2")
    assert far.fdb == {(ALL, H1), (ONE.mac_address, H1)}
    assert vxlan("kvxlan-l2pop", "h3").fdb == set()  # nobody else is on its network


def test_l2pop_without_the_responder_has_no_proxy():
    overlay = carried("l2pop", carried("kvxlan-mesh"))
    (segment,) = segments(overlay, overlay.host("h1"))
    assert (segment.vxlan.proxy, segment.vxlan.learning) == (False, False)
    assert segment.vxlan.neighbours == set()
    assert segment.vxlan.fdb == vxlan("kvxlan-l2pop").fdb


def test_a_port_that_is_down_is_in_no_bridge_and_not_announced():
    for down in ({"status": "DOWN"}, {"admin_state_up": False}):
        overlay = replace(BASE, ports=(ONE, replace(TWO, **down)))
        assert wanted("kvxlan-l2pop", "h2", overlay) == ()
        (segment,) = wanted("kvxlan-l2pop", "h1", overlay)
        assert segment.vxlan.fdb == segment.vxlan.neighbours == set()


def test_a_local_network_has_a_bridge_and_no_device():
    local = replace(BASE.networks[0], network_type=NetworkType.LOCAL, segmentation_id=None)
    made = replace(carried("kvxlan-mesh"), networks=(local, carried("kvxlan-mesh").networks[1]))
    (segment,) = segments(made, made.host("h1"))
    assert (segment.bridge, segment.vxlan) == (RED_BRIDGE, None)


def test_the_mtu_of_the_device_is_within_the_limit_of_the_kernel():
    large = replace(BASE, networks=(replace(BASE.networks[0], mtu=1700), BASE.networks[1]))
    (segment,) = wanted("kvxlan-mesh", overlay=large)
    assert segment.vxlan.mtu == 1450
    small_one = replace(BASE, networks=(replace(BASE.networks[0], mtu=1400), BASE.networks[1]))
    (segment,) = wanted("kvxlan-mesh", overlay=small_one)
    assert segment.vxlan.mtu == 1400


@pytest.mark.parametrize(
    ("group", "vni", "found"),
    [
        ("239.0.0.0/8", 111, "239.0.0.111"),
        ("239.0.0.0/8", 2**24 - 1, "239.255.255.255"),
        ("239.1.1.1", 111, "239.1.1.1"),
        ("239.1.1.0/24", 257, "239.1.1.1"),
    ],
)
def test_groups_are_neutrons(group, vni, found):
    host = replace(BASE.hosts[0], vxlan_group=ip_network(group))
    network = replace(BASE.networks[0], segmentation_id=vni)
    assert host.group_of(network) == ip_address(found)
    assert BASE.hosts[0].group_of(network) is None


def test_a_new_host_gets_exactly_these_lines():
    todo = kernel_change(wanted("kvxlan-l2pop", "h2"), Kernel(devices={"tap00000002-00": ""}))
    one = ONE.mac_address
    assert todo.ip == (
        f"link add {RED_BRIDGE} type bridge stp_state 0 mcast_snooping 0",
        f"link set {RED_BRIDGE} up",
        "link add vxlan-111 mtu 1450 type vxlan id 111 dev underlay local 192.0.2.2 dstport 4789 "
        "nolearning proxy",
        f"link set vxlan-111 master {RED_BRIDGE} up",
        f"link set tap00000002-00 master {RED_BRIDGE} up",
        f"link set tap00000003-00 master {RED_BRIDGE} up",
    )
    assert todo.fdb == (
        f"fdb append {ALL} dev vxlan-111 dst 192.0.2.1",
        f"fdb replace {one} dev vxlan-111 dst 192.0.2.1",
    )
    assert todo.rest == (f"neigh replace 198.51.1.1 lladdr {one} dev vxlan-111 nud permanent",)


def test_a_group_is_set_when_the_device_is_created_and_is_not_an_fdb_entry():
    todo = kernel_change(wanted("kvxlan-multicast"), Kernel())
    assert "group 239.0.0.111 ttl 4 learning" in todo.ip[2]
    assert todo.fdb == ()


STATES = {
    "all": BASE,
    "one gone": replace(BASE, ports=(ONE, TWO, OTHER)),
    "network gone": replace(BASE, ports=(TWO, OTHER)),
    "nobody": replace(BASE, ports=()),
    "moved": replace(BASE, ports=(ONE, replace(TWO, host="h3"), THREE, OTHER)),
    "readdressed": replace(
        BASE, ports=(ONE, replace(TWO, fixed_ips=(ip_address("198.51.1.9"),)), THREE)
    ),
    "smaller": replace(BASE, networks=(replace(BASE.networks[0], mtu=1300), BASE.networks[1])),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("first", STATES)
def test_the_change_from_any_state_gives_the_same_result_as_from_nothing(first, mode):
    for other in MODES:
        for later in STATES.values():
            for host in ("h1", "h2", "h3"):
                kernel = FakeKernel.with_taps(STATES[first], later, host=host)
                fresh = FakeKernel.with_taps(STATES[first], later, host=host)
                kernel.carry_out(kernel_change(wanted(mode, host, STATES[first]), kernel.seen()))
                goal = wanted(other, host, later)
                kernel.carry_out(kernel_change(goal, kernel.seen()))
                fresh.carry_out(kernel_change(goal, fresh.seen()))
                assert kernel.seen() == fresh.seen()
                assert kernel_change(goal, kernel.seen()).lines == 0, (
                    "a second visit changes nothing"
                )


def test_foreign_devices_stay():
    kernel = FakeKernel.with_taps(BASE, host="h1")
    kernel.links |= {"br-ex": "", "vxlan9": "", "tapestry": "", "brq-mine": ""}
    kernel.carry_out(kernel_change((), kernel.seen()))
    assert {"br-ex", "vxlan9", "tapestry", "brq-mine"} <= kernel.seen().devices.keys()


LINKS = [
    {"ifname": "underlay", "addr_info": [{"local": H1, "prefixlen": 24}]},
    {"ifname": "tap00000001-00", "master": RED_BRIDGE, "addr_info": []},
    {"ifname": RED_BRIDGE, "linkinfo": {"info_kind": "bridge"}, "addr_info": []},
    {
        "ifname": "vxlan-111",
        "mtu": 1450,
        "master": RED_BRIDGE,
        "addr_info": [],
        "linkinfo": {
            "info_kind": "vxlan",
            "info_data": {
                "id": 111,
                "local": H1,
                "link": "underlay",
                "port": 4789,
                "learning": False,
                "proxy": True,
                "ttl": 0,
                "ageing": 300,
            },
        },
    },
]
FDB = [  # as iproute2 6.1 tells it
    {
        "mac": "12:e8:4f:cd:38:41",
        "ifname": "vxlan-111",
        "flags": [],
        "master": RED_BRIDGE,
        "state": "permanent",
    },
    {"mac": ALL, "ifname": "vxlan-111", "dst": H2, "flags": ["self"], "state": "permanent"},
    {
        "mac": "fa:16:3e:00:01:02",
        "ifname": "vxlan-111",
        "dst": H2,
        "flags": ["self"],
        "state": "permanent",
    },
    {"mac": "fa:16:3e:00:01:03", "ifname": "vxlan-111", "dst": H2, "flags": ["self"], "state": ""},
]
NEIGHBOURS = [
    {"dst": H2, "dev": "underlay", "lladdr": "02:01:00:00:00:02", "state": ["PERMANENT"]},
    {
        "dst": "198.51.1.2",
        "dev": "vxlan-111",
        "lladdr": "fa:16:3e:00:01:02",
        "state": ["PERMANENT"],
    },
]


def test_the_output_of_iproute2_is_parsed():
    seen = parse_kernel(LINKS, FDB, NEIGHBOURS)
    assert seen.addresses == {H1}
    assert seen.devices["tap00000001-00"] == RED_BRIDGE
    assert seen.vxlans["vxlan-111"] == Vxlan(
        vni=111,
        local=H1,
        mtu=1450,
        learning=False,
        proxy=True,
        fdb=frozenset({(ALL, H2), ("fa:16:3e:00:01:02", H2)}),  # what was learned is its own
        neighbours=frozenset({("198.51.1.2", "fa:16:3e:00:01:02")}),
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_kernel_mode_changes_only_hosts_and_network_types(mode):
    overlay = carried(mode)
    assert {host.mechanism for host in overlay.hosts} == {Mechanism.LINUXBRIDGE}
    assert {host.tunnel_types for host in overlay.hosts} == {(NetworkType.VXLAN,)}
    assert {net.network_type for net in overlay.networks} == {NetworkType.VXLAN}
    assert overlay.ports == BASE.ports


def test_another_mode_sets_a_kernel_scenario_to_open_vswitch():
    for mode in ("gre-mesh", "vlan"):
        back = carried(mode, carried("kvxlan-multicast"))
        assert {host.mechanism for host in back.hosts} == {Mechanism.OPENVSWITCH}
        assert {host.vxlan_group for host in back.hosts} == {None}
    for mode in ("kvxlan-mesh", "kvxlan-l2pop"):
        assert {h.vxlan_group for h in carried(mode, carried("kvxlan-multicast")).hosts} == {None}
    assert {h.mechanism for h in carried("mesh", carried("kvxlan-l2pop")).hosts} == {
        Mechanism.LINUXBRIDGE
    }


@pytest.mark.parametrize("name", ["gre-multicast", "kvxlan-l2pop-arp", "kvxlan", "multicast"])
def test_other_combinations_are_not_modes(name):
    with pytest.raises(UsageError):
        parse_mode(name)


MESH = carried("kvxlan-mesh")
GROUP = ip_network("239.0.0.0/8")
WRONG = {
    "mixed": (
        {
            "hosts": (
                MESH.hosts[0],
                *(replace(h, mechanism=Mechanism.OPENVSWITCH) for h in MESH.hosts[1:]),
            )
        },
        "overlay 'small': openvswitch and linuxbridge mixed; allowed: one mechanism for all hosts. "
        "Set `mechanism` under `agent`, not for single hosts.",
    ),
    "group of some": (
        {"hosts": (replace(MESH.hosts[0], vxlan_group=GROUP), *MESH.hosts[1:])},
        "overlay 'small': hosts with different `vxlan_group`; allowed: one for all hosts. "
        "Set `vxlan_group` under `agent`: a host outside the group gets no broadcasts.",
    ),
    "gre tunnels": (
        {
            "hosts": tuple(
                replace(h, tunnel_types=(*h.tunnel_types, NetworkType.GRE)) if h.name == "h1" else h
                for h in MESH.hosts
            )
        },
        "host 'h1' tunnel_types: gre with mechanism linuxbridge: Neutron's linuxbridge agent "
        "supports VXLAN tunnels only; allowed: vxlan, local. Remove it.",
    ),
    "mappings": (
        {
            "hosts": (
                replace(MESH.hosts[0], bridge_mappings=(("physnet1", "br-ex"),)),
                *MESH.hosts[1:],
            )
        },
        "host 'h1': bridge_mappings; allowed: none with mechanism linuxbridge. Remove it: it is "
        "for Open vSwitch.",
    ),
    "hybrid": (
        {"hosts": (replace(MESH.hosts[0], hybrid_plug=True), *MESH.hosts[1:])},
        "host 'h1': plug: hybrid; allowed: none with mechanism linuxbridge. Remove it: it is for "
        "Open vSwitch.",
    ),
    "vlan": (
        {
            "networks": (
                MESH.networks[0],
                replace(
                    MESH.networks[1], network_type=NetworkType.VLAN, physical_network="physnet1"
                ),
            ),
            "ports": (ONE,),
        },
        "network 'blue': vlan with mechanism linuxbridge: its tags need the kernel's 8021q "
        "module, which labs do not use; allowed: vxlan, local. Make it vxlan, or remove "
        "`mechanism: linuxbridge`.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_impossible_linuxbridge_host_is_an_error_with_a_reason(case):
    changed, text = WRONG[case]
    with pytest.raises(ModelError) as caught:
        replace(MESH, **changed)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"vxlan_group": ip_network("10.0.0.0/8")}, "IPv4 multicast, as 239.0.0.0/8"),
        ({"vxlan_group": ip_network("ff05::/64")}, "IPv4 multicast, as 239.0.0.0/8"),
        ({"vxlan_group": ip_network("224.0.0.5/32")}, "none of 224.0.0.0/24"),
        ({"vxlan_group": ip_network("224.0.0.0/4")}, "none of 224.0.0.0/24"),
        ({"vxlan_group": GROUP, "l2_population": True}, "none with l2_population"),
        ({"vxlan_group": GROUP, "mechanism": Mechanism.OPENVSWITCH}, "none without mechanism"),
    ],
)
def test_an_invalid_group_is_an_error_of_every_host(options, reason):
    with pytest.raises(ModelErrors) as caught:
        replace(MESH, hosts=tuple(replace(host, **options) for host in MESH.hosts))
    assert [error.allowed.startswith(reason) for error in caught.value.errors] == [True] * 3
