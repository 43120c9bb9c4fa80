"""Effects of one factor against contrasts worked out by hand."""

import numpy as np
import pytest

from experiments.show.effects import contrast, effects

BASE = {
    "flat": 10.0,
    "gre-mesh": 14.0,
    "gre-l2pop": 15.0,
    "vxlan-mesh": 11.0,
    "vxlan-l2pop": 13.0,
    "vxlan-l2pop-arp": 20.0,
}
LIFT = (0.0, 5.0, -2.0, 100.0, 1.0, 3.0)  # of a whole block, whatever the mode


def levels(names=tuple(BASE)):
    """One sample of each mode below, at and above its median, in six blocks."""
    return {
        name: [BASE[name] + lift + np.array([-1.0, 0.0, 2.0]) for lift in LIFT] for name in names
    }


def found(names=tuple(BASE)):
    return {each.name: each for each in effects(levels(names), baseline="flat", seed=1)}


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("encapsulation", ((14 - 11) + (15 - 13)) / 2),
        ("flooding", ((15 - 14) + (13 - 11)) / 2),
        ("interaction", (15 - 14) - (13 - 11)),
        ("responder", 20 - 13),
        ("tunnel", (14 + 15 + 11 + 13 + 20) / 5 - 10),
    ],
)
def test_an_effect_is_its_contrast_and_what_a_repeat_has_in_common_cancels_out(name, by_hand):
    effect = found()[name]

    assert effect.found.estimate == pytest.approx(by_hand)
    assert effect.by_repeat == pytest.approx([by_hand] * 6)
    # What a block does to all of its modes does not widen the interval.
    assert (effect.found.interval.low, effect.found.interval.high) == pytest.approx(
        (by_hand, by_hand)
    )


def test_the_claim_of_an_effect_names_its_modes():
    assert {each.name: each.claim for each in found().values()} == {
        "encapsulation": "gre minus vxlan, mean of mesh and l2pop",
        "flooding": "l2pop minus mesh, mean of gre and vxlan",
        "interaction": "of the two effects: that of l2pop with gre minus that with vxlan",
        "responder": "l2pop-arp minus l2pop, vxlan alone",
        "tunnel": "tunnel minus flat, mean of 5 modes",
    }


@pytest.mark.parametrize(
    ("modes", "names"),
    [
        (("flat", "gre-mesh"), ["tunnel"]),
        (("gre-mesh", "vxlan-l2pop"), []),  # two things at once: no effect of either
        (("gre-mesh", "vxlan-mesh"), ["encapsulation"]),
        (("gre-mesh", "gre-l2pop", "vxlan-l2pop"), ["encapsulation", "flooding"]),
        (("flat", "vlan"), []),
    ],
)
def test_an_effect_needs_its_modes(modes, names):
    measured = {
        **levels(tuple(mode for mode in modes if mode in BASE)),
        **({"vlan": levels(("flat",))["flat"]} if "vlan" in modes else {}),
    }

    assert [each.name for each in effects(measured, baseline="flat", seed=1)] == names


def test_an_effect_over_one_way_of_flooding_is_marked_as_such():
    effect = found(("gre-l2pop", "vxlan-l2pop"))["encapsulation"]

    assert (effect.found.estimate, effect.claim) == (2.0, "gre minus vxlan, l2pop alone")


def test_weights_apply_to_medians_of_repeats_not_to_means():
    skewed = {"a": [np.array([1.0, 2.0, 90.0])], "b": [np.array([1.0])]}

    assert list(contrast(skewed, {"a": 1, "b": -1})) == [1.0]
