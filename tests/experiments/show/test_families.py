"""Modes that agree share a name."""

import pytest

from controller.model.wording import listed
from experiments.show.families import merged, protocols
from experiments.show.palette import KERNEL, OVS, UNTUNNELLED


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        ({"gre-mesh": 1, "vxlan-mesh": 1}, {"gre-mesh, vxlan-mesh": ("gre-mesh", "vxlan-mesh")}),
        (
            dict.fromkeys(("gre-mesh", "vxlan-mesh", "gre-l2pop", "vxlan-l2pop"), 1),
            {OVS: ("gre-mesh", "vxlan-mesh", "gre-l2pop", "vxlan-l2pop")},
        ),
        (
            {"gre-mesh": 1, "kvxlan-mesh": 1},
            {"gre-mesh": ("gre-mesh",), "kvxlan-mesh": ("kvxlan-mesh",)},
        ),
        (
            {"flat": 1, "gre-mesh": 2, "vxlan-mesh": 3, "geneve-mesh": 3, "vlan": 1},
            {
                UNTUNNELLED: ("flat", "vlan"),
                "gre-mesh": ("gre-mesh",),
                f"other {OVS}": ("vxlan-mesh", "geneve-mesh"),
            },
        ),
        (
            {"gre-mesh": 1, "gre-l2pop": 1, "vxlan-mesh": 2, "vxlan-l2pop": 2},
            {
                "gre-mesh, gre-l2pop": ("gre-mesh", "gre-l2pop"),
                "vxlan-mesh, vxlan-l2pop": ("vxlan-mesh", "vxlan-l2pop"),
            },
        ),
        (
            {"kvxlan-mesh": 0, "kvxlan-l2pop": 0, "flat": 0, "vlan": 0},
            {KERNEL: ("kvxlan-mesh", "kvxlan-l2pop"), UNTUNNELLED: ("flat", "vlan")},
        ),
    ],
)
def test_a_group_is_named_by_its_family_or_by_its_modes(values, groups):
    assert merged(values) == groups


def test_protocols_are_named_once():
    modes = ("gre-mesh", "gre-l2pop", "vxlan-mesh", "kvxlan-mesh", "flat")
    assert protocols(modes) == "GRE, VXLAN, kernel VXLAN and flat"
    assert (listed(["a"]), listed(["a", "b"])) == ("a", "a and b")
