"""What the title of the chart of empty caches may claim."""

import numpy as np

from experiments.latency.analysis import First
from experiments.latency.families import costs_finding, costs_title
from experiments.latency.words import GUEST_ARP
from experiments.show.statistics import Difference, Interval


def first(interval: Interval | None) -> First:
    return First(
        cache=GUEST_ARP,
        by_mode={"gre-mesh": np.array([0.9])},
        lost={},
        cost=Difference(estimate=0.4, interval=interval),
    )


def test_a_cost_beyond_the_spread_is_claimed_with_its_interval():
    assert costs_title([first(Interval(low=0.3, high=0.5))]) == "An empty ARP cache adds 0.4 ms"
    assert costs_finding([first(Interval(low=0.3, high=0.5))]) == (
        "An empty ARP cache adds 0.30 to 0.50 ms",
    )


def test_a_cost_whose_interval_includes_zero_is_not_claimed():
    assert "adds" not in costs_title([first(Interval(low=-0.1, high=0.9))])
    assert costs_finding([first(Interval(low=-0.1, high=0.9))]) == ()


def test_without_an_interval_the_cost_is_that_of_this_run():
    assert costs_title([first(None)]) == "An empty ARP cache adds 0.4 ms in this run"
    assert costs_finding([first(None)]) == ("An empty ARP cache adds 0.40 ms in this run",)
