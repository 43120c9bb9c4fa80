"""What is wrong on a host, as a pure function of what was read there."""

from dataclasses import replace

import pytest

from controller.flows.bridges import bridge_flows
from controller.flows.linuxbridge import Kernel, kernel_change, segments
from controller.flows.ports import switch_ports
from controller.flows.text import dump
from controller.model.names import bridge_name, int_port_name, tap_name
from controller.model.parts import Mechanism
from controller.switches.problems import (
    Link,
    SwitchState,
    kernel_problems,
    parse_links,
    switch_problems,
)
from controller.switches.reading import BridgeRow, PortRow, binding_of
from controller.switches.reconcile import cookie_of
from tests.controller.small import RED, VXLAN, port, small
from tests.topologies.lab.fake_kernel import FakeKernel

A, B = port(1, RED, "h1", device_id="alpha"), port(2, RED, "h2", device_id="beta")
OVERLAY = small(A, B, l2_population=True)
HOST = OVERLAY.host("h1")
QVO, TUNNEL = int_port_name(A.id), "vxlan-c0000202"
MTU = OVERLAY.underlay_mtu
COOKIE = f"{cookie_of(5):#x}"


def healthy() -> SwitchState:
    """Host h1 as the controller leaves it."""
    ports: dict[str, dict[str, PortRow]] = {"br-int": {}, "br-tun": {}, "br-vtep": {}}
    for number, each in enumerate(switch_ports(OVERLAY, HOST), start=1):
        row = PortRow(name=each.name, type=each.type, ofport=number, options=each.options)
        row = replace(row, other_config=each.other_config)
        ports[each.bridge][each.name] = row
    guest = PortRow(
        name=QVO, ofport=9, tag=1, other_config={"tag": "1"}, net_uuid=RED, iface_id=A.id
    )
    ports["br-int"][QVO] = guest
    ports["br-vtep"]["underlay"] = PortRow(name="underlay", ofport=1000)
    reading = {name: BridgeRow(name=name, dpid=5, ports=rows) for name, rows in ports.items()}
    binding = binding_of(OVERLAY, "h1", reading)
    flows = {
        name: "".join(
            f" cookie={COOKIE}, {line}\n" for line in dump(bridge_flows(OVERLAY, binding, name))
        )
        for name in ("br-int", "br-tun")
    }
    links = {
        "underlay": Link(mtu=MTU),
        "br-vtep": Link(mtu=MTU, addresses=frozenset({"192.0.2.1"})),
        QVO: Link(mtu=1450),
    }
    return SwitchState(reading=reading, flows=flows, links=links)


def found(seen: SwitchState) -> list[str]:
    return [each.found for each in switch_problems(OVERLAY, HOST, seen, [A, B], run="exec")]


def with_port(bridge: str, name: str, **changed: object) -> SwitchState:
    seen = healthy()
    rows = dict(seen.reading[bridge].ports)
    rows[name] = replace(rows[name], **changed)
    return replace(
        seen, reading={**seen.reading, bridge: replace(seen.reading[bridge], ports=rows)}
    )


def without_port(bridge: str, name: str) -> SwitchState:
    seen = healthy()
    rows = {each: row for each, row in seen.reading[bridge].ports.items() if each != name}
    return replace(
        seen, reading={**seen.reading, bridge: replace(seen.reading[bridge], ports=rows)}
    )


def with_link(name: str, **changed: object) -> SwitchState:
    seen = healthy()
    return replace(seen, links={**seen.links, name: replace(seen.links[name], **changed)})


def with_flows(bridge: str, change) -> SwitchState:
    seen = healthy()
    lines = change(seen.flows[bridge].splitlines())
    return replace(seen, flows={**seen.flows, bridge: "\n".join(lines)})


COUNT = len(healthy().flows["br-int"].splitlines())


