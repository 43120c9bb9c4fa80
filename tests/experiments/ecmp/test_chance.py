"""Entropy, and flows that choose equal paths at random."""

from math import comb

import pytest

from experiments.ecmp.chance import band, chances, entropy_bits, expected_bits, most_bits, tolerated


@pytest.mark.parametrize(
    ("counts", "bits"),
    [
        ([32, 0], 0.0),
        ([16, 16], 1.0),
        ([8, 8, 8, 8], 2.0),
        ([3, 1], 0.811278),
        ([0, 0, 5, 0], 0.0),
    ],
)
def test_entropy(counts, bits):
    assert entropy_bits(counts) == pytest.approx(bits, abs=1e-6)


@pytest.mark.parametrize(
    ("flows", "paths", "bits"), [(1, 4, 0), (2, 4, 1), (512, 4, 2), (512, 2, 1)]
)
def test_no_more_than_flows_or_paths_allow(flows, paths, bits):
    assert most_bits(flows, paths) == bits


def test_chances_are_binomial_and_sum_to_one():
    assert chances(32, 2)[16] == pytest.approx(comb(32, 16) / 2**32)
    assert sum(chances(512, 4)) == pytest.approx(1)


@pytest.mark.parametrize(("flows", "paths"), [(4, 2), (8, 4), (32, 2)])
def test_the_expected_entropy_is_the_mean_over_all_draws(flows, paths):
    """By every outcome, weighted by its chance (multinomial)."""

    def outcomes(left, bins):
        if bins == 1:
            yield (left,)
            return
        for many in range(left + 1):
            yield from ((many, *rest) for rest in outcomes(left - many, bins - 1))

    def weight(counts):
        left, ways = flows, 1
        for many in counts:
            ways *= comb(left, many)
            left -= many
        return ways / paths**flows

    mean = sum(weight(each) * entropy_bits(each) for each in outcomes(flows, paths))
    assert expected_bits(flows, paths) == pytest.approx(mean)
    assert mean < most_bits(flows, paths)


def test_one_flow_has_no_entropy():
    assert expected_bits(1, 4) == 0


def test_32_flows_on_two_paths_are_8_to_24():
    found = band(32, 2)

    assert (found.low, found.high) == (8, 24)
    assert found.outside == pytest.approx(2 * sum(comb(32, k) for k in range(8)) / 2**32)


@pytest.mark.parametrize(("flows", "paths"), [(1, 2), (16, 2), (8, 4), (512, 4), (64, 8)])
def test_a_band_leaves_out_at_most_the_tails(flows, paths):
    found, every = band(flows, paths), chances(flows, paths)

    outside = sum(every) - sum(every[found.low : found.high + 1])
    assert outside <= 2 * 0.0011
    assert found.outside == pytest.approx(outside * (1 if paths == 2 else paths), abs=1e-9)
    assert sum(every[: found.low + 1]) > 0.0011  # one more would be too many


def test_a_few_draws_of_many_may_be_outside():
    assert tolerated([]) == 0
    assert tolerated([0.0] * 1000) == 0
    assert tolerated([0.002] * 756) == 8
    assert tolerated([0.002] * 10) < 3
