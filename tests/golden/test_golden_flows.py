"""Every shipped scenario, carried in every sensible mode: the flows, as recorded.

`make golden` writes the files anew (GOLDEN=write); read the difference before you commit it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.text import dump
from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from topologies.scenario.load import available, load

pytestmark = pytest.mark.golden

FOLDER = Path(__file__).parent
OWN = "own"  # no mode: the scenario's own configuration
MODES = {
    "article": (
        OWN,
        "gre-mesh",
        "gre-l2pop",
        "gre-l2pop-arp",
        "vxlan-mesh",
        "vxlan-l2pop",
        "vxlan-l2pop-arp",
        "geneve-l2pop-arp",
        "vlan",
        "flat",
    ),
    "article-dhcp": (OWN, "vxlan-l2pop-arp"),
    "ipv6-underlay": (OWN, "mesh"),
    "leaf-spine": (OWN,),
    "side-by-side": (OWN, "mesh", "l2pop", "l2pop-arp", "vlan"),
    "type-drivers": (OWN,),
}


def carried(scenario: str, mode: str) -> Overlay:
    return with_mode(load(scenario).overlay, None if mode == OWN else parse_mode(mode))


def cases() -> Iterator[tuple[str, str, str, str]]:
    for scenario, modes in MODES.items():
        for mode in modes:
            for host in carried(scenario, mode).hosts:
                for bridge in bridges(host):
                    yield scenario, mode, host.name, bridge


CASES = {".".join(case): case for case in cases()}


@pytest.mark.parametrize("name", CASES)
def test_flows_are_as_recorded(name: str):
    scenario, mode, host, bridge = CASES[name]
    overlay = carried(scenario, mode)
    text = "\n".join(dump(bridge_flows(overlay, new_binding(overlay, host), bridge))) + "\n"
    file = FOLDER / f"{name}.flows"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_every_scenario_is_recorded():
    overlays = {name for name in available() if isinstance(load(name).described, Overlay)}
    assert set(MODES) == overlays


def test_no_recorded_file_is_left_over():
    assert {file.stem for file in FOLDER.glob("*.flows")} == set(CASES)