def test_a_host_as_the_controller_leaves_it_has_no_problem():
    assert found(healthy()) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (with_port("br-int", QVO, tag=77), f"the VLAN tag of {QVO} is 77, not 1"),
        (with_port("br-int", QVO, tag=None), f"the VLAN tag of {QVO} is not set, not 1"),
        (with_port("br-int", QVO, tag=4095), f"the VLAN tag of {QVO} is 4095, not 1"),
        (without_port("br-int", QVO), f"{QVO}, the port of guest 'alpha', is not on br-int"),
        (
            with_port("br-int", QVO, ofport=None),
            f"{QVO}, the port of guest 'alpha', is not on br-int",
        ),
        (without_port("br-tun", TUNNEL), f"port {TUNNEL} of br-tun is missing"),
        (without_port("br-int", "patch-tun"), "port patch-tun of br-int is missing"),
        (with_port("br-tun", "patch-int", options={"peer": "x"}), "has other options peer"),
        (with_port("br-tun", TUNNEL, type="gre"), "has other type 'gre'"),
        (with_port("br-tun", TUNNEL, ofport=None, error="busy"), f"port {TUNNEL}: busy"),
        (without_port("br-vtep", "underlay"), "underlay is no port of br-vtep"),
        (with_link("underlay", is_up=False), "interface underlay is down"),
        (with_link("underlay", has_carrier=False), "the other end of underlay is down"),
        (with_link("br-vtep", is_up=False), "interface br-vtep is down"),
        (with_link("br-vtep", addresses=frozenset()), "br-vtep has no address 192.0.2.1"),
        (with_link("br-vtep", mtu=1000), f"the MTU of br-vtep is 1000, not {MTU}"),
        (with_link(QVO, is_up=False), f"interface {QVO} is down"),
        (with_flows("br-tun", lambda _: []), "missing or changed"),
        (with_flows("br-int", lambda lines: lines[1:]), f"flows of br-int: 1 of {COUNT} missing"),
        (
            with_flows("br-tun", lambda lines: [*lines, " cookie=0x0, actions=drop"]),
            "flows of br-tun: 1 not from the controller, such as",
        ),
        (
            with_flows("br-tun", lambda lines: [*lines, f" cookie={COOKIE}, actions=drop"]),
            "flows of br-tun: 1 not needed, such as `actions=drop`",
        ),
        (
            with_flows("br-int", lambda lines: [*lines[1:], lines[0].replace(COOKIE, "0x7")]),
            f"flows of br-int: 1 of {COUNT} missing or changed",
        ),
    ],
)
def test_each_fault_is_named(seen, words):
    assert any(words in line for line in found(seen)), found(seen)


def test_learned_flows_are_not_compared_and_the_flow_that_learns_is():
    learned = f" cookie={COOKIE}, table=20, hard_timeout=300, priority=1,dl_dst=1 actions=drop"
    assert found(with_flows("br-tun", lambda lines: [*lines, learned])) == []
    mesh = replace(OVERLAY, hosts=tuple(replace(h, l2_population=False) for h in OVERLAY.hosts))
    lines = dump(bridge_flows(mesh, binding_of(mesh, "h1", healthy().reading), "br-tun"))
    (learning,) = (line for line in lines if "actions=learn" in line)
    assert "flows of br-tun" not in missing_without("", lines)
    assert f"flows of br-tun: 1 of {len(lines)} missing" in missing_without(learning, lines)


def missing_without(learning: str, lines: list[str]) -> str:
    mesh = replace(OVERLAY, hosts=tuple(replace(h, l2_population=False) for h in OVERLAY.hosts))
    kept = "\n".join(f" cookie={COOKIE}, {line}" for line in lines if line != learning)
    seen = replace(healthy(), flows={"br-tun": kept})
    return "; ".join(each.found for each in switch_problems(mesh, mesh.host("h1"), seen))


def test_bridges():
    seen = healthy()
    less = {name: row for name, row in seen.reading.items() if name != "br-tun"}
    assert found(replace(seen, reading=less)) == ["bridge br-tun is missing"]
    for mode, shown in (("standalone", "standalone"), ("", "not set")):
        loose = {**seen.reading, "br-int": replace(seen.reading["br-int"], fail_mode=mode)}
        assert found(replace(seen, reading=loose)) == [
            f"fail_mode of br-int is {shown}, not secure"
        ]


def test_links_are_read_from_ip():
    shown = [
        {"ifname": "a", "flags": ["BROADCAST", "UP", "LOWER_UP"], "mtu": 1500, "addr_info": []},
        {
            "ifname": "b",
            "flags": ["NO-CARRIER", "UP"],
            "mtu": 9,
            "addr_info": [{"local": "192.0.2.1"}],
        },
        {"ifname": "c", "flags": ["BROADCAST"], "mtu": 1500},
        {},
    ]
    assert parse_links(shown) == {
        "a": Link(mtu=1500),
        "b": Link(has_carrier=False, mtu=9, addresses=frozenset({"192.0.2.1"})),
        "c": Link(is_up=False, mtu=1500),
    }


