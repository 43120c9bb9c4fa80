"""The controller with real switches: it installs the offline text, and frames are delivered as predicted."""

import pytest

from tests.controller.switches.agreement import (
    assert_as_the_oracle_says,
    assert_dumps_equal_the_offline_text,
)
from tests.oracle.overlays import SEEDS, named, overlay_of

pytestmark = pytest.mark.rootless

FRAMES_MAX = 100  # an overlay; with the same flows from text, all are tried


@pytest.mark.parametrize("seed", SEEDS, ids=named)
def test_live_dump_equals_offline_text_and_delivery_agrees_with_the_oracle(live_rig, seed):
    laid = live_rig(overlay_of(seed))
    assert_dumps_equal_the_offline_text(laid)
    assert_as_the_oracle_says(laid, at_most=FRAMES_MAX)
