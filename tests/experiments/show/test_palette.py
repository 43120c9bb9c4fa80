"""Colours of charts: every mode has one, legible on a white page and on a dark one."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from controller.model.modes import MODES
from experiments.show import palette

INKS = (palette.INK, palette.MUTED, palette.GRID, palette.GROUND, palette.PREDICTED)
LINES = {**palette.FAMILIES, **palette.MODES, "good": palette.GOOD, "bad": palette.BAD}
DARK = "#14171a"


def luminance(colour):
    """As WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", [palette.GROUND, DARK])
def test_the_colours_of_modes_and_families_are_legible_on_white_and_on_dark(ground):
    for name, colour in {**LINES, **dict.fromkeys(palette.OTHERS, "")}.items():
        assert contrast(colour or name, ground) >= 3, name


def test_every_mode_has_a_colour_of_its_own():
    assert {str(mode) for mode in MODES} <= palette.MODES.keys()
    tunnelled = [palette.MODES[str(mode)] for mode in MODES if "-" in str(mode)]
    assert len(set(tunnelled)) == len(tunnelled)


def test_an_ink_is_no_colour_of_a_mode_so_that_a_page_can_replace_it():
    assert len(set(INKS)) == len(INKS)
    assert not {*LINES.values(), *palette.OTHERS} & set(INKS)


def test_families():
    found = {name: palette.family(name) for name in ("gre-mesh", "kvxlan-l2pop", "flat", "veth")}

    assert list(found.values()) == [palette.OVS, palette.KERNEL, *[palette.UNTUNNELLED] * 2]


def test_names_that_are_no_modes_get_colours_that_differ():
    found = palette.colours(["north", "gre-mesh", "south", "east"])

    assert found["gre-mesh"] == palette.colour("gre-mesh")
    assert all(found[one] != found[other] for one, other in combinations(found, 2))


def test_the_style_uses_the_inks():
    style = Path("experiments/show/overlaylab.mplstyle").read_text()
    used = {f"#{each}" for each in re.findall(r"color: ([0-9a-f]{6})", style)}
    assert used == {palette.INK, palette.MUTED, palette.GRID}
