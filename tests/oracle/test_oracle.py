"""The oracle against a case small enough to work out by hand."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_network

import pytest

from controller.model.encap import NetworkType
from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from controller.model.parts import Host, Network, Port, Subnet
from tests.oracle.frames import BROADCAST, STRANGER, Frame
from tests.oracle.oracle import Copy, Outcome, expected

pytestmark = pytest.mark.oracle

MACS = {name: f"fa:16:3e:00:00:0{number}" for number, name in enumerate("abcd", start=1)}
ADDRESSES = {name: IPv4Address(f"10.0.0.{number}") for number, name in enumerate("abcd", start=1)}


def port(name, host, network="blue"):
    return Port(
        id=name,
        name=name,
        network_id=network,
        mac_address=MACS[name],
        host=host,
        fixed_ips=(ADDRESSES[name],),
    )


@pytest.fixture
def overlay():
    """Guests a and b on one, c on two, all blue; d on three is red; four has nobody."""
    kinds = (NetworkType.GRE, NetworkType.VXLAN)
    hosts = [
        Host(name=name, local_ip=IPv4Address(f"192.0.2.{number}"), tunnel_types=kinds)
        for number, name in enumerate(("one", "two", "three", "four"), start=1)
    ]
    return Overlay(
        name="by-hand",
        hosts=tuple(hosts),
        networks=tuple(
            Network(id=name, name=name, network_type=kinds[1], segmentation_id=number)
            for number, name in ((5, "blue"), (6, "red"))
        ),
        subnets=tuple(
            Subnet(id=name, name=name, network_id=name, cidr=ip_network("10.0.0.0/24"))
            for name in ("blue", "red")
        ),
        ports=(port("a", "one"), port("b", "one"), port("c", "two"), port("d", "three", "red")),
    )


def to(*hosts, kind="vxlan"):
    return tuple(sorted(Copy("one", host, kind, 5) for host in hosts))


FROM_A = Frame("broadcast", "a", MACS["a"], BROADCAST)
FOR_C = replace(FROM_A, arp=(ADDRESSES["a"], ADDRESSES["c"]))
FOR_B = replace(FROM_A, arp=(ADDRESSES["a"], ADDRESSES["b"]))


@pytest.mark.parametrize(
    ("mode", "frame", "outcome"),
    [
        ("mesh", FROM_A, Outcome(("b", "c"), to("two", "three", "four"))),
        ("gre-mesh", FROM_A, Outcome(("b", "c"), to("two", "three", "four", kind="gre"))),
        ("l2pop", FROM_A, Outcome(("b", "c"), to("two"))),
        ("l2pop", FOR_C, Outcome(("b", "c"), to("two"))),
        ("l2pop-arp", FOR_C, Outcome(("b",), answer=f"10.0.0.3 is-at {MACS['c']}")),
        ("l2pop-arp", FOR_B, Outcome(("b", "c"), to("two"))),
        ("vlan", FROM_A, Outcome(("b", "c"), outside=(5,))),
        ("l2pop", replace(FROM_A, src=STRANGER), Outcome()),
        ("l2pop", replace(FOR_C, arp=(ADDRESSES["b"], ADDRESSES["c"])), Outcome()),
    ],
)
def test_the_oracle_says_what_a_person_works_out(overlay, mode, frame, outcome):
    assert expected(with_mode(overlay, parse_mode(mode)), frame) == outcome


def test_unicast_floods_under_mesh_and_goes_home_under_l2pop(overlay):
    frame = replace(FROM_A, dst=MACS["c"])
    mesh, l2pop = (with_mode(overlay, parse_mode(mode)) for mode in ("mesh", "l2pop"))
    assert expected(mesh, frame).copies == to("two", "three", "four")
    assert expected(l2pop, frame).copies == to("two")
    assert expected(l2pop, replace(frame, dst=MACS["d"])).copies == to("two")  # red: unknown


def test_a_switched_off_guest_neither_speaks_nor_hears(overlay):
    ports = tuple(replace(p, admin_state_up=p.id != "a") for p in overlay.ports)
    off = replace(overlay, ports=ports)
    assert expected(off, FROM_A) == Outcome()
    assert expected(off, replace(FROM_A, sender="b", src=MACS["b"])).hears == ("c",)
