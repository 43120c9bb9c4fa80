"""The offline text in real switches: their dump is that text, and frames are delivered as predicted."""

import pytest

from tests.controller.switches.agreement import (
    assert_as_the_oracle_says,
    assert_dumps_equal_the_offline_text,
)
from tests.oracle.overlays import SEEDS, named, overlay_of

pytestmark = pytest.mark.rootless


@pytest.mark.parametrize("seed", SEEDS, ids=named)
def test_offline_text_and_delivery_agree_with_the_oracle(rig, seed):
    laid = rig(overlay_of(seed))
    laid.install()
    assert_dumps_equal_the_offline_text(laid)
    assert_as_the_oracle_says(laid)
