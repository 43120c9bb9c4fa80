"""What was recorded from the real agents is also what our controller's messages make of a switch."""

from pathlib import Path

import pytest

from tests.controller.switches.agreement import assert_dumps_equal_the_offline_text
from topologies.scenario.load import load

pytestmark = pytest.mark.rootless

SCENARIOS = Path(__file__).parents[2] / "golden/neutron/scenarios"


@pytest.mark.parametrize("name", ["address-pairs", "egress-direct"])
def test_a_switch_has_the_flows_of_the_offline_text(live_rig, name):
    laid = live_rig(load(SCENARIOS / f"{name}.yaml").overlay)
    assert_dumps_equal_the_offline_text(laid)