# --- Linux bridges

BRIDGED = replace(
    OVERLAY,
    hosts=tuple(
        replace(each, mechanism=Mechanism.LINUXBRIDGE, tunnel_types=(VXLAN,), arp_responder=True)
        for each in OVERLAY.hosts
    ),
    networks=OVERLAY.networks[:1],
    subnets=OVERLAY.subnets[:1],
)
BRIDGE, TAP = bridge_name(RED), tap_name(A.id)


def kernel() -> Kernel:
    """Host h1 with Linux bridges as the controller leaves it."""
    made = FakeKernel.with_taps(BRIDGED, host="h1")
    made.carry_out(kernel_change(segments(BRIDGED, BRIDGED.host("h1")), made.seen()))
    mtus = {TAP: BRIDGED.mtu_of(BRIDGED.networks[0]), "vxlan-111": made.vxlans["vxlan-111"].mtu}
    return replace(made.seen(), addresses=frozenset({"192.0.2.1"}), mtus=mtus)


def kernel_found(seen: Kernel, **links: Link) -> list[str]:
    links = {"underlay": Link(mtu=MTU), **links}
    host = BRIDGED.host("h1")
    return [each.found for each in kernel_problems(BRIDGED, host, seen, links, [A, B], run="exec")]


def with_vxlan(**changed: object) -> Kernel:
    seen = kernel()
    return replace(seen, vxlans={"vxlan-111": replace(seen.vxlans["vxlan-111"], **changed)})


def test_a_host_with_linux_bridges_as_the_controller_leaves_it_has_no_problem():
    assert kernel_found(kernel()) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(kernel(), down=frozenset({"vxlan-111"})), ["interface vxlan-111 is down"]),
        (replace(kernel(), down=frozenset({BRIDGE})), [f"interface {BRIDGE} is down"]),
        (replace(kernel(), down=frozenset({TAP})), [f"interface {TAP} is down"]),
        (
            replace(kernel(), devices={**kernel().devices, TAP: ""}),
            [f"{TAP} is no port of {BRIDGE}"],
        ),
        (
            replace(kernel(), devices={**kernel().devices, "vxlan-111": ""}),
            [f"vxlan-111 is no port of {BRIDGE}"],
        ),
        (replace(kernel(), mtus={TAP: 1000}), [f"the MTU of {TAP} is 1000, not 1450"]),
        (with_vxlan(learning=True), ["vxlan-111 has other settings"]),
        (
            with_vxlan(neighbours=frozenset()),
            ["vxlan-111 has no neighbour 198.51.1.2"],
        ),
        (replace(kernel(), addresses=frozenset()), ["underlay has no address 192.0.2.1"]),
    ],
)
def test_each_fault_of_linux_bridges_is_named(seen, words):
    assert kernel_found(seen) == words


def test_entries_by_hand_are_named():
    none = kernel_found(with_vxlan(fdb=frozenset()))
    assert none == [
        "vxlan-111 has no FDB entry: 00:00:00:00:00:00 to 192.0.2.2",
        f"vxlan-111 has no FDB entry: {B.mac_address} to 192.0.2.2",
    ]
    fdb = kernel().vxlans["vxlan-111"].fdb | {("00:00:00:00:00:00", "192.0.2.9")}
    assert kernel_found(with_vxlan(fdb=fdb)) == [
        "vxlan-111 has an unneeded FDB entry: 00:00:00:00:00:00 to 192.0.2.9"
    ]


def test_a_missing_device_is_named_once():
    seen = kernel()
    devices = {name: of for name, of in seen.devices.items() if name != "vxlan-111"}
    assert kernel_found(replace(seen, devices=devices, vxlans={})) == ["vxlan-111 is missing"]


def test_a_tap_that_is_gone_and_an_underlay_that_is_down():
    seen = kernel()
    devices = {name: of for name, of in seen.devices.items() if name != TAP}
    assert (
        kernel_found(replace(seen, devices=devices))[0]
        == f"{TAP}, the interface of 'alpha', is missing"
    )
    assert kernel_found(seen, underlay=Link(is_up=False, mtu=MTU)) == ["interface underlay is down"]
