"""The search, on paths that are simulated: true ones, lossy ones, and none."""

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
def test_a_loss_by_chance_fakes_no_limit(limit, lost):
    """One step of the search is answered wrongly: the confirmation one byte above tells."""
    tried = []

    def passes(size):
        tried.append(size)
        return len(tried) != lost + 1 and size <= limit

    found = largest_passing(passes, path_of(limit), low=LOW, high=HIGH)

    assert found.largest == limit
    assert found.resumed <= 1


def test_a_limit_that_was_luck_is_given_up():
    luck = iter([True])

    def passes(size):
        return size <= 1450 or next(luck, False)

    found = largest_passing(passes, path_of(1450), low=LOW, high=HIGH)

    assert found.resumed == 1
    assert found.largest == 1450


def test_a_path_that_carries_nothing_is_an_error():
    with pytest.raises(MeasureError) as caught:
        largest_passing(path_of(0), path_of(0), low=LOW, high=HIGH)

    assert str(caught.value) == (
        "search for the largest packet: not even 576 bytes pass; allowed: a path that carries the "
        "smallest size tried. Raise the same lab with `overlaylab up` and ping; raw/ has what ping said."
    )


def test_a_path_that_changes_its_mind_is_an_error():
    with pytest.raises(MeasureError, match="still differ at"):
        largest_passing(path_of(1450), lambda size: size > 1450, low=LOW, high=HIGH)
