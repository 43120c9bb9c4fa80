"""The search on simulated paths: reliable ones, lossy ones, and none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model.errors import MeasureError
from experiments.measure.mtu_search import largest_passing

LOW, HIGH = 576, 1700


def path_of(limit):
    return lambda size: size <= limit


@given(limit=st.integers(LOW, HIGH))
def test_the_limit_is_found_to_the_byte_in_few_steps(limit):
    found = largest_passing(path_of(limit), path_of(limit), low=LOW, high=HIGH)

    assert (found.largest, found.resumed) == (limit, 0)
    assert found.steps <= 11


def test_the_guest_s_own_mtu_ends_the_search():
    asked = []

    def confirmed(size):
        asked.append(size)
        return True

    found = largest_passing(lambda size: True, confirmed, low=LOW, high=HIGH)

    assert found.largest == HIGH
    assert asked == [HIGH]  # one above could not be sent at all


@given(limit=st.integers(LOW, HIGH), lost=st.integers(0, 10))
def test_one_lost_packet_does_not_change_the_limit(limit, lost):
    """One step of the search fails wrongly; the confirmation one byte above finds it."""
    tried = []

    def passes(size):
        tried.append(size)
        return len(tried) != lost + 1 and size <= limit

    found = largest_passing(passes, path_of(limit), low=LOW, high=HIGH)

    assert found.largest == limit
    assert found.resumed <= 1


def test_a_limit_that_passed_only_once_is_corrected():
    luck = iter([True])

    def passes(size):
        return size <= 1450 or next(luck, False)

    found = largest_passing(passes, path_of(1450), low=LOW, high=HIGH)

    assert found.resumed == 1
    assert found.largest == 1450


def test_a_path_on_which_nothing_passes_is_an_error():
    with pytest.raises(MeasureError) as caught:
        largest_passing(path_of(0), path_of(0), low=LOW, high=HIGH)

    assert str(caught.value) == (
        "search for the largest packet: not even 576 bytes pass; allowed: a path on which the "
        "smallest size tried passes. Start the same lab with `overlaylab up` and ping; raw/ has the "
        "output of ping."
    )


def test_confirmations_that_never_agree_are_an_error():
    with pytest.raises(MeasureError, match="still differ at"):
        largest_passing(path_of(1450), lambda size: size > 1450, low=LOW, high=HIGH)
