"""A pipeline broken on purpose: the comparison with the oracle notices each break."""

import re

import pytest

from tests.controller.switches.agreement import assert_as_the_oracle_says, disagreements
from tests.oracle.small import small

pytestmark = pytest.mark.rootless


def removed(pattern):
    """Flows that match are not there."""
    return lambda _, flows: [flow for flow in flows if not re.search(pattern, flow)]


def written(pattern, instead, only=""):
    """`instead` stands in the place of `pattern`, in flows that match `only`."""
    return lambda _, flows: [
        re.sub(pattern, instead, flow) if re.search(only, flow) else flow for flow in flows
    ]


def added(*more):
    return lambda _, flows: [*flows, *more]


def at(here, break_):
    """On one host only."""
    return lambda host, flows: break_(host, flows) if host == here else flows


LAST_OUTPUT = r',output:"[^"]*"$'
BREAKS = {  # name: (mode, bridge, what is done to the flows of each host)
    "no rule for the tunnel's port": ("mesh", "br-tun", removed(r"^priority=1,in_port=.*vxlan-")),
    "no rule for patch-int": ("mesh", "br-tun", removed('^priority=1,in_port="patch-int"')),
    "unicast forgotten in table 2": ("mesh", "br-tun", removed("table=2,.*dl_dst=00:00")),
    "multicast forgotten in table 2": ("mesh", "br-tun", removed("table=2,.*dl_dst=01:00")),
    "a flood output is missing": ("mesh", "br-tun", written(LAST_OUTPUT, "", "table=22,")),
    "a flood output stands twice": (
        "l2pop",
        "br-tun",
        written(f"({LAST_OUTPUT})", r"\1\1", "table=22,"),
    ),
    "a flood output too many": (
        "l2pop",
        "br-tun",
        at("one", written("$", ',output:"vxlan-c0a8960b"', "table=22,.*0x70")),
    ),
    "wrong tun_id when flooding": ("mesh", "br-tun", written("0x6f->", "0x70->", "table=22,")),
    "wrong tun_id for a known MAC": ("l2pop", "br-tun", written("0x6f->", "0x70->", "table=20,")),
    "the local VLAN is left on": ("mesh", "br-tun", written("pop_vlan,", "", "table=22,")),
    "a known MAC is shadowed": (
        "l2pop",
        "br-tun",
        written("priority=0", "priority=3", "table=20,"),
    ),
    "known MACs are forgotten": ("l2pop", "br-tun", removed("table=20, priority=2")),
    "a known MAC lives elsewhere": (
        "l2pop",
        "br-tun",
        at("one", written("vxlan-c0a8960b", "vxlan-c0a8960c", "table=20, priority=2")),
    ),
    "the VNI is not known on arrival": ("mesh", "br-tun", removed("table=4, priority=1")),
    "the VNI leads to another VLAN": ("mesh", "br-tun", written("4097->", "4098->", "table=4,")),
    "from the tunnel to nowhere": (
        "mesh",
        "br-tun",
        written(',output:"patch-int"', "", "table=10,"),
    ),
    "ARP is not looked up": ("l2pop-arp", "br-tun", removed("table=2, priority=1,arp")),
    "an address is not known": (
        "l2pop-arp",
        "br-tun",
        removed("table=21, priority=1.*arp_tpa=172.16.166.102"),
    ),
    "an address is answered with another's MAC": (
        "l2pop-arp",
        "br-tun",
        written(r"set_field:[0-9a-f:]+->arp_sha", "set_field:fa:16:3e:00:00:99->arp_sha"),
    ),
    "the answer has the wrong sender": (
        "l2pop-arp",
        "br-tun",
        written(r"set_field:[0-9.]+->arp_spa", "set_field:9.9.9.9->arp_spa"),
    ),
    "the answer goes nowhere": ("l2pop-arp", "br-tun", written(",IN_PORT", "")),
    "an unknown address is dropped": ("l2pop-arp", "br-tun", removed("table=21, priority=0")),
    "guests' MACs are not checked": ("mesh", "br-int", removed("^priority=9,")),
    "guests' ARP is not checked": ("mesh", "br-int", removed("^priority=10,arp")),
    "guests' advertisements are not checked": ("mesh", "br-int", removed("^priority=10,icmp6")),
    "an own address is not allowed": ("mesh", "br-int", removed("table=24, priority=2,arp")),
    "an own advertisement is not allowed": (
        "mesh",
        "br-int",
        removed("table=24, priority=2,icmp6"),
    ),
    "any ARP sender is allowed": (
        "mesh",
        "br-int",
        written("drop", "goto_table:60", "table=24, priority=0"),
    ),
    "an own MAC is not allowed": ("mesh", "br-int", removed("table=25,")),
    "table 0 has no default": ("mesh", "br-int", removed("^priority=0")),
    "nothing is switched": ("mesh", "br-int", removed("table=60,")),
    "the provider's VLAN is not translated in": ("mesh", "br-int", removed("^priority=3,")),
    "the local VLAN is not translated out": ("mesh", "br-ex", removed("^priority=4,")),
    "the provider gets another VLAN": ("mesh", "br-ex", written("4103->", "4104->")),
    "local VLANs leak to the provider": ("mesh", "br-ex", removed("^priority=2,")),
    "a foreign VLAN enters from the provider": (
        "mesh",
        "br-int",
        added(
            'priority=4,in_port="int-br-ex",dl_vlan=7 actions=set_field:4097->vlan_vid,goto_table:60'
        ),
    ),
}


@pytest.mark.parametrize("mode", ["mesh", "l2pop", "l2pop-arp"])
def test_unbroken_the_small_overlay_agrees(rig, mode):
    laid = rig(small(mode))
    laid.install()
    assert_as_the_oracle_says(laid)


@pytest.mark.parametrize("name", BREAKS)
def test_the_oracle_detects_a_broken_pipeline(rig, name):
    mode, bridge, broken = BREAKS[name]
    laid, changed = rig(small(mode)), []

    def change(host, texts):
        after = broken(host, texts[bridge])
        changed.append(after != texts[bridge])
        return {**texts, bridge: after}

    laid.install(change)
    assert any(changed), "the break breaks nothing: its pattern is out of date"
    assert next(disagreements(laid), None), "nobody noticed"


def test_the_oracle_detects_a_guest_in_the_wrong_vlan(rig):
    laid = rig(small("mesh"))
    laid.install()
    (guest,) = (p for p in laid.overlay.ports if p.name == "c")
    laid.switches["three"].vsctl("set", "Port", f"qvo{guest.id[:11]}", "tag=9")
    assert next(disagreements(laid), None)


def test_the_oracle_detects_a_tunnel_to_the_wrong_vtep(rig):
    laid = rig(small("l2pop"))
    laid.install()
    one = ("one", "vxlan-c0a8960b")
    laid.underlay.towards[one] = ("vxlan", "three")
    assert next(disagreements(laid), None)
