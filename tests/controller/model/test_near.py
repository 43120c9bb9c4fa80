import pytest

from controller.model.modes import MODES
from controller.model.near import did_you_mean, nearest

pytestmark = pytest.mark.pure

HOSTS = ("host1", "host2", "host3")
MODE_NAMES = tuple(map(str, MODES))
NEAR = {
    "three are equally near": (
        "serverd",
        ("servera", "serverb", "serverc"),
        ("servera", "serverb", "serverc"),
    ),
    "one letter too few": ("sumary", ("summary", "hosts"), ("summary",)),
    "one letter wrong": ("mesg", ("mesh", "l2pop"), ("mesh",)),
    "two letters exchanged": ("mut", ("mtu", "routers"), ("mtu",)),
    "upper case": ("GRE-Mesh", MODE_NAMES, ("gre-mesh",)),
    "_ for -": ("vxlan_l2pop_arp", MODE_NAMES, ("vxlan-l2pop-arp",)),
    "- for _": ("local-ip", ("local_ip", "name"), ("local_ip",)),
    "a name without its -": ("brtun", ("br-int", "br-tun"), ("br-tun",)),
    "the start of a name": ("lat", ("latency", "mtu"), ("latency",)),
    "the first word of two names": ("kvxlan-multi", MODE_NAMES, ("kvxlan-multicast",)),
    "a first word before a near name": (
        "vxlan",
        ("vlan", "vxlan-mesh", "vxlan-l2pop"),
        ("vxlan-mesh", "vxlan-l2pop"),
    ),
    "a name and one word more": ("br-tun-old", ("br-int", "br-tun"), ("br-tun",)),
    "several equally near": ("ServerC", ("ServerA", "ServerB"), ("ServerA", "ServerB")),
}
FAR = {
    "another number": ("host9", HOSTS),
    "nothing in common": ("frobnicate", ("run", "list", "validate")),
    "another word": ("wan", ("tunnel", "lan", "none")),
    "more names than one can mean": ("host", (*HOSTS, "host4")),
    "two letters": ("ab", ("ba", "abacus")),
    "empty": ("", HOSTS),
    "nothing known": ("host1", ()),
    "punctuation": ("--", ("--host", "--mode")),
}


@pytest.mark.parametrize("case", NEAR)
def test_the_nearest_names(case):
    found, known, expected = NEAR[case]
    assert nearest(found, known) == expected


@pytest.mark.parametrize("case", FAR)
def test_no_name_is_near(case):
    found, known = FAR[case]
    assert nearest(found, known) == ()
    assert did_you_mean(found, known, "Name another.") == "Name another."


def test_the_question_is_one_sentence():
    assert did_you_mean("ServerC", ("ServerA", "ServerB"), "") == (
        "Did you mean `ServerA` or `ServerB`?"
    )


def test_a_name_of_a_megabyte_takes_no_time():
    assert nearest("x" * 1_000_000, ["x" * 1_000_000, "y"]) == ("x" * 1_000_000,)
